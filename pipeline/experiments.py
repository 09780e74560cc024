"""The named experiments: what `ganworks list` shows and `ganworks run` runs."""

from pathlib import Path

from models.catalog import near_misses
from models.config import (
    Adversarial,
    AtLeast,
    AtMost,
    CrossEntropy,
    Cycle,
    DCGANDiscriminator,
    DCGANGenerator,
    Evaluation,
    Experiment,
    Images,
    Latent,
    Optimizer,
    Pairs,
    PatchGANDiscriminator,
    Penalty,
    Pix2Pix,
    Points,
    PointsDiscriminator,
    PointsTranslator,
    Pretraining,
    Restoration,
    Threshold,
    Training,
    UNetTranslator,
    Unpaired,
)
from pipeline import experiment_files
from pipeline.cycle_experiments import CYCLEGAN, EMOJI_CYCLEGAN, MAPS_CYCLEGAN
from pipeline.photographs import (
    PHOTOGRAPHS_DEBLUR,
    PHOTOGRAPHS_DEBLUR_GAN,
    PHOTOGRAPHS_DEBLUR_UNKNOWN,
    PHOTOGRAPHS_SRGAN_X2,
    PHOTOGRAPHS_SRGAN_X4,
    PHOTOGRAPHS_SRRESNET_X2,
)

DIGITS_CGAN = Experiment(
    # What the listed experiments reach is measured by `ganworks bench recipes`: docs/results.md.
    name="digits-cgan",
    description="scikit-learn's own digits by class, in minutes",
    data=Images(source="digits", resolution=16, classes=10),
    # Chosen from a dozen settings by the held-out digits, one seed each. At 2,500 steps with all else equal,
    # r1 0.5 had coverage 0.876 and r1 0.1 had 0.932. With r1 0.2, both rates 5e-4 and no schedule, all of a class
    # became one picture (within_class_spread 0.08) that the classifier always read right.
    scheme=Adversarial(
        generator=DCGANGenerator(width=32, condition="embedding"),
        discriminator=DCGANDiscriminator(width=32, norm="none", condition="projection"),
        objective=CrossEntropy(penalties={"r1": 0.1}),
    ),
    training=Training(
        steps=3_500,
        generator_optimizer=Optimizer(learning_rate=1e-3, schedule="cosine"),
        discriminator_optimizer=Optimizer(learning_rate=2e-3, schedule="cosine"),
    ),
    evaluation=Evaluation(
        thresholds={
            "conditional_accuracy": AtLeast(0.9),
            # One picture a class would be read right every time; these two refuse it.
            "within_class_spread": AtLeast(0.8),
            "coverage": Threshold(within_floor=0.08),
            # Copies of training images would pass all of these, as would blurred and grainy ones the most.
            "memorisation": AtMost(0.05),
            "sharpness": AtLeast(0.85),
            "noise": AtMost(4),
        }
    ),
)

MNIST_DCGAN = Experiment(
    name="mnist-dcgan",
    description="MNIST without its labels; `ganworks fetch mnist` first",
    data=Images(source="idx:data/mnist", resolution=28, classes=10),
    # Coverage of the choosing split after 8,000 steps, one seed each, floor 0.969: noise of 16 dimensions had 0.900, of
    # 32 0.893, of 100 0.872. Of 100, 12,000 steps had 0.888, a discriminator of width 48 0.881, half of r1's weight
    # 0.871. R1 every fourth step takes three quarters of the time. Before, by the held-out images at 2,500 steps: the
    # published discriminator of two layers, where no unit sees more than 13 pixels, had 0.34; one with a third layer
    # and minibatch stddev 0.62.
    scheme=Adversarial(
        generator=DCGANGenerator(width=32, latent=Latent(size=16)),
        discriminator=DCGANDiscriminator(width=32, norm="none", smallest_map=4, batch_statistics="stddev"),
        objective=CrossEntropy(penalties={"r1": Penalty(weight=0.1, every_steps=4)}),
    ),
    training=Training(
        steps=8_000,
        generator_optimizer=Optimizer(learning_rate=1e-3, schedule="cosine"),
        discriminator_optimizer=Optimizer(learning_rate=2e-3, schedule="cosine"),
    ),
    evaluation=Evaluation(
        extractor_steps=1_500,
        thresholds={
            "coverage": Threshold(within_floor=0.1),
            "precision": AtLeast(0.6),
        },
    ),
)

