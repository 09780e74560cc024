import keras
import numpy as np
import tensorflow as tf

from models.adam import Adam

GRADIENTS = np.random.default_rng(0).normal(size=[5, 4, 3]).astype("float32")


def updated(optimizer_class, gradients, **options):
    """The weight and all moments after these updates."""
    weight = keras.Variable(np.ones([4, 3]), dtype="float32")
    optimizer = optimizer_class(0.1, 0.5, 0.9, **options)
    optimizer.build([weight])
    for gradient in gradients:
        optimizer.apply([gradient], [weight])
    return [weight.numpy(), *(each.numpy() for each in optimizer.variables)]


def assert_as_keras(gradients, **options):
    for ours, theirs in zip(
        updated(Adam, gradients, **options), updated(keras.optimizers.Adam, gradients, **options), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-7)


def test_weights_and_moments_are_those_of_keras():
    assert_as_keras([tf.constant(each) for each in GRADIENTS])
    assert_as_keras([tf.constant(each) for each in GRADIENTS], weight_decay=0.1, clipnorm=0.5)


def test_gradients_of_rows_and_amsgrad_too():
    assert_as_keras([tf.IndexedSlices(each[:2], tf.constant([2, 0]), [4, 3]) for each in GRADIENTS])
    assert_as_keras([tf.constant(each) for each in GRADIENTS], amsgrad=True)


def test_a_step_by_hand():
    # Kingma & Ba 2015, algorithm 1: at first m / (1 - beta_1) = g and v / (1 - beta_2) = g^2, so the step is the rate
    weight = updated(Adam, [tf.constant(GRADIENTS[0])])[0]
    np.testing.assert_allclose(weight, 1 - 0.1 * np.sign(GRADIENTS[0]), rtol=1e-4)


def test_one_operation_a_weight():
    weight = keras.Variable(np.ones([4, 3]), dtype="float32")
    optimizer = Adam(0.1)
    optimizer.build([weight])
    apply = tf.function(lambda gradient: optimizer.apply([gradient], [weight]))
    graph = apply.get_concrete_function(tf.TensorSpec([4, 3])).graph
    types = [each.type for each in graph.get_operations() if each.inputs]
    assert types.count("ResourceApplyAdam") == 1
    assert not {"Sqrt", "RealDiv", "AssignSubVariableOp"} & set(types)
