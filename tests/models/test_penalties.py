import inspect
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from models.catalog import PENALTIES, lookup
from models.penalties import (
    clip_weight,
    consistency,
    diff_augment,
    dragan,
    instance_noise,
    interpolated,
    path_length,
    r1,
    r2,
    wgan_gp,
    wgan_gp_one_sided,
)
from models.randomness import draw

KEY = tf.constant([7, 3], tf.int64)


def images(seed=1, shape=(3, 4, 4, 1)):
    return tf.random.stateless_normal(shape, [0, seed])


def linear(image: tf.Tensor, slope: float = 2.0) -> tf.Tensor:
    """A critic whose gradient is 2 in each of the 4 x 4 pixels: its norm is 4 * slope."""
    return tf.reduce_sum(slope * image, axis=[1, 2, 3])


def quadratic(image: tf.Tensor) -> tf.Tensor:
    """A critic whose gradient at x is x itself."""
    return tf.reduce_sum(image**2, axis=[1, 2, 3]) / 2


def norm(image):
    return np.sqrt(np.sum(np.square(image), axis=(1, 2, 3)))


def test_r1_of_a_linear_critic():
    # by hand: |grad|^2 = 16 pixels * 2^2 = 64, halved
    assert_allclose(r1(linear, tf.zeros([3, 4, 4, 1]), tf.zeros([3, 4, 4, 1])), [32.0] * 3)


def test_r1_reads_real_images_alone_and_r2_generated_ones():
    real = images(shape=(3, 4, 4, 2))
    assert_allclose(r1(quadratic, real, real * 100), norm(real) ** 2 / 2, rtol=1e-6)
    assert_allclose(r2(quadratic, real * 100, real), norm(real) ** 2 / 2, rtol=1e-6)


class TestWganGp:
    def test_of_a_linear_critic(self):
        # by hand: |grad| = sqrt(16 * 2^2) = 8 everywhere, (8 - 1)^2 = 49
        assert_allclose(wgan_gp(linear, images(1), images(2), KEY), [49.0] * 3, rtol=1e-6)
        assert_allclose(wgan_gp_one_sided(linear, images(1), images(2), KEY), [49.0] * 3, rtol=1e-6)

    def test_a_small_slope_costs_the_two_sided_one_alone(self):
        # by hand: |grad| = 4 * 0.125 = 1/2, (1/2 - 1)^2 = 1/4
        flat = lambda image: linear(image, 0.125)  # noqa: E731
        assert_allclose(wgan_gp(flat, images(1), images(2), KEY), [0.25] * 3, rtol=1e-6)
        assert_allclose(wgan_gp_one_sided(flat, images(1), images(2), KEY), [0.0] * 3)

    def test_is_taken_between_real_and_fake(self):
        real, fake = images(1), images(2)
        share = draw(KEY, "share", [3, 1, 1, 1]).numpy()
        between = share * real + (1 - share) * fake
        assert_allclose(interpolated(real, fake, KEY), between, rtol=1e-5, atol=1e-6)
        assert_allclose(wgan_gp(quadratic, real, fake, KEY), (norm(between) - 1) ** 2, rtol=1e-5)
        assert len(np.unique(share)) == 3

    def test_a_critic_without_gradient_is_no_accident(self):
        # |grad| = 0 costs (0 - 1)^2, and the root's infinite slope there must not become a NaN
        weight = tf.Variable(0.0)
        with tf.GradientTape() as tape:
            cost = wgan_gp(lambda image: linear(image, weight), images(1), images(2), KEY)
        assert_allclose(cost, np.ones(3), rtol=1e-5)
        assert np.isfinite(tape.gradient(cost, weight))

    def test_refuses_shapes_that_would_broadcast(self):
        with pytest.raises(ValueError, match=r"same shape; received \[3, 4, 4, 1\] and \[1, 4, 4, 1\]"):
            wgan_gp(linear, images(1), images(2, (1, 4, 4, 1)), KEY)


class TestDragan:
    def test_of_a_linear_critic(self):
        assert_allclose(dragan(linear, images(1), images(2), KEY), [49.0] * 3, rtol=1e-6)

    def test_stays_within_half_a_deviation_above_real_images(self):
        real, seen = images(1, (8, 4, 4, 1)), []
        dragan(lambda image: linear(seen.append(image) or image), real, real * 100, KEY)
        moved = seen[0].numpy() - real.numpy()
        assert moved.min() >= -1e-6
        assert 0.25 * np.std(real) < moved.max() <= 0.5 * np.std(real)
        # one share an image: the largest move differs between images by more than the noise alone would let it
        assert np.ptp(moved.max(axis=(1, 2, 3))) > 0.1 * np.std(real)


