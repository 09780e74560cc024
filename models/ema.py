"""The exponential moving average of a network's weights: what is sampled, judged and exported."""

import keras
import tensorflow as tf


class WeightAverage:
    """Keeps `average` behind `source` by a half-life measured in images.

    Args:
        source: the network in training.
        average: a network of the same architecture, which this class owns.
        half_life_images: after this many images half of the average is newer; 0 copies the weights instead.
        batch_size: images of one update, over all replicas.

    Moving statistics of batch normalisation are averaged like the weights, so that they fit each other.
    Reference: Karras et al. 2018, section 4.1 (decay 0.999 a batch there; a half-life does not depend on the batch).
    """

    def __init__(self, source: keras.Model, average: keras.Model, *, half_life_images: float, batch_size: int):
        self.source, self.average = source, average
        self.strategy = tf.distribute.get_strategy()
        self.decay = 0.5 ** (batch_size / half_life_images) if half_life_images else 0.0
        average.set_weights(source.get_weights())

    def update(self) -> None:
        """Moves the average by one step; called once a step, outside the replicas."""
        for kept, new in zip(self.average.variables, self.source.variables, strict=True):
            if kept.dtype.startswith(("float", "bfloat")):
                self.strategy.extended.update(kept.value, self._move, args=(new.value,))

    def _move(self, kept: tf.Variable, new: tf.Variable) -> None:
        kept.assign_sub((1 - self.decay) * (kept - new))
