"""Layers whose result depends on the batch, on chance or on state give on two replicas what they give on one."""

import subprocess
import sys
import textwrap

SCRIPT = """
    import keras, numpy as np, tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from models.layers.attention import SelfAttention
    from models.layers.dropout import Dropout
    from models.layers.minibatch import MinibatchDiscrimination, MinibatchStddev
    from models.layers.normalization import ConditionalBatchNormalization, SpectralNormalization
    from tests.harness import trained

    def build():
        inputs = {"x": keras.Input([2, 2, 3]), "label": keras.Input([], dtype="int32")}
        x = ConditionalBatchNormalization(3)([inputs["x"], inputs["label"]])
        x = MinibatchStddev(4)(SelfAttention(spectral=True)(x))
        x = MinibatchDiscrimination(2, kernels=3)(keras.layers.Flatten()(Dropout(0.5)(x)))
        return keras.Model(inputs, SpectralNormalization(keras.layers.Dense(2))(x))

    @tf.function
    def step(model, given):
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        with tf.GradientTape() as tape:
            output = model(given, training=True)
            loss = tf.reduce_mean(output**2) / replicas
        slopes = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        return output, [tf.convert_to_tensor(slope) for slope in slopes]

    random = np.random.default_rng(0)
    given = {"x": tf.constant(random.normal(size=[16, 2, 2, 3]), tf.float32), "label": tf.range(16) % 3}
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    alone = trained(build)
    with strategy.scope():
        shared = trained(build)
    shares = {key: strategy.experimental_distribute_values_from_function(
        lambda context: value[8 * context.replica_id_in_sync_group:][:8]) for key, value in given.items()}
    together = tf.function(lambda shares: strategy.run(step, args=(shared, shares)))
    local = strategy.experimental_local_results
    for _ in range(3):
        output, slopes = step(alone, given)
        shared_output, shared_slopes = together(shares)
        np.testing.assert_allclose(tf.concat(local(shared_output), 0), output, rtol=1e-4, atol=1e-5)
        for slope, parts in zip(slopes, shared_slopes, strict=True):
            np.testing.assert_allclose(sum(local(parts)), slope, rtol=1e-3, atol=1e-5)
        for variable, other in zip(alone.non_trainable_variables, shared.non_trainable_variables, strict=True):
            for replica in local(other.value):
                np.testing.assert_allclose(replica, variable, rtol=1e-5, atol=1e-6, err_msg=variable.path)
    print(sorted(variable.name for variable in alone.non_trainable_variables))
"""


def test_two_replicas_give_and_keep_what_one_does():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # the power iterations of the attention and the dense layer, the counter of the dropout, the moving statistics
    assert done.stdout.strip() == str(["calls", "moving_mean", "moving_variance", *["u"] * 5])
