import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.signal import convolve2d

from models.kernels import BINS, apart, blurred, checked, gaussian, known, motion, wiener
from models.randomness import key

KINDS = [gaussian, motion]
SEED = key(0, 3, "kernels")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("judged", [False, True])
@pytest.mark.parametrize("side", [1, 5, 17])
def test_a_kernel_only_moves_light_about(kind, judged, side):
    """If this fails, a blurred picture is brighter than the truth, or shifted: PSNR then measures the shift."""
    made = kind(SEED, 200, side, judged=judged).numpy().astype(np.float64)
    assert made.shape == (200, side, side)
    assert made.min() >= 0
    assert_allclose(made.sum(axis=(1, 2)), 1, atol=1e-5)
    places = np.arange(side) - side // 2
    assert_allclose(made.sum(axis=2) @ places, 0, atol=1e-4)
    assert_allclose(made.sum(axis=1) @ places, 0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_follows_from_its_key(kind):
    one, again, other = (kind(key(0, step, "kernels"), 4, 9).numpy() for step in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).sum(axis=(1, 2)).min() > 0.01
    assert np.abs(one[0] - one[1]).sum() > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_what_judges_is_none_of_what_was_trained_on(kind):
    """If this fails, a restorer of unknown kernels may have seen those that it is judged on."""
    trained = kind(SEED, 2000, 17).numpy().reshape(2000, -1)
    judging = kind(SEED, 200, 17, judged=True).numpy().reshape(200, -1)
    nearest = np.array([np.abs(trained - each).sum(axis=1).min() for each in judging])
    assert nearest.min() > 1e-3


def test_the_two_have_intervals_in_turn():
    share = tf.constant(np.linspace(0, 1, 997, endpoint=False), tf.float32)
    for judged in (False, True):
        values = apart(share, 2.0, 4.0, judged=judged).numpy()
        assert 2 <= values.min() <= values.max() < 4
        # by hand: the range of 2 is cut into 32 intervals, which have turns
        assert set(np.floor((values - 2) * BINS).astype(int) % 2) == {int(judged)}
        assert len(set(np.floor((values - 2) * BINS))) == BINS


def test_the_width_of_a_gaussian_is_within_its_bounds():
    made = gaussian(SEED, 300, 31).numpy().astype(np.float64)
    places = np.arange(31) - 15
    down = np.einsum("nij,i,i->n", made, places, places)
    right = np.einsum("nij,j,j->n", made, places, places)
    both = np.einsum("nij,i,j->n", made, places, places)
    widths = np.sqrt(np.linalg.eigvalsh(np.stack([down, both, both, right], 1).reshape(-1, 2, 2)))
    # what lies beyond three standard deviations is cut, which makes a kernel a little narrower
    assert 0.97 * 31 / 12 < widths[:, 1].min() < widths[:, 1].max() < 31 / 6
    assert 0.39 < (widths[:, 0] / widths[:, 1]).min() < 0.5


def test_a_trace_reaches_as_far_as_was_drawn():
    made = motion(SEED, 300, 17).numpy()
    far = [np.abs(np.stack(np.nonzero(each > 0)) - 8).max() for each in made]
    assert 2 <= min(far) <= 3  # a third of 8, along an axis or a diagonal
    assert max(far) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_known_kernel_is_always_the_same(kind):
    assert known(kind, 9).shape == (1, 9, 9)
    np.testing.assert_array_equal(known(kind, 9), known(kind, 9))
    assert_allclose(known(kind, 9).numpy().sum(), 1, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3])
def test_blurring_is_the_convolution_of_scipy(count):
    x = np.random.default_rng(0).uniform(-1, 1, [3, 12, 10, 2]).astype(np.float32)
    kernels = motion(SEED, count, 5).numpy()
    made = blurred(tf.constant(x), tf.constant(kernels)).numpy()
    for image in range(3):
        for channel in range(2):
            expected = convolve2d(x[image, ..., channel], kernels[image % count], "valid")
            assert_allclose(made[image, ..., channel], expected, atol=1e-6)


def test_a_graph_blurs_batches_of_any_size():
    x = np.random.default_rng(0).uniform(-1, 1, [3, 12, 10, 2]).astype(np.float32)
    kernels = motion(SEED, 3, 5).numpy()
    specs = tf.TensorSpec([None, None, None, 2]), tf.TensorSpec([None, 5, 5])
    serve = tf.function(blurred, input_signature=specs)
    for rows in (1, 3):
        expected = blurred(tf.constant(x[:rows]), tf.constant(kernels[:rows]))
        assert_allclose(serve(x[:rows], kernels[:rows]), expected, atol=1e-6)


