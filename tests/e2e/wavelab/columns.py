"""A kind of column: a short wave, [length, 1], whose values are within -5 and 5 where they are measured."""

import tensorflow as tf

from models.columns import Kind, Stored

VOLT = 5.0


class Wave(Kind):
    served = "wave"
    range = (-VOLT, VOLT)

    def ingested(self, column):
        return {f"{column.role}/samples": Stored("float", size=column.shape[0])}

    def features(self, column, value):
        return {f"{column.role}/samples": [float(each) for each in value]}

    def transformed(self, column):
        return Stored("float", size=column.shape[0])

    def transform(self, column, features):
        return tf.reshape(features[f"{column.role}/samples"], [-1, column.shape[0]])

    def decode(self, column, stored):
        return tf.reshape(stored, column.shape)

    def scaled(self, column, values):
        return values / VOLT

    def inside(self, served):
        return served / VOLT

    def outside(self, scaled):
        return scaled * VOLT
