"""The named experiments on photographs: super-resolution and deconvolution. See `pipeline.experiments`."""

from models.config import (
    AtLeast,
    AtMost,
    Content,
    CrossEntropy,
    DeconvolutionTranslator,
    Evaluation,
    Experiment,
    Optimizer,
    PatchGANDiscriminator,
    Photographs,
    Pretraining,
    Restoration,
    SRResNetTranslator,
    Training,
)

PHOTOGRAPHS = Photographs(source="folder:data/photographs", crop=96, flip=True)
PATCHES = PatchGANDiscriminator(width=32, layers=3, norm="instance")

PHOTOGRAPHS_SRRESNET_X2 = Experiment(
    name="photographs-srresnet-x2",
    description="photographs twice as large, by squared error (SRResNet); `ganworks fetch photographs` first",
    data=PHOTOGRAPHS,
    scheme=Restoration(
        generator=SRResNetTranslator(scale=2, width=32, blocks=8, norm="none", bicubic=True),
        discriminator=PATCHES,  # which nobody plays
        degradations={"downscale": 2},
        adversarial_weight=0,
    ),
    training=Training(
        steps=3_000,
        batch_size=8,
        ema_half_life_images=1_000,
        generator_optimizer=Optimizer(learning_rate=5e-4, beta_1=0.9, schedule="cosine"),
    ),
    # Bicubic enlargement has a squared error of 1, 34.3 dB and an SSIM of 0.914.
    evaluation=Evaluation(thresholds={"squared_error": AtMost(0.9), "psnr": AtLeast(34.8)}),
)

PHOTOGRAPHS_SRGAN_X2 = Experiment(
    name="photographs-srgan-x2",
    description="photographs twice as large, against a discriminator (SRGAN); `ganworks fetch photographs` and "
    "`squeezenet` first",
    data=PHOTOGRAPHS,
    scheme=Restoration(
        generator=PHOTOGRAPHS_SRRESNET_X2.scheme.generator,
        discriminator=PATCHES,
        objective=CrossEntropy(),
        degradations={"downscale": 2},
        fidelity_weight=0,
        # of bicubic enlargement the distance is 562 and the squared error 0.0046: scaled alike, as the paper does
        content=Content(weight=1e-5, layer="fire5"),
        adversarial_weight=2e-3,
        pretraining=Pretraining(
            steps=2_000,
            batch_size=8,
            optimizer=Optimizer(learning_rate=5e-4, beta_1=0.9, schedule="cosine"),
        ),
    ),
    training=Training(
        steps=1_500,
        batch_size=8,
        ema_half_life_images=1_000,
        generator_optimizer=Optimizer(learning_rate=1e-4, beta_1=0.9, schedule="step"),
        discriminator_optimizer=Optimizer(learning_rate=1e-4, beta_1=0.9, schedule="step"),
        # the best look is the smoothest picture, which is what the second phase is to leave
        keep="last",
    ),
    # Bicubic enlargement has 14.6, and 34.3 dB.
    evaluation=Evaluation(thresholds={"pair_distance_efficientnet_lite0": AtMost(14.6), "psnr": AtLeast(31)}),
)

PHOTOGRAPHS_SRGAN_X4 = Experiment(
    # Ledig et al. 2017, section 3.2, on other photographs, in the features of another network, with a discriminator of
    # patches; SRResNet is its first phase. Days of a GPU.
    name="photographs-srgan-x4",
    description="photographs four times as large, as large as the paper's (SRGAN); `ganworks fetch photographs` and "
    "`squeezenet` first",
    data=PHOTOGRAPHS.model_copy(update={"flip": False}),
    scheme=Restoration(
        generator=SRResNetTranslator(scale=4, width=64, blocks=16),
        discriminator=PatchGANDiscriminator(),
        objective=CrossEntropy(),
        degradations={"downscale": 4},
        fidelity_weight=0,
        # of bicubic enlargement the distance is 60 and the squared error 0.0127
        content=Content(weight=2e-4, layer="fire9"),
        # the paper's 1e-3, as losses here have a half before them
        adversarial_weight=2e-3,
        pretraining=Pretraining(steps=1_000_000, batch_size=16, optimizer=Optimizer(learning_rate=1e-4, beta_1=0.9)),
    ),
    training=Training(
        steps=200_000,
        batch_size=16,
        generator_optimizer=Optimizer(learning_rate=1e-4, beta_1=0.9, schedule="step"),
        discriminator_optimizer=Optimizer(learning_rate=1e-4, beta_1=0.9, schedule="step"),
        keep="last",
    ),
    # Bicubic enlargement has 29.9 dB.
    evaluation=Evaluation(thresholds={"squared_error": AtMost(2), "psnr": AtLeast(27)}),
)

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
    scheme=Restoration(
        generator=PHOTOGRAPHS_DEBLUR.scheme.generator,
        discriminator=PATCHES,
        objective=CrossEntropy(),
        degradations=SHAKEN,
        fidelity_weight=0,
        content=Content(weight=1e-5, layer="fire5"),
        adversarial_weight=2e-3,
        pretraining=Pretraining(
            steps=2_000,
            batch_size=8,
            optimizer=Optimizer(learning_rate=5e-4, beta_1=0.9, schedule="cosine"),
        ),
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
