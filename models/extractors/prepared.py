"""What a pretrained network sees of an image: its own size, and pixels as in its training."""

import keras


class Prepared(keras.layers.Layer):
    """Resizes images in [0, 1] (bicubic, antialiased); a subclass gives their pixels the values of the training.

    Args:
        size: pixels a side.
    """

    def __init__(self, size: int):
        super().__init__(name="prepared", trainable=False)
        self.size = size

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """[b, r, r, 3] -> [b, size, size, 3]."""
        if tuple(images.shape[1:3]) != (self.size, self.size):
            side = (self.size, self.size)
            images = keras.ops.clip(keras.ops.image.resize(images, side, "bicubic", antialias=True), 0, 1)
        return self.as_trained(images)

    def as_trained(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Pixels in [0, 1] as those of the training, [b, size, size, 3]."""
        raise NotImplementedError(f"{type(self).__name__} says what pixels its network was trained on")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """See `call`."""
        return (input_shape[0], self.size, self.size, 3)
