"""A task: a wave whose second half is missing -> the whole one."""

import numpy as np
import tensorflow as tf

from models.columns import kind_of
from models.tasks import Task
from models.training import looks


def cut(wave):
    """The first half, then zeros."""
    half = wave.shape[1] // 2
    return tf.concat([wave[:, :half], tf.zeros_like(wave[:, half:])], 1)


class Continue(Task):
    best = looks.PAIR_DISTANCE
    shown = ("First half", "Continued", "Measured")
    takes_examples = True

    def inputs(self, experiment, real, key):
        return {"input": cut(tf.convert_to_tensor(real["target"]))}

    def asked(self, settings, columns, examples, seed):
        column = next(each for each in columns if each.role == "target")
        return {"input": np.asarray(cut(tf.constant(kind_of(column).scaled(column, examples.target))))}

    def paired(self, columns):
        return True
