"""Frechet distance, KID, precision and recall, density and coverage on features as wide as Inception's.

Run by `ganworks bench metrics`. Ours beside torch-fidelity's functions and beside NumPy, SciPy and scikit-learn used as
the formulas read, on the same features. Every measurement is a process of its own, so that its peak of memory is its
own too; the contenders take turns.
"""

import functools
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import reporting

SEED = 0
COUNT, WIDTH = 10_000, 2_048
STREAMED = (10_000, 100_000)
SHARD = 5_000
FACTORS = 256
SUBSETS, SUBSET_SIZE = 100, 1_000
K, DENSITY_K = 3, 5
TURNS = 3

MOST_SECONDS = 60
MOST_GIB = 2
MOST_GROWTH_MIB = 60
MOST_DIFFERENCE = 1e-6

Figures = dict[str, float]


def main() -> int:
    """Measures and reports; see `benchmarks.reporting.finish`.

    Returns:
        0 where every mark holds, else 4.

    Raises:
        ValueError: torch-fidelity is not installed.
    """
    if importlib.util.find_spec("torch_fidelity") is None:
        raise ValueError(
            "bench metrics compares with torch-fidelity, which is not installed: "
            "pip install torch-fidelity 'torch>=2.13,<3' torchvision"
        )
    began = time.monotonic()
    turns = [{name: isolated(name, COUNT) for name in CONTENDERS} for _ in range(TURNS)]
    streams = [isolated("stream", count) for count in STREAMED]
    rows = [row(name, [turn[name] for turn in turns]) for name in CONTENDERS]
    rows += [row("ganworks, Frechet distance streamed", [stream]) for stream in streams]
    return reporting.finish("metrics", began=began, rows=rows, marks=judge(rows), seed=SEED)


def isolated(name: str, count: int) -> dict[str, Any]:
    """What `measure` finds in a process of its own."""
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "benchmarks.performance.metrics", name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{name} failed on {count:,} samples; its words are above")
    return json.loads(done.stdout.splitlines()[-1])


def measure(name: str, count: int, width: int = WIDTH) -> dict[str, Any]:
    """Seconds of each part, the figures that it gave, and the process's peak of memory."""
    parts = {"stream": stream_parts} | CONTENDERS
    seconds, figures = {}, {}
    for part, compute in parts[name](count, width).items():
        began = time.perf_counter()
        figures |= compute()
        seconds[part] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"samples": count, "seconds": seconds, "figures": figures, "peak_mib": peak}


def features(side: int, start: int, stop: int, width: int = WIDTH) -> np.ndarray:
    """Rows of features such as a network's last pooling gives: at least 0, correlated, of a few hundred factors.

    Args:
        side: 0 for real ones, 1 for generated ones, whose factors are a little off.
        start: the first row, a multiple of SHARD, and `stop` the end.
        stop: see `start`.
        width: features a row.

    Returns:
        [stop - start, width] float32, the same rows whatever else is drawn.
    """
    loadings = np.random.default_rng(SEED).standard_normal((FACTORS, width), np.float32) / FACTORS**0.5
    parts = []
    for first in range(start, stop, SHARD):
        random = np.random.default_rng([SEED, side, first])
        factors = random.standard_normal((min(SHARD, stop - first), FACTORS), np.float32) + 0.05 * side
        noise = random.standard_normal((len(factors), width), np.float32)
        parts.append(np.maximum(factors @ loadings + 0.3 * noise, 0))
    return np.concatenate(parts)


def ganworks_parts(count: int, width: int) -> dict[str, Callable[[], Figures]]:
    """Ours."""
    from models.metrics.density_coverage import coverage, density
    from models.metrics.frechet import Moments, gaussian_distance
    from models.metrics.kid import kernel_distance
    from models.metrics.neighbourhoods import neighbourhoods
    from models.metrics.precision_recall import precision, recall

    real, fake = (features(side, 0, count, width) for side in (0, 1))

    def frechet() -> Figures:
        return {"frechet": gaussian_distance(*(Moments.of(each).gaussian for each in (real, fake)))}

    def near() -> Figures:
        found = neighbourhoods(real, fake, k=K, density_k=DENSITY_K)
        return {metric.__name__: metric(found).value for metric in (precision, recall, density, coverage)}

    def kid() -> Figures:
        return {"kid": kernel_distance(real, fake, subsets=SUBSETS, subset_size=SUBSET_SIZE, seed=SEED).value}

    return {"frechet": frechet, "kid": kid, "neighbours": near}


def stream_parts(count: int, width: int) -> dict[str, Callable[[], Figures]]:
    """Ours, of features that are never together in memory."""
    from models.metrics.frechet import Moments, gaussian_distance

    def frechet() -> Figures:
        whole = []
        for side in (0, 1):
            shards = (features(side, start, start + SHARD, width) for start in range(0, count, SHARD))
            whole.append(functools.reduce(Moments.merge, map(Moments.of, shards)))
        return {"frechet": gaussian_distance(*(each.gaussian for each in whole))}

    return {"frechet": frechet}


