"""The parts that an experiment can name: one line each, `name: "module:function"`.

A line is plain text so that names can be checked without importing TensorFlow; `lookup` imports what it names.
To add a part, write its function and add its line: tests/test_catalog.py tests every line.
"""

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

from models.metric_lines import INCEPTION as INCEPTION
from models.metric_lines import METRICS as METRICS
from models.metric_lines import PLAYERS as PLAYERS
from models.metric_lines import Kind as Kind
from models.metric_lines import Metric as Metric

OBJECTIVES = {
    "minimax": "models.objectives:minimax",
    "non_saturating": "models.objectives:non_saturating",
    "maximum_likelihood": "models.objectives:maximum_likelihood",
    "least_squares": "models.objectives:least_squares",
    "wasserstein": "models.objectives:wasserstein",
    "hinge": "models.objectives:hinge",
    "relativistic": "models.objectives:relativistic",
    "f_total_variation": "models.divergences:f_total_variation",
    "f_total_variation_heuristic": "models.divergences:f_total_variation_heuristic",
    "f_kl": "models.divergences:f_kl",
    "f_kl_heuristic": "models.divergences:f_kl_heuristic",
    "f_reverse_kl": "models.divergences:f_reverse_kl",
    "f_reverse_kl_heuristic": "models.divergences:f_reverse_kl_heuristic",
    "f_pearson_chi2": "models.divergences:f_pearson_chi2",
    "f_pearson_chi2_heuristic": "models.divergences:f_pearson_chi2_heuristic",
    "f_neyman_chi2": "models.divergences:f_neyman_chi2",
    "f_neyman_chi2_heuristic": "models.divergences:f_neyman_chi2_heuristic",
    "f_squared_hellinger": "models.divergences:f_squared_hellinger",
    "f_squared_hellinger_heuristic": "models.divergences:f_squared_hellinger_heuristic",
    "f_jeffrey": "models.divergences:f_jeffrey",
    "f_jeffrey_heuristic": "models.divergences:f_jeffrey_heuristic",
    "f_jensen_shannon": "models.divergences:f_jensen_shannon",
    "f_jensen_shannon_heuristic": "models.divergences:f_jensen_shannon_heuristic",
    "f_gan": "models.divergences:f_gan",
    "f_gan_heuristic": "models.divergences:f_gan_heuristic",
}

PENALTIES = {
    "r1": "models.penalties:r1",
    "r2": "models.penalties:r2",
    "wgan_gp": "models.penalties:wgan_gp",
    "wgan_gp_one_sided": "models.penalties:wgan_gp_one_sided",
    "dragan": "models.penalties:dragan",
    "consistency": "models.penalties:consistency",
}

GENERATOR_PENALTIES = {
    "path_length": "models.penalties:path_length",
}

NETWORKS = {
    "gan_mlp": "models.networks.gan_mlp",
    "points": "models.networks.points",
    "dcgan": "models.networks.dcgan",
    "resnet": "models.networks.resnet",
}

MIXTURES = {
    "ring": "models.mixtures:ring",
    "square": "models.mixtures:square",
    "grid": "models.mixtures:grid",
}

DEGRADATIONS = {
    # in the order in which they happen
    "shrink": "models.degradations:shrink",
    "noise": "models.degradations:noise",
}

GANS = {
    "adversarial": "models.gans.adversarial:AdversarialGAN",
    "cycle": "models.gans.cycle:CycleGAN",
    "restoration": "models.gans.restoration:RestorationGAN",
}


KINDS: dict[str, dict[str, str]] = {
    "objective": OBJECTIVES,
    "penalty": PENALTIES,
    "generator penalty": GENERATOR_PENALTIES,
    "network": NETWORKS,
    "degradation": DEGRADATIONS,
    "gan": GANS,
    "mixture": MIXTURES,
    "metric": {name: metric.line for name, metric in METRICS.items()},
}


def require(kind: str, name: str) -> str:
    """The catalog's line of this name.

    Raises:
        ValueError: there is no such name; the message names the near miss and the choices.
    """
    names = KINDS[kind]
    if name not in names:
        raise ValueError(f"{name} is no {kind} of the catalog{near_misses(name, names)}")
    return names[name]


def lookup(kind: str, name: str) -> Any:
    """Imports and returns what the catalog names. Raises ValueError like `require`."""
    path, _, attribute = require(kind, name).partition(":")
    module = importlib.import_module(path)
    return getattr(module, attribute) if attribute else module


def metric_names(extractor: str, kind: Kind | None = None) -> dict[str, str]:
    """The names of all metrics under an extractor, or of those that a kind of data has -> their keys in METRICS."""
    under = ("any", INCEPTION if extractor == INCEPTION else "own")
    return {
        key.format(extractor=extractor): key
        for key, metric in METRICS.items()
        if metric.under in under and kind in (None, *metric.of)
    }


def near_misses(word: str, choices: Iterable[str]) -> str:
    """`; did you mean X?`, or the choices when none is near and they are few, or nothing."""
    choices = sorted(choices)
    near = difflib.get_close_matches(word, choices, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; choose from {', '.join(choices)}" if len(choices) <= 20 else ""
