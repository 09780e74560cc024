"""What the training history says of the two players."""

import json
import math
from typing import NamedTuple

import tensorflow as tf

SHARE = 0.2
"""The last share of the logged steps that a verdict looks at."""

TOO_STRONG = 0.95
TOO_WEAK = 0.4


class Health(NamedTuple):
    """How the game ended.

    Attributes:
        verdict: healthy, discriminator_overpowers, generator_overpowers, diverged or not_logged.
        meaning: the verdict in words.
        d_real_accuracy: mean over the last steps, None where none is logged.
        d_fake_accuracy: likewise.
    """

    verdict: str
    meaning: str
    d_real_accuracy: float | None = None
    d_fake_accuracy: float | None = None


MEANING = {
    "healthy": "neither player had won at the end of the training",
    "discriminator_overpowers": f"the discriminator told more than {TOO_STRONG:.0%} of real and of generated images "
    "apart at the end: the generator learns little from it",
    "generator_overpowers": f"the discriminator was right on fewer than {TOO_WEAK:.0%} of the images at the end: worse "
    "than guessing, so that the generator follows a misled judge",
    "diverged": "a loss or an accuracy is NaN or infinite",
    "not_logged": "the run logged no discriminator accuracy",
}


def read_history(run_dir: str | None) -> list[dict[str, float]]:
    """The logged steps of a training run, `history.jsonl`; none where there is no such run or file.

    Raises:
        ValueError: a line is no JSON object.
    """
    path = f"{run_dir}/history.jsonl"
    if run_dir is None or not tf.io.gfile.exists(path):
        return []
    with tf.io.gfile.GFile(path) as file:
        lines = [line for line in file.read().splitlines() if line.strip()]
    try:
        return [dict(json.loads(line)) for line in lines]
    except (TypeError, ValueError) as error:
        raise ValueError(f"a training history is one JSON object a line; {path} is not: {error}") from None


def health(history: list[dict[str, float]]) -> Health:
    """Judges the last SHARE of the logged steps.

    Rules, the first that applies: a loss or accuracy of these steps that is not finite is `diverged`; mean accuracies
    on real and on generated images both above TOO_STRONG are `discriminator_overpowers`; a mean of both below
    TOO_WEAK is `generator_overpowers`; else `healthy`.
    """
    last = history[-max(1, math.ceil(SHARE * len(history))) :]
    logged = [step for step in last if "d_real_accuracy" in step and "d_fake_accuracy" in step]
    if not logged:
        return Health("not_logged", MEANING["not_logged"])
    real, fake = (sum(step[key] for step in logged) / len(logged) for key in ("d_real_accuracy", "d_fake_accuracy"))
    losses = [step[key] for step in logged for key in ("d_loss", "g_loss") if key in step]
    if not all(map(math.isfinite, [real, fake, *losses])):
        verdict = "diverged"
    elif min(real, fake) > TOO_STRONG:
        verdict = "discriminator_overpowers"
    elif (real + fake) / 2 < TOO_WEAK:
        verdict = "generator_overpowers"
    else:
        verdict = "healthy"
    return Health(verdict, MEANING[verdict], real, fake)
