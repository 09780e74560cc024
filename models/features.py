"""The classifier whose features judge a generator: the `run_fn` of the standard TFX Trainer."""

import json
import logging
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.config import Data, Evaluation
from models.data import read_examples

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
    data, evaluation = Data.model_validate(experiment["data"]), Evaluation.model_validate(experiment["evaluation"])
    train, held_out = read_examples(fn_args.train_files, data), read_examples(fn_args.eval_files, data)
    started = time.monotonic()
    keras.utils.set_random_seed(evaluation.seed)
    model = classifier(data)
    record: dict[str, Any] = {"name": evaluation.extractor, "features": FEATURES, "labels": data.labels, "steps": 0}
    if train.labels is not None and held_out.labels is not None:
        _check_labels(data, train.labels, held_out.labels)
        train_classifier(model, train.images, train.labels, steps=evaluation.extractor_steps, seed=evaluation.seed)
        record["steps"] = evaluation.extractor_steps
        record["eval_accuracy"] = accuracy(model, held_out.images, held_out.labels)
        _log.info("The judge's classifier reads %.2f %% of held-out images right", 100 * record["eval_accuracy"])
    else:
        _log.warning("The images have no labels: the judge's features are those of a network with random weights")
    record["seconds"] = round(time.monotonic() - started, 1)
    export(model, data, fn_args.serving_model_dir, record)


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
    if data.labels:
        outputs["logits"] = keras.layers.Dense(data.labels, name="logits")(keras.layers.ReLU()(outputs["features"]))
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


def accuracy(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose class the model reads right."""
    predict = tf.function(lambda image: tf.argmax(model(image, training=False)["logits"], 1))
    hits = 0
    for start in range(0, len(images), 500):
        part = slice(start, start + 500)
        image = tf.constant(images[part].astype(np.float32) / 255)
        hits += int((predict(image).numpy() == labels[part]).sum())
    return hits / len(images)


def export(model: keras.Model, data: Data, directory: str, record: dict[str, Any]) -> None:
    """Writes the SavedModel: signature `serving_default`, float32 images in [0, 1] -> features and logits."""
    spec = tf.TensorSpec([None, data.resolution, data.resolution, data.channels], tf.float32, name="image")

    @tf.function(input_signature=[spec])
    def extract(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(image, training=False)

    tf.saved_model.save(model, directory, signatures={"serving_default": extract})
    tf.io.gfile.makedirs(f"{directory}/assets.extra")
    with tf.io.gfile.GFile(f"{directory}/{RECORD}", "w") as file:
        file.write(json.dumps(record, indent=1, sort_keys=True))


def _check_labels(data: Data, *labels: np.ndarray) -> None:
    for each in labels:
        if each.min() < 0 or each.max() >= data.labels:
            raise ValueError(f"labels are 0 to {data.labels - 1}; received {each.min()} to {each.max()}")
