"""Classical deblurring: what it is given, how it is tuned, and that it restores."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image
from scipy import ndimage, signal

from benchmarks.experiments import deconvolution
from benchmarks.experiments.deconvolution import (
    BLURS,
    METHODS,
    Scene,
    compared,
    enlarged,
    extended,
    measured,
    mismatches,
    pictures,
    restored,
    scene,
    turned,
)
from models.config import DeconvolutionTranslator, Images
from models.networks.deconvolution import translator
from models.randomness import key

KEY = key(0, 0, "test")
SIDE = 7


def squares(count, size=40, seed=0):
    """Pictures with edges and flat parts, as photographs have them."""
    random = np.random.default_rng(seed)
    made = np.full([count, size, size, 1], 0.5)
    for picture in made:
        for _ in range(12):
            top, left = random.integers(0, size - 4, 2)
            picture[top : top + random.integers(4, 20), left : left + random.integers(4, 20)] = random.uniform(0.1, 0.9)
    return np.rint(255 * made).astype(np.uint8)


@pytest.mark.parametrize("blur", BLURS)
def test_a_picture_is_blurred_within_a_larger_one_by_the_kernel_beside_it(blur):
    """If this fails, methods are given another kernel than the true one, and all look bad."""
    around = squares(3)
    made = scene(around, blur, 0.0, KEY, SIDE)
    assert (made.truth == around[:, 3:-3, 3:-3]).all()
    for wide, kernel, blurred in zip(around, made.kernels, made.blurred, strict=True):
        assert_allclose(blurred[..., 0], signal.convolve2d(wide[..., 0] / 255, kernel, "valid"), atol=1e-5)


def test_noise_is_a_share_of_the_range():
    grey = np.full([4, 60, 60, 1], 128, np.uint8)
    made = scene(grey, "known_motion_blur", 0.02, KEY, SIDE)
    assert (made.blurred - 128 / 255).std() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(
    ("name", "setting", "gain"),
    [
        ("Wiener", (0.01,), 1.5),
        ("finite Wiener", (0.02,), 1.5),
        ("Richardson-Lucy", (20,), 1.5),
        ("total variation", (0.1, 0.01), 2.5),
    ],
)
def test_a_method_with_the_true_kernel_is_nearer_to_the_truth(name, setting, gain):
    made = scene(squares(4), "motion_blur", 0.01, KEY, SIDE)
    before, after = (measured(made.truth, each, 3)["psnr_db"] for each in (made.blurred, restored(name, made, setting)))
    assert after > before + gain
    wrong = measured(made.truth, restored(name, turned(made, 90), setting), 3)["psnr_db"]
    assert wrong < after - 1


def test_wiener_with_the_gradient_is_the_formula():
    random, kernel = np.random.default_rng(4), np.outer([1, 2, 1], [1, 3, 1]) / 20
    channel = random.uniform(size=[16, 20])
    # by NumPy's complex transform, the kernel laid about the origin by hand
    grid = np.zeros([16, 20])
    for row in range(3):
        for column in range(3):
            grid[row - 1, column - 1] = kernel[row, column]
    down, right = (np.abs(1 - np.exp(-2j * np.pi * np.arange(size) / size)) ** 2 for size in (16, 20))
    spectrum = np.fft.fft2(grid)
    answer = np.conj(spectrum) / (np.abs(spectrum) ** 2 + 0.3 * (down[:, None] + right))
    expected = np.fft.ifft2(answer * np.fft.fft2(channel)).real
    assert_allclose(METHODS["Wiener"][0](channel, kernel, 0.3, "gradient"), expected, atol=1e-9)


def test_what_wraps_round_has_no_edge_that_rings():
    """If this fails, Wiener is harmed by its own edges, and a network beats it for free."""
    darker = np.linspace(0.1, 1, 60)[:, None, None]  # a sky that wraps round to the ground
    made = scene((squares(6, 60, seed=1) * darker).astype(np.uint8), "known_motion_blur", 0.005, KEY, SIDE)
    tapered = measured(made.truth, restored("Wiener", made, (0.003,)), 3)["psnr_db"]
    plain = [
        METHODS["Wiener"][0](image[..., 0], kernel, 0.003)[..., None]
        for image, kernel in zip(made.blurred, made.kernels, strict=True)
    ]
    assert tapered > measured(made.truth, np.stack(plain), 3)["psnr_db"] + 0.5


def test_an_extended_picture_is_itself_within_and_passes_into_its_own_blur_at_the_edges():
    random, kernel = np.random.default_rng(2), np.full([5, 5], 1 / 25)
    channel = random.uniform(size=[20, 30])
    wide = extended(channel, kernel, 8)
    assert wide.shape == (36, 46)
    assert_allclose(wide[8:-8, 8:-8], channel)
    # by SciPy: in the corner nothing is left of the picture but its blur on the torus
    soft = ndimage.convolve(np.pad(channel, 8, "symmetric"), kernel, mode="wrap")
    assert wide[0, 0] == pytest.approx(soft[0, 0])


@pytest.mark.parametrize(("blur", "kernel"), [("known_motion_blur", "known_motion_blur"), ("motion_blur", "given")])
def test_the_finite_filter_is_what_the_network_begins_at(blur, kernel):
    """If this fails, the table says of another filter what a network learns more than."""
    made = scene(squares(1, 96), blur, 0.01, KEY)
    variant = DeconvolutionTranslator(kernel=kernel, side=17, noise=0.02, width=2, blocks=1)
    given = {"input": 2 * made.blurred - 1} | {name: made.kernels.astype(np.float32) for name in variant.beside}
    (begins,) = (np.asarray(translator(variant, Images(resolution=80))(given, training=False)) + 1) / 2
    (found,) = restored("finite Wiener", made, (0.01,))
    inside = slice(15, -15)  # beyond it, one sees repeated edges and the other those of a torus
    assert_allclose(found[inside, inside], begins[inside, inside], atol=1e-5)


@pytest.mark.parametrize("name", ["turned by 30 degrees", "1.25 times as large"])
def test_a_mismatched_kernel_is_a_kernel_but_another_one(name):
    made = scene(squares(5), "motion_blur", 0.01, KEY, SIDE)
    wrong = mismatches(made)[name]
    assert_allclose(wrong.kernels.sum(axis=(1, 2)), 1)
    assert wrong.kernels.min() >= 0
    assert np.abs(wrong.kernels - made.kernels).sum(axis=(1, 2)).min() > 0.1
    assert wrong.blurred is made.blurred


def test_a_larger_kernel_has_its_middle_and_a_larger_spread():
    places = np.arange(33) - 16.0
    shape = np.exp(-((places / 2) ** 2)[:, None] / 2 - (places / 3) ** 2 / 2)
    made = enlarged(Scene(None, None, (shape / shape.sum())[None]), 1.5)
    for axis, deviation in ((1, 2), (2, 3)):
        weights = made.kernels[0].sum(axis=2 - axis)
        assert weights @ places == pytest.approx(0, abs=1e-6)
        # by hand: 1.5 times the deviation, and a little by linear interpolation
        assert np.sqrt(weights @ places**2) == pytest.approx(1.5 * deviation, rel=0.05)


def test_a_setting_is_chosen_on_the_pictures_to_choose_by_alone(monkeypatch):
    seen = []

    def brighter(channel, kernel, factor):
        seen.append((factor, channel.shape))
        return channel * factor

    monkeypatch.setitem(METHODS, "brighter", (brighter, [(0.5,), (1.0,), (2.0,)]))
    rows = compared(squares(2, 60), squares(3, 62, seed=5), "known_motion_blur", 0.01, ["brighter"])
    assert [row["method"] for row in rows] == ["none", "brighter", "brighter", "brighter"]
    assert {row.get("setting") for row in rows[1:]} == {"1"}
    assert rows[0]["psnr_db"] == pytest.approx(rows[1]["psnr_db"])
    of_test = {factor for factor, shape in seen if shape[0] == 62 - 16 + 2 * 17}
    assert of_test == {1.0}


def test_pictures_are_those_of_a_split_at_equal_distances(tmp_path):
    (tmp_path / "val").mkdir()
    for number in range(9):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(tmp_path / "val" / f"{number}.png")
    assert pictures("val", 3, tmp_path)[:, 0, 0, 0].tolist() == [0, 3, 6]
    assert len(pictures("val", None, tmp_path)) == 9
    with pytest.raises(ValueError, match=r"test has none: ganworks fetch photographs"):
        pictures("test", None, tmp_path)


def test_the_table_has_every_method_with_the_true_and_a_mismatched_kernel(monkeypatch):
    few = {"Wiener": (METHODS["Wiener"][0], [(0.1,)])}
    monkeypatch.setattr(deconvolution, "METHODS", few)
    rows = compared(squares(2, 60), squares(2, 60, seed=3), "gaussian_blur", 0.01, ["Wiener"])
    assert [row["kernel"] for row in rows] == ["", "true", "turned by 30 degrees", "1.25 times as large"]
    assert {row["noise_percent"] for row in rows} == {1.0}
