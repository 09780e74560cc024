"""Judges images that another system made, as the pipeline judges its own: ganworks as a yardstick."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import tensorflow as tf
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from components import preflight
from components.beam import local_pipeline
from components.example_gen.ingest import ingest
from components.example_gen.notes import read_ingested
from components.example_gen.sources.samples import open_samples, write_samples
from components.example_gen.sources.source import TRAIN, fingerprint, open_source
from components.gan_evaluator.judge import Verdict, judge_images
from models.config import Data, Experiment, Images, OfImages
from models.examples.arrays import read_examples
from models.examples.preprocessing import preprocessing_fn
from models.extractors import classifier
from pipeline.commands import handling

BATCH = 256
CONDITIONAL = tuple(f"scheme.{player}.condition=concatenation" for player in ("generator", "discriminator"))
"""What says of samples that they were asked for by class."""


def evaluate(samples: Path, real: str, settings: Sequence[str], work: Path, console: Console) -> Verdict:
    """Judges a folder of images against real ones.

    The real images are ingested, split and resized as a run does it; the classifier whose features judge learns from
    their training split, and the held-out split is the reference. Images without labels are judged by a pretrained
    network.

    Args:
        samples: a folder of images; subfolders, if there are any, are the classes asked for.
        real: a source of `--source`.
        settings: `field=value` of `data` and `evaluation`, as `ganworks run` takes them. By default the resolution is
            that of the samples, and channels and labels are those of the real images.
        work: an empty folder for what lies between.
        console: is told what goes on.

    Raises:
        ValueError: as `write_samples`, `ingest`, `handling.check` and `judge` do.
    """
    asked = _asked(real, settings)
    folder, source = open_samples(str(samples)), open_source(real)
    if "data.classes=0" not in settings:
        source.check_labels()
    with _phase(console, "reading the real images"):
        report = ingest(asked.data, str(work / "real"), local_pipeline)
        real_side = handling.look([str(work / "real" / f"Split-{split}" / "*.gz") for split in report.counts])
        highest = real_side.highest_label
        labels = max(len(source.classes()), highest + 1) if highest >= 0 else 0
    with _phase(console, "reading the samples") as progress:
        (work / "samples").mkdir()
        classes = source.classes() or [str(number) for number in range(labels)]
        output = work / "samples" / "images.gz"
        found = write_samples(folder, output, classes=classes, data=asked.data.target, progress=progress)
    channels = max(real_side.channels)
    ingested = read_ingested(str(work / "real"), asked.data.sources, channels)
    shape = {"resolution": found.resolution, "channels": channels, "classes": labels}
    by_class = found.labelled and labels > 1 and "data.classes=0" not in settings
    experiment = _experiment(asked, settings, by_class=by_class, **shape)
    preflight.check_weights(experiment)
    data = experiment.data
    samples_side = handling.look([str(output)])
    warnings = handling.check(samples_side, real_side, data)
    preflight.check_classes(data, report.by_class, source.classes())
    splits = (TRAIN, experiment.evaluation.split)
    if not report.counts.get(splits[1]):
        raise ValueError(f"evaluation.split={splits[1]} needs examples; {real} has none there")
    unlabelled = data if found.labelled else Images(resolution=data.resolution, channels=data.channels)
    with _phase(console, "making them alike"):
        for split in splits:
            _transform(work / "real" / f"Split-{split}", work / "seen" / f"Split-{split}", data)
        _transform(work / "samples", work / "seen" / "samples", unlabelled)
    train, held_out = ([str(work / "seen" / f"Split-{split}" / "*")] for split in splits)
    with _phase(console, "making the judge's features"):
        told = json.dumps({"data": data.essential(), "evaluation": experiment.evaluation.model_dump()})
        classifier.run_fn(
            SimpleNamespace(
                train_files=train,
                eval_files=held_out,
                serving_model_dir=str(work / "extractor"),
                custom_config={"experiment": told},
            )
        )
    with _phase(console, "measuring"):
        return judge_images(
            images=read_examples([str(work / "seen" / "samples" / "*")], unlabelled),
            train_examples=train,
            eval_examples=held_out,
            feature_model=str(work / "extractor"),
            experiment=experiment,
            origin={
                "samples": str(samples),
                "real": real,
                "fingerprint": fingerprint(real),
                "samples_handled": handling.words(samples_side, data),
                "real_handled": "; ".join(
                    [handling.words(real_side, data), *(line for each in ingested for line in each["told"])]
                ),
            },
            warnings=warnings,
        )


def _asked(real: str, settings: Sequence[str]) -> Experiment:
    """What the settings say before anything was read."""
    if real.startswith("mixture:"):
        raise ValueError(f"samples are images; --real {real} gives points")
    # nothing is chosen here, so that the judge has these examples too
    variant = "stacked" if real.startswith("stacked:") else "images"
    start = Experiment.parse(
        {
            "name": "samples",
            "data": {"name": variant, "source": real, "choose_share": 0},
            # nothing is trained; these take images of any size
            "scheme": {"generator": "gan_mlp", "discriminator": "gan_mlp"},
            "training": {"steps": 1},
        }
    )
    strange = [each for each in settings if not each.startswith(("data.", "evaluation."))]
    if strange:
        raise ValueError(f"images are judged by fields of data and evaluation; received --set {strange[0]}")
    asked = _without_classes(start, settings)
    if not isinstance(asked.data, OfImages):
        raise ValueError(f"samples are images of one domain; received data.name={asked.data.name}")
    return asked


def _without_classes(start: Experiment, settings: Sequence[str]) -> Experiment:
    """The experiment as long as it is not known whether the images have classes.

    A bound may be on what only those with classes have; such bounds are left to `_experiment`, if they fit any images.
    """
    try:
        return start.override(settings)
    except ValueError:
        start.override([*CONDITIONAL, "data.classes=2", *settings])
    return start.override([each for each in settings if not each.startswith("evaluation.thresholds.")])


def _experiment(asked: Experiment, settings: Sequence[str], *, by_class: bool, **found: int) -> Experiment:
    """The experiment with what was not set taken from the images; `by_class` says whether samples were asked for so."""
    fields = type(asked.data).model_fields
    taken = [f"data.{name}={value}" for name, value in found.items() if name in fields]
    return asked.override([*taken, *(CONDITIONAL if by_class else ()), *settings])


def _transform(directory: Path, output: Path, data: Data) -> None:
    """Makes the examples of a folder what Transform makes of them."""
    output.mkdir(parents=True)
    spec = {"target/encoded": tf.io.FixedLenFeature([], tf.string)}
    spec |= {"label": tf.io.FixedLenFeature([], tf.int64)} if data.classes else {}
    custom = {"data": json.dumps(data.essential())}
    files = tf.io.gfile.glob(str(directory / "*.gz"))
    batches = (
        tf.data.TFRecordDataset(files, "GZIP")
        .batch(BATCH)
        .map(lambda each: preprocessing_fn(tf.io.parse_example(each, spec), custom), num_parallel_calls=2)
    )
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    with tf.io.TFRecordWriter(str(output / "examples.gz"), options) as writer:
        for batch in batches.as_numpy_iterator():
            labels = batch["label"][:, 0] if data.classes else [None] * len(batch["target"])
            for image, label in zip(batch["target"][:, 0], labels, strict=True):
                feature = {"target": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))}
                if label is not None:
                    feature["label"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
                writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


@contextlib.contextmanager
def _phase(console: Console, name: str) -> Iterator[Callable[[int, int], None]]:
    """Shows that something goes on, and at its end how long it took; yields a callable for what is counted."""
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), SpinnerColumn(), TimeElapsedColumn())
    progress = Progress(
        *columns, console=console, transient=True, redirect_stderr=False, disable=not console.is_terminal
    )
    with progress:
        task = progress.add_task(name, total=None)
        yield lambda done, count: progress.update(task, description=f"{name} {done:,} of {count:,}")
    console.print(f"{name:<32} {time.monotonic() - began:7.1f} s")
