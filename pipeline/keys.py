"""The code that each stage of an experiment depends on, as digests: part of the keys of its cache.

They are derived: from what a stage's entry point imports, and from the lines of the catalog that this experiment uses.
A new part in the catalog, or one that another experiment uses, changes none of them. Another version of what computes
changes all: it gives other pixels, weights or figures.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Iterator

from models import catalog
from models.config import Data, Experiment, Restoration, Scheme, Translator
from models.config.variants import line
from models.digests import closure
from models.digests.packages import code_hash

COMPUTING = ("tensorflow", "keras", "numpy", "pillow")
"""Packages whose versions are part of every key."""


def ingestion(data: Data) -> str:
    """Digests what ImageExampleGen runs."""
    return _digest(["components.example_gen.executor"], [*source_lines(data), *column_lines(data)])


def validation(experiment: Experiment) -> str:
    """Digests what StrictExampleValidator runs."""
    task = catalog.require("task", experiment.scheme.task)
    lines = [task, *metric_lines(experiment), *column_lines(experiment.data)]
    return _digest(["components.example_validator.executor"], lines)


def transform(data: Data) -> str:
    """Digests what Transform runs."""
    return _digest(["models.examples.preprocessing"], column_lines(data))


def extractor(experiment: Experiment) -> str:
    """Digests what FeatureTrainer runs."""
    pretrained = catalog.EXTRACTORS.get(experiment.evaluation.extractor)
    lines = [pretrained.line] if pretrained else []
    return _digest(
        ["models.extractors.classifier"], [*lines, *mixture_lines(experiment.data), *column_lines(experiment.data)]
    )


def training(experiment: Experiment) -> str:
    """Digests what GanTrainer runs; its checkpoints belong to this digest, too."""
    return _digest(["components.gan_trainer.executor"], trained_lines(experiment))


def evaluation(experiment: Experiment) -> str:
    """Digests what GanEvaluator runs."""
    return _judging("components.gan_evaluator.executor", experiment)


def measuring(experiment: Experiment) -> str:
    """Digests what of GanEvaluator measures: what it kept of earlier measurements belongs to this digest."""
    return _judging("components.gan_evaluator.measuring.instruments", experiment)


def serving(experiment: Experiment) -> str:
    """Digests what ServingValidator runs, and the server, which it starts in a process of its own."""
    return _digest(
        ["components.serving_validator.executor", "serving.model_server"], degradation_lines(experiment.scheme)
    )


def trained_lines(experiment: Experiment) -> Iterator[str]:
    """The lines of what is trained: scheme, players, objective, penalties and degradations."""
    scheme = experiment.scheme
    yield line("scheme", scheme)
    yield catalog.require("task", scheme.task)
    yield from column_lines(experiment.data)
    yield line("translator" if isinstance(scheme.generator, Translator) else "generator", scheme.generator)
    yield line("discriminator", scheme.discriminator)
    yield line("objective", scheme.objective)
    named: dict[str, Iterable[str]] = {
        "penalty": scheme.objective.penalties,
        "generator penalty": scheme.objective.generator_penalties,
    }
    for kind, names in named.items():
        yield from (catalog.require(kind, name) for name in names)
    yield from degradation_lines(scheme)
    yield from (catalog.require("content network", name) for name in scheme.trained_on)


def degradation_lines(scheme: Scheme) -> Iterator[str]:
    """The lines of what spoils the examples that a restorer takes; none of any other scheme."""
    spoilt = scheme.degradations if isinstance(scheme, Restoration) else {}
    return (catalog.require("degradation", name) for name in spoilt)


def _judging(entry: str, experiment: Experiment) -> str:
    """Digests a part of the evaluator, with the metrics and all that the catalog says of them."""
    evaluation, data = experiment.evaluation, experiment.data
    # what spoils the examples that a restorer is judged on is a part of its task
    asked = [catalog.require("task", experiment.scheme.task), *degradation_lines(experiment.scheme)]
    code = _digest([entry], [*asked, *metric_lines(experiment), *mixture_lines(data), *column_lines(data)])
    keys = catalog.metric_names(evaluation.extractor, data.kind, experiment.scheme.task).values()
    told = [(key, *catalog.METRICS[key], catalog.least(key, evaluation.extractor)) for key in keys]
    return hashlib.sha256(f"{code}\0{json.dumps(told)}".encode()).hexdigest()[:16]


def metric_lines(experiment: Experiment) -> Iterator[str]:
    """The lines of all metrics that this kind of data has."""
    evaluation, task = experiment.evaluation, experiment.scheme.task
    names = catalog.metric_names(evaluation.extractor, experiment.data.kind, task)
    return (catalog.METRICS[key].line for key in names.values())


def column_lines(data: Data) -> Iterator[str]:
    """The lines of the kinds of columns that the data have."""
    return (catalog.require("column kind", kind) for kind in sorted({column.kind for column in data.columns}))


def mixture_lines(data: Data) -> Iterator[str]:
    """The lines of the mixtures that points come from."""
    found = (source.partition(":") for source in data.sources)
    return (catalog.require("mixture", name) for kind, _, name in found if kind == "mixture")


def source_lines(data: Data) -> Iterator[str]:
    """Where the sources of this data are read, and the sources within them."""
    for domain in data.domains:
        if domain.implementation:
            yield domain.implementation
        if domain.name in catalog.READERS:
            yield catalog.READERS[domain.name]
        left = domain.source
        while left:
            kind, _, left = left.partition(":")
            if kind not in catalog.SOURCES:
                break
            yield catalog.SOURCES[kind]
    yield from mixture_lines(data)


def _digest(entries: Iterable[str], lines: Iterable[str] = ()) -> str:
    """Digests code: of ours what is used, of the user's own parts all of their package."""
    listed = list(lines)
    own = {each.partition(":")[0].partition(".")[0] for each in listed} - set(closure.OURS)
    code = closure.digest(entries, (each for each in listed if each.partition(".")[0] not in own))
    versions = {name: importlib.metadata.version(name) for name in COMPUTING}
    found = hashlib.sha256(f"{code}\0{json.dumps(versions)}".encode()).hexdigest()[:16]
    return "-".join([found, *(code_hash(each) for each in sorted(own))])
