"""What the architectures of all players have in common, and what they check."""

from models.config.datasets.base import Data
from models.config.variants import Variant


class Network(Variant):
    """An architecture of one player."""

    def check(self, data: Data) -> None:
        """Raises ValueError, one line, where it cannot take or draw such examples."""


class Generator(Network):
    """What makes examples.

    Attributes:
        conditional: True where a label decides what is made.
        codes: the width of its InfoGAN codes.
        beside: names of what it takes beside an example, which a scheme has to give; see `Scheme.gives`.
    """

    @property
    def conditional(self) -> bool:
        """See the class."""
        return False

    @property
    def codes(self) -> int:
        """See the class."""
        return 0

    @property
    def beside(self) -> tuple[str, ...]:
        """See the class."""
        return ()


def check_images(network: Network, data: Data) -> None:
    """Raises ValueError where examples are points."""
    if not data.images:
        what = "points of the plane: name=points is for those" if data.points else f"examples of the kind {data.kind}"
        raise ValueError(f"{network.name} is for images, but {data.target.source} has {what}")


def check_points(network: Network, data: Data) -> None:
    """Raises ValueError where examples are images."""
    if not data.points:
        what = "images" if data.images else f"examples of the kind {data.kind}"
        raise ValueError(f"{network.name} is for points of the plane, but {data.target.source} has {what}")


def check_doubling(network: Network, data: Data) -> None:
    """Raises ValueError where examples are no images, or of a size that does not come from doubling 4 to 7 pixels."""
    check_images(network, data)
    resolution = data.shape[0]
    base, doublings = scales(resolution)
    if base > 7 or not doublings:
        sizes = sorted(base * 2**times for base in (4, 5, 6, 7) for times in range(1, 9))
        below = max((size for size in sizes if size < resolution), default=None)
        above = min((size for size in sizes if size > resolution), default=None)
        near = " or ".join(str(size) for size in (below, above) if size)
        raise ValueError(
            f"{network.name} doubles a map of 4 to 7 pixels to the resolution: data.resolution is 4, 5, 6 or 7 times a "
            f"power of 2; received {resolution}, next to it are {near}"
        )


def scales(resolution: int) -> tuple[int, int]:
    """The smallest map's size, 4 to 7 where the resolution allows it, and how often it doubles up to the resolution."""
    doublings = 0
    while resolution % 2 == 0 and resolution > 7:
        resolution, doublings = resolution // 2, doublings + 1
    return resolution, doublings
