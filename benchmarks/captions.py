"""What README.md says of its picture, from the results of `ganworks bench recipes`."""

import textwrap
from pathlib import Path
from typing import Any

from benchmarks import reporting
from pipeline.experiments import reached
from pipeline.experiments.named import DIGITS_CGAN
from pipeline.experiments.reached import row_of, with_deviation

README = Path(__file__).parents[1] / "README.md"
CAPTION = "Drawn by the pushed model, unpicked: seeds 0 to 99, one class a row."
SAID = {
    "conditional_accuracy": ("the classifier reads {} % of the pictures as the class asked for", 100),
    "within_class_spread": ("pictures of one class differ {} times as much as real ones", 1),
    "coverage": ("{} % of the held-out digits have a generated one near", 100),
}
"""Metric -> how the caption says it, and what it is multiplied by."""


def caption(result: dict[str, Any]) -> str:
    """The caption: means over the trainings of the recipe as it is now, if there are any; never one training."""
    row = row_of(DIGITS_CGAN, result)
    if row is None:
        return f"*{CAPTION}*"
    known = [metric for metric in row["metrics"] if metric["metric"] in SAID and metric["mean"] is not None]
    said = [
        words.format(with_deviation(metric, scale)) for metric in known for words, scale in [SAID[metric["metric"]]]
    ]
    listed = [each for each in result["trainings"] if each["experiment"] == row["experiment"]]
    seeds = len({each["seed"] for each in listed})
    precisions = " and ".join(sorted({each["precision"] for each in listed}))
    text = (
        f"{CAPTION} Of {row['tried']} trainings ({seeds} seeds, {precisions}), {row['blessed']} were blessed. Mean and "
        f"deviation over them: {'; '.join(said)}; {reached.lasted(row)} each (`{result['command']}`)."
    )
    return textwrap.fill(f"*{text}*", 120, break_long_words=False, break_on_hyphens=False)


def draw() -> None:
    """Writes the caption into README.md."""
    content = README.read_text(encoding="utf-8")
    drawn = reporting.replaced(content, "recipes", caption(reporting.read("recipes")))
    README.write_text(content if drawn is None else drawn, encoding="utf-8")
