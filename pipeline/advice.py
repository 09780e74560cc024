"""What to change when a model was refused: the settings that move the metrics that fell short."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from models import catalog
from models.config import Experiment

Settings = tuple[str, ...]
"""Each `field=value`, as `--set` takes it."""

GRADIENT_PENALTIES = {"r1", "r2", "wgan_gp", "wgan_gp_one_sided", "dragan"}
AT_MOST_EACH = 2
"""Remedies of one metric."""


class Remedy(NamedTuple):
    """One thing to try.

    Attributes:
        words: what it is, as one would tell it.
        settings: what an experiment changes for it; none where it has it already, or cannot have it.
    """

    words: str
    settings: Callable[[Experiment], Settings]


class Advice(NamedTuple):
    """A remedy for one refused model, and the metrics that it should move."""

    metrics: tuple[str, ...]
    words: str
    settings: Settings


def advise(experiment: Experiment, metrics: Mapping[str, Mapping[str, Any]]) -> list[Advice]:
    """What to try, that which helps the most metrics first.

    Args:
        experiment: what was judged.
        metrics: those of the judgement's `metrics.json`.

    Returns:
        At most two remedies for each metric that fell short, each named once with all metrics that it is for. A metric
        without a value has none: its verdict says what it lacks.
    """
    helped: dict[str, list[str]] = {}
    for name, metric in metrics.items():
        if metric.get("holds") is False and metric.get("value") is not None:
            usable = [each for each in _remedies(experiment, name, metric) if _settings(experiment, each)]
            for remedy in usable[:AT_MOST_EACH]:
                helped.setdefault(remedy, []).append(name)
    order = sorted(helped, key=lambda remedy: len(helped[remedy]), reverse=True)
    return [Advice(tuple(helped[each]), REMEDIES[each].words, _settings(experiment, each)) for each in order]


def lines(advised: list[Advice], again: str | None) -> Iterator[str]:
    """The advice for the terminal.

    Args:
        advised: by `advise`.
        again: the command that was given, to which settings are added; None where it takes none.
    """
    if advised:
        yield "nothing failed: the model was judged, and refused; what to try, one at a time:"
    for advice in advised:
        yield f"  {', '.join(advice.metrics)}: {advice.words}"
        options = shlex.join(part for setting in advice.settings for part in ("--set", setting))
        yield f"    {again} {options}" if again else f"    compile it again with {options}"


def _settings(experiment: Experiment, remedy: str) -> Settings:
    """A remedy's settings; none where the experiment refuses them."""
    settings = REMEDIES[remedy].settings(experiment)
    try:
        return settings if settings and experiment.override(settings) != experiment else ()
    except ValueError:
        return ()


def _remedies(experiment: Experiment, name: str, metric: Mapping[str, Any]) -> tuple[str, ...]:
    if name in catalog.PLAYERS:
        limit = (metric.get("threshold") or {}).get("at_most")
        return ("slower discriminator",) if limit is not None and metric["value"] > limit else ("faster discriminator",)
    return FOR[catalog.metric_names(experiment.evaluation.extractor)[name]]


def _longer(experiment: Experiment) -> Settings:
    return (f"training.steps={2 * experiment.training.steps}",)


def _shorter(experiment: Experiment) -> Settings:
    return (f"training.steps={max(1, experiment.training.steps // 2)}",)


def _wider(experiment: Experiment) -> Settings:
    players = {name: getattr(experiment.scheme, name) for name in ("generator", "discriminator")}
    return tuple(f"scheme.{name}.width={2 * each.width}" for name, each in players.items() if hasattr(each, "width"))


def _cosine(experiment: Experiment) -> Settings:
    training = experiment.training
    players = {"generator": training.generator_optimizer, "discriminator": training.discriminator_optimizer}
    return tuple(
        f"training.{player}_optimizer.schedule=cosine"
        for player, optimizer in players.items()
        if optimizer.schedule == "constant"
    )


def _average(experiment: Experiment) -> Settings:
    images = experiment.training.ema_half_life_images
    return (f"training.ema_half_life_images={2 * images:g}" if images else "training.ema_half_life_images=10000",)


def _penalty(experiment: Experiment) -> Settings:
    if GRADIENT_PENALTIES & experiment.scheme.objective.penalties.keys():
        return ()
    # the gradient of one example's logit is its own only where examples do not mix
    norm = ("scheme.discriminator.norm=none",) if experiment.scheme.discriminator.norm == "batch" else ()
    return ("scheme.objective.penalties.r1=0.1", *norm)


def _stddev(experiment: Experiment) -> Settings:
    discriminator = experiment.scheme.discriminator
    return ("scheme.discriminator.batch_statistics=stddev",) if discriminator.batch_statistics == "none" else ()


