"""Images to transformed examples: stage times, images a second and memory.

Run by `ganworks bench ingest`. Each row is a process of its own, so that its peak of memory is its own too.
"""

import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console

from benchmarks import reporting

SEED = 0
STAGES = ("ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform")
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")
PHOTO_COUNTS = (2_000, 8_000)
PHOTO_PIXELS = 256

MOST_MNIST_SECONDS = 75
MOST_MNIST_GIB = 2
# The encoded photographs alone grow by twice as much, decoded ones by twenty times.
MOST_PHOTO_GROWTH_MIB = 60


def main() -> int:
    """Measures and reports; see `benchmarks.reporting.finish`.

    Returns:
        0 where every mark holds, else 4.
    """
    from pipeline.commands.fetch import fetch

    began = time.monotonic()
    rows = [measure("MNIST, 28 pixels", f"idx:{fetch('mnist')}", resolution=28, classes=10)]
    with tempfile.TemporaryDirectory() as folder:
        for count in PHOTO_COUNTS:
            photos = Path(folder, str(count))
            write_photographs(photos, count)
            rows.append(
                measure(f"photographs, {PHOTO_PIXELS} to 64 pixels", f"folder:{photos}", resolution=64, channels=3)
            )
    return reporting.finish("ingest", began=began, rows=rows, marks=judge(rows), seed=SEED)


def measure(name: str, source: str, **data: Any) -> dict[str, Any]:
    """One row: the stages of a source in a fresh process."""
    with tempfile.TemporaryDirectory() as root:
        arguments = json.dumps({"root": root, "data": {"source": source, **data}})
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "benchmarks.performance.ingest", arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    row = json.loads(done.stdout.splitlines()[-1])
    total = sum(row["seconds"].values())
    return {"name": name, **row, "total_seconds": round(total, 1), "images_per_second": round(row["images"] / total)}


def run_stages(root: str, data: dict[str, Any]) -> dict[str, Any]:
    """Runs the data stages of a pipeline and says what they took."""
    from components.example_gen.sources.source import fingerprint
    from models.config import Experiment, Images, Training
    from pipeline.local_runner import Runner
    from pipeline.pipeline import create_pipeline
    from pipeline.summary import Summary

    experiment = Experiment(name="ingest", data=Images(**data), training=Training(steps=1))
    pipeline = create_pipeline(experiment, root, fingerprint=fingerprint(*experiment.data.domains))
    summary = Summary(experiment=experiment, root=Path(root))
    runner = Runner(pipeline, summary, Console(stderr=True))
    nodes = [node for node in runner.pipeline.nodes if node.pipeline_node.node_info.id in STAGES]
    del runner.pipeline.nodes[:]
    runner.pipeline.nodes.extend(nodes)
    began = time.process_time()
    runner.run()
    report = json.loads(next(Path(root).glob("artifacts/ImageExampleGen/examples/*/ingest.json")).read_text())
    return {
        "images": sum(report["counts"].values()),
        "seconds": {stage.name: round(stage.seconds, 1) for stage in summary.stages},
        # Unlike the stages' times, hardly longer on a busy machine.
        "cpu_seconds": round(time.process_time() - began, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "examples_mb": _megabytes(root, "ImageExampleGen/examples"),
        "transformed_mb": _megabytes(root, "Transform/transformed_examples"),
    }


def write_photographs(folder: Path, count: int) -> None:
    """Crops of photographs that ship in scikit-image, mirrored and scaled at random, as JPEG of quality 90."""
    import skimage.data

    random = np.random.default_rng(SEED)
    originals = [Image.fromarray(getattr(skimage.data, name)()) for name in PHOTOGRAPHS]
    folder.mkdir()
    for number in range(count):
        original = originals[random.integers(len(originals))]
        side = int(random.integers(128, min(original.size) + 1))
        left, top = (int(random.integers(size - side + 1)) for size in original.size)
        photo = original.resize((PHOTO_PIXELS, PHOTO_PIXELS), box=(left, top, left + side, top + side))
        if random.integers(2):
            photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        buffer = io.BytesIO()
        photo.save(buffer, "JPEG", quality=90)
        (folder / f"{number}.jpg").write_bytes(buffer.getvalue())


def judge(rows: list[dict[str, Any]]) -> list[reporting.Mark]:
    """Holds the rows against the marks."""
    mnist, few, many = rows
    return [
        reporting.at_most("mnist_stage_seconds", mnist["total_seconds"], MOST_MNIST_SECONDS),
        reporting.at_most("mnist_peak_gib", round(mnist["peak_mib"] / 1024, 2), MOST_MNIST_GIB),
        reporting.at_most("photo_peak_growth_mib", many["peak_mib"] - few["peak_mib"], MOST_PHOTO_GROWTH_MIB),
    ]


def _megabytes(root: str, output: str) -> float:
    files = Path(root).glob(f"artifacts/{output}/*/Split-*/*.gz")
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    sys.stdout.write(json.dumps(run_stages(**json.loads(sys.argv[1]))) + "\n")