def torch_fidelity_parts(count: int, width: int) -> dict[str, Callable[[], Figures]]:
    """torch-fidelity's functions of features; it has neither density nor coverage."""
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    real, fake = (torch.from_numpy(features(side, 0, count, width)) for side in (0, 1))

    def frechet() -> Figures:
        found = fid_statistics_to_metric(*(fid_features_to_statistics(each) for each in (real, fake)), verbose=False)
        return {"frechet": found["frechet_inception_distance"]}

    def kid() -> Figures:
        options = {"kid_subsets": SUBSETS, "kid_subset_size": SUBSET_SIZE, "rng_seed": SEED, "verbose": False}
        return {"kid": kid_features_to_metric(real, fake, **options)["kernel_inception_distance_mean"]}

    def near() -> Figures:
        found = prc_features_to_metric(fake, real, prc_neighborhood=K, save_cpu_ram=True, verbose=False)
        return {name: found[name] for name in ("precision", "recall")}

    return {"frechet": frechet, "kid": kid, "neighbours": near}


def plain_parts(count: int, width: int) -> dict[str, Callable[[], Figures]]:
    """NumPy, SciPy and scikit-learn, as the formulas read."""
    import scipy.linalg
    from sklearn.metrics import pairwise_distances

    real, fake = (features(side, 0, count, width) for side in (0, 1))

    def frechet() -> Figures:
        first, second = (np.cov(each, rowvar=False) for each in (real, fake))
        gap = real.mean(axis=0, dtype=np.float64) - fake.mean(axis=0, dtype=np.float64)
        root = scipy.linalg.sqrtm(first @ second).real
        return {"frechet": float(gap @ gap + np.trace(first + second - 2 * root))}

    def kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return (first @ second.T / width + 1) ** 3

    def kid() -> Figures:
        random, values = np.random.default_rng(SEED), []
        size = min(SUBSET_SIZE, count // 2)
        for _ in range(SUBSETS):
            first, second = (each[random.choice(count, size, replace=False)] for each in (real, fake))
            within = [kernel(each, each) for each in (first, second)]
            means = [(each.sum(dtype=np.float64) - np.trace(each)) / (size * (size - 1)) for each in within]
            values.append(sum(means) - 2 * kernel(first, second).mean(dtype=np.float64))
        return {"kid": float(np.mean(values))}

    def near() -> Figures:
        across = pairwise_distances(real, fake)
        of_real, of_fake = (np.partition(pairwise_distances(each), (K, DENSITY_K), axis=1) for each in (real, fake))
        inside = across <= of_real[:, K, None]
        dense = across <= of_real[:, DENSITY_K, None]
        return {
            "precision": float(inside.any(axis=0).mean()),
            "recall": float((across <= of_fake[:, K]).any(axis=1).mean()),
            "density": float(dense.sum() / (DENSITY_K * count)),
            "coverage": float(dense.any(axis=1).mean()),
        }

    return {"frechet": frechet, "kid": kid, "neighbours": near}


CONTENDERS: dict[str, Callable[[int, int], dict[str, Callable[[], Figures]]]] = {
    "ganworks": ganworks_parts,
    "torch-fidelity": torch_fidelity_parts,
    "numpy, scipy, scikit-learn": plain_parts,
}
"""Who is measured -> the parts of the work, made for a number of samples and a width."""


def row(name: str, measured: list[dict[str, Any]]) -> dict[str, Any]:
    """A line of the table: medians over the turns."""
    total = statistics.median(sum(each["seconds"].values()) for each in measured)
    seconds = {
        part: round(statistics.median(each["seconds"][part] for each in measured), 1) for part in measured[0]["seconds"]
    }
    return {
        "by": name,
        "samples": measured[0]["samples"],
        "seconds": seconds | {"total": round(total, 1)},
        "peak_mib": max(each["peak_mib"] for each in measured),
        **{metric: float(f"{value:.8g}") for metric, value in measured[0]["figures"].items()},
    }


def judge(rows: list[dict[str, Any]]) -> list[reporting.Mark]:
    """Holds ours against the limits, against the others' time, and against the plain formulas' figures."""
    ours, fidelity, plain, few, many = rows
    total = ours["seconds"]["total"]

    def difference(metric: str) -> float:
        return float(f"{abs(ours[metric] - plain[metric]) / abs(plain[metric]):.2g}")

    return [
        reporting.at_most("seconds", total, MOST_SECONDS),
        reporting.at_most("peak_gib", round(ours["peak_mib"] / 1024, 2), MOST_GIB),
        reporting.at_least("times_as_fast_as_torch_fidelity", round(fidelity["seconds"]["total"] / total, 2), 1),
        reporting.at_least("times_as_fast_as_plain", round(plain["seconds"]["total"] / total, 2), 1),
        reporting.at_most("streamed_peak_growth_mib", many["peak_mib"] - few["peak_mib"], MOST_GROWTH_MIB),
        reporting.at_most("frechet_differs_from_plain", difference("frechet"), MOST_DIFFERENCE),
        reporting.at_most("kid_differs_from_plain", difference("kid"), 1e-3),
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))) + "\n")