def _pack(experiment: Experiment) -> Settings:
    return ("scheme.discriminator.pack=2",) if experiment.scheme.discriminator.pack == 1 else ()


def _augment(experiment: Experiment) -> Settings:
    wanted = json.dumps(["translation", "cutout"])
    return () if experiment.scheme.objective.augment else (f"scheme.objective.augment={wanted}",)


def _projection(experiment: Experiment) -> Settings:
    asks_otherwise = experiment.scheme.discriminator.condition not in ("none", "projection")
    return ("scheme.discriminator.condition=projection",) if asks_otherwise else ()


def _cycle(experiment: Experiment) -> Settings:
    weight = getattr(experiment.scheme, "cycle_weight", None)
    return () if weight is None else (f"scheme.cycle_weight={2 * weight or 1:g}",)


def _fidelity(experiment: Experiment) -> Settings:
    weight = getattr(experiment.scheme, "fidelity_weight", None)
    return () if weight is None else (f"scheme.fidelity_weight={2 * weight or 1:g}",)


def _outruns(experiment: Experiment) -> Settings:
    """Twice the generator's rate for a discriminator that does not learn faster than it."""
    rates = experiment.training.generator_optimizer.learning_rate, experiment.training.discriminator_optimizer
    lags = rates[1].learning_rate <= rates[0]
    return (f"training.discriminator_optimizer.learning_rate={2 * rates[0]:g}",) if lags else ()


def _rate(factor: float) -> Callable[[Experiment], Settings]:
    def settings(experiment: Experiment) -> Settings:
        rate = factor * experiment.training.discriminator_optimizer.learning_rate
        return (f"training.discriminator_optimizer.learning_rate={rate:g}",)

    return settings


REMEDIES = {
    "longer": Remedy("train longer", _longer),
    "shorter": Remedy("train shorter", _shorter),
    "wider": Remedy("widen both networks", _wider),
    "cosine": Remedy("let the learning rates fall to 0", _cosine),
    "average": Remedy("average the generator's weights over more images", _average),
    "penalty": Remedy("penalise the discriminator's gradients (R1)", _penalty),
    "stddev": Remedy("show the discriminator how much a batch varies (minibatch stddev)", _stddev),
    "pack": Remedy("let the discriminator judge two examples together (PacGAN)", _pack),
    "augment": Remedy("augment what the discriminator sees (DiffAugment)", _augment),
    "projection": Remedy("let the discriminator read the class by projection", _projection),
    "cycle": Remedy("weigh the way there and back more", _cycle),
    "fidelity": Remedy("weigh the squared error more, beside the adversarial loss", _fidelity),
    "outruns": Remedy("let the discriminator learn faster than the generator", _outruns),
    "faster discriminator": Remedy("raise the discriminator's learning rate", _rate(2)),
    "slower discriminator": Remedy("lower the discriminator's learning rate", _rate(0.5)),
}

_COLLAPSE = ("penalty", "outruns", "stddev", "pack", "longer")
_VARIETY = ("longer", "penalty", "stddev", "pack")
_FIDELITY = ("longer", "cosine", "wider")
_NEARNESS = ("fidelity", *_FIDELITY)
_COPIES = ("augment", "shorter")

FOR = {
    "conditional_accuracy": ("projection", *_FIDELITY),
    "within_class_spread": _COLLAPSE,
    "spread": _COLLAPSE,
    "near_duplicates": _COLLAPSE,
    "ms_ssim": _COLLAPSE,
    "sharpness": ("longer", "wider"),
    "noise": ("average", *_FIDELITY),
    "memorisation": _COPIES,
    "novelty": _COPIES,
    "coverage": _VARIETY,
    "recall": _VARIETY,
    "density": _FIDELITY,
    "precision": _FIDELITY,
    "fcd_{extractor}": _FIDELITY,
    "fid": _FIDELITY,
    "kid_{extractor}": _FIDELITY,
    "fd_{extractor}": _FIDELITY,
    "kd_{extractor}": _FIDELITY,
    "classifier_score": _FIDELITY,
    "inception_score": _FIDELITY,
    "modes": _COLLAPSE,
    "high_quality": _FIDELITY,
    "reverse_kl": _COLLAPSE,
    "stacked_modes": _COLLAPSE,
    "stacked_kl": _COLLAPSE,
    "psnr": _NEARNESS,
    "ssim": _NEARNESS,
    "pair_distance_{extractor}": _FIDELITY,
    "retrieval_{extractor}": ("cycle", *_FIDELITY),
    "squared_error": _NEARNESS,
    "cycle_error": ("cycle", "longer", "wider"),
}
"""Metric of the catalog -> remedies to try, the likeliest first."""