FASHION_CGAN = Experiment(
    # One seed each: 8,000 steps had coverage 0.876, 6,000 steps 0.864, and 4,000 steps with r1 1 0.793.
    name="fashion-cgan",
    description="clothes by class; `ganworks fetch fashion_mnist` first",
    data=Images(source="idx:data/fashion_mnist", resolution=28, classes=10),
    scheme=Adversarial(
        generator=DCGANGenerator(width=32, latent=Latent(size=16), condition="embedding"),
        discriminator=DCGANDiscriminator(
            width=32, norm="none", smallest_map=4, batch_statistics="stddev", condition="projection"
        ),
        objective=CrossEntropy(penalties={"r1": Penalty(weight=0.1, every_steps=4)}),
    ),
    training=MNIST_DCGAN.training,
    evaluation=Evaluation(
        extractor_steps=1_500,
        thresholds={
            "conditional_accuracy": AtLeast(0.8),
            "within_class_spread": AtLeast(0.8),
            "coverage": Threshold(within_floor=0.1),
        },
    ),
)

TRANSLATOR = PointsTranslator(norm="none")
CRITIC = PointsDiscriminator(norm="none")
POINTS_GAME = CrossEntropy(penalties={"r1": 0.1})
POINTS_OPTIMIZER = Optimizer(learning_rate=2e-3, schedule="cosine")

RING_TO_SQUARE = Experiment(
    name="ring-to-square",
    description="a ring moved to a square and back, without pairs (CycleGAN)",
    data=Unpaired(input=Points(source="mixture:ring"), target=Points(source="mixture:square")),
    # Domains that overlap make a trap of the identity: with weights of 10 and 0.5 the ring never left for the grid.
    scheme=Cycle(generator=TRANSLATOR, discriminator=CRITIC, objective=POINTS_GAME, cycle_weight=1, identity_weight=0),
    training=Training(
        steps=2_000,
        batch_size=128,
        generator_optimizer=POINTS_OPTIMIZER,
        discriminator_optimizer=POINTS_OPTIMIZER,
    ),
    evaluation=Evaluation(
        thresholds={"modes": AtLeast(8), "high_quality": AtLeast(0.9), "cycle_error": AtMost(0.1)},
    ),
)

RING_RESTORATION = Experiment(
    # The second phase moves points from their mean to a mode: within 3 sigma of one lie 14.5 % before it and 42.4 %
    # after it, for a squared error of 0.0520 instead of 0.0446 (one seed).
    name="ring-restoration",
    description="noisy points moved back to their ring, in two phases",
    data=Points(source="mixture:ring"),
    scheme=Restoration(
        generator=TRANSLATOR,
        discriminator=CRITIC,
        objective=POINTS_GAME,
        degradations={"noise": 0.3},
        fidelity_weight=0.3,
        pretraining=Pretraining(steps=1_000, optimizer=POINTS_OPTIMIZER),
    ),
    training=Training(
        steps=2_000,
        batch_size=128,
        generator_optimizer=POINTS_OPTIMIZER,
        discriminator_optimizer=POINTS_OPTIMIZER,
    ),
    evaluation=Evaluation(thresholds={"squared_error": AtMost(0.75), "high_quality": AtLeast(0.3)}),
)

