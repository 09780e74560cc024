"""All schemes, to be picked by name."""

from models.config.schemes.adversarial import Adversarial
from models.config.schemes.cycle import Cycle
from models.config.schemes.laplacian import Laplacian
from models.config.schemes.pix2pix import Pix2Pix
from models.config.schemes.restoration import Restoration
from models.config.variants import Pick

SCHEME = Pick("scheme", "adversarial", Adversarial, Cycle, Restoration, Pix2Pix, Laplacian)
