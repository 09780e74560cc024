"""Pyramids of generators, from coarse to fine: LAPGAN, and what it is compared with. Denton et al. 2015."""

from models.config import (
    AtLeast,
    CrossEntropy,
    DCGANGenerator,
    Evaluation,
    Experiment,
    GanMLPGenerator,
    Images,
    LAPGANDiscriminator,
    Laplacian,
    Latent,
    Optimizer,
    Refiner,
    Training,
)
from pipeline.experiments.classes import FASHION_CGAN

# Two halvings of 28 pixels leave 7, which is no smaller map doubled; with a border of 2 pixels it is 8. The border
# repeats the edge: an enlarged image would have no detail of its own at the finest level.
CLOTHES = Images(source="idx:data/fashion_mnist", resolution=32, classes=10, fit="extend")

FASHION_LAPGAN = Experiment(
    name="fashion-lapgan",
    description="clothes by class, from 8 to 32 pixels (LAPGAN); `ganworks fetch fashion_mnist` first",
    data=CLOTHES,
    # At each level the discriminator, the game and the rates of fashion-cgan, and 16 dimensions of noise.
    scheme=Laplacian(
        generator=DCGANGenerator(width=32, kernel=4, latent=Latent(size=48), condition="embedding"),
        refiner=Refiner(width=32),
        discriminator=FASHION_CGAN.scheme.discriminator,
        objective=FASHION_CGAN.scheme.objective,
    ),
    # Of one core of an AMD EPYC with AVX2, beside other work, a step took 0.387 s in float32, and one of
    # fashion-dcgan-32 0.177 s (medians of seven turns of eight steps): 4,000 and 8,700 are to take 26 minutes each.
    training=FASHION_CGAN.training.model_copy(update={"steps": 4_000}),
    # First guesses, those of fashion-cgan: no training has shown that they can be met.
    evaluation=FASHION_CGAN.evaluation,
)

FASHION_DCGAN_32 = Experiment(
    name="fashion-dcgan-32",
    description="the clothes of fashion-lapgan by one DCGAN that trains for as long; `ganworks fetch fashion_mnist` "
    "first",
    data=CLOTHES,
    scheme=FASHION_CGAN.scheme,
    training=FASHION_CGAN.training.model_copy(update={"steps": 8_700}),
    evaluation=FASHION_CGAN.evaluation,  # guesses, too
)

SLOW = Optimizer(name="sgd", learning_rate=0.02, momentum=0.5)

LAPGAN = Experiment(
    name="lapgan",
    description="your own pictures at 32 pixels, at the size of the paper's for CIFAR-10 (LAPGAN): --source folder:DIR",
    data=Images(source="folder:data/pictures", resolution=32, channels=3),
    # The paper's: dense layers of 1,200 and 600 units at 8 pixels, convolutions above, uniform noise of 100 dimensions.
    # Widths and kernels of the convolutions are those of the authors' code from 16 to 32 pixels; their momentum grows
    # from 0.5 by 0.0008 an epoch, and noise is a plane at a finer level, where ours makes one of 100 dimensions.
    scheme=Laplacian(
        generator=GanMLPGenerator(width=1_200, norm="none", latent=Latent(size=300, distribution="uniform")),
        refiner=Refiner(width=64, kernel=7, last_kernel=5),
        discriminator=LAPGANDiscriminator(),
        objective=CrossEntropy(),
    ),
    # 200 epochs of CIFAR-10's 45,000: the paper says of its trainings that they take hours to a day. A batch is 64 real
    # and 64 generated images, as theirs of 128.
    training=Training(
        steps=140_000,
        generator_optimizer=SLOW,
        discriminator_optimizer=SLOW,
        ema_half_life_images=0,
        checkpoint_every_steps=2_000,
    ),
    # modest: what can be reached is a matter of the pictures
    evaluation=Evaluation(thresholds={"precision": AtLeast(0.2), "coverage": AtLeast(0.2)}),
)
