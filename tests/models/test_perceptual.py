"""The content loss against the network by hand, and in the training of a restorer."""

import numpy as np
import pytest
import tensorflow as tf

from models.config import Content
from models.perceptual import ContentDistance
from models.pixels import centred_bgr
from pipeline.experiments.named import find
from tests.models.extractors import hdf5_made
from tests.models.gans.test_pictures import gan_of
from tests.models.gans.tiny import number
from tests.translators import enlarger

RANDOM = np.random.default_rng(0)


def images(*shape, dtype=tf.float32):
    return tf.constant(RANDOM.uniform(-1, 1, shape), dtype)


@pytest.fixture(scope="module")
def network():
    return hdf5_made.drawn()


@pytest.fixture(scope="module")
def content(network, tmp_path_factory):
    file = tmp_path_factory.mktemp("content") / "squeezenet.h5"
    digest = hdf5_made.write(network, file)
    return Content(weight=2, layer="fire3", file=str(file), sha256=digest)


class TestContentDistance:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_is_the_squared_distance_of_the_layers_maps(self, network, content, channels):
        real, made = images(3, 32, 32, channels), images(3, 32, 32, channels)
        maps = [
            network(centred_bgr(tf.repeat(x, 3, -1) if channels == 1 else x))["fire3"].numpy() for x in (real, made)
        ]
        expected = ((maps[1] - maps[0]) ** 2).reshape(3, -1).mean(1)
        np.testing.assert_allclose(ContentDistance(content)(real, made), expected, rtol=1e-4)

    def test_is_computed_in_float32_whatever_it_is_given(self, content):
        """If this fails, features of up to thousands lose their last digits under a mixed policy."""
        real, made = (images(2, 32, 32, 3, dtype=tf.bfloat16) for _ in range(2))
        distance = ContentDistance(content)
        found = distance(real, made)
        assert found.dtype == tf.float32
        np.testing.assert_array_equal(found, distance(tf.cast(real, tf.float32), tf.cast(made, tf.float32)))

    def test_gradients_flow_into_what_was_made_alone(self, content):
        real, made = images(1, 32, 32, 3), images(1, 32, 32, 3)
        with tf.GradientTape() as tape:
            tape.watch([real, made])
            loss = ContentDistance(content)(real, made)
        of_real, of_made = tape.gradient(loss, [real, made])
        assert of_real is None
        assert np.abs(of_made).max() > 0

    def test_another_file_than_is_meant_is_refused(self, content):
        """If this fails, a run that is resumed elsewhere goes on in other features."""
        with pytest.raises(ValueError, match=r"have the SHA-256 0000.*received .*squeezenet\.h5 of"):
            ContentDistance(content.model_copy(update={"sha256": 64 * "0"}))


class TestInTraining:
    def test_is_weighted_and_logged_beside_the_other_losses(self, content):
        config = enlarger(2, content=content, crop=32)
        gan = gan_of(config)
        real, made = ({"target": images(4, 32, 32, 3)} for _ in range(2))
        loss, logs = gan.further_loss(real, made, {}, gan.key(number(0), "test"))
        distance = float(tf.reduce_mean(gan.content(real["target"], made["target"])))
        np.testing.assert_allclose(logs["content_loss"], distance, rtol=1e-5)
        np.testing.assert_allclose(loss, logs["fidelity_loss"] + 2 * distance, rtol=1e-5)

    def test_its_network_is_no_part_of_what_is_saved_or_updated(self, content):
        with_it, without = (gan_of(enlarger(2, crop=32, **more)) for more in ({"content": content}, {}))
        assert with_it.state().keys() == without.state().keys()
        for name, variable in without.state().items():
            np.testing.assert_array_equal(with_it.state()[name], variable, err_msg=name)

    @pytest.mark.slow
    def test_the_experiment_of_the_papers_size_traces(self, content):
        """If this fails, days of a GPU begin with an error."""
        listed = find("photographs-srgan-x4")
        gan = gan_of(
            listed.override([f"scheme.content.file={content.file}", f"scheme.content.sha256={content.sha256}"])
        )
        # 16 blocks of 2 convolutions, 1 behind them, 2 that enlarge, one at each end (Ledig et al. 2017, figure 4)
        kernels = [each for each in gan.networks["generator"].trainable_variables if len(each.shape) == 4]
        assert len(kernels) == 16 * 2 + 1 + 2 + 2
        for phase in gan.phases():
            shape = [phase.draws, phase.batch_size or 16, 96, 96, 3]
            traced = tf.function(phase.step).get_concrete_function(
                {"target": tf.TensorSpec(shape, tf.uint8)}, tf.TensorSpec([], tf.int64)
            )
            assert {"fidelity_loss", "g_gradient_norm"} <= traced.structured_outputs.keys()
        assert [phase.steps for phase in gan.phases()] == [1_000_000, 200_000]


class TestRefused:
    def test_what_a_model_was_trained_on_does_not_judge_it(self, content):
        config = enlarger(2, content=content, crop=32)
        assert config.evaluation.extractor == "efficientnet_lite0"
        with pytest.raises(
            ValueError, match=r"^what a model was trained on does not judge it; .* such as inception_v3$"
        ):
            config.override(["evaluation.extractor=squeezenet"])

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"layer": "fire10"}, "fire10 is no layer of squeezenet; did you mean fire"),
            ({"network": "inception_v3"}, "inception_v3 is no content network of the catalog"),
        ],
    )
    def test_unknown_networks_and_layers(self, fields, message):
        with pytest.raises(ValueError, match=message):
            Content(weight=1, **fields)

    def test_images_that_are_too_small(self, content):
        with pytest.raises(
            ValueError, match=r"at least 32 pixels a side; received photographs of the shape \[16, 16, 3\]"
        ):
            enlarger(2, content=content)
