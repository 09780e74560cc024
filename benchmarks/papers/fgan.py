"""The nine f-divergences on MNIST by the same networks and budget: Parzen estimates, beside the published order.

Run by `ganworks bench fgan`. The protocol is that of `benchmarks.papers.parzen`; the generators ascend E g_f(v), the
heuristic form of Nowozin et al. 2016, section 3.2, whose gradient does not fade while the discriminator is sure.
"""

import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import reporting
from benchmarks.papers import parzen, runs
from models.config import Experiment

PUBLISHED = {
    "pearson_chi2": 429,
    "kl": 416,
    "jensen_shannon": 367,
    "reverse_kl": 319,
    "gan": 305,
    "neyman_chi2": 300,
    "total_variation": None,
    "squared_hellinger": -708,
    "jeffrey": -2101,
}
"""Nats, by their order; the paper has none for total variation."""

CHANGES: dict[str, Any] = {
    "training.steps": 1_500,
}
"""What all of them change of the recipe of `benchmarks.papers.parzen`."""


def main(root: Path = Path("runs/bench/fgan")) -> int:
    """Trains, measures and reports; see `benchmarks.reporting.finish`.

    Args:
        root: keeps the trainings: what is done there is not done again.

    Returns:
        0: there is no mark to reach.

    Raises:
        ValueError: MNIST cannot be brought.
    """
    began = time.monotonic()
    todo = [runs.Run(name, experiment(name)) for name in PUBLISHED]
    runs.digits("train")
    measured = runs.carry_out(todo, runs.Work(parzen.examples, parzen.measure), root)
    rows = [
        {"divergence": name, "published_nats": nats} | figures
        for (name, nats), figures in zip(PUBLISHED.items(), measured, strict=True)
    ]
    for place, row in enumerate(sorted(rows, key=_nats, reverse=True), 1):
        row["place"] = place
    return reporting.finish("fgan", began=began, rows=rows, marks=[], seed=parzen.SEED)


def experiment(divergence: str) -> Experiment:
    """The recipe of a divergence."""
    return parzen.experiment({"scheme.objective": {"name": f"f_{divergence}_heuristic"}} | CHANGES)


def _nats(row: dict[str, Any]) -> float:
    return float(row.get("nats", float("-inf")))


if __name__ == "__main__":
    sys.exit(main())
