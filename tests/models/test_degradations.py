import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from PIL import Image

from models import catalog
from models.config import Restoration
from models.degradations import degrade, downscale, kernels_of, noise, shrink

SEED = tf.constant([1, 2], tf.int64)
X = tf.constant(np.random.default_rng(0).uniform(-1, 1, [6, 4, 4, 3]), tf.float32)


def test_noise_has_the_deviation_asked_for():
    x = tf.zeros([20_000, 2])
    added = noise(x, 0.3, SEED).numpy()
    assert_allclose([added.mean(), added.std()], [0, 0.3], atol=0.006)
    assert_allclose(np.corrcoef(added.T)[0, 1], 0, atol=0.03)


def test_shrinking_takes_a_share_of_every_value():
    assert_allclose(shrink(X, 0.25, SEED), 0.75 * X)


@pytest.mark.parametrize("name", catalog.DEGRADATIONS)
def test_nothing_happens_at_the_least_strength_and_the_same_for_the_same_seed(name):
    degradation = catalog.lookup("degradation", name)
    dividing, blurring = name in catalog.DIVIDING, name in catalog.BLURRING
    np.testing.assert_allclose(degradation(X, 1.0 if dividing or blurring else 0.0, SEED), X, atol=blurring * 1e-6)
    strength = 2.0 if dividing else 3.0 if blurring else 0.5
    spoilt = degradation(X, strength, SEED)
    assert spoilt.shape == ((6, 2, 2, 3) if dividing or blurring else X.shape)
    if not (dividing or blurring):
        assert (spoilt.numpy() != X.numpy()).all()
    np.testing.assert_array_equal(spoilt, degradation(X, strength, SEED))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_downscaling_is_that_of_pillow(factor):
    """If this fails, figures stand beside those of papers whose inputs were other ones."""
    image = np.random.default_rng(1).uniform(-1, 1, [6 * factor, 7 * factor]).astype(np.float32)
    expected = Image.fromarray(image).resize((7, 6), Image.Resampling.BICUBIC)
    assert_allclose(downscale(image[None, ..., None], float(factor), SEED)[0, ..., 0], expected, atol=1e-5)


def test_sides_that_a_factor_does_not_divide_are_refused():
    with pytest.raises(ValueError, match="received 3 for 4 x 4"):
        downscale(X, 3.0, SEED)


@pytest.mark.parametrize("strength", [0.5, 2.5])
def test_a_factor_that_is_no_whole_number_is_refused(strength):
    with pytest.raises(ValueError, match=f"a whole number of at least 1; received {strength}"):
        Restoration(degradations={"downscale": strength})


@pytest.mark.parametrize("name", catalog.BLURRING)
class TestBlurs:
    def test_takes_a_pixel_beside_each_edge_and_leaves_flat_parts_alone(self, name):
        flat = tf.fill([2, 12, 9, 3], 0.25)
        soft = catalog.lookup("degradation", name)(flat, 5.0, SEED)
        assert_allclose(soft, np.full([2, 8, 5, 3], 0.25), atol=1e-6)

    def test_kernels_to_judge_by_are_others_unless_there_is_one_alone(self, name):
        x = tf.constant(np.random.default_rng(2).uniform(-1, 1, [3, 20, 20, 1]), tf.float32)
        trained, judged = (degrade(x, {name: 9.0}, SEED, judged=judged).numpy() for judged in (False, True))
        assert (np.abs(trained - judged).max() < 1e-6) == (name in catalog.KNOWN_KERNELS)

    def test_each_image_has_its_own_kernel_unless_there_is_one_alone(self, name):
        x = tf.repeat(tf.constant(np.random.default_rng(3).uniform(-1, 1, [1, 20, 20, 1]), tf.float32), 2, axis=0)
        first, second = degrade(x, {name: 9.0}, SEED).numpy()
        assert (np.abs(first - second).max() < 1e-6) == (name in catalog.KNOWN_KERNELS)

    @pytest.mark.parametrize("judged", [False, True])
    def test_the_kernels_that_are_told_are_those_that_it_blurs_with(self, name, judged):
        """If this fails, a model learns to undo another blur than the one that was done."""
        point = np.zeros([3, 17, 17, 1], np.float32)
        point[:, 8, 8] = 1  # whose picture is the kernel
        degradations = {"shrink": 0.0, name: 9.0, "noise": 0.0}
        seen = degrade(tf.constant(point), degradations, SEED, judged=judged)
        told = kernels_of(degradations, SEED, 3, judged=judged)
        assert told.shape == (3, 9, 9)
        assert_allclose(seen[..., 0], told, atol=1e-6)

    @pytest.mark.parametrize("side", [0, 4, 2.5])
    def test_a_side_without_a_middle_is_refused(self, name, side):
        with pytest.raises(ValueError, match=f"{name} is the side of its kernel, .* an odd number; received {side}"):
            Restoration(degradations={name: side})


@pytest.mark.parametrize("degradations", [{"noise": 0.1}, {"gaussian_blur": 5.0, "motion_blur": 5.0}])
def test_no_blur_and_several_have_no_kernel_to_tell(degradations):
    with pytest.raises(ValueError, match=f"one of its degradations blurs; received {len(degradations) // 2 * 2} "):
        kernels_of(degradations, SEED, 2)


def test_the_margin_is_as_far_as_kernels_reach():
    assert Restoration(degradations={"noise": 0.1}).margin == 0
    assert Restoration(degradations={"gaussian_blur": 5, "motion_blur": 9}).margin == 6


def test_several_follow_one_another_in_the_catalogs_order():
    scheme = Restoration(degradations={"noise": 0.1, "shrink": 0.5})
    both = degrade(X, scheme.degradations, SEED)
    # noise that came first would be halved
    assert_allclose((both - X / 2).numpy().std(), 0.1, rtol=0.15)


def test_a_strength_below_0_and_an_unknown_one_are_refused():
    with pytest.raises(ValueError, match=r"the strength of a degradation is at least 0; received -1\.0 for noise"):
        Restoration(degradations={"noise": -1})
    with pytest.raises(ValueError, match="nois is no degradation of the catalog; did you mean noise"):
        Restoration(degradations={"nois": 1.0})
