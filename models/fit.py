"""What the parts of an experiment must agree on: refused here, before a pipeline has run for an hour."""

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from models import catalog

if TYPE_CHECKING:
    from models.config import Data, Experiment, Network

CROSS_ENTROPIES = ("minimax", "non_saturating", "maximum_likelihood")
"""Objectives whose discriminator minimises a binary cross-entropy: labels of these can be smoothed."""

ALGORITHM_1 = ("adversarial", "restoration")

OPTIONS = {
    "data.unpaired_source": ("cycle",),
    "gan.cycle_weight": ("cycle",),
    "gan.identity_weight": ("cycle",),
    "gan.pool_size": ("cycle",),
    "gan.degradations": ("restoration",),
    "gan.fidelity_weight": ("restoration",),
    "network.condition": ("adversarial",),
    "network.categorical_codes": ("adversarial",),
    "network.continuous_codes": ("adversarial",),
    "objective.generator_penalties": ("adversarial",),
    "training.discriminator_steps": ALGORITHM_1,
    "training.generator_steps": ALGORITHM_1,
    "training.updates": ALGORITHM_1,
    "training.unrolled_steps": ALGORITHM_1,
    "training.pretraining_steps": ("restoration",),
    "training.pretraining_optimizer": ("restoration",),
}
"""Fields that not every GAN reads, and the GANs that do: to the others they are refused, rather than ignored."""

TRANSLATING = ("cycle", "restoration")
"""GANs whose generator takes an example: a translator, which has no noise, label or code."""


class Architecture(NamedTuple):
    """What a network can do.

    Attributes:
        lacks: fields of `Network` that it does not have.
        points: whether it draws points of the plane instead of images.
        translates: whether it has a translator.
    """

    lacks: tuple[str, ...]
    points: bool = False
    translates: bool = False


NO_MLP = ("generator_depth", "discriminator_depth", "dropout")
ARCHITECTURES = {
    "gan_mlp": Architecture(("attention", "discriminator_smallest_map")),
    "points": Architecture(("attention", "discriminator_smallest_map"), points=True, translates=True),
    "dcgan": Architecture(NO_MLP),
    "resnet": Architecture((*NO_MLP, "discriminator_smallest_map")),
}
NO_OPTIONS_OF_TRANSLATORS = ("latent", "condition", "categorical_codes", "continuous_codes")

NEEDS = {"cycle": "data.unpaired_source", "restoration": "gan.degradations"}
"""Fields without which a GAN has nothing to do."""


def check_fit(experiment: "Experiment") -> None:
    """Raises ValueError, one line, for the first two parts that do not go together."""
    for check in (
        _options,
        _labels,
        _shares,
        _stacked,
        _extractor,
        _thresholds,
        _packing,
        _smoothing,
        _images,
        _lazy_penalties,
        _unrolling,
        _network,
    ):
        check(experiment)


def check_network(network: "Network", data: "Data", *, translator: bool = False) -> None:
    """Holds a network against the data and against what its architecture can do.

    Args:
        network: the fields.
        data: says whether examples are points or images.
        translator: whether it is to take an example in the place of noise.

    Raises:
        ValueError: one line for the first thing that does not fit.
    """
    known = ARCHITECTURES.get(network.name)
    if known is None:
        return
    for field in known.lacks + (NO_OPTIONS_OF_TRANSLATORS if translator else ()):
        value, default = getattr(network, field), type(network).model_fields[field].default
        if value != default:
            raise ValueError(f"network.{field} is no option of {network.name}; received {value}, leave it at {default}")
    if known.points and not data.points:
        raise ValueError(f"{network.name} draws points of the plane, but {data.source} has images")
    if data.points and not known.points:
        raise ValueError(
            f"{network.name} draws images, but {data.source} has points of the plane; network.name points draws them"
        )
    if network.condition == "batch_norm" and network.generator_norm != "batch":
        raise ValueError(
            f"network.condition batch_norm needs network.generator_norm batch; received {network.generator_norm}"
        )


def _network(experiment: "Experiment") -> None:
    network, gan = experiment.network, experiment.gan.name
    known = ARCHITECTURES.get(network.name)
    if known and gan in TRANSLATING and not known.translates:
        raise ValueError(f"the GAN {gan} needs a translator, which network.name {network.name} does not have")
    check_network(network, experiment.data, translator=gan in TRANSLATING)


def _options(experiment: "Experiment") -> None:
    name = experiment.gan.name
    for path, gans in OPTIONS.items():
        value, default = _field(experiment, path)
        if value != default and name not in gans:
            raise ValueError(f"{path} is no option of the GAN {name}; received {value}, leave it at {default}")
    needed = NEEDS.get(name)
    if needed and not _field(experiment, needed)[0]:
        raise ValueError(f"the GAN {name} needs {needed}; received none")


