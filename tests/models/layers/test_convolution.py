import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers import convolution
from models.training import precision

LAYERS = {
    "down": (convolution.Conv2D, keras.layers.Conv2D),
    "up": (convolution.Conv2DTranspose, keras.layers.Conv2DTranspose),
}
# every size that a DCGAN of 16 to 64 pixels has near its ends, odd ones, and kernels whose padding is uneven
SIZES = [(4, 4), (7, 7), (14, 14), (5, 8)]
# each size with each kernel and each stride, and each kernel with each stride: any fault of two of them shows
PAIRWISE = [
    (size, kernel, 1 + (row + column) % 2) for row, size in enumerate(SIZES) for column, kernel in enumerate([5, 3])
]
SHAPES = [*PAIRWISE, ((9, 9), 4, 3), ((6, 6), 2, 3), ((8, 8), 7, 2), ((8, 8), 1, 1)]


def twins(kind, kernel, stride, *, policy="float32", channels=(3, 20), **options):
    """Our layer and Keras' with the same weights."""
    inside, outside = channels
    ours, theirs = (each(outside, kernel, stride, "same", dtype=policy, **options) for each in LAYERS[kind])
    for layer in (ours, theirs):
        layer.build([None, 8, 8, inside])
    theirs.set_weights([np.random.default_rng(0).normal(size=weight.shape) for weight in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def batch(size, channels, seed=1):
    return tf.constant(np.random.default_rng(seed).normal(size=[6, *size, channels]), tf.float32)


def first_order(layer, x):
    """Output, and the gradients of a function of it with respect to input and weights."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(layer(x), tf.float32)
        loss = tf.reduce_sum(tf.sin(y))
    return [y, *tape.gradient(loss, [x, *(each.value for each in layer.weights)])]


def second_order(layer, x):
    """The gradients of a gradient penalty, and of a penalty on the gradient of the kernel."""
    weights = [each.value for each in layer.weights]
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = tf.reduce_sum(tf.sin(tf.cast(layer(x), tf.float32)))
        of_x, of_kernel = inner.gradient(value, [x, weights[0]])
        penalty = tf.reduce_sum(of_x**2) + tf.reduce_mean(of_kernel**2)
    return outer.gradient(penalty, [x, *weights])


def assert_near(ours, theirs, share):
    """Equal to this share of the largest value."""
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(one - other).max() <= share * np.abs(other).max()


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("size", "kernel", "stride"), SHAPES)
class TestSameFunctionAsKeras:
    def test_values_and_gradients(self, kind, size, kernel, stride):
        ours, theirs = twins(kind, kernel, stride)
        x = batch(size, 3)
        assert_near(first_order(ours, x), first_order(theirs, x), 1e-5)

    def test_bfloat16_up_to_its_rounding(self, kind, size, kernel, stride):
        ours, theirs = twins(kind, kernel, stride, policy="mixed_bfloat16")
        reference = twins(kind, kernel, stride)[1]
        reference.set_weights([tf.cast(tf.cast(w, tf.bfloat16), tf.float32) for w in theirs.get_weights()])
        x = tf.cast(tf.cast(batch(size, 3), tf.bfloat16), tf.float32)
        with tf.GradientTape(persistent=True) as tape:
            outputs = [tf.cast(layer(x), tf.float32) for layer in (ours, reference)]
            sums = [tf.reduce_sum(y * batch(y.shape[1:3], 20, seed=2)) for y in outputs]
        kernels = [
            tape.gradient(value, layer.kernel.value) for value, layer in zip(sums, (ours, reference), strict=True)
        ]
        assert_near([outputs[0], kernels[0]], [outputs[1], kernels[1]], 2e-2)


@pytest.mark.parametrize("arithmetic", [tf.float32, tf.bfloat16])
@pytest.mark.parametrize("kind", LAYERS)
def test_bfloat16_is_multiplied_in_what_this_processor_multiplies(kind, arithmetic, monkeypatch):
    """Without instructions for bfloat16 its gradients take 25 times as long as float32's."""
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda: arithmetic == tf.bfloat16)
    layer, _ = twins(kind, 5, 2, policy="mixed_bfloat16")

    @tf.function
    def gradients(x):
        return first_order(layer, x)

    graph = gradients.get_concrete_function(batch((8, 8), 3)).graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    found = {node.attr["T"].type for node in nodes if node.op.startswith("Conv2D")}
    assert found == {arithmetic.as_datatype_enum}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("size", "stride"), [((7, 7), 1), ((14, 14), 2), ((7, 7), 2)])
def test_second_derivatives(kind, size, stride):
    ours, theirs = twins(kind, 5, stride)
    x = batch(size, 3)
    assert_near(second_order(ours, x), second_order(theirs, x), 1e-5)


@pytest.mark.parametrize("arithmetic", ["_contracted_over_batch", "_contracted_over_rows"])
@pytest.mark.parametrize(("size", "kernel", "stride"), SHAPES)
def test_either_contraction_gives_the_filter_gradient(arithmetic, size, kernel, stride):
    geometry = convolution.Geometry(size, (kernel, kernel), (stride, stride))
    x, weights = batch(size, 3), tf.zeros([kernel, kernel, 3, 20])
    with tf.GradientTape() as tape:
        tape.watch(weights)
        y = tf.nn.conv2d(x, weights, stride, "SAME")
        outer = batch(y.shape[1:3], 20, seed=2)
        loss = tf.reduce_sum(y * outer)
    assert_near([getattr(convolution, arithmetic)(x, outer, geometry)], [tape.gradient(loss, weights)], 1e-5)


@pytest.mark.parametrize("kernel", range(1, 10))
@pytest.mark.parametrize("stride", [2, 3, 4])
def test_subpixel_is_the_transposed_convolution(kernel, stride):
    geometry = convolution.Geometry((3 * stride, 4 * stride), (kernel, kernel), (stride, stride))
    outer, weights = batch((3, 4), 5), batch((kernel, kernel), 10)[0]
    weights = tf.reshape(weights, [kernel, kernel, 2, 5])
    expected = convolution._transposed(outer, weights, geometry)
    assert_near([convolution._subpixel(outer, weights, geometry)], [expected], 1e-5)


@pytest.mark.parametrize(
    "options", [{"padding": "valid"}, {"dilation_rate": 2}, {"data_format": "channels_first"}], ids=str
)
def test_leaves_to_keras_what_the_maps_do_not_describe(options):
    layer = convolution.Conv2D(4, 3, **({"padding": "same"} | options))
    assert not convolution._applies(layer, (8, 8))
    assert not convolution._applies(convolution.Conv2D(4, 3, padding="same"), (None, 8))
    assert convolution._applies(convolution.Conv2D(4, 3, padding="same"), (8, 8))


@pytest.mark.parametrize("kind", LAYERS)
def test_same_initial_weights_activation_and_round_trip(kind):
    ours, theirs = (
        each(20, 5, 2, "same", activation="tanh", kernel_initializer=keras.initializers.RandomNormal(seed=3))
        for each in LAYERS[kind]
    )
    x = batch((7, 7), 3)
    assert_near([ours(x)], [theirs(x)], 1e-5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