@pytest.mark.parametrize("name", PENALTIES)
class TestEveryPenalty:
    def test_can_be_trained_through(self, name):
        weight = tf.Variable(1.5)
        with tf.GradientTape() as tape:
            value = lookup("penalty", name)(
                lambda image: tf.reduce_sum(tf.tanh(weight * image), axis=[1, 2, 3]), images(1), images(2)
            )
            loss = tf.reduce_mean(value)
        assert value.shape == (3,)
        assert (value.numpy() >= 0).all()
        assert abs(float(tape.gradient(loss, weight))) > 0

    def test_follows_from_its_key(self, name):
        penalty = lookup("penalty", name)
        assert list(inspect.signature(penalty).parameters) == ["critic", "real", "fake", "key"]
        first = penalty(quadratic, images(1), images(2), KEY)
        assert_array_equal(first, penalty(quadratic, images(1), images(2), KEY))
        assert_allclose(first, tf.function(penalty)(quadratic, images(1), images(2), KEY), rtol=1e-6)
        other = penalty(quadratic, images(1), images(2), KEY + 1)
        assert np.array_equal(first, other) == (name in ("r1", "r2"))

    @given(scale=st.sampled_from([0.0, 1e-20, 1e-6, 1.0, 1e4]), slope=st.sampled_from([0.0, 1e-6, 1.0, 1e4]))
    @settings(max_examples=20, deadline=None)
    def test_finite_with_finite_gradient(self, name, scale, slope):
        weight = tf.Variable(slope)
        with tf.GradientTape() as tape:
            value = lookup("penalty", name)(lambda x: weight * quadratic(x), scale * images(1), scale * images(2), KEY)
        assert np.isfinite(value).all()
        assert np.isfinite(tape.gradient(value, weight))


class TestInstanceNoise:
    def test_has_the_deviation_asked_for(self):
        clean = tf.ones([4, 32, 32, 3])
        noise = (instance_noise(clean, KEY, stddev=0.25) - clean).numpy()
        # 12288 draws: the standard error of a deviation is 0.25 / sqrt(2 n) = 0.0016
        assert abs(noise.std() - 0.25) < 5 * 0.0016
        assert abs(noise.mean()) < 5 * 0.25 / np.sqrt(noise.size)
        assert_array_equal(instance_noise(clean, KEY, stddev=0.0), clean)

    def test_the_gradient_passes(self):
        clean = images()
        with tf.GradientTape() as tape:
            tape.watch(clean)
            total = tf.reduce_sum(instance_noise(clean, KEY, stddev=3.0))
        assert_allclose(tape.gradient(total, clean), np.ones(clean.shape))


def test_clip_weight():
    assert_allclose(clip_weight(tf.constant([-3.0, 0.005, 0.2])), [-0.01, 0.005, 0.01])
    assert_allclose(clip_weight(tf.constant([-3.0, 0.5]), limit=1), [-1, 0.5])
    with pytest.raises(ValueError, match="limit is above 0; received -1"):
        clip_weight(tf.zeros([2]), limit=-1)


