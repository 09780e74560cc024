"""The configuration of an experiment: frozen, typed, bounded; JSON in and out.

Importing it needs pydantic alone, so that `ganworks --help` and `ganworks list` answer at once.
"""

from models.config.content import Content
from models.config.datasets.base import Data, OneSource
from models.config.datasets.columns import Column, Role, groups_of
from models.config.datasets.images import Images, OfImages, Photographs, Stacked
from models.config.datasets.pairs import OfPairs, Pairs, Separated
from models.config.datasets.points import Points
from models.config.datasets.unpaired import Unpaired
from models.config.evaluation import AtLeast, AtMost, Evaluation, Threshold
from models.config.experiment import FORMAT, Experiment, parse_data
from models.config.networks.base import Generator, Network
from models.config.networks.discriminators import (
    DCGANDiscriminator,
    Discriminator,
    GanMLPDiscriminator,
    LAPGANDiscriminator,
    PatchGANDiscriminator,
    PointsDiscriminator,
    ResNetDiscriminator,
)
from models.config.networks.generators import (
    DCGANGenerator,
    GanMLPGenerator,
    Latent,
    NoiseGenerator,
    PointsGenerator,
    ResNetGenerator,
)
from models.config.networks.translators import (
    DeconvolutionTranslator,
    PointsTranslator,
    ResNetTranslator,
    SRResNetTranslator,
    Translator,
    UNetTranslator,
)
from models.config.objective import CrossEntropy, Objective, Penalty
from models.config.resources import Machine, Resources
from models.config.schemes.adversarial import Adversarial
from models.config.schemes.base import Alternating, Scheme
from models.config.schemes.cycle import Cycle
from models.config.schemes.laplacian import Laplacian, Refiner
from models.config.schemes.pix2pix import Pix2Pix
from models.config.schemes.restoration import Pretraining, Restoration
from models.config.serving import Serving
from models.config.training import Health, Optimizer, Training

__all__ = [
    "FORMAT",
    "Adversarial",
    "Alternating",
    "AtLeast",
    "AtMost",
    "Column",
    "Content",
    "CrossEntropy",
    "Cycle",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Data",
    "DeconvolutionTranslator",
    "Discriminator",
    "Evaluation",
    "Experiment",
    "GanMLPDiscriminator",
    "GanMLPGenerator",
    "Generator",
    "Health",
    "Images",
    "LAPGANDiscriminator",
    "Laplacian",
    "Latent",
    "Machine",
    "Network",
    "NoiseGenerator",
    "Objective",
    "OfImages",
    "OfPairs",
    "OneSource",
    "Optimizer",
    "Pairs",
    "PatchGANDiscriminator",
    "Penalty",
    "Photographs",
    "Pix2Pix",
    "Points",
    "PointsDiscriminator",
    "PointsGenerator",
    "PointsTranslator",
    "Pretraining",
    "Refiner",
    "ResNetDiscriminator",
    "ResNetGenerator",
    "ResNetTranslator",
    "Resources",
    "Restoration",
    "Role",
    "SRResNetTranslator",
    "Scheme",
    "Separated",
    "Serving",
    "Stacked",
    "Threshold",
    "Training",
    "Translator",
    "UNetTranslator",
    "Unpaired",
    "groups_of",
    "parse_data",
]