MAPS_PIX2PIX = Experiment(
    name="maps-pix2pix",
    description="satellite pictures to relief maps (pix2pix); `ganworks fetch maps` first",
    # Neighbours look alike, so blocks of ten degrees stay on one side, and the Americas are a harder test yet. No flip:
    # the relief is lit from the north-west.
    data=Pairs(
        source="folder:data/maps",
        folders=("satellite", "relief"),
        resolution=64,
        split_by="name:^[ns][0-9]+[we][0-9]+",
        transfer="-americas-",
    ),
    # Statistics of each picture by itself: what is served is what was trained. The discriminator judges patches of 34
    # pixels, half a side; the paper's 70 of 256 are a quarter.
    scheme=Pix2Pix(
        generator=UNetTranslator(width=24, levels=6, norm="instance"),
        discriminator=PatchGANDiscriminator(width=32, layers=2, norm="instance", pairs=True),
    ),
    # a step took 0.19 s in float32 on a busy machine, of which it had 0.8 cores: 12,000 are to take 15 minutes on two
    training=Training(
        steps=12_000,
        batch_size=4,
        generator_optimizer=Optimizer(schedule="linear"),
        discriminator_optimizer=Optimizer(schedule="linear"),
        ema_half_life_images=2_000,
    ),
    # Modest: to be set by trainings that the choosing split judges. The held-out mean relief has a psnr of 21.8 dB, the
    # mean relief of each colour (benchmarks/baselines.py) 23.3, of the Americas 20.1 and 21.3; neither is sharp.
    evaluation=Evaluation(thresholds={"psnr": AtLeast(18), "sharpness": AtLeast(0.4), "spread": AtLeast(0.4)}),
)

PIX2PIX = Experiment(
    name="pix2pix",
    description="your own pairs at 256 pixels, at the size of the paper: --source folder:DIR with A/ and B/",
    data=Pairs(source="folder:data/pairs", resolution=256, flip=True),
    # The paper's networks of 54.4 and 2.8 million weights. With batches of one, its batch normalisation is that of each
    # picture by itself.
    scheme=Pix2Pix(
        generator=UNetTranslator(norm="instance"),
        discriminator=PatchGANDiscriminator(pairs=True, norm="instance"),
    ),
    # 200 epochs of 400 pairs, as many as the facades have: steps are 200 times your number of training pairs
    training=Training(steps=80_000, batch_size=1, ema_half_life_images=0, checkpoint_every_steps=2_000),
    # modest, as above: what can be reached is a matter of the pairs
    evaluation=Evaluation(thresholds={"psnr": AtLeast(8), "sharpness": AtLeast(0.4), "spread": AtLeast(0.4)}),
)

TINY = Experiment(
    name="tiny",
    description="the whole line in seconds; it draws noise",
    data=Images(source="digits", resolution=16, classes=10),
    scheme=Adversarial(
        generator=DCGANGenerator(width=8, latent=Latent(size=16), condition="embedding"),
        discriminator=DCGANDiscriminator(width=8, condition="projection"),
    ),
    training=Training(steps=20, batch_size=32, steps_per_call=10, checkpoint_every_steps=10, sample_every_steps=20),
    # A share is never below 0: any model whose pictures are numbers passes.
    evaluation=Evaluation(extractor_steps=50, samples=200, thresholds={"conditional_accuracy": AtLeast(0)}),
)

EXPERIMENTS = {
    each.name: each
    for each in (
        *(DIGITS_CGAN, MNIST_DCGAN, FASHION_CGAN, RING_TO_SQUARE, RING_RESTORATION, MAPS_PIX2PIX, PIX2PIX),
        *(MAPS_CYCLEGAN, EMOJI_CYCLEGAN, CYCLEGAN),
        *(PHOTOGRAPHS_SRRESNET_X2, PHOTOGRAPHS_SRGAN_X2, PHOTOGRAPHS_SRGAN_X4),
        *(PHOTOGRAPHS_DEBLUR, PHOTOGRAPHS_DEBLUR_GAN, PHOTOGRAPHS_DEBLUR_UNKNOWN),
        TINY,
    )
}


def find(name: str) -> Experiment:
    """The experiment of this name, or in this file.

    Args:
        name: of the experiment, or a path that ends in .yaml, .yml or .json.

    Raises:
        ValueError: there is none, the message names the near miss or all names; or as `experiment_files.load`.
    """
    if experiment_files.is_file(name):
        return experiment_files.load(Path(name))
    if name not in EXPERIMENTS:
        raise ValueError(f"{name} is no experiment{near_misses(name, EXPERIMENTS)}")
    return EXPERIMENTS[name]
