"""What the catalog says of a pretrained network whose features judge images."""

from typing import NamedTuple


class Pretrained(NamedTuple):
    """A line of EXTRACTORS.

    Attributes:
        line: `module:function`, which takes the data and a file of weights, and gives the model and a digest.
        width: how many features it gives of an image.
        fetched: the file of weights that `ganworks fetch` brings; None where Keras downloads them.
    """

    line: str
    width: int
    fetched: str | None = None
