"""All variants of data, to be picked by name."""

from models.config.datasets.images import Images, Photographs, Stacked
from models.config.datasets.pairs import Pairs, Separated
from models.config.datasets.points import Points
from models.config.datasets.unpaired import Unpaired
from models.config.variants import Pick

DATA = Pick("data", "images", Images, Photographs, Stacked, Points, Pairs, Separated, Unpaired)
