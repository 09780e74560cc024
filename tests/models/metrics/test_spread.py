import numpy as np
import pytest
from scipy.spatial.distance import pdist

from models.metrics.estimate import TooFewSamplesError
from models.metrics.spread import mean_distances, near_duplicates, spread, within_class_spread


def noise(seed: int, count: int, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, (count, 4, 4, 1)).astype(np.uint8)


class TestMeanDistances:
    def test_equals_scipy(self):
        images = noise(0, 30)
        assert mean_distances(images).mean() == pytest.approx(pdist(images.reshape(30, -1) / 255).mean(), rel=1e-12)

    def test_equal_images_are_exactly_zero_apart(self):
        assert not mean_distances(np.repeat(noise(0, 1), 50, axis=0)).any()


class TestSpread:
    def test_half_the_contrast_is_half_the_spread(self):
        images = noise(0, 40, 128)
        assert spread(images * 2, images).value == pytest.approx(0.5)

    def test_refuses_bad_input(self):
        real = noise(0, 4)
        with pytest.raises(TooFewSamplesError, match="at least 2 generated samples; received 1"):
            spread(real, real[:1])
        with pytest.raises(ValueError, match=r"one size; received \[4, 4, 1\] and \[3, 4, 1\]"):
            spread(real, real[:, :3])
        with pytest.raises(ValueError, match=r"uint8.*received fake of float64"):
            spread(real, np.full(real.shape, np.nan))
        with pytest.raises(ValueError, match="all the same"):
            spread(np.zeros_like(real), real)


class TestWithinClassSpread:
    def setup_method(self):
        self.images, self.labels = noise(0, 60, 100), np.repeat([0, 1, 2], 20)

    def test_of_itself_is_one(self):
        estimate = within_class_spread(self.images, self.labels, self.images, self.labels)
        assert estimate.value == pytest.approx(1)
        assert estimate.per_class == pytest.approx((1, 1, 1))

    def test_by_hand_a_class(self):
        # class 0 as it is, class 1 doubled, class 2 collapsed: 1, 2, 0
        fake = self.images.copy()
        fake[20:40] *= 2
        fake[40:] = fake[40]
        estimate = within_class_spread(self.images, self.labels, fake, self.labels)
        assert estimate.per_class == pytest.approx((1, 2, 0))
        assert estimate.value == pytest.approx(1)
        errors = [
            spread(self.images[part], fake[part]).uncertainty for part in (slice(20), slice(20, 40), slice(40, 60))
        ]
        assert errors[2] == 0
        assert estimate.uncertainty == pytest.approx(np.hypot(*errors[:2]) / 3)

    def test_one_picture_a_class_is_zero_though_classes_differ(self):
        collapsed = self.images[self.labels * 20]
        assert within_class_spread(self.images, self.labels, collapsed, self.labels).value == 0
        assert spread(self.images, collapsed).value > 0.5

    def test_order_does_not_matter_and_noise_raises(self):
        order = np.random.default_rng(1).permutation(60)
        expected = within_class_spread(self.images, self.labels, self.images // 2, self.labels)
        shuffled = within_class_spread(self.images, self.labels, self.images[order] // 2, self.labels[order])
        assert shuffled.value == pytest.approx(expected.value)
        noisy = self.images // 2 + noise(2, 60, 100)
        assert within_class_spread(self.images, self.labels, noisy, self.labels).value > expected.value

    def test_class_that_is_not_asked_for_is_left_out(self):
        estimate = within_class_spread(self.images, self.labels, self.images[20:], self.labels[20:])
        assert estimate.value == pytest.approx(1)
        assert np.isnan(estimate.per_class[0])

    def test_the_error_is_that_of_repeated_draws_beside_the_same_real_images(self):
        labels = np.repeat([0, 1, 2], 40)
        estimates = [
            within_class_spread(self.images, self.labels, noise(seed, 120, 100 + 50 * (seed % 2)), labels)
            for seed in range(0, 160, 2)
        ]
        found = np.std([each.value for each in estimates], ddof=1)
        assert np.mean([each.uncertainty for each in estimates]) == pytest.approx(found, rel=0.25)

    def test_of_a_large_class_the_first_count(self):
        many, labels = noise(1, 600, 100), np.zeros(600, int)
        found = within_class_spread(self.images, np.zeros(60, int), many, labels)
        assert found.value == spread(self.images, many[:500]).value

    def test_refuses_a_class_of_one_image(self):
        with pytest.raises(TooFewSamplesError, match="spread of class 2 needs at least 2 real samples; received 1"):
            within_class_spread(self.images[:41], self.labels[:41], self.images, self.labels)


class TestNearDuplicates:
    def test_ten_pictures_are_all_duplicates_though_some_real_ones_stand_twice(self):
        real = noise(0, 400)
        real[:8] = real[8:16]  # more than one in a hundred
        ten = noise(1, 10)[np.random.default_rng(0).permutation(np.repeat(np.arange(10), 140))]
        assert near_duplicates(real, ten).value == 1
        apart = ten.copy()
        apart[:, 0, 0] ^= np.random.default_rng(1).integers(0, 8, (1_400, 1)).astype(np.uint8)
        assert near_duplicates(real, apart).value > 0.95

    def test_refuses_real_images_that_are_all_the_same(self):
        with pytest.raises(TooFewSamplesError, match="at least 2 distinct real samples; received 1"):
            near_duplicates(np.repeat(noise(0, 1), 9, axis=0), noise(1, 5))

    def test_one_picture_is_all_duplicates(self):
        assert near_duplicates(noise(0, 50), np.repeat(noise(1, 1), 50, axis=0)).value == 1

    def test_equal_distributions_have_about_the_percentile(self):
        assert near_duplicates(noise(0, 500), noise(1, 1500), percentile=10).value == pytest.approx(0.1, abs=0.06)

    def test_counts_pairs_by_hand(self):
        real = noise(0, 40)
        fake = noise(1, 40)
        fake[1] = fake[0]  # one pair of twins: two of forty
        estimate = near_duplicates(real, fake, percentile=1e-9)
        assert estimate.value >= 2 / 40
        assert estimate.value < near_duplicates(real, np.concatenate([fake[:20], fake[:20]])).value == 1

    def test_more_samples_are_taken_in_parts(self):
        # Twins in different parts of 40 do not meet.
        fake = np.concatenate([noise(1, 40)] * 2)
        real = noise(0, 40)
        assert near_duplicates(real, fake).value == near_duplicates(real, fake[:40]).value < 0.5

    def test_refuses_too_few(self):
        with pytest.raises(TooFewSamplesError, match="at least 2 real samples; received 1"):
            near_duplicates(noise(0, 1), noise(1, 5))
