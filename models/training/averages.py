"""The exponential moving average of a network's weights: what is sampled, judged and exported."""

import keras
import tensorflow as tf


class WeightAverage:
    """Keeps `average` behind `source` by a half-life measured in images.

    Args:
        source: the network in training.
        average: a network of the same architecture, which this class owns.
        half_life_images: after this many images half of the average is newer; 0 copies the weights instead.
        ramp_up: the half-life is at most this share of the images seen so far, so that a long one soon forgets the
            initial weights; 0 for a half-life that is the same from the first update on.

    Moving statistics of batch normalisation are averaged like the weights, so that they fit each other.
    Reference: Karras et al. 2018, section 4.1 (decay 0.999 a batch there; a half-life does not depend on the batch);
    Karras et al. 2020 (limited data), whose code has the ramp.
    """

    def __init__(
        self,
        source: keras.Model,
        average: keras.Model,
        *,
        half_life_images: float,
        ramp_up: float = 0,
    ):
        self.source, self.average = source, average
        self.strategy = tf.distribute.get_strategy()
        self.half_life, self.ramp_up = half_life_images, ramp_up
        average.set_weights(source.get_weights())

    def update(self, seen: tf.Tensor, batch_size: int) -> None:
        """Moves the average by one step; called once a step, outside the replicas.

        Args:
            seen: images so far in the training, those of this step among them, int64.
            batch_size: images of this step, over all replicas.
        """
        share = self._share(seen, batch_size)
        for kept, new in zip(self.average.variables, self.source.variables, strict=True):
            if kept.dtype.startswith(("float", "bfloat")):
                self.strategy.extended.update(kept.value, self._move, args=(new.value, share))

    def _share(self, seen: tf.Tensor, batch_size: int) -> tf.Tensor | float:
        """How much of the average this update replaces."""
        if not self.half_life:
            return 1.0
        if not self.ramp_up:
            return 1 - 0.5 ** (batch_size / self.half_life)
        half_life = tf.minimum(self.half_life, self.ramp_up * tf.cast(seen, tf.float32))
        return 1 - 0.5 ** (batch_size / half_life)

    def _move(self, kept: tf.Variable, new: tf.Variable, share: tf.Tensor | float) -> None:
        kept.assign_sub(share * (kept - new))
