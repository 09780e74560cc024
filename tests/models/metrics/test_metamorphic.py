"""Every metric of the catalog that judges sets of pictures, under changes of the samples whose effect is known.

Those that hold each picture against its own truth are tested in test_restoration.py.
"""

import inspect

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from models import catalog
from models.metrics.estimate import Estimate
from models.metrics.neighbourhoods import neighbourhoods

CLASSES, SIZE = 4, 12
SAMPLED = {"ms_ssim"}
"""In another order this draws other pairs."""

WITHOUT_ERROR = {"kid_{extractor}", "kd_{extractor}", "classifier_score", "inception_score"}
"""These have one over parts alone."""

METRICS = {
    name: metric for name, metric in catalog.METRICS.items() if metric.suits("images") and "generate" in metric.tasks
}

MOVES = {
    # metric -> what happens to it when samples are repeated, and when noise is added; 0 where it may stay
    "conditional_accuracy": (0, "worse"),
    "within_class_spread": ("worse", 0),
    "spread": ("worse", 0),
    "near_duplicates": ("worse", 0),
    "ms_ssim": ("worse", 0),
    "sharpness": (0, "better"),
    "noise": (0, "worse"),
    "memorisation": (0, 0),
    "novelty": (0, "better"),
    "coverage": ("worse", "worse"),
    "recall": ("worse", 0),
    "density": (0, "worse"),
    "precision": (0, "worse"),
    "fcd_{extractor}": ("worse", "worse"),
    "kid_{extractor}": ("worse", "worse"),
    "fd_{extractor}": ("worse", "worse"),
    "kd_{extractor}": ("worse", "worse"),
    "fid": ("worse", "worse"),
    "classifier_score": (0, "worse"),
    "inception_score": (0, "worse"),
}


def draw(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth patterns, of which the brighter quarter tells the class."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % CLASSES)
    images = gaussian_filter(random.standard_normal((count, SIZE, SIZE, 1)), (0, 1, 1, 0)) * 90 + 90
    half = SIZE // 2
    for image, label in zip(images, labels, strict=True):
        image[half * (label // 2) :, half * (label % 2) :][:half, :half] += 60
    return np.clip(images, 0, 255).astype(np.uint8), labels


def quarters(images: np.ndarray) -> np.ndarray:
    half = SIZE // 2
    return images[..., 0].reshape(-1, 2, half, 2, half).mean(axis=(2, 4)).reshape(-1, 4)


def features(images: np.ndarray) -> np.ndarray:
    """What the judge's classifier would see: brightness of the quarters, slopes, grain."""
    pixels = images[..., 0].astype(float)
    slopes = np.abs(np.diff(pixels, axis=1)).mean(axis=(1, 2)), np.abs(np.diff(pixels, axis=2)).mean(axis=(1, 2))
    grain = np.abs(np.diff(pixels, 2, axis=1)).mean(axis=(1, 2))
    return np.column_stack([quarters(images), *slopes, grain]) / 30


def probabilities(images: np.ndarray) -> np.ndarray:
    powers = np.exp(quarters(images) / 10 - (quarters(images) / 10).max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


TRAIN, REAL = draw(0, 400), draw(1, 400)


def value(name: str, images: np.ndarray, labels: np.ndarray) -> float:
    return estimate(name, images, labels).value


def estimate(name: str, images: np.ndarray, labels: np.ndarray) -> Estimate:
    given = {
        "real_images": REAL[0],
        "real_labels": REAL[1],
        "real_features": features(REAL[0]),
        "fake_images": images,
        "fake_labels": labels,
        "fake_features": features(images),
        "fake_probabilities": probabilities(images),
        "fake_inception_probabilities": probabilities(images),
        "train_features": features(TRAIN[0]),
    }
    function = catalog.lookup("metric", name)
    needs = set(inspect.signature(function).parameters)
    if "neighbourhoods" in needs:
        return function(neighbourhoods(given["real_features"], given["fake_features"]))
    return function(**{need: given[need] for need in needs & set(given)})


def moved(name: str, before: float, after: float) -> str:
    gain = (after - before) * (1 if METRICS[name].better == "higher" else -1)
    return "better" if gain > 0 else "worse"


def test_every_metric_has_its_line():
    assert set(MOVES) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
class TestEvery:
    samples = draw(2, 400)

    def test_order_does_not_matter(self, name):
        images, labels = self.samples
        order = np.random.default_rng(0).permutation(len(images))
        expected, found = estimate(name, images, labels), estimate(name, images[order], labels[order])
        assert expected.uncertainty is None if name in WITHOUT_ERROR else expected.uncertainty > 0
        if name in SAMPLED:
            assert abs(found.value - expected.value) < 2 * expected.uncertainty
        else:
            assert found.value == pytest.approx(expected.value, rel=1e-4)
            if name not in WITHOUT_ERROR:
                assert found.uncertainty == pytest.approx(expected.uncertainty, rel=1e-3)

    def test_repeating_a_few_samples(self, name):
        images, labels = self.samples
        few = np.arange(400) % (3 * CLASSES)
        expected = MOVES[name][0]
        if expected:
            assert moved(name, value(name, images, labels), value(name, images[few], labels[few])) == expected

    def test_adding_noise(self, name):
        images, labels = self.samples
        noise = np.random.default_rng(0).normal(0, 40, images.shape)
        noisy = np.clip(images + noise, 0, 255).astype(np.uint8)
        expected = MOVES[name][1]
        if expected:
            assert moved(name, value(name, images, labels), value(name, noisy, labels)) == expected


@pytest.mark.parametrize("name", ["memorisation", "novelty"])
def test_training_images_are_memory(name):
    before = value(name, *draw(2, 400))
    assert moved(name, before, value(name, *TRAIN)) == "worse"


def test_blur_is_told():
    images, labels = draw(2, 400)
    assert value("sharpness", gaussian_filter(images, (0, 1, 1, 0)), labels) < 0.8 < value("sharpness", images, labels)
