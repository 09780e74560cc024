"""Files in, files out: what a network that takes an image makes of PNG and JPEG files."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from models import pixels
from models.export.describing import FILE, example_name
from models.export.tiles import Tiling


def of_squares(network: keras.Model, inputs: Mapping[str, tf.Tensor], pixel_limit: int) -> dict[str, tf.Tensor]:
    """What a network of images of one size makes of files, which are fitted to it.

    Args:
        network: takes the example, and others of `inputs`.
        inputs: `image_bytes`, [batch] string, and what else the network takes.
        pixel_limit: that a file may decode to.

    Returns:
        image_bytes: [batch] string, PNG.
    """
    example = example_name(judging=False)
    side, _, channels = network.input[example].shape[1:]

    def opened(content: tf.Tensor) -> tf.Tensor:
        image = pixels.with_channels(pixels.opened(content, pixel_limit), channels)
        return pixels.scaled(pixels.fit(image, side))

    taken = tf.map_fn(opened, inputs[FILE], fn_output_signature=tf.float32, parallel_iterations=1)
    more = {name: value for name, value in inputs.items() if name != FILE}
    return {FILE: pixels.files(pixels.bytes_of(network(more | {example: taken}, training=False)))}


def of_any_size(
    network: keras.Model, inputs: Mapping[str, tf.Tensor], pixel_limit: int, tiling: Tiling
) -> dict[str, tf.Tensor]:
    """What a network of images of any size makes of files, each as large as it is; see `of_squares`.

    Args:
        network: see there.
        inputs: see there.
        pixel_limit: see there; the tiling may allow less.
        tiling: how a large image is cut.
    """
    example = example_name(judging=False)
    channels = network.input[example].shape[-1]
    limit = tiling.most_pixels(pixel_limit)

    def made(row: tuple[tf.Tensor, dict[str, tf.Tensor]]) -> tf.Tensor:
        image = pixels.opened(row[0], limit)
        alone = {name: value[tf.newaxis] for name, value in row[1].items()}

        def of_tile(rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
            tile = tf.gather(tf.gather(image, rows, axis=0), columns, axis=1)
            taken = pixels.scaled(pixels.with_channels(tile, channels))
            return pixels.bytes_of(network(alone | {example: taken[tf.newaxis]}, training=False))[0]

        height, width, _ = tf.unstack(tf.shape(image), num=3)
        return tf.io.encode_png(tiling.joined(height, width, of_tile))

    more = {name: value for name, value in inputs.items() if name != FILE}
    # one file after the other: memory is then that of one
    file = tf.TensorSpec([], tf.string)
    return {FILE: tf.map_fn(made, (inputs[FILE], more), fn_output_signature=file, parallel_iterations=1)}
