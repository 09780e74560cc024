"""Experiments at the size of their papers, which nobody trains here: each takes a step, as proof that it would.

Run by `ganworks bench full-size`. An experiment has a process of its own, so that the memory is that of it alone, and
takes one step of each of its phases on random images of its shape, in its batch size. What is counted is held against
the paper.
"""

import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import reporting
from benchmarks.experiments import pipelines
from models.catalog import near_misses
from models.config import Experiment
from pipeline.experiments.named import EXPERIMENTS

PUBLISHED: dict[str, dict[str, int]] = {
    # As the authors' code prints them, for three colours on either side.
    "pix2pix": {"generator": 54_414_000, "discriminator": 2_769_000},
    "cyclegan": {
        **dict.fromkeys(("generator", "generator_reverse"), 11_378_000),
        **dict.fromkeys(("discriminator", "discriminator_reverse"), 2_765_000),
    },
    # The paper has no figure.
    "photographs-srgan-x4": {},
    # By hand from the widths that the paper has at 8 pixels and its authors' code above: tests/pipeline/experiments.
    "lapgan": {
        "generator_0": 1_792_992,
        "generator_1": 218_179,
        "generator_2": 218_179,
        "discriminator_0": 477_001,
        "discriminator_1": 108_353,
        "discriminator_2": 116_545,
    },
}
"""Experiment -> network -> trainable weights."""

MOST_SECONDS = 300
"""An experiment that takes longer is skipped, and the table says so."""


def main(root: Path = Path("runs/bench/full-size"), experiment: Sequence[str] = tuple(PUBLISHED)) -> int:
    """Takes the steps and reports; see `benchmarks.reporting.finish`.

    Args:
        root: keeps what was measured: what is done there is not done again.
        experiment: their names; the rows of others stay as they are.

    Returns:
        0: there is no mark to reach.

    Raises:
        ValueError: an experiment is none of these, or fails.
    """
    began = time.monotonic()
    for name in experiment:
        if name not in PUBLISHED:
            raise ValueError(f"{name} is no experiment of full size{near_misses(name, PUBLISHED)}")
    rows = {row["experiment"]: row for row in reporting.read("full-size").get("rows", [])}
    for name in experiment:
        sys.stderr.write(f"{name}: {MOST_SECONDS} s at most\n")
        rows[name] = row(name, EXPERIMENTS[name], measured(EXPERIMENTS[name], root))
    listed = [rows[name] for name in PUBLISHED if name in rows]
    return reporting.finish("full-size", began=began, rows=listed, marks=[])


def measured(experiment: Experiment, root: Path) -> dict[str, Any]:
    """What a process measured of an experiment, as `steps` gives it, now or before.

    Returns:
        As `steps`; or only `skipped`, why there is nothing, which is tried again the next time.

    Raises:
        ValueError: the process failed.
    """
    digest = hashlib.sha256((experiment.key() + pipelines.code()).encode()).hexdigest()[:8]
    asked, found = (root / f"{experiment.name}-{digest}{end}" for end in (".experiment.json", ".json"))
    if not found.exists():
        root.mkdir(parents=True, exist_ok=True)
        asked.write_text(experiment.to_json())
        arguments = [sys.executable, "-P", "-m", "benchmarks.experiments.full_size", str(asked), str(found)]
        try:
            subprocess.run(arguments, check=True, timeout=MOST_SECONDS)  # noqa: S603 - ourselves
        except subprocess.TimeoutExpired:
            return {"skipped": f"more than {MOST_SECONDS} s"}
        except subprocess.CalledProcessError as error:
            raise ValueError(
                f"{experiment.name} ended with exit code {error.returncode}; its words are above"
            ) from None
    return dict(json.loads(found.read_text()))


def steps(experiment: Experiment) -> dict[str, Any]:
    """Takes one step of each phase of an experiment in this process.

    Returns:
        parameters: network -> trainable weights.
        seconds: phase -> seconds of its step, once it was traced.
        imported_bytes: the largest memory that the process had before the networks were made.
        peak_bytes: the largest that it had at the end.

    Raises:
        ValueError: a figure that a step logs is not finite.
    """
    import numpy as np
    import tensorflow as tf

    from models.columns import kind_of
    from models.config.variants import made_by
    from models.gans.base import GAN, Phase

    imported = peak_bytes()
    gan: GAN = made_by("scheme", experiment.scheme)(experiment)
    random = np.random.default_rng(0)

    def batch(phase: Phase) -> dict[str, tf.Tensor]:
        size = phase.batch_size or experiment.training.batch_size
        made = {}
        for column in experiment.data.columns:
            shape = [phase.draws, size, *column.shape]
            top = 256 if kind_of(column).is_picture else column.classes
            made[column.role] = tf.constant(random.integers(0, top, shape), kind_of(column).dtype)
        return made

    seconds = {}
    for phase in gan.phases():
        examples, number = batch(phase), tf.constant(0, tf.int64)
        step = tf.function(phase.step).get_concrete_function(examples, number)
        began = time.monotonic()
        logs = {name: float(value) for name, value in step(examples, number).items()}
        seconds[phase.name] = round(time.monotonic() - began, 2)
        if wrong := [name for name, value in logs.items() if not np.isfinite(value)]:
            raise ValueError(f"a step of {experiment.name} gives {wrong[0]} {logs[wrong[0]]}")
    weights = {
        name: sum(int(np.prod(each.shape)) for each in gan.networks[name].trainable_variables) for name in gan.builds
    }
    return {"parameters": weights, "seconds": seconds, "imported_bytes": imported, "peak_bytes": peak_bytes()}


def peak_bytes() -> int:
    """The largest memory that this process has had."""
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def row(name: str, experiment: Experiment, found: dict[str, Any]) -> dict[str, Any]:
    """The lines of an experiment: a network each."""
    told = {"experiment": name, "pixels": experiment.data.resolution, "batch": experiment.training.batch_size}
    if "skipped" in found:
        return told | {"skipped": found["skipped"]}
    return told | {
        "seconds_of_a_step": "; ".join(f"{phase} {seconds:,}" for phase, seconds in found["seconds"].items()),
        "peak_gib": round(found["peak_bytes"] / 2**30, 2),
        "of_it_imports_gib": round(found["imported_bytes"] / 2**30, 2),
        "networks": [
            {"network": network, "weights": count, "published": PUBLISHED[name].get(network)}
            for network, count in found["parameters"].items()
        ],
    }


if __name__ == "__main__":
    made = steps(Experiment.from_json(Path(sys.argv[1]).read_text()))
    Path(sys.argv[2]).write_text(json.dumps(made, indent=1))
