"""What a task gives to networks, and what it judges them on."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import convolve2d

from models import pixels
from models.config import Column, DeconvolutionTranslator, Images, SRResNetTranslator, Unpaired
from models.degradations import gaussian_blur, known_kernel
from models.examples.arrays import Arrays
from models.randomness import fold, key
from models.tasks import Generate, Restore, Task, Translate, task, task_of
from pipeline.experiments.named import DIGITS_CGAN, MNIST_DCGAN, RING_RESTORATION, RING_TO_SQUARE
from tests import trainings
from tests.harness import experiment
from tests.translators import deblurrer, restorer, told_deblurrer, translator

KEY = key(0, 0, "test")
POINT = RING_RESTORATION.data.columns
IMAGE = Images(resolution=4).columns
TOLD = DeconvolutionTranslator(kernel="given", side=5, support=9, width=4, blocks=1, noise=1e-6)
NOISE = {"degradations": {"noise": 0.5}}


def points(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 1)).astype(np.uint8)


class TestGenerate:
    def test_takes_noise_and_the_labels_of_real_examples(self):
        real = {"target": tf.zeros([5, 28, 28, 1]), "label": tf.constant([3, 1, 4, 1, 5], tf.int64)}
        found = Generate().inputs(DIGITS_CGAN, real, KEY)
        assert found.keys() == {"z", "label"}
        assert found["z"].shape == (5, DIGITS_CGAN.latent.size)
        assert found["label"].numpy().tolist() == [3, 1, 4, 1, 5]

    def test_takes_no_label_where_the_model_reads_none(self):
        real = {"target": tf.zeros([5, 28, 28, 1]), "label": tf.zeros([5], tf.int64)}
        assert Generate().inputs(MNIST_DCGAN, real, KEY).keys() == {"z"}

    def test_is_judged_on_samples_of_which_only_the_codes_are_told(self):
        generate = task_of(DIGITS_CGAN)
        assert not generate.takes_examples
        assert not generate.paired(DIGITS_CGAN.data.columns)
        assert generate.settings(DIGITS_CGAN) == {"codes": 0, "categorical_codes": 0}
        with pytest.raises(NotImplementedError, match="Generate says what a model is judged on"):
            generate.asked({}, IMAGE, Arrays.aligned(images(2)), 0)


class TestTranslate:
    def test_takes_the_input_and_nothing_of_the_target(self):
        real = {"input": tf.ones([3, 2]), "target": tf.zeros([4, 2]), "label": tf.zeros([3], tf.int64)}
        found = Translate().inputs(RING_TO_SQUARE, real, KEY)
        assert found.keys() == {"input"}
        np.testing.assert_array_equal(found["input"], np.ones([3, 2]))

    def test_is_judged_on_all_inputs_of_the_other_domain_however_many_targets_there_are(self):
        held_out = Arrays({"input": points(7), "target": points(4, seed=1)}, (("input",), ("target",)))
        found = Translate().asked({}, RING_TO_SQUARE.data.columns, held_out, 0)["input"]
        np.testing.assert_array_equal(found, held_out.columns["input"])

    def test_images_are_given_as_networks_take_them(self):
        data = Unpaired(input=Images(resolution=4), target=Images(resolution=4))
        held_out = Arrays({"input": images(3), "target": images(2)}, (("input",), ("target",)))
        found = Translate().asked({}, data.columns, held_out, 0)["input"]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, held_out.columns["input"] / 127.5 - 1, atol=1e-6)

    def test_only_aligned_columns_make_a_truth(self):
        """If this fails, translations of unpaired domains are held against examples they have nothing to do with."""
        assert not Translate().paired(RING_TO_SQUARE.data.columns)
        both = [Column(role=role, kind="point", shape=(2,), group=0) for role in ("input", "target")]
        assert Translate().paired(both)
        assert not Translate().paired([both[0], both[1]._replace(group=1)])

    def test_is_decided_by_the_columns_alone(self):
        assert task_of(translator()).settings(translator()) == {}


class TestRestore:
    def test_takes_the_targets_degraded(self):
        real = {"target": tf.constant(points(400))}
        shrunk = Restore().inputs(restorer(), {"target": tf.ones([2, 16, 16, 1])}, KEY)
        assert shrunk.keys() == {"input"}
        np.testing.assert_array_equal(shrunk["input"], np.full([2, 16, 16, 1], 0.5))
        noisy = Restore().inputs(RING_RESTORATION, real, KEY)["input"] - real["target"]
        assert np.std(noisy) == pytest.approx(0.3, rel=0.1)

    def test_the_settings_are_the_degradations(self):
        assert task_of(restorer()).settings(restorer()) == {"degradations": {"shrink": 0.5}}

    def test_is_judged_on_the_same_degraded_targets_for_the_same_seed(self):
        """If this fails, a model and the blessed one are given different examples."""
        held_out = Arrays.aligned(points(400))
        first, again, other = (Restore().asked(NOISE, POINT, held_out, seed)["input"] for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert not (first == other).any()
        assert np.std(first - held_out.target) == pytest.approx(0.5, rel=0.1)

    def test_images_stay_within_what_can_be_served(self):
        white = Arrays.aligned(np.full((50, 4, 4, 1), 255, np.uint8))
        found = Restore().asked(NOISE, IMAGE, white, 0)["input"]
        assert found.max() == 1
        assert -1 <= found.min() < 0.5
        shrunk = Restore().asked({"degradations": {"shrink": 0.5}}, IMAGE, white, 0)["input"]
        np.testing.assert_allclose(shrunk, 0.5)

    def test_a_blurred_picture_is_that_of_the_target_and_of_what_lies_around_it(self):
        """If this fails, what a model is judged on shows something else than the truth beside it."""
        data = deblurrer(degradations={"known_motion_blur": 5}, generator=SRResNetTranslator(scale=1)).data
        held_out = trainings.arrays(data, 6)
        wide = held_out.columns["surroundings"][:] / 127.5 - 1
        kernel = known_kernel("known_motion_blur", 5).numpy()[0]
        expected = [[convolve2d(each[..., c], kernel, "valid") for c in range(3)] for each in wide]
        found = Restore().asked({"degradations": {"known_motion_blur": 5.0}}, data.columns, held_out, 0)["input"]
        np.testing.assert_allclose(found, np.moveaxis(expected, 1, -1), atol=1e-5)
        assert found.shape == held_out.target.shape

    def test_what_is_judged_is_blurred_by_none_of_the_kernels_of_training(self):
        data, blur = deblurrer().data, {"degradations": {"gaussian_blur": 5.0}}
        held_out = trainings.arrays(data, 6)
        wide = pixels.scaled(held_out.columns["surroundings"][:])
        found = Restore().asked(blur, data.columns, held_out, 3)["input"]
        judging = fold(key(3, 0, "judged"), "gaussian_blur")
        np.testing.assert_allclose(found, gaussian_blur(tf.constant(wide), 5, judging, judged=True), atol=1e-6)

    def test_a_kernel_that_is_told_is_that_of_its_picture(self):
        """If this fails, a model is judged, or trained, with the kernels of other pictures."""
        config = told_deblurrer(generator=TOLD, degradations={"motion_blur": 5, "noise": 1e-6})
        held_out = trainings.arrays(config.data, 6)
        settings, wide = task_of(config).settings(config), held_out.columns["surroundings"][:] / 127.5 - 1
        assert settings == {"degradations": {"motion_blur": 5.0, "noise": 1e-6}, "beside": ["kernel"]}
        asked = Restore().asked(settings, config.data.columns, held_out, 3)
        real = {"surroundings": tf.constant(wide, tf.float32), "target": tf.constant(held_out.target[:])}
        fed = Restore().inputs(config, real, KEY)
        for found in (asked, fed):
            assert found.keys() == {"input", "kernel"}
            for x, kernel, seen in zip(wide, np.asarray(found["kernel"]), np.asarray(found["input"]), strict=True):
                expected = np.stack([convolve2d(x[..., c], kernel, "valid") for c in range(3)], -1)
                np.testing.assert_allclose(seen, expected, atol=1e-4)
        kernels = np.concatenate([asked["kernel"], fed["kernel"]])
        assert len(np.unique(kernels.round(5), axis=0)) == 12

    def test_the_border_that_a_kernel_reaches_does_not_count(self):
        options = Restore().options({"degradations": {"motion_blur": 17.0, "noise": 0.1}}, IMAGE)
        assert options == {"crop": 8}

    def test_points_may_lie_anywhere(self):
        far = Arrays.aligned(np.full((50, 2), 9, np.float32))
        assert Restore().asked(NOISE, POINT, far, 0)["input"].max() > 9

    def test_every_output_has_a_truth(self):
        assert Restore().paired(POINT)
        assert Restore().paired(IMAGE)


class Silent(Task):
    """A user's own task, which says nothing yet."""


def test_a_users_own_task_is_found_and_says_what_it_lacks():
    found = task(f"{__name__}:Silent")
    assert isinstance(found, Task)
    assert found.settings(experiment()) == {}
    with pytest.raises(NotImplementedError, match="Silent says what a model takes"):
        found.inputs(experiment(), {}, KEY)
    with pytest.raises(NotImplementedError, match="Silent says what a model is judged on"):
        found.asked({}, IMAGE, Arrays.aligned(images(2)), 0)


def test_a_task_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="restoer is no task of the catalog; did you mean restore"):
        task("restoer")
