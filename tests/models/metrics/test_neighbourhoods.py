"""Precision, recall, density, coverage and the distances below them."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from models.metrics import density_coverage, distances, neighbourhoods, precision_recall
from models.metrics.estimate import TooFewSamplesError


def precision(real, fake):
    return precision_recall.precision(neighbourhoods.neighbourhoods(real, fake))


def recall(real, fake):
    return precision_recall.recall(neighbourhoods.neighbourhoods(real, fake))


def density(real, fake):
    return density_coverage.density(neighbourhoods.neighbourhoods(real, fake))


def coverage(real, fake):
    return density_coverage.coverage(neighbourhoods.neighbourhoods(real, fake))


ALL = [precision, recall, density, coverage]


def radius(points, index: int, k: int) -> float:
    """By the definition: sort the distances to all others."""
    return sorted(np.linalg.norm(points[index] - other) for at, other in enumerate(points) if at != index)[k - 1]


def by_loops(real, fake) -> dict[str, float]:
    """The four papers' formulas, written out."""

    def within(point, centre, radii, at):
        return np.linalg.norm(point - centre) <= radii[at]

    real3, fake3 = [radius(real, i, 3) for i in range(len(real))], [radius(fake, i, 3) for i in range(len(fake))]
    real5 = [radius(real, i, 5) for i in range(len(real))]
    return {
        "precision": np.mean([any(within(y, x, real3, i) for i, x in enumerate(real)) for y in fake]),
        "recall": np.mean([any(within(x, y, fake3, j) for j, y in enumerate(fake)) for x in real]),
        "density": sum(within(y, x, real5, i) for y in fake for i, x in enumerate(real)) / (5 * len(fake)),
        "coverage": np.mean([any(within(y, x, real5, i) for y in fake) for i, x in enumerate(real)]),
    }


@pytest.fixture
def clouds():
    random = np.random.default_rng(0)
    return random.standard_normal((60, 3)), random.standard_normal((60, 3)) * 0.8 + 0.4


class TestAgainstLoops:
    @pytest.mark.parametrize("metric", ALL)
    def test_equal_counts(self, metric, clouds):
        assert metric(*clouds).value == pytest.approx(by_loops(*clouds)[metric.__name__], abs=1e-12)

    @pytest.mark.parametrize("metric", [recall, coverage])
    def test_more_samples_are_the_mean_over_equal_parts(self, metric, clouds):
        real, fake = clouds[0][:20], clouds[1][:50]
        parts = [by_loops(real, fake[:20])[metric.__name__], by_loops(real, fake[20:40])[metric.__name__]]
        assert metric(real, fake).value == pytest.approx(np.mean(parts), abs=1e-12)

    @pytest.mark.parametrize("metric", [precision, density])
    def test_what_is_left_over_of_more_samples_counts_for_fidelity(self, metric, clouds):
        real, fake = clouds[0][:20], clouds[1][:50]
        assert metric(real, fake).value == pytest.approx(by_loops(real, fake)[metric.__name__], abs=1e-12)

    @pytest.mark.parametrize("metric", ALL)
    def test_tiles_change_nothing(self, metric, clouds, monkeypatch):
        whole = metric(*clouds)
        monkeypatch.setattr(neighbourhoods, "TILE", 7)  # the last one short
        assert metric(*clouds) == whole

    def test_other_numbers_of_neighbours(self, clouds):
        near = neighbourhoods.neighbourhoods(*clouds, k=1, density_k=2)
        real, fake = clouds
        radii = [radius(real, i, 2) for i in range(len(real))]
        inside = np.linalg.norm(fake[:, None] - real, axis=2) <= radii
        assert density_coverage.density(near).value == pytest.approx(inside.mean() * 60 / 2)
        assert density_coverage.density(near).protocol == "k = 2"
        assert precision_recall.precision(near).protocol == "k = 1"


class TestProperties:
    @pytest.mark.parametrize("metric", ALL)
    def test_order_does_not_matter(self, metric, clouds):
        real, fake = clouds
        shuffled = np.random.default_rng(1).permutation(fake)
        assert metric(real, shuffled).value == pytest.approx(metric(real, fake).value)
        assert metric(real[::-1], fake).value == pytest.approx(metric(real, fake).value)

    @pytest.mark.parametrize("metric", ALL)
    def test_a_shift_of_both_changes_nothing(self, metric, clouds):
        real, fake = clouds
        assert metric(real + 1e4, fake + 1e4).value == pytest.approx(metric(real, fake).value)

    def test_equal_distributions(self):
        real, fake = np.random.default_rng(0).standard_normal((2, 1000, 4))
        assert coverage(real, fake).value == pytest.approx(1 - 2**-5, abs=0.02)
        assert density(real, fake).value == pytest.approx(1, abs=0.08)

    def test_far_away_is_nothing(self, clouds):
        assert [metric(clouds[0], clouds[1] + 100).value for metric in ALL] == [0, 0, 0, 0]

    def test_one_picture_is_precise_but_covers_nothing(self, clouds):
        real = clouds[0]
        fake = np.repeat(real[:1], 60, axis=0)
        assert precision(real, fake).value == 1
        assert recall(real, fake).value <= 1 / 60
        assert coverage(real, fake).value < 0.3

    def test_noise_lowers_fidelity(self, clouds):
        real, fake = clouds[0], clouds[0].copy()
        noise = np.random.default_rng(2).standard_normal(fake.shape)
        for metric in (precision, density, coverage):
            values = [metric(real, fake + scale * noise).value for scale in (0, 1, 4)]
            assert values == sorted(values, reverse=True)
            assert values[0] > values[2]


class TestBadInput:
    @pytest.mark.parametrize("metric", ALL)
    def test_too_few_samples(self, metric, clouds):
        with pytest.raises(TooFewSamplesError, match=r"at least 6 real samples; received 3"):
            metric(clouds[0][:3], clouds[1])
        with pytest.raises(TooFewSamplesError, match=r"at least 6 generated samples; received 0"):
            metric(clouds[0], clouds[1][:0])

    @pytest.mark.parametrize("metric", ALL)
    def test_widths_and_nan(self, metric, clouds):
        real, fake = clouds
        with pytest.raises(ValueError, match="one width; received 3 and 2"):
            metric(real, fake[:, :2])
        with pytest.raises(ValueError, match="fake holds NaN"):
            metric(real, fake * np.nan)
        with pytest.raises(ValueError, match=r"matrix \[samples, width\]; received real of shape \[60\]"):
            metric(real[:, 0], fake)


class TestDistances:
    @pytest.mark.parametrize("tile", [7, 60, 1_000])
    def test_nearest_others_of_a_set(self, clouds, tile, monkeypatch):
        monkeypatch.setattr(neighbourhoods, "TILE", tile)
        points = clouds[0]
        expected = np.sort(cdist(points, points, "sqeuclidean"), axis=1)[:, 1:5]
        assert np.allclose(neighbourhoods.nearest_distances(points, 4), expected)

    def test_equal_scipy(self, clouds):
        blocks = list(distances.squared_distances(*clouds))
        assert np.allclose(np.concatenate([block for _, block in blocks]), cdist(*clouds, "sqeuclidean"))

    def test_nearest(self, clouds):
        index, squared = distances.nearest(*clouds)
        expected = cdist(*clouds, "sqeuclidean")
        assert (index == expected.argmin(axis=1)).all()
        assert np.allclose(squared, expected.min(axis=1))
