"""Photographs without their blur: a Wiener filter that a network continues, with and without a discriminator."""

from models.config import (
    AtLeast,
    AtMost,
    DeconvolutionTranslator,
    Evaluation,
    Experiment,
    Photographs,
    Restoration,
    SRResNetTranslator,
)
from pipeline.experiments.super_resolution import PATCHES, PHOTOGRAPHS_SRGAN_X2, PHOTOGRAPHS_SRRESNET_X2

BLURRED = Photographs(source="folder:data/photographs", crop=80, margin=8, flip=True)  # squares of 96 are held out
SHAKEN = {"known_motion_blur": 17, "noise": 0.02}  # noise of 1 % of the range, which is 2

PHOTOGRAPHS_DEBLUR = Experiment(
    name="photographs-deblur",
    description="photographs blurred by a known shake, 1 % noise, by squared error; `ganworks fetch photographs` first",
    data=BLURRED,
    scheme=Restoration(
        generator=DeconvolutionTranslator(kernel="known_motion_blur", side=17, noise=0.02, width=32, blocks=8),
        discriminator=PATCHES,  # which nobody plays
        degradations=SHAKEN,
        adversarial_weight=0,
    ),
    training=PHOTOGRAPHS_SRRESNET_X2.training,
    evaluation=Evaluation(thresholds={"squared_error": AtMost(0.3), "psnr": AtLeast(32)}),
)

PHOTOGRAPHS_DEBLUR_GAN = Experiment(
    name="photographs-deblur-gan",
    description="photographs blurred by a known shake, 1 % noise, against a discriminator; `ganworks fetch "
    "photographs` and `squeezenet` first",
    data=BLURRED,
    # the game, the content loss and the phases of photographs-srgan-x2
    scheme=PHOTOGRAPHS_SRGAN_X2.scheme.model_copy(
        update={"generator": PHOTOGRAPHS_DEBLUR.scheme.generator, "degradations": SHAKEN}
    ),
    training=PHOTOGRAPHS_SRGAN_X2.training,
    # Wiener's answer alone, which is where training begins, has 20.0 and 31.4 dB.
    evaluation=Evaluation(thresholds={"pair_distance_efficientnet_lite0": AtMost(19), "psnr": AtLeast(30)}),
)

PHOTOGRAPHS_DEBLUR_UNKNOWN = Experiment(
    name="photographs-deblur-unknown",
    description="photographs blurred by any shake, 1 % noise, by squared error; `ganworks fetch photographs` first",
    data=BLURRED,
    scheme=Restoration(
        # with bicubic, what is learned is added to the blurred photograph
        generator=SRResNetTranslator(scale=1, width=32, blocks=8, norm="none", bicubic=True),
        discriminator=PATCHES,
        degradations={"motion_blur": 17, "noise": 0.02},
        adversarial_weight=0,
    ),
    training=PHOTOGRAPHS_SRRESNET_X2.training,
    evaluation=Evaluation(thresholds={"squared_error": AtMost(0.95), "psnr": AtLeast(27)}),
)
