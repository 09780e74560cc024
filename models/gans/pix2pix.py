"""A translator that learns from aligned pairs: conditional adversarial loss and L1. Isola et al. 2017."""

from typing import cast

import tensorflow as tf

from models import replicas
from models.config import Experiment, Pix2Pix
from models.gans.adversarial import AdversarialGAN
from models.gans.base import Inputs, Logs
from models.randomness import Key


class Pix2PixGAN(AdversarialGAN):
    """Algorithm 1, where the discriminator sees a target together with its input, and the generator stays near it.

    The generator takes no noise: the only one is the dropout of its network, in training alone. What is served is
    without it and normalises by the moving statistics, so that an answer depends on its picture and nothing else; the
    paper keeps both at test time, and finds that they change little. A network that normalises each picture by itself
    (`norm=instance`) is served as it was trained, as the paper's with its batches of one.

    The objectives have a factor of 1/2 in the losses of both players. In the paper the discriminator's alone has it,
    so that it learns more slowly: the default `adversarial_weight` of 2 takes the generator's away, and `l1_weight` is
    the paper's lambda.

    Reference: Isola, Zhu, Zhou & Efros 2017, equations 1 to 4 and section 3.3.
    """

    scheme: Pix2Pix

    def __init__(self, experiment: Experiment):
        super().__init__(experiment, adversarial_weight=cast(Pix2Pix, experiment.scheme).adversarial_weight)

    def further_loss(self, real: Inputs, fake: Inputs, inputs: Inputs, key: Key) -> tuple[tf.Tensor, Logs]:
        """See `AdversarialGAN.further_loss`: the weighted mean absolute difference from the truth."""
        l1 = replicas.share_of_mean(tf.abs(fake["target"] - real["target"]))
        return self.scheme.l1_weight * l1, {"l1_loss": l1}
