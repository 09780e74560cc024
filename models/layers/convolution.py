"""Convolutions whose gradients are fast on CPUs: Keras' layers of these names, in another arithmetic.

A convolution is bilinear in input and kernel, and the derivatives of a bilinear map lead to three maps that are each
the derivative of the other two: `convolve`, `input_gradient` (which is the transposed convolution) and
`filter_gradient`. Defined by one another, they can be differentiated any number of times, as gradient penalties need
it, and each may be computed as it is fastest. oneDNN, which computes them on CPUs, is slow at two shapes of a GAN:

- `filter_gradient` of small maps in bfloat16: it contracts over one row of the output at a time, and a row of less than
  16 places leaves the matrix unit's tiles mostly empty. Contracted over the batch instead, it is a convolution of its
  own: the batch takes the place of the channels, the outer gradient that of the kernel, the stride becomes a dilation.
- `input_gradient` with a stride, to few channels, such as from a map to an image: channels are padded to 16. As a
  sub-pixel convolution (Shi et al. 2016, section 2.2) it has stride^2 as many, at the smaller resolution.

A CPU without instructions for bfloat16 takes 25 times float32's time for either gradient (AMD EPYC, AVX2). There all
three are computed in float32 and rounded once, at their end: what the instructions do, whose sums are float32, too.

Elsewhere, and wherever there is a GPU, TensorFlow's own kernels do the work.
"""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from models.training import precision

TILE_ROWS = 16
"""Places, or channels, that oneDNN fills up to before it multiplies."""


