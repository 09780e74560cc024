"""The configuration of an experiment: frozen, typed, bounded; JSON in and out.

Importing it needs pydantic alone, so that `ganworks --help` and `ganworks list` answer at once.
"""

from models.config.columns import Column, Role, groups_of
from models.config.content import Content
from models.config.data import Data, OneSource
from models.config.data_variants import Points, Unpaired
from models.config.discriminators import (
    DCGANDiscriminator,
    Discriminator,
    GanMLPDiscriminator,
    LAPGANDiscriminator,
    PatchGANDiscriminator,
    PointsDiscriminator,
    ResNetDiscriminator,
)
from models.config.evaluation import AtLeast, AtMost, Evaluation, Threshold
from models.config.experiment import FORMAT, Experiment, parse_data
from models.config.image_variants import Images, OfImages, Photographs, Stacked
from models.config.laplacian import Laplacian, Refiner
from models.config.networks import (
    DCGANGenerator,
    GanMLPGenerator,
    Generator,
    Latent,
    Network,
    NoiseGenerator,
    PointsGenerator,
    ResNetGenerator,
)
from models.config.objective import CrossEntropy, Objective, Penalty
from models.config.pair_variants import OfPairs, Pairs, Separated
from models.config.resources import Machine, Resources
from models.config.scheme import Alternating, Scheme
from models.config.schemes import Adversarial, Cycle, Pix2Pix, Pretraining, Restoration
from models.config.serving import Serving
from models.config.training import Health, Optimizer, Training
from models.config.translators import (
    DeconvolutionTranslator,
    PointsTranslator,
    ResNetTranslator,
    SRResNetTranslator,
    Translator,
    UNetTranslator,
)

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
