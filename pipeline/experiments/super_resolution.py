"""Photographs two and four times as large: SRResNet and SRGAN. Ledig et al. 2017."""

from models.config import (
    AtLeast,
    AtMost,
    Content,
    CrossEntropy,
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
