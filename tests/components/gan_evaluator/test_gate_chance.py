"""Chance and the gate: generators on their bounds are hardly ever refused, sabotaged ones nearly always.

Each trial draws a subsample of stored features, without replacement, cuts it as the judge does, and goes through the
judge's own gate. Who lies in whose neighbourhood is found once for all trials; what is read from it is held against the
metrics themselves.
"""

import functools

import numpy as np
import pytest
from sklearn.datasets import load_digits

from components.gan_evaluator import gate
from models.config import AtLeast, Evaluation, Threshold
from models.metrics import density_coverage, precision_recall
from models.metrics.distances import nearest, squared_distances
from models.metrics.estimate import Estimate, share_of
from models.metrics.neighbourhoods import nearest_distances, neighbourhoods
from models.metrics.parts import cut, over_parts

REAL, TRAIN, GENERATED = 150, 525, 2_250
STORED = 40_000
TRIALS = 2_000


class Stored:
    """Features of one generator, and how they lie to the held-out ones.

    Attributes:
        covers: [REAL, n] bool, which neighbourhoods of 5 a sample lies in.
        inside: [n] bool, whether it lies in a neighbourhood of 3.
        read: [n] bool, whether it is read as its class.
    """

    def __init__(self, real: np.ndarray, centres: np.ndarray, features: np.ndarray, labels: np.ndarray):
        self.real, self.features = real, features
        near = nearest_distances(real, 5)
        distances = np.concatenate([block for _, block in squared_distances(real, features)])
        self.covers = distances <= near[:, 4:5]
        self.inside = (distances <= near[:, 2:3]).any(axis=0)
        self.read = nearest(features, centres)[0] == labels

    def estimates(self, rows: np.ndarray, seed: int) -> dict[str, Estimate]:
        """What `measure` makes of a subsample."""
        parts = cut(len(rows), REAL, seed)
        covers, inside = self.covers[:, rows], self.inside[rows]
        found = {
            "coverage": [float(covers[:, part].any(axis=1).mean()) for part in parts.rows],
            "density": [float(covers[:, part].sum() / (5 * REAL)) for part in parts.rows],
            "precision": [float(inside[part].mean()) for part in parts.rows],
        }
        return {
            name: over_parts([Estimate(value) for value in values], parts, len(rows), share=name != "density")
            for name, values in found.items()
        } | {"conditional_accuracy": share_of(self.read[rows])}

    @functools.cached_property
    def truth(self) -> dict[str, float]:
        """The values of all that is stored."""
        order = np.random.default_rng(0).permutation(len(self.features))
        return {name: each.value for name, each in self.estimates(order, 0).items()}


def mixed(seed: int, count: int, noise: float, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Digits between two of one class, with noise: as many as are asked for, of the first classes alone."""
    random = np.random.default_rng(seed)
    images, labels = load_digits(return_X_y=True)
    # The held-out ones are drawn from the same digits, none of which any side holds as it is.
    of_class = [images[labels == label] for label in range(classes)]
    drawn = np.sort(random.integers(0, classes, count))
    pairs = [each[random.integers(len(each), size=((drawn == label).sum(), 2))] for label, each in enumerate(of_class)]
    first, second = np.moveaxis(np.concatenate(pairs), 1, 0)
    share = random.uniform(0.6, 1, (count, 1))
    order = random.permutation(count)
    features = share * first + (1 - share) * second + random.normal(0, noise, first.shape)
    return features[order].astype(np.float32), drawn[order]


@pytest.fixture(scope="module")
def stored():
    """Makes a generator's stored features: its noise, its classes, or what else is done to them."""
    real, _ = mixed(1, REAL, 1)
    many, of_many = mixed(2, 5_000, 1)
    centres = np.stack([many[of_many == label].mean(axis=0) for label in range(10)])

    def make(seed=3, noise=1.0, classes=10, count=STORED, change=lambda features, labels: (features, labels)):
        return Stored(real, centres, *change(*mixed(seed, count, noise, classes)))

    return make


@pytest.fixture(scope="module")
def floor(stored):
    """Real examples in the place of generated ones."""
    return stored(seed=4)


def refused(generator: Stored, floor: Stored, evaluation: Evaluation, seed: int) -> bool:
    """True where a subsample of a generator is refused; the noise floor is of a subsample of real examples."""
    random = np.random.default_rng([seed, 7])
    found = generator.estimates(random.choice(len(generator.features), GENERATED, replace=False), seed)
    real = floor.estimates(random.choice(len(floor.features), TRAIN, replace=False), seed)
    lines = [
        gate.judge_metric(
            found[name],
            threshold,
            evaluation=evaluation,
            floor=real[name],
            baseline=None,
            better="higher",
            measures="",
        )
        for name, threshold in evaluation.thresholds.items()
    ]
    return not all(line.holds for line in lines)


def on_the_bound(generator: Stored, floor: Stored) -> Evaluation:
    """Bounds, absolute and by the floor, that lie on the generator's true values."""
    gaps = {name: floor.truth[name] - value for name, value in generator.truth.items()}
    thresholds = {name: AtLeast(value) for name, value in generator.truth.items()}
    for name in ("coverage", "density"):
        thresholds[name] = Threshold(within_floor=gaps[name])
    return Evaluation(thresholds=thresholds)


def test_what_is_read_is_what_the_metrics_say(stored):
    generator = stored(count=3_000)
    rows = np.random.default_rng(0).permutation(3_000)
    found, parts = generator.estimates(rows, 0), cut(3_000, REAL, 0)
    near = [neighbourhoods(generator.real, generator.features[rows[part]]) for part in parts.rows]
    for name, metric in (
        ("coverage", density_coverage.coverage),
        ("density", density_coverage.density),
        ("precision", precision_recall.precision),
    ):
        expected = over_parts([metric(each) for each in near], parts, 3_000, share=name != "density")
        assert found[name].value == pytest.approx(expected.value, abs=2e-4)
        assert found[name].uncertainty == pytest.approx(expected.uncertainty, rel=0.02)


@pytest.mark.slow
def test_a_generator_on_all_its_bounds_is_hardly_ever_refused(stored, floor):
    generator = stored(noise=2)
    evaluation = on_the_bound(generator, floor)
    assert all(each.within_floor is None or each.within_floor > 0.01 for each in evaluation.thresholds.values())
    count = sum(refused(generator, floor, evaluation, seed) for seed in range(TRIALS))
    assert count <= 0.02 * TRIALS, count


SABOTAGED = {
    "collapsed": {"change": lambda features, labels: (features[labels], labels)},
    "noisy": {"noise": 5.0},
    "three classes short": {"classes": 7},
    "classes mixed up": {"change": lambda features, labels: (features, np.roll(labels, 1))},
    "half of it noise": {
        "change": lambda features, labels: (
            np.where(np.arange(len(labels))[:, None] % 2, features, np.float32(8)),
            labels,
        )
    },
}


@pytest.mark.parametrize("name", SABOTAGED)
def test_a_sabotaged_generator_is_refused(stored, floor, name):
    trials = 200
    evaluation = Evaluation(
        thresholds={
            "conditional_accuracy": AtLeast(0.8),
            "precision": AtLeast(0.6),
            "density": Threshold(within_floor=0.3),
            "coverage": Threshold(within_floor=0.1),
        }
    )
    assert not refused(stored(noise=1, seed=9, count=10_000), floor, evaluation, 0)
    generator = stored(count=10_000, **SABOTAGED[name])
    count = sum(refused(generator, floor, evaluation, seed) for seed in range(trials))
    assert count >= 0.99 * trials, count
