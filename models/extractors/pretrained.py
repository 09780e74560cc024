"""What the catalog says of a pretrained network whose features judge images, or make a loss."""

from typing import NamedTuple


class Pretrained(NamedTuple):
    """A line of EXTRACTORS.

    Attributes:
        line: `module:function`, which takes the data and a file of weights, and gives the model and a digest.
        width: how many features it gives of an image.
        fetched: the file of weights that `ganworks fetch` brings; None where Keras downloads them.
        network: `module:function`, which takes a file of weights and gives the network with its layers as outputs, of
            images as `models.pixels.centred_bgr` gives them, and a digest; None where it makes no loss.
        layers: names of these outputs that a loss may be taken of.
        sha256: of `fetched`, which a loss holds the file against.
    """

    line: str
    width: int
    fetched: str | None = None
    network: str = ""
    layers: tuple[str, ...] = ()
    sha256: str = ""
