"""Real digits, a classifier that reads them, and generators whose faults are known: what tests of the judge share."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from components.gan_evaluator.judge import Verdict, judge
from models.config import (
    Adversarial,
    AtLeast,
    DCGANDiscriminator,
    DCGANGenerator,
    Evaluation,
    Experiment,
    Images,
    Threshold,
    Training,
)
from models.extractors import classifier

DIGITS = Images(source="digits", resolution=16, channels=1, classes=10)
LATENT = 8


def experiment(thresholds: dict[str, Threshold] | None = None, **evaluation) -> Experiment:
    """The thresholds of a conditional digits GAN, or others."""
    if thresholds is None:
        thresholds = {
            "conditional_accuracy": AtLeast(0.9),
            "within_class_spread": AtLeast(0.6),
            "coverage": Threshold(within_floor=0.05),
        }
    # Fewer than by default, for speed; still ten parts of as many as there are held-out images.
    evaluation = {"samples": 3_600} | evaluation
    return Experiment(
        name="digits-test",
        data=DIGITS,
        scheme=Adversarial(
            generator=DCGANGenerator(condition="embedding"), discriminator=DCGANDiscriminator(condition="projection")
        ),
        training=Training(steps=1),
        evaluation=Evaluation(thresholds=thresholds, **evaluation),
    )


def digits() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """scikit-learn's digits at 16 pixels: split -> images uint8 [n, 16, 16, 1] and labels."""
    source = load_digits()
    images = tf.image.resize(source.images[..., None] * (255 / 16), (16, 16)).numpy()
    images = np.rint(images).clip(0, 255).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(images))
    parts = {"train": order[:1437], "eval": order[1437:]}
    return {split: (images[rows], source.target[rows]) for split, rows in parts.items()}


def triples(images: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Stacked digits of these single ones."""
    rows = np.random.default_rng(0).integers(len(images), size=(count, 3))
    return np.concatenate([images[rows[:, channel]] for channel in range(3)], axis=-1), labels[rows] @ [100, 10, 1]


def write_split(directory: Path, examples: np.ndarray, labels: np.ndarray) -> None:
    """Images or points as Transform writes them."""
    directory.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(directory / "transformed_examples-00000-of-00001.gz"), "GZIP") as writer:
        for example, label in zip(examples, labels, strict=True):
            feature = {"label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)]))}
            if example.ndim == 1:
                feature["target"] = tf.train.Feature(float_list=tf.train.FloatList(value=example))
            else:
                png = tf.train.BytesList(value=[tf.io.encode_png(example).numpy()])
                feature["target"] = tf.train.Feature(bytes_list=png)
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


def save_generator(
    directory: Path,
    draw: Callable,
    *,
    conditional: bool = True,
    signature: str = "serving_default",
    output: str = "image",
) -> str:
    """A SavedModel with a generator's signature around `draw`, (z [b, LATENT], label [b] or None) -> examples."""
    module = tf.Module()
    z = tf.TensorSpec([None, LATENT], tf.float32, name="z")
    label = tf.TensorSpec([None], tf.int64, name="label")
    if conditional:
        function = tf.function(lambda z, label: {output: draw(z, label)}, input_signature=[z, label])
    else:
        function = tf.function(lambda z: {output: draw(z, None)}, input_signature=[z])
    tf.saved_model.save(module, str(directory), signatures={signature: function})
    return str(directory)


def memory(images: np.ndarray, labels: np.ndarray) -> tuple[tf.Tensor, int]:
    """As many images of each class as the rarest has: [classes, m, h, w, c] in [0, 1], and m."""
    least = np.bincount(labels).min()
    table = np.stack([images[labels == label][:least] for label in range(10)])
    return tf.constant(table / 255, tf.float32), int(least)


def honest(images: np.ndarray, labels: np.ndarray) -> Callable:
    """Draws a real image of the class by a hash of z."""
    table, count = memory(images, labels)

    def draw(z: tf.Tensor, label: tf.Tensor | None) -> tf.Tensor:
        number = tf.cast(tf.abs(z) * 1e6, tf.int64)
        if label is None:
            label = number[:, 1] % 10
        return tf.gather_nd(table, tf.stack([label, number[:, 0] % count], 1))

    return draw


def collapsed(images: np.ndarray, labels: np.ndarray) -> Callable:
    """Draws one image a class, whatever z is."""
    table, _ = memory(images, labels)
    return lambda z, label: tf.gather(table[:, 0], label)


def train_extractor(root: Path) -> None:
    """A classifier of the digits that were written below `root`."""
    custom = {"data": DIGITS.model_dump(), "evaluation": {"extractor_steps": 250}}
    classifier.run_fn(
        SimpleNamespace(
            train_files=[str(root / "examples/Split-train/*")],
            eval_files=[str(root / "examples/Split-eval/*")],
            serving_model_dir=str(root / "extractor/Format-Serving"),
            custom_config={"experiment": json.dumps(custom)},
        )
    )


def build_house(root: Path) -> None:
    """Examples, a trained classifier and generators: honest, collapsed and unconditional."""
    data = digits()
    for split, (images, labels) in data.items():
        write_split(root / "examples" / f"Split-{split}", images, labels)
    train_extractor(root)
    draw = honest(*data["train"])
    save_generator(root / "honest/Format-Serving", draw)
    save_generator(root / "collapsed/Format-Serving", collapsed(*data["train"]))
    save_generator(root / "unconditional/Format-Serving", draw, conditional=False)


def judge_in(house: Path, model: str, asked: Experiment | None = None, **options) -> Verdict:
    """Judges one of the house's generators, or the one in a folder."""
    baseline = options.pop("baseline", None)
    return judge(
        model=str(house / model / "Format-Serving"),
        train_examples=[str(house / "examples/Split-train/*")],
        eval_examples=options.pop("eval_examples", [str(house / "examples/Split-eval/*")]),
        feature_model=options.pop("feature_model", str(house / "extractor/Format-Serving")),
        experiment=asked or experiment(),
        baseline=baseline and str(house / baseline / "Format-Serving"),
        **options,
    )


class Page(HTMLParser):
    """What a page holds."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data