class TestChecked:
    def test_kernels_pass_as_they_are(self):
        for made in (gaussian(SEED, 3, 9), motion(SEED, 3, 9), tf.ones([1, 1, 1])):
            np.testing.assert_array_equal(checked(made), made)
        np.testing.assert_array_equal(checked(0.991 * made), 0.991 * made)

    @pytest.mark.parametrize(
        ("values", "told"),
        [
            ([1.5, -0.5, 0, 0], r"the lowest \[.*-0.5\] and the sum \[.*1\]"),
            ([0.5, 0, 0, 0], r"the lowest \[.*0\] and the sum \[.*0.5\]"),
            ([255, 0, 0, 0], r"sum \[.*255\]"),
            ([0, 0, 0, 0], r"sum \[.*0\]"),
            ([np.nan, 1, 0, 0], "nan"),
            ([np.inf, 0, 0, 0], "inf"),
        ],
    )
    @pytest.mark.parametrize("others", [0, 2])
    def test_what_is_none_is_refused_in_one_line(self, values, told, others):
        kernel = np.zeros([1, 3, 3], np.float32)
        kernel[0, 0, :2], kernel[0, 1, :2] = values[:2], values[2:]
        beside = np.concatenate([np.full([others, 3, 3], 1 / 9, np.float32), kernel])
        with pytest.raises(tf.errors.InvalidArgumentError, match=told) as refused:
            tf.function(checked)(tf.constant(beside))
        (line,) = (each for each in refused.value.message.split("\n") if "a kernel has" in each)
        assert "values of at least 0, whose sum is 1; received" in line
        assert "sum [" in line


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least 5 pixels a side; received 4 x 10"):
        blurred(tf.zeros([1, 4, 10, 1]), tf.zeros([1, 5, 5]))
    with pytest.raises(ValueError, match="one kernel, or one an image; received 2 for 3 images"):
        blurred(tf.zeros([3, 9, 9, 1]), tf.zeros([2, 5, 5]))
    with pytest.raises(ValueError, match="its side is odd; received 4"):
        gaussian(SEED, 1, 4)


class TestWiener:
    def test_is_that_of_numpy_under_its_window(self):
        kernel, support, noise = gaussian(SEED, 1, 5).numpy()[0].astype(np.float64), 21, 0.05
        # by NumPy's complex transform on another grid, the kernel laid about the origin by hand
        grid = np.zeros([200, 200])
        for row in range(5):
            for column in range(5):
                grid[row - 2, column - 2] = kernel[row, column]
        spectrum, turn = np.fft.fft2(grid), np.exp(-2j * np.pi * np.arange(200) / 200)
        gradient = np.abs(1 - turn)[:, None] ** 2 + np.abs(1 - turn)[None] ** 2
        whole = np.fft.ifft2(np.conj(spectrum) / (np.abs(spectrum) ** 2 + noise**2 / 0.03 * gradient)).real
        cut = np.roll(whole, (10, 10), (0, 1))[:21, :21]
        window = np.cos(np.pi * (np.arange(21) - 10) / 22) ** 2
        expected = cut * window[:, None] * window
        made = wiener(tf.constant(kernel[None], tf.float32), noise, support, gradient_power=0.03).numpy()[0]
        assert_allclose(made, expected / expected.sum(), atol=2e-4)

    @pytest.mark.parametrize("kind", KINDS)
    def test_undoes_a_blur(self, kind):
        """If this fails, the network is given a worse picture to start from than the blurred one."""
        random = np.random.default_rng(0)
        scene = np.cumsum(np.cumsum(random.standard_normal([1, 96, 96, 1]), 1), 2)
        scene = (scene / np.abs(scene).max()).astype(np.float32)
        scene += np.where(random.uniform(size=scene.shape) < 0.02, 0.5, 0).astype(np.float32)
        kernels = kind(SEED, 1, 9)
        soft = blurred(tf.constant(scene), kernels)
        sharp = blurred(soft, wiener(kernels, 0.005, 31)).numpy()
        truth = scene[:, 19:-19, 19:-19]
        before = ((soft.numpy()[:, 15:-15, 15:-15] - truth) ** 2).mean()
        assert ((sharp - truth) ** 2).mean() < before / 3

    def test_leaves_flat_parts_alone(self):
        filters = wiener(motion(SEED, 3, 9), 0.1, 15).numpy()
        assert_allclose(filters.sum(axis=(1, 2)), 1, atol=1e-5)

    def test_refuses_what_it_cannot_do(self):
        with pytest.raises(ValueError, match="which is above 0; received 0"):
            wiener(motion(SEED, 1, 5), 0, 15)
        with pytest.raises(ValueError, match="its side is odd; received 14"):
            wiener(motion(SEED, 1, 5), 0.1, 14)
