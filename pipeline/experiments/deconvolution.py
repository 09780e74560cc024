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
ANY_SHAKE = {"motion_blur": 17, "noise": 0.02}
GIVEN = DeconvolutionTranslator(kernel="given", side=17, noise=0.02, width=32, blocks=8)

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

PHOTOGRAPHS_DEBLUR_GIVEN = Experiment(
    name="photographs-deblur-given",
    description="photographs blurred by any shake, which is given with each, 1 % noise, by squared error; `ganworks "
    "fetch photographs` first",
    data=BLURRED,
    scheme=PHOTOGRAPHS_DEBLUR.scheme.model_copy(update={"generator": GIVEN, "degradations": ANY_SHAKE}),
    training=PHOTOGRAPHS_SRRESNET_X2.training,
    # Wiener's answer to the true kernel has 0.47 and 29.6 dB on the test photographs.
    evaluation=Evaluation(thresholds={"squared_error": AtMost(0.4), "psnr": AtLeast(30)}),
)

PHOTOGRAPHS_DEBLUR_GIVEN_GAN = Experiment(
    name="photographs-deblur-given-gan",
    description="photographs blurred by any shake, which is given with each, 1 % noise, against a discriminator; "
    "`ganworks fetch photographs` and `squeezenet` first",
    data=BLURRED,
    scheme=PHOTOGRAPHS_DEBLUR_GAN.scheme.model_copy(update={"generator": GIVEN, "degradations": ANY_SHAKE}),
    training=PHOTOGRAPHS_SRGAN_X2.training,
    # Wiener's answer has 22.0 and 29.6 dB, and with the kernels of other photographs 25.8 and 24.7 dB.
    evaluation=Evaluation(thresholds={"pair_distance_efficientnet_lite0": AtMost(21), "psnr": AtLeast(28)}),
)

PHOTOGRAPHS_DEBLUR_UNKNOWN = Experiment(
    name="photographs-deblur-unknown",
    description="photographs blurred by any shake, 1 % noise, by squared error; `ganworks fetch photographs` first",
    data=BLURRED,
    scheme=Restoration(
        # with bicubic, what is learned is added to the blurred photograph
        generator=SRResNetTranslator(scale=1, width=32, blocks=8, norm="none", bicubic=True),
        discriminator=PATCHES,
        degradations=ANY_SHAKE,
        adversarial_weight=0,
    ),
    training=PHOTOGRAPHS_SRRESNET_X2.training,
    evaluation=Evaluation(thresholds={"squared_error": AtMost(0.95), "psnr": AtLeast(27)}),
)
