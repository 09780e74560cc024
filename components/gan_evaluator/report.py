"""The report: one HTML file that needs nothing else."""

import base64
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image

from components.gan_evaluator import gate
from components.gan_evaluator.charts import line_chart, scatter
from components.gan_evaluator.measuring.pictures import CLASSES_SHOWN, IMAGES_A_ROW, Pictures
from models.columns import kind_of
from models.config import Experiment
from models.config.schemes.curves import Chart
from models.tasks import task_of
from models.training import looks

HERO = 6
SLIDERS = 4

SMALL = 64
"""Images of fewer pixels a side are enlarged without smoothing."""

LOOKS = (
    Chart(
        "Distance of the samples",
        {"energy distance": looks.DISTANCE},
        "From real examples, by a look now and then: 0 for equal distributions, 1 for the mean distance of two real "
        "examples.",
    ),
    Chart(
        "Distance from the truth",
        {"of each output": looks.PAIR_DISTANCE},
        "Of each output from what it ought to be, by a look now and then; 1 for the mean distance of two real ones.",
    ),
    Chart(
        "Variety of the samples",
        {"diversity": looks.DIVERSITY, "near-duplicates": looks.NEAR_DUPLICATES},
        "Mean distance of two samples, real ones = 1 (dashed); share of samples that have almost a twin, real ones = "
        "0.01.",
        guide=1.0,
    ),
)
"""What the looks at samples saw, whatever is trained."""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """All that a report shows.

    Attributes:
        experiment: what made the model.
        blessed: the outcome.
        lines: each metric.
        warnings: what to know before the figures are believed.
        faults: metric -> what is wrong with a model that fails it.
        counts: examples of each kind.
        protocol: seed, extractor, baseline, health.
        pictures: examples to show.
        history: the logged steps, which may be none.
    """

    experiment: Experiment
    blessed: bool
    lines: dict[str, gate.Line]
    warnings: list[str]
    faults: dict[str, str]
    counts: dict[str, int]
    protocol: dict[str, Any]
    pictures: Pictures
    history: list[dict[str, float]]


