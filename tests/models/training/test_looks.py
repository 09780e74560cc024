import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from models import mixtures
from models.training.looks import (
    COVERAGE,
    DISTANCE,
    DIVERSITY,
    NAMES,
    NEAR_DUPLICATES,
    PART_VALUES,
    PRECISION,
    Reference,
    features,
    parts,
)
from tests import judging

RING = mixtures.sample(mixtures.ring(), 512, 0)[0]


def ring(seed: int, kept: int = 8) -> np.ndarray:
    """Other points of the ring, of its first modes alone."""
    points, modes = mixtures.sample(mixtures.ring(), 8_192, seed)
    return points[modes < kept][:512]


def digits(seed: int, count: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Real images in [-1, 1] and their labels, other ones for another seed below 4."""
    images, labels = judging.digits()["train"]
    part = slice(seed * count, (seed + 1) * count)
    return images[part].astype(np.float32) / 127.5 - 1, labels[part]


class TestDistance:
    def test_is_that_of_a_plain_computation(self):
        real, fake = ring(1)[:40], ring(2)[:40] + 0.3
        pairs = 40 * 39
        across, of_real, of_fake = (
            cdist(real, fake).mean(),
            cdist(real, real).sum() / pairs,
            cdist(fake, fake).sum() / pairs,
        )
        look = Reference(real).look(fake)
        assert look[DISTANCE] == pytest.approx((2 * across - of_real - of_fake) / of_real, rel=1e-6)
        assert look[DIVERSITY] == pytest.approx(of_fake / of_real, rel=1e-6)

    def test_within_classes_is_the_mean_over_classes_by_their_size(self):
        real, fake = ring(1)[:40], ring(2)[:40]
        labels = np.repeat([3, 1], [30, 10])
        total = {"across": 0.0, "real": 0.0, "fake": 0.0}
        for label, share in ((3, 0.75), (1, 0.25)):
            x, y = real[labels == label], fake[labels == label]
            pairs = len(x) * (len(x) - 1)
            total["across"] += share * cdist(x, y).mean()
            total["real"] += share * cdist(x, x).sum() / pairs
            total["fake"] += share * cdist(y, y).sum() / pairs
        look = Reference(real, labels).look(fake)
        expected = (2 * total["across"] - total["real"] - total["fake"]) / total["real"]
        assert look[DISTANCE] == pytest.approx(expected, rel=1e-6)
        assert look[DIVERSITY] == pytest.approx(total["fake"] / total["real"], rel=1e-6)

    def test_classes_too_rare_for_pairs_are_looked_at_together(self):
        labels = np.arange(512)
        assert Reference(RING, labels).look(ring(1)) == Reference(RING).look(ring(1))

    def test_is_unbiased(self):
        # of few points, where the biased estimate is 0.1 and more
        points = mixtures.sample(mixtures.ring(), 6_000, 1)[0].reshape(300, 2, 10, 2)
        values = [Reference(real).look(fake)[DISTANCE] for real, fake in points]
        assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values)) < 0.05


class TestLook:
    def test_real_in_the_place_of_generated(self):
        look = Reference(RING).look(ring(1))
        assert look[DISTANCE] == pytest.approx(0, abs=0.01)
        assert look[DIVERSITY] == pytest.approx(1, abs=0.03)
        assert look[NEAR_DUPLICATES] == pytest.approx(0.01, abs=0.015)
        assert look[PRECISION] > 0.95
        assert look[COVERAGE] > 0.95

    def test_one_point(self):
        look = Reference(RING).look(np.repeat(RING[:1], 512, axis=0))
        assert look[DISTANCE] > 0.9
        assert look[DIVERSITY] == pytest.approx(0, abs=1e-6)
        assert look[NEAR_DUPLICATES] == look[PRECISION] == 1
        assert look[COVERAGE] < 0.1

    def test_ten_points_are_twins_though_some_real_ones_stand_twice(self):
        real = RING.copy()
        real[:8] = real[8:16]
        few = np.repeat(ring(1)[:10], 52, axis=0)[:512]
        moved = few + np.random.default_rng(0).normal(0, 1e-5, few.shape).astype(np.float32)
        assert Reference(real).look(moved)[NEAR_DUPLICATES] > 0.95

    def test_few_modes(self):
        reference = Reference(RING)
        whole, few = reference.look(ring(1)), reference.look(ring(1, kept=3))
        assert few[PRECISION] > 0.95
        assert few[COVERAGE] < 0.5
        assert few[DISTANCE] > 0.1 > 10 * whole[DISTANCE]

    def test_the_more_a_sample_is_off_the_farther(self):
        reference, fake = Reference(RING), ring(1)
        distances = [reference.look(fake + shift)[DISTANCE] for shift in (0, 0.05, 0.2, 1, 10)]
        assert distances == sorted(distances)

    def test_one_picture_a_class_is_no_variety(self):
        images, labels = digits(0)
        collapsed = np.stack([images[labels == label][0] for label in labels])
        assert Reference(images).look(collapsed)[DIVERSITY] > 0.8
        look = Reference(images, labels).look(collapsed)
        assert look[DIVERSITY] == pytest.approx(0, abs=1e-6)
        assert look[DISTANCE] > 0.3

    @pytest.mark.parametrize("wrong", [np.nan, np.inf])
    def test_examples_that_are_not_finite(self, wrong):
        fake = ring(1)
        fake[7, 1] = wrong
        look = Reference(RING).look(fake)
        assert tuple(look) == NAMES
        assert np.isnan(list(look.values())).all()

    def test_real_examples_that_are_all_the_same_give_numbers(self):
        look = Reference(np.ones([20, 2], np.float32)).look(np.zeros([20, 2], np.float32))
        assert np.isfinite(list(look.values())).all()

    def test_refuses_a_single_example(self):
        with pytest.raises(ValueError, match="at least 2 examples; received 1"):
            Reference(RING[:1])


class TestFeatures:
    @pytest.mark.parametrize("resolution", [16, 28, 32, 64, 128])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_are_few_and_finite(self, resolution, channels):
        images = np.random.default_rng(0).uniform(-1, 1, [2, resolution, resolution, channels]).astype(np.float32)
        found = features(images)
        assert found.shape[0] == 2
        assert found.shape[1] <= 7 * 7 * 128
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, features(images))

    def test_order_the_stages_of_a_fault(self):
        # what a training has to get rid of: blur, noise, a wrong shade, missing kinds
        real, _ = digits(0)
        other, other_labels = digits(1)
        reference = Reference(real)
        random = np.random.default_rng(0)

        def blurred(times: int) -> np.ndarray:
            images = other
            for _ in range(times):
                images = tf.nn.avg_pool2d(images, 3, 1, "SAME").numpy()
            return images

        noise = random.normal(size=other.shape).astype(np.float32)
        kinds = [np.resize(other[other_labels < kept], other.shape) for kept in (10, 5, 2)]
        for faults in (
            [blurred(times) for times in (0, 1, 3)],
            [np.clip(other + level * noise, -1, 1) for level in (0, 0.3, 1)],
            [other * contrast for contrast in (1, 0.7, 0.3)],
            kinds,
        ):
            distances = [reference.look(images)[DISTANCE] for images in faults]
            assert distances == sorted(distances)
            assert distances[-1] > 10 * abs(distances[0])

    def test_points_are_seen_as_they_are(self):
        np.testing.assert_array_equal(features(RING), RING)


@pytest.mark.parametrize("shape", [(5, 2), (700, 64, 64, 1), (3, 2048, 1024, 1)])
def test_parts_cover_all_and_stay_small(shape):
    examples = np.broadcast_to(np.float32(0), shape)
    found = list(parts(examples))
    assert [row for part in found for row in range(shape[0])[part]] == list(range(shape[0]))
    assert all(len(examples[part]) == 1 or examples[part].size <= PART_VALUES for part in found)
