"""The classifier whose features judge a generator: the `run_fn` of the standard TFX Trainer."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models import mixtures
from models.catalog import EXTRACTORS, UNLABELLED, lookup
from models.columns import kind_of
from models.config import Data, Evaluation, Images, parse_data
from models.examples.arrays import Arrays, read_examples
from models.export.signatures import holder

FEATURES = 64
"""Width of the features: a Frechet distance needs more images than that, and digits holds out 360."""

BATCH = 64

RECORD = "assets.extra/extractor.json"
"""In the SavedModel: the extractor's name, its steps, its eval_accuracy where the data have labels."""

_log = logging.getLogger(__name__)


def run_fn(fn_args: Any) -> None:
    """Trains the classifier and exports it.

    Args:
        fn_args: TFX's FnArgs: train_files, eval_files, serving_model_dir, and custom_config with "experiment", JSON of
            an experiment's `data` and `evaluation`.

    Raises:
        ValueError: an example's label is out of range, or the examples are not what `data` says.
    """
    experiment = json.loads(fn_args.custom_config["experiment"])
    data, evaluation = parse_data(experiment["data"]), Evaluation.model_validate(experiment["evaluation"])
    train, held_out = read_examples(fn_args.train_files, data), read_examples(fn_args.eval_files, data.held_out)
    started = time.monotonic()
    keras.utils.set_random_seed(evaluation.seed)
    if train.label is not None and held_out.label is not None:
        _check_labels(data, train.label, held_out.label)
    pretrained = evaluation.extractor in EXTRACTORS
    own, steps = (None, 0) if pretrained and train.label is None else extractor(data, evaluation, train)
    record: dict[str, Any] = {"name": evaluation.extractor, "labels": data.classes, "steps": steps}
    model: Any = own
    if pretrained:
        model, record["weights_sha256"] = with_pretrained(own, data, evaluation)
    record["features"] = model.output["features"].shape[-1]
    if held_out.label is not None and "logits" in model.output:
        record["eval_accuracy"] = accuracy(model, held_out.target, held_out.label, kind_of(data.drawn).shown)
        _log.info("The judge's classifier reads %.2f %% of held-out examples right", 100 * record["eval_accuracy"])
    record["seconds"] = round(time.monotonic() - started, 1)
    export(model, data, fn_args.serving_model_dir, record)


def extractor(data: Data, evaluation: Evaluation, train: Arrays) -> tuple[keras.Model, int]:
    """The model whose features judge this data.

    Images have a classifier of their own, stacked digits one of single digits that looks at each channel, points the
    optimal classifier of their mixture, any other kind of column the features that it says.

    Args:
        data: what the examples are.
        evaluation: `extractor_steps` and `seed` of a training.
        train: to learn from.

    Returns:
        A model as `classifier`, `stacked_classifier`, `mixture_classifier` or `own_features` describes it, and how many
        steps it was trained: 0 where there is nothing to learn.

    Raises:
        ValueError: images have no labels to learn from.
    """
    if mixtures.behind(data.target.source):
        return mixture_classifier(data), 0
    if not data.images:
        return own_features(data), 0
    if train.label is None:
        raise ValueError(
            f"images without classes are judged by {UNLABELLED}, as a classifier would have nothing to learn; received "
            f"evaluation.extractor {evaluation.extractor}"
        )
    model = classifier(Images(resolution=data.resolution, classes=10) if data.kind == "stacked" else data)
    images, labels = train.target, train.label
    if data.kind == "stacked":
        # All channels are drawn alike, so that the first has every digit to learn from.
        images, labels = images[..., :1], labels // 100
    train_classifier(model, images, labels, steps=evaluation.extractor_steps, seed=evaluation.seed)
    return (stacked_classifier(model, data) if data.kind == "stacked" else model), evaluation.extractor_steps


def with_pretrained(model: keras.Model | None, data: Data, evaluation: Evaluation) -> tuple[keras.Model, str]:
    """A pretrained network's features in the place of a model's own, whose classes are kept.

    Args:
        model: from `extractor`; None for images without classes.
        data: what the images are.
        evaluation: `extractor` is a name in EXTRACTORS; `extractor_weights` names a file of its weights.

    Returns:
        The model, of Inception with `inception_logits` too, and a SHA-256 of the weights.

    Raises:
        ValueError: the examples are no images; the weights cannot be had.
    """
    name = evaluation.extractor
    if data.kind != "images":
        raise ValueError(f"{name} looks at images; {data.source} gives {data.kind}")
    load = lookup("extractor", name)
    network, digest = load(data, evaluation.extractor_weights or EXTRACTORS[name].fetched)
    if model is None:
        return network, digest
    example = keras.Input(data.shape, name="image")
    return keras.Model(example, model(example) | network(example)), digest


def mixture_classifier(data: Data) -> keras.Model:
    """The optimal classifier of a mixture's points: its features are the points themselves.

    Args:
        data: a source of points; its labels are 0 or the number of modes.

    Returns:
        A model from points, [b, 2], to {"features": [b, 2], "logits": [b, modes]}, the softmax of which is the
        probability of each mode.

    Raises:
        ValueError: `data.classes` is another number.
    """
    centres, sigma = mixtures.of_source(data.target.source)
    if data.classes not in (0, len(centres)):
        raise ValueError(
            f"{data.target.source} has {len(centres)} modes: data.classes is that or 0; received {data.classes}"
        )
    point = keras.Input((2,), name="point")
    gaps = keras.ops.expand_dims(point, 1) - keras.ops.convert_to_tensor(centres, "float32")
    return keras.Model(
        point,
        {"features": keras.layers.Identity()(point), "logits": keras.ops.sum(gaps**2, -1) / (-2 * sigma**2)},
    )


