"""Layers that change the height and width of a map: mirrored edges, sub-pixel layout, bicubic enlargement.

All of them take maps of any height and width.
"""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganworks")
class ReflectionPadding(keras.layers.Layer):
    """Mirrors the places next to each edge beyond it, the edge itself left out: d c b | a b c d | c b a.

    [batch, height, width, channels] to [batch, height + 2 size, width + 2 size, channels].

    Args:
        size: places beyond each edge, at least 1.

    Raises:
        ValueError: `size` is below 1, or an image is not larger than it.
    """

    def __init__(self, size: int, **kwargs: Any):
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"size is at least 1; received {size}")
        self.size = size

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Checks height and width, where they are known."""
        if any(side is not None and side <= self.size for side in input_shape[1:3]):
            raise ValueError(
                f"padding mirrors {self.size} places beside the edge, so that each side has more; received a map of "
                f"shape {list(input_shape)}"
            )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        edges = [self.size, self.size]
        return tf.pad(x, [[0, 0], edges, edges, [0, 0]], "REFLECT")

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Height and width grow by twice the size."""
        return _resized(input_shape, lambda side: side + 2 * self.size, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"size": self.size}


@keras.saving.register_keras_serializable("ganworks")
class PixelShuffle(keras.layers.Layer):
    """Lays scale^2 channels out as a block of scale x scale places.

    [batch, height, width, scale^2 * channels] to [batch, scale * height, scale * width, channels]. Channel
    (row * scale + column) * channels + c of a place becomes channel c at this row and column of its block. (PyTorch
    lays them out with c first.)

    Args:
        scale: at least 2.

    Raises:
        ValueError: `scale` is below 2, or its square does not divide the channels.

    Reference: Shi et al. 2016, equation 4.
    """

    def __init__(self, scale: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = _at_least_two(scale)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Checks the channels."""
        if input_shape[-1] % self.scale**2:
            raise ValueError(f"scale^2 divides the channels; received scale {self.scale} for shape {list(input_shape)}")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        return tf.nn.depth_to_space(x, self.scale)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Height and width times the scale."""
        return _resized(input_shape, lambda side: side * self.scale, input_shape[-1] // self.scale**2)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"scale": self.scale}


@keras.saving.register_keras_serializable("ganworks")
class BicubicEnlargement(keras.layers.Layer):
    """Enlarges images by cubic interpolation: [batch, h, w, c] to [batch, scale * h, scale * w, c], float32.

    The kernel is that of Keys with a = -1/2, centres of pixels half a pixel from the corner, as Pillow and MATLAB
    have it. At the edges, the kernel's weights inside the image are scaled so that they add up to 1.

    Args:
        scale: at least 2.

    Raises:
        ValueError: `scale` is below 2.

    Reference: Keys 1981, equation 4.
    """

    def __init__(self, scale: int, **kwargs: Any):
        super().__init__(**kwargs | {"dtype": "float32"})
        self.scale = _at_least_two(scale)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        sides = tf.shape(x)[1:3] * self.scale
        made = tf.image.resize(x, sides, tf.image.ResizeMethod.BICUBIC)
        return tf.ensure_shape(made, self.compute_output_shape(tuple(x.shape)))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Height and width times the scale."""
        return _resized(input_shape, lambda side: side * self.scale, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"scale": self.scale}


def _resized(shape: tuple[Any, ...], of: Any, channels: int) -> tuple[Any, ...]:
    sides = (None if side is None else of(side) for side in shape[1:3])
    return (shape[0], *sides, channels)


def _at_least_two(scale: int) -> int:
    if scale < 2:
        raise ValueError(f"scale is at least 2; received {scale}")
    return scale
