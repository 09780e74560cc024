"""The named experiments: what `ganworks list` shows and `ganworks run` runs."""

from pathlib import Path

from models.catalog import near_misses
from models.config import Experiment
from pipeline.experiments import files
from pipeline.experiments.classes import DIGITS_CGAN, FASHION_CGAN, MNIST_DCGAN, TINY
from pipeline.experiments.cyclegan import CYCLEGAN, EMOJI_CYCLEGAN, MAPS_CYCLEGAN
from pipeline.experiments.deconvolution import (
    PHOTOGRAPHS_DEBLUR,
    PHOTOGRAPHS_DEBLUR_GAN,
    PHOTOGRAPHS_DEBLUR_GIVEN,
    PHOTOGRAPHS_DEBLUR_GIVEN_GAN,
    PHOTOGRAPHS_DEBLUR_UNKNOWN,
)
from pipeline.experiments.lapgan import FASHION_DCGAN_32, FASHION_LAPGAN, LAPGAN
from pipeline.experiments.pix2pix import MAPS_PIX2PIX, PIX2PIX
from pipeline.experiments.points import RING_RESTORATION, RING_TO_SQUARE
from pipeline.experiments.super_resolution import PHOTOGRAPHS_SRGAN_X2, PHOTOGRAPHS_SRGAN_X4, PHOTOGRAPHS_SRRESNET_X2

EXPERIMENTS = {
    each.name: each
    for each in (
        *(DIGITS_CGAN, MNIST_DCGAN, FASHION_CGAN, RING_TO_SQUARE, RING_RESTORATION, MAPS_PIX2PIX, PIX2PIX),
        *(MAPS_CYCLEGAN, EMOJI_CYCLEGAN, CYCLEGAN),
        *(FASHION_LAPGAN, FASHION_DCGAN_32, LAPGAN),
        *(PHOTOGRAPHS_SRRESNET_X2, PHOTOGRAPHS_SRGAN_X2, PHOTOGRAPHS_SRGAN_X4),
        *(PHOTOGRAPHS_DEBLUR, PHOTOGRAPHS_DEBLUR_GAN, PHOTOGRAPHS_DEBLUR_UNKNOWN),
        *(PHOTOGRAPHS_DEBLUR_GIVEN, PHOTOGRAPHS_DEBLUR_GIVEN_GAN),
        TINY,
    )
}


def find(name: str) -> Experiment:
    """The experiment of this name, or in this file.

    Args:
        name: of the experiment, or a path that ends in .yaml, .yml or .json.

    Raises:
        ValueError: there is none, the message names the near miss or all names; or as `files.load`.
    """
    if files.is_file(name):
        return files.load(Path(name))
    if name not in EXPERIMENTS:
        raise ValueError(f"{name} is no experiment{near_misses(name, EXPERIMENTS)}")
    return EXPERIMENTS[name]