def own_features(data: Data) -> keras.Model:
    """What the kind of column says is compared, as features: of a user's own kind, or of points from no mixture.

    Returns:
        A model from examples as they are served, [b, ...], to {"features": [b, d]}.
    """
    kind = kind_of(data.drawn)
    value = keras.Input(data.shape, name=kind.served)
    features = keras.layers.Lambda(kind.compared, dtype="float32")(value)
    return keras.Model(value, {"features": features})


def stacked_classifier(digits: keras.Model, data: Data) -> keras.Model:
    """Reads each channel of stacked digits by a classifier of single ones.

    Args:
        digits: from `classifier`, of one channel and 10 labels.
        data: of the stacked digits.

    Returns:
        A model from images in [0, 1], [b, r, r, 3], to {"features": [b, 3 * FEATURES], "logits": [b, 3, 10]}.
    """
    image = keras.Input(data.shape, name="image")
    read = [digits(image[..., channel : channel + 1]) for channel in range(data.channels)]
    return keras.Model(
        image,
        {
            "features": keras.ops.concatenate([each["features"] for each in read], -1),
            "logits": keras.ops.stack([each["logits"] for each in read], 1),
        },
    )


def classifier(data: Data) -> keras.Model:
    """A convolutional classifier: halves the image down to 4 pixels, then FEATURES features, then the classes.

    Args:
        data: resolution, channels and labels; 0 labels leave the last layer out.

    Returns:
        A model from images in [0, 1], [b, r, r, c], to {"features": [b, FEATURES], "logits": [b, labels]}.
    """
    image = keras.Input((data.resolution, data.resolution, data.channels), name="image")
    hidden, size, width = keras.layers.Rescaling(2, -1)(image), data.resolution, 32
    while True:
        hidden = keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(hidden)
        hidden = keras.layers.BatchNormalization(momentum=0.95)(hidden)
        hidden = keras.layers.ReLU()(hidden)
        if size <= 4:
            break
        hidden = keras.layers.MaxPooling2D(2, padding="same")(hidden)
        size, width = (size + 1) // 2, 64
    hidden = keras.layers.Dropout(0.25)(keras.layers.Flatten()(hidden))
    # Features before their ReLU: nearer to the Gaussians of a Frechet distance, and none is constantly 0. Their
    # normalisation gives distances a scale that does not depend on the length of the training.
    hidden = keras.layers.Dense(FEATURES, use_bias=False)(hidden)
    outputs = {"features": keras.layers.BatchNormalization(momentum=0.95, name="features")(hidden)}
    if data.classes:
        outputs["logits"] = keras.layers.Dense(data.classes, name="logits")(keras.layers.ReLU()(outputs["features"]))
    return keras.Model(image, outputs)


def train_classifier(model: keras.Model, images: np.ndarray, labels: np.ndarray, *, steps: int, seed: int) -> None:
    """Trains on randomly shifted images; Adam with a cosine schedule.

    Args:
        model: of `classifier`, changed in place.
        images: [n, r, r, c] uint8.
        labels: [n] int64.
        steps: updates, each of BATCH images.
        seed: of the batches and shifts.
    """
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps))
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(image: tf.Tensor, label: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = loss_of(label, model(tf.cast(image, tf.float32) / 255, training=True)["logits"])
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    random = np.random.default_rng(seed)
    reach = max(1, images.shape[1] // 16)
    for _ in range(steps):
        rows = np.sort(random.integers(len(images), size=BATCH))
        # One shift for a whole batch costs nothing and varies enough from step to step.
        step(_shifted(images[rows], *random.integers(-reach, reach + 1, 2)), labels[rows])


def _shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """The images moved by whole pixels; the edge is repeated where nothing moves in."""
    size = images.shape[1]
    rows, columns = np.clip(np.arange(size) - down, 0, size - 1), np.clip(np.arange(size) - right, 0, size - 1)
    return images[:, rows][:, :, columns]


def accuracy(
    model: keras.Model, examples: np.ndarray, labels: np.ndarray, shown: Callable[[np.ndarray], np.ndarray]
) -> float:
    """Share of examples that the model reads right; of stacked digits, those of which it reads all three."""
    predict = tf.function(lambda x: tf.argmax(model(x, training=False)["logits"], -1))
    hits = 0
    for start in range(0, len(examples), 500):
        part = slice(start, start + 500)
        read = predict(tf.constant(shown(examples[part]))).numpy()
        hits += int(((read @ [100, 10, 1] if read.ndim == 2 else read) == labels[part]).sum())
    return hits / len(examples)


def export(model: keras.Model, data: Data, directory: str, record: dict[str, Any]) -> None:
    """Writes the SavedModel: signature `serving_default`, an example as it is served -> the outputs."""
    spec = tf.TensorSpec([None, *data.shape], tf.float32, name=kind_of(data.drawn).served)

    @tf.function(input_signature=[spec])
    def extract(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(x, training=False)

    tf.saved_model.save(holder(model), directory, signatures={"serving_default": extract})
    tf.io.gfile.makedirs(f"{directory}/assets.extra")
    with tf.io.gfile.GFile(f"{directory}/{RECORD}", "w") as file:
        file.write(json.dumps(record, indent=1, sort_keys=True))


def _check_labels(data: Data, *labels: np.ndarray) -> None:
    for each in labels:
        if each.min() < 0 or each.max() >= data.classes:
            raise ValueError(f"labels are 0 to {data.classes - 1}; received {each.min()} to {each.max()}")
