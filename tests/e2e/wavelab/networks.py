"""The players."""

import keras
from keras import layers


def continuer(variant, data):
    given = layers.Input(data.shape, name="input")
    x = layers.Dense(variant.width, "leaky_relu")(layers.Flatten()(given))
    return keras.Model({"input": given}, layers.Reshape(data.shape)(layers.Dense(data.length, "tanh")(x)))


def wave_judge(variant, data, codes=0):
    given = layers.Input(data.shape, name="target")
    x = layers.Dense(variant.width, "leaky_relu")(layers.Flatten()(given))
    return keras.Model({"target": given}, layers.Reshape([])(layers.Dense(1)(x)))