def render(evidence: Evidence) -> str:
    """The report as HTML. Everything that is not ours, such as a name or a path, is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": gate.number, "percent": lambda share: f"{100 * share:.1f} %"}
    kind, pictures = kind_of(evidence.experiment.data.drawn), evidence.pictures
    return environment.get_template("report.html").render(
        evidence=evidence,
        tiles=[_tile(name, line) for name, line in evidence.lines.items() if line.threshold],
        faults=[
            {"name": name, "line": line, "words": evidence.faults.get(name, "out of its bounds")}
            for name, line in evidence.lines.items()
            if line.holds is False
        ],
        clouds=_clouds(pictures) if kind.dots else {},
        small=bool(pictures.first.size) and pictures.first.shape[2] < SMALL,
        hero=None if kind.dots else sheet(pictures.first[: HERO * HERO], HERO),
        rows=_rows(pictures),
        sliders=_sliders(evidence),
        extremes=[[sheet(column, IMAGES_A_ROW) for column in row] for row in pictures.extremes],
        ways=[] if pictures.ways is None else [sheet(way, len(way)) for way in pictures.ways],
        features=None if kind.dots else _feature_cloud(pictures),
        classes=_classes(evidence.lines),
        neighbours=_neighbours(pictures, images=kind.is_picture),
        charts=_charts([*evidence.experiment.scheme.charts, *LOOKS], evidence.history),
        heads=_heads(evidence),
        untouched=_untouched(evidence),
        # Images of another system have no other part.
        config=evidence.experiment.to_json(("data", "evaluation") if "origin" in evidence.protocol else None, indent=2),
    )


def sheet(images: np.ndarray, columns: int) -> str:
    """Images in rows, one transparent pixel apart, as the data URI of a PNG.

    Args:
        images: [n >= 1, h, w, c] uint8, 1 or 3 channels.
        columns: images in a row, > 0; what does not fill a row is left out.
    """
    rows, (height, width) = max(1, len(images) // columns), images.shape[1:3]
    columns = min(columns, len(images))
    canvas = np.zeros((rows, height + 1, columns, width + 1, 4), np.uint8)
    tiled = images[: rows * columns].reshape(rows, columns, height, width, -1).transpose(0, 2, 1, 3, 4)
    canvas[:, :height, :, :width, :3] = tiled
    canvas[:, :height, :, :width, 3] = 255
    file = io.BytesIO()
    flat = canvas.reshape(rows * (height + 1), columns * (width + 1), 4)[:-1, :-1]
    Image.fromarray(flat, "RGBA").save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _clouds(pictures: Pictures) -> dict[str, Markup]:
    """Real points, generated ones, and both in one picture, each on the same axes."""
    kinds, reach = {"real": pictures.real_dots, "fake": pictures.fake_dots}, pictures.reach
    return {
        "real": scatter("Real points", {"real": kinds["real"]}, reach=reach),
        "fake": scatter("Generated points", {"fake": kinds["fake"]}, reach=reach),
        "both": scatter("Generated points over real ones", kinds, reach=reach),
    }


def _feature_cloud(pictures: Pictures) -> Markup:
    """Both in the plane in which the real features vary most."""
    kinds = {"real": pictures.real_dots, "fake": pictures.fake_dots}
    return scatter("Features of generated images over those of real ones", kinds, reach=pictures.reach)


def _untouched(evidence: Evidence) -> str:
    """What stands above the figures of the inputs; empty where there are none."""
    if all(line.untouched is None for line in evidence.lines.values()):
        return ""
    return task_of(evidence.experiment).untouched_is(evidence.experiment)


def _heads(evidence: Evidence) -> list[str]:
    """What stands above the columns of the rows."""
    shown = task_of(evidence.experiment).shown
    return list(shown[: len(evidence.pictures.rows[0])] if evidence.pictures.rows else shown[:2])


def _rows(pictures: Pictures) -> list[dict[str, Any]]:
    """Images side by side: a row a class where the generator takes classes, else rows as they come."""
    rows = []
    for number, columns in enumerate(pictures.rows):
        start, label = number * IMAGES_A_ROW, "" if pictures.classes is None else str(pictures.classes[number])
        what = f"class {label}" if label else f"{start + 1} to {start + IMAGES_A_ROW}"
        images = [sheet(column, IMAGES_A_ROW) for column in columns]
        rows.append({"what": what, "label": label, "images": images})
    return rows


def _sliders(evidence: Evidence) -> list[tuple[str, str]]:
    """The first inputs, each with its output; none where the model takes no pictures."""
    pictures, task = evidence.pictures, task_of(evidence.experiment)
    if not task.takes_examples or not pictures.rows:
        return []
    inputs, outputs, *_ = pictures.rows[0]
    return [(sheet(inputs[at : at + 1], 1), sheet(outputs[at : at + 1], 1)) for at in range(min(SLIDERS, len(inputs)))]


def _neighbours(pictures: Pictures, *, images: bool) -> list[dict[str, str]]:
    """Each sample and the training example that is nearest in pixels, or in the values where they are no images."""
    samples = pictures.first[: len(pictures.neighbours)]
    form = ".0f" if images else ".3g"
    return [
        {"sample": sheet(sample[None], 1), "neighbour": sheet(image[None], 1), "distance": f"{distance:{form}}"}
        for sample, image, distance in zip(samples, pictures.neighbours, pictures.distances, strict=True)
    ]


def _tile(name: str, line: gate.Line) -> dict[str, Any]:
    """A required metric as a figure and the marks of its scale, in percent of the scale's width."""
    marks = {"floor": line.floor, "baseline": line.baseline, "value": line.value}
    known = [value for value in [*marks.values(), *line.limits] if value is not None]
    low, high = min(0.0, *known, 0.0), max([*known, 1e-12])
    # Shares and ratios are drawn on the scale that their reader has in mind.
    high = 1.0 if 0.5 < high <= 1 else high * 1.08

    def at(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    return {
        "name": name,
        "line": line,
        "marks": [(css, at(value), value) for css, value in marks.items() if value is not None],
        "bounds": [at(limit) for limit in line.limits],
    }


def _classes(lines: dict[str, gate.Line]) -> dict[str, list[tuple[float, float]]]:
    """The metrics that have a value for each class: the values, and how long their bars are in percent."""
    return {
        name: [(value, round(100 * min(1.0, gate.finite(value) or 0), 1)) for value in line.per_class[:CLASSES_SHOWN]]
        for name, line in lines.items()
        if line.per_class
    }


def _charts(charts: Sequence[Chart], history: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Draws the charts whose curves the history has."""
    drawn = []
    for chart in charts:
        curves = {
            name: [(step["step"], float(step[key])) for step in history if step.get(key) is not None and "step" in step]
            for name, key in chart.curves.items()
        }
        svg = line_chart(chart.title, curves, y_range=chart.between, guide=chart.guide)
        if svg:
            drawn.append({"title": chart.title, "note": chart.note, "names": list(curves), "svg": svg})
    return drawn