class TestDiffAugment:
    def test_translation_moves_by_at_most_an_eighth(self):
        # one bright pixel in the middle of 16 x 16, moved by up to 2 in both directions
        image = np.zeros([200, 16, 16, 1], np.float32)
        image[:, 8, 8] = 1
        moved = diff_augment(tf.constant(image), KEY, policy=["translation"]).numpy()
        assert_allclose(moved.sum(axis=(1, 2, 3)), np.ones(200))
        places = {(int(y), int(x)) for _, y, x, _ in np.argwhere(moved)}
        assert places == {(y, x) for y in range(6, 11) for x in range(6, 11)}

    def test_translation_moves_in_grey(self):
        moved = diff_augment(tf.ones([50, 8, 16, 1]), KEY, policy=["translation"]).numpy()
        # by up to 1 of 8 rows and 2 of 16 columns
        left = moved.reshape(50, -1).sum(axis=1)
        assert set(left) == {rows * columns for rows in (7, 8) for columns in (14, 15, 16)}

    def test_cutout_takes_a_square_of_half_the_side(self):
        cut = diff_augment(tf.ones([400, 8, 8, 2]), KEY, policy=["cutout"]).numpy()
        assert_array_equal(cut[..., 0], cut[..., 1])
        gone = 64 - cut[..., 0].sum(axis=(1, 2))
        # centred anywhere from edge to edge: 2, 3 or 4 rows and columns of it are inside
        assert set(gone) == {rows * columns for rows in (2, 3, 4) for columns in (2, 3, 4)}
        for image in cut[:20, ..., 0]:
            rows, columns = np.any(image == 0, axis=1), np.any(image == 0, axis=0)
            assert_array_equal(image == 0, np.outer(rows, columns))

    def test_color_changes_an_images_levels_as_the_paper_does(self):
        image = images(3, (50, 6, 6, 3))
        brightness, saturation, contrast = (
            draw(KEY, name, [50, 1, 1, 1]).numpy() for name in ("brightness", "saturation", "contrast")
        )
        expected = image.numpy() + brightness - 0.5
        grey = expected.mean(axis=3, keepdims=True)
        expected = grey + 2 * saturation * (expected - grey)
        mean = expected.mean(axis=(1, 2, 3), keepdims=True)
        expected = mean + (contrast + 0.5) * (expected - mean)
        assert_allclose(diff_augment(image, KEY, policy=["color"]), expected, rtol=1e-4, atol=1e-5)

    def test_saturation_leaves_grey_images_grey(self):
        grey = tf.repeat(images(3, (5, 6, 6, 1)), 3, axis=3)
        out = diff_augment(grey, KEY, policy=["color"]).numpy()
        assert_allclose(out[..., 0], out[..., 1], atol=1e-6)

    @pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
    def test_keeps_shape_and_dtype_and_passes_gradients_twice(self, dtype):
        image, weight = tf.cast(images(3, (5, 6, 9, 3)), dtype), tf.Variable(2.0)

        def critic(x):
            changed = diff_augment(x, KEY)
            assert changed.shape == x.shape
            assert changed.dtype == dtype
            return weight * quadratic(tf.cast(changed, tf.float32))

        with tf.GradientTape() as tape:
            penalty = tf.reduce_sum(r1(critic, image, image))
        # |weight * g|^2 has the derivative 2 / weight times itself
        assert_allclose(tape.gradient(penalty, weight), penalty, rtol=1e-3)
        assert float(penalty) > 0

    def test_images_change_each_in_their_own_way(self):
        out = diff_augment(tf.repeat(images(3, (1, 8, 8, 3)), 6, axis=0), KEY).numpy().reshape(6, -1)
        assert len(np.unique(out, axis=0)) == 6

    def test_refuses_an_unknown_policy(self):
        with pytest.raises(ValueError, match="policy names any of color, translation, cutout; received colour"):
            diff_augment(images(), KEY, policy=["colour"])


TWO_REPLICAS = """
    import numpy as np, tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from models.catalog import PENALTIES, lookup
    from models.objectives import generator_reads_real
    from models.penalties import diff_augment, instance_noise

    seed = tf.constant([5, 9], tf.int64)
    batch = tf.random.stateless_normal([8, 6, 6, 2], [1, 2])
    other = tf.random.stateless_normal([8, 6, 6, 2], [3, 4])
    game = lookup("objective", "relativistic")

    def step(real, fake, weight):
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        critic = lambda image: tf.reduce_sum(tf.tanh(weight * image) * tf.constant([1.0, -0.3]), axis=[1, 2, 3])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(weight)
            values = {name: lookup("penalty", name)(critic, real, fake, seed) for name in PENALTIES}
            values |= {f"relativistic_{i}": loss for i, loss in enumerate(game(critic(real), critic(fake)))}
            means = {name: tf.reduce_mean(value) / replicas for name, value in values.items()}
        slopes = {f"{name}_slope": tape.gradient(mean, weight) for name, mean in means.items()}
        return values | {"augmented": diff_augment(real, seed), "noisy": instance_noise(real, seed, stddev=1.0)}, slopes

    weight = tf.constant(0.7)
    expected = tf.function(step)(batch, other, weight)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        assert generator_reads_real(game)

    def shares(value):
        return strategy.experimental_distribute_values_from_function(
            lambda context: value[4 * context.replica_id_in_sync_group:][:4])

    received = tf.function(lambda *args: strategy.run(step, args=args))(shares(batch), shares(other), weight)
    for name, value in expected[0].items():
        rows = tf.concat(strategy.experimental_local_results(received[0][name]), 0)
        np.testing.assert_allclose(rows, value, rtol=1e-5, atol=1e-6, err_msg=name)
    for name, value in expected[1].items():
        total = sum(strategy.experimental_local_results(received[1][name]))
        np.testing.assert_allclose(total, value, rtol=1e-5, atol=1e-6, err_msg=name)
    print("compared", len(expected[0]), len(expected[1]))
"""