def _field(experiment: "Experiment", path: str) -> tuple[Any, Any]:
    """The value at a path, and its default."""
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, experiment)
    return getattr(owner, name), type(owner).model_fields[name].default


def _labels(experiment: "Experiment") -> None:
    if experiment.network.conditional and not experiment.data.labels:
        raise ValueError("a conditional network needs data.labels of at least 2; received 0")


def _shares(experiment: "Experiment") -> None:
    data = experiment.data
    if data.eval_share + data.choose_share >= 1:
        raise ValueError(
            "data.eval_share and data.choose_share leave some examples to train on: their sum is below 1; received "
            f"{data.eval_share:g} and {data.choose_share:g}"
        )


def _stacked(experiment: "Experiment") -> None:
    data = experiment.data
    if data.kind == "stacked" and (data.channels, data.labels) != (3, 1000):
        raise ValueError(
            "stacked digits have data.channels of 3 and data.labels of 1000; received "
            f"{data.channels} and {data.labels}"
        )


def _extractor(experiment: "Experiment") -> None:
    data, name, weights = experiment.data, experiment.evaluation.extractor, experiment.evaluation.extractor_weights
    if name in catalog.EXTRACTORS:
        if data.kind != "images":
            raise ValueError(f"{name} looks at images; {data.source} gives {data.kind}")
        return
    if weights is not None:
        raise ValueError(f"extractor_weights are of {' or '.join(catalog.EXTRACTORS)}; received extractor {name}")
    if data.kind == "images" and not data.labels:
        raise ValueError(
            f"images without classes are judged by {catalog.UNLABELLED}, as a classifier would have nothing to learn; "
            f"received evaluation.extractor {name}: leave it out, or set data.labels"
        )


def _thresholds(experiment: "Experiment") -> None:
    known = catalog.metric_names(experiment.evaluation.extractor, experiment.data.kind)
    for name in experiment.evaluation.thresholds:
        if name not in known and name not in catalog.PLAYERS:
            raise ValueError(f"{name} is no metric of {experiment.data.kind}{catalog.near_misses(name, known)}")


def _packing(experiment: "Experiment") -> None:
    pack, batch = experiment.network.pack, experiment.training.batch_size
    if pack > 1 and experiment.network.conditional:
        raise ValueError(
            f"examples that are judged together have no label in common: network.pack={pack} needs "
            f"network.condition=none; received {experiment.network.condition}"
        )
    codes = experiment.network.categorical_codes + experiment.network.continuous_codes
    if pack > 1 and codes:
        raise ValueError(
            f"examples that are judged together have no code in common; received pack {pack} and {codes} codes"
        )
    if batch % pack:
        raise ValueError(f"training.batch_size is a multiple of network.pack; received {batch} and {pack}")
    group = experiment.network.batch_group
    if experiment.network.batch_statistics != "none" and batch % (pack * group):
        packs = f" x network.pack ({pack})" if pack > 1 else ""
        raise ValueError(f"training.batch_size is a multiple of network.batch_group ({group}){packs}; received {batch}")


def _smoothing(experiment: "Experiment") -> None:
    objective = experiment.objective
    if objective.label_smoothing and objective.name not in CROSS_ENTROPIES:
        raise ValueError(
            f"objective.label_smoothing is for {', '.join(CROSS_ENTROPIES)}; received it with {objective.name}"
        )


def _images(experiment: "Experiment") -> None:
    objective = experiment.objective
    wanted = ["objective.augment"] * bool(objective.augment)
    wanted += ["objective.penalties.consistency"] * ("consistency" in objective.penalties)
    if wanted and experiment.data.points:
        raise ValueError(f"{wanted[0]} changes images; {experiment.data.source} gives points")


def _lazy_penalties(experiment: "Experiment") -> None:
    """A penalty inside a condition cannot talk to the other replicas, which these have to."""
    every, penalties = experiment.objective.penalty_every_steps, experiment.objective.penalties
    talks = "dragan" if "dragan" in penalties else ""
    talks = "discriminator_norm=batch" if experiment.network.discriminator_norm == "batch" and penalties else talks
    if every > 1 and talks:
        raise ValueError(
            f"objective.penalty_every_steps of more than 1 needs penalties without batch statistics; received {every} "
            f"with {talks}"
        )


def _unrolling(experiment: "Experiment") -> None:
    steps, optimizer = experiment.training.unrolled_steps, experiment.training.discriminator_optimizer
    if steps and not (optimizer.name == "adam" or (optimizer.name == "sgd" and not optimizer.momentum)):
        raise ValueError(
            f"an unrolled discriminator is updated by adam, or by sgd without momentum; received {optimizer.name}"
            + (f" with momentum {optimizer.momentum}" if optimizer.momentum else "")
        )