class Geometry(NamedTuple):
    """A convolution with 'same' padding.

    Attributes:
        size: height and width of the convolution's input, which is the transposed convolution's output.
        kernel: height and width.
        strides: down and across.
    """

    size: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the convolution's output."""
        return self._map(lambda size, _, stride: -(-size // stride))

    @property
    def before(self) -> tuple[int, int]:
        """Padding above and to the left; what does not halve goes below and to the right."""
        return self._map(lambda size, kernel, stride: max((-(-size // stride) - 1) * stride + kernel - size, 0) // 2)

    def over_batch(self, dtype: tf.DType) -> bool:
        """True where the filter gradient is contracted over the batch; a 1x1 kernel would be one place of it."""
        return dtype == tf.bfloat16 and self.out[1] < TILE_ROWS and self.kernel != (1, 1)

    def subpixel(self, channels: int, dtype: tf.DType) -> bool:
        """True where the input gradient, to so many channels, is computed as a sub-pixel convolution."""
        stride = self.strides[0]
        divides = self.strides == (stride, stride) and all(size % stride == 0 for size in self.size)
        return stride > 1 and divides and (channels < TILE_ROWS or (dtype == tf.bfloat16 and self.out[1] < TILE_ROWS))

    def _map(self, of: Any) -> tuple[int, int]:
        rows, columns = (of(*each) for each in zip(self.size, self.kernel, self.strides, strict=True))
        return rows, columns


def convolve(x: tf.Tensor, kernel: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    """[batch, h, w, in], [kh, kw, in, out] -> [batch, h / stride, w / stride, out], rounded up."""

    @tf.custom_gradient
    def apply(x: tf.Tensor, kernel: tf.Tensor) -> Any:
        def gradient(outer: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return input_gradient(outer, kernel, geometry), filter_gradient(x, outer, geometry)

        y = tf.nn.conv2d(_multiplied(x), _multiplied(kernel), geometry.strides, "SAME")
        return tf.cast(y, x.dtype), gradient

    return apply(x, kernel)


def input_gradient(outer: tf.Tensor, kernel: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    """[batch, h / stride, w / stride, out], [kh, kw, in, out] -> [batch, h, w, in]: the transposed convolution."""

    @tf.custom_gradient
    def apply(outer: tf.Tensor, kernel: tf.Tensor) -> Any:
        def gradient(inner: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return convolve(inner, kernel, geometry), filter_gradient(inner, outer, geometry)

        wide, taps = _multiplied(outer), _multiplied(kernel)
        subpixel = geometry.subpixel(kernel.shape[2], taps.dtype)
        found = (_subpixel if subpixel else _transposed)(wide, taps, geometry)
        return tf.cast(found, kernel.dtype), gradient

    return apply(outer, kernel)


def filter_gradient(x: tf.Tensor, outer: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    """[batch, h, w, in], [batch, h / stride, w / stride, out] -> [kh, kw, in, out], summed over the batch."""

    @tf.custom_gradient
    def apply(x: tf.Tensor, outer: tf.Tensor) -> Any:
        def gradient(direction: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return input_gradient(outer, direction, geometry), convolve(x, direction, geometry)

        wide, above = _multiplied(x), _multiplied(outer)
        over_batch = geometry.over_batch(wide.dtype)
        found = (_contracted_over_batch if over_batch else _contracted_over_rows)(wide, above, geometry)
        return tf.cast(found, x.dtype), gradient

    return apply(x, outer)


@keras.saving.register_keras_serializable("ganworks")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, by the maps above where they apply."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """See Keras."""
        size = inputs.shape[1:3]
        if not _applies(self, size):
            return super().convolution_op(inputs, kernel)
        x, kernel = (tf.convert_to_tensor(each) for each in (inputs, kernel))
        return convolve(x, kernel, Geometry(tuple(size), self.kernel_size, self.strides))


@keras.saving.register_keras_serializable("ganworks")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, by the maps above where they apply."""

    def call(self, inputs: Any) -> Any:
        """See Keras."""
        size = inputs.shape[1:3]
        if not _applies(self, size):
            return super().call(inputs)
        x, kernel = (tf.convert_to_tensor(each) for each in (inputs, self.kernel))
        rows, columns = (places * stride for places, stride in zip(size, self.strides, strict=True))
        outputs = input_gradient(x, kernel, Geometry((rows, columns), self.kernel_size, self.strides))
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return outputs if self.activation is None else self.activation(outputs)


def _applies(layer: Any, size: tuple[int | None, ...]) -> bool:
    """True for a layer that the maps describe, of a known size, on a machine whose kernels are slow."""
    plain = layer.padding == "same" and layer.data_format == "channels_last" and set(layer.dilation_rate) == {1}
    ungrouped = getattr(layer, "groups", 1) == 1 and getattr(layer, "output_padding", None) is None
    return plain and ungrouped and None not in size and not tf.config.list_logical_devices("GPU")


def _multiplied(x: tf.Tensor) -> tf.Tensor:
    """The tensor in the precision in which its products are computed fast here."""
    return tf.cast(x, tf.float32) if x.dtype == tf.bfloat16 and not precision.multiplies_bfloat16() else x


def _transposed(outer: tf.Tensor, kernel: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    shape = [tf.shape(outer)[0], *geometry.size, kernel.shape[2]]
    return tf.nn.conv2d_transpose(outer, kernel, shape, geometry.strides, "SAME")


def _subpixel(outer: tf.Tensor, kernel: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    """A transposed convolution without stride to blocks of stride x stride places, which are then laid out."""
    stride = geometry.strides[0]
    channels, outer_channels = kernel.shape[2:]
    # taps are grouped by the block that they reach, so the first has to reach the first place of a block
    padding = [_to_blocks(taps, before, stride) for taps, before in zip(geometry.kernel, geometry.before, strict=True)]
    kernel = tf.pad(kernel, [*padding, [0, 0], [0, 0]])
    rows, columns = (places // stride for places in kernel.shape[:2])
    kernel = tf.reshape(kernel, [rows, stride, columns, stride, channels, outer_channels])
    kernel = tf.reshape(tf.transpose(kernel, [0, 2, 1, 3, 4, 5]), [rows, columns, -1, outer_channels])
    shape = [tf.shape(outer)[0], *geometry.out, kernel.shape[2]]
    return tf.nn.depth_to_space(tf.nn.conv2d_transpose(outer, kernel, shape, 1, "SAME"), stride)


def _to_blocks(taps: int, before: int, stride: int) -> list[int]:
    """Zeros before and after so many taps, of which `before` lie in the padding."""
    first = -before % stride
    return [first, -(first + taps) % stride]


def _contracted_over_rows(x: tf.Tensor, outer: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    shape = [*geometry.kernel, x.shape[3], outer.shape[3]]
    strides = [1, *geometry.strides, 1]
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=shape, out_backprop=outer, strides=strides, padding="SAME"
    )


def _contracted_over_batch(x: tf.Tensor, outer: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    rows, columns = geometry.kernel
    needed = [
        (out - 1) * stride + kernel - size
        for out, stride, kernel, size in zip(
            geometry.out, geometry.strides, geometry.kernel, geometry.size, strict=True
        )
    ]
    padding = [[before, max(all_ - before, 0)] for before, all_ in zip(geometry.before, needed, strict=True)]
    images, kernel = tf.transpose(x, [3, 1, 2, 0]), tf.transpose(outer, [1, 2, 0, 3])
    found = tf.nn.conv2d(images, kernel, 1, [[0, 0], *padding, [0, 0]], dilations=geometry.strides)
    # places of the input that a stride steps over at its end give further rows and columns
    return tf.transpose(found[:, :rows, :columns], [1, 2, 0, 3])