def test_two_replicas_draw_and_lose_what_one_does():
    # penalties, augmentations, and the objective that takes means over the batch: rows, and gradients summed
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(TWO_REPLICAS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    expected = len(PENALTIES) + 2
    assert f"compared {expected + 2} {expected}" in done.stdout


class TestConsistency:
    def test_a_critic_that_sees_no_place_pays_nothing(self):
        # all light is in the middle, and a move by at most 1/8 of the side loses nothing of it
        image = tf.pad(tf.ones([6, 4, 4, 1]), [[0, 0], [2, 2], [2, 2], [0, 0]])
        assert_allclose(consistency(linear, image, image, KEY), np.zeros(6), atol=1e-5)

    def test_a_critic_of_places_pays_the_square_of_what_changed(self):
        image = tf.pad(tf.ones([20, 4, 4, 1]), [[0, 0], [2, 2], [2, 2], [0, 0]])
        column = tf.range(8.0)[None, None, :, None]

        def critic(x):
            return tf.reduce_sum(x * column, axis=[1, 2, 3])

        # by hand: a move by d columns changes the sum by 16 d, and d is -1, 0 or 1 at 8 pixels
        values = consistency(critic, image, image, KEY).numpy()
        assert set(values) == {0.0, 256.0}

    def test_points_are_refused(self):
        points = tf.zeros([4, 2])
        with pytest.raises(ValueError, match=r"augmentation changes images .*received \[4, 2\]"):
            consistency(lambda x: x[:, 0], points, points)


class TestPathLength:
    def test_of_a_linear_generator(self):
        # by hand: G(z) = 3 z as a 2 x 2 image, J = 3 I, so |J^T y| = 3 |y| / sqrt(4 pixels)
        z = images(shape=(50, 4))
        noise = draw(KEY, "direction", [50, 2, 2, 1], tf.random.stateless_normal)
        expected = 3 * norm(noise) / 2
        values, mean = path_length(lambda z: tf.reshape(3 * z, [-1, 2, 2, 1]), z, KEY, tf.constant(2.0))
        assert_allclose(mean, 2 + (expected.mean() - 2) / 100, rtol=1e-5)
        assert_allclose(values, (expected - float(mean)) ** 2, rtol=1e-4)

    def test_its_gradient_reaches_the_generator(self):
        weight, z = tf.Variable(3.0), images(shape=(8, 4))
        with tf.GradientTape() as tape:
            values, _ = path_length(lambda z: tf.reshape(weight * z, [-1, 2, 2, 1]), z, KEY, tf.constant(0.0))
            loss = tf.reduce_mean(values)
        # shorter paths are nearer to a mean of almost 0
        assert float(tape.gradient(loss, weight)) > 0

    def test_a_generator_that_does_not_move_has_a_finite_gradient(self):
        weight, z = tf.Variable(0.0), images(shape=(8, 4))
        with tf.GradientTape() as tape:
            values, _ = path_length(lambda z: tf.reshape(weight * z, [-1, 2, 2, 1]), z, KEY, tf.constant(1.0))
            loss = tf.reduce_mean(values)
        assert np.isfinite(float(tape.gradient(loss, weight)))


@pytest.mark.parametrize("name", sorted(set(PENALTIES) - {"consistency"}))
def test_penalties_take_points(name):
    real, fake = images(shape=(6, 2)), images(seed=2, shape=(6, 2))
    values = lookup("penalty", name)(lambda x: tf.reduce_sum(x**2, axis=1), real, fake, KEY)
    assert values.shape == (6,)
    assert (values.numpy() >= 0).all()
