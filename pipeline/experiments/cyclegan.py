"""Pictures of one domain to those of another without pairs: CycleGAN. Zhu et al. 2017."""

from models.config import (
    AtLeast,
    AtMost,
    Cycle,
    Evaluation,
    Experiment,
    Images,
    Objective,
    Optimizer,
    PatchGANDiscriminator,
    ResNetTranslator,
    Separated,
    Training,
    Unpaired,
)

LEAST_SQUARES = Objective(name="least_squares")
FALLING = Optimizer(schedule="half_linear")
# The paper's cycle weight of 10: losses here have a half before them.
CYCLE_WEIGHT = 5

MAPS_CYCLEGAN = Experiment(
    name="maps-cyclegan",
    description="satellite pictures to relief maps without pairs (CycleGAN); `ganworks fetch maps` first",
    # The maps of maps-pix2pix, with its split. Of a block of ten degrees, training sees one of the two maps: 121
    # pictures from space and 232 of relief, of which 36 whole pairs choose and 128 judge.
    data=Separated(
        source="folder:data/maps",
        folders=("satellite", "relief"),
        resolution=32,
        split_by="name:^[ns][0-9]+[we][0-9]+",
        transfer="-americas-",
    ),
    # The discriminator judges patches of 16 pixels, half a side.
    scheme=Cycle(
        generator=ResNetTranslator(width=32, blocks=4),
        discriminator=PatchGANDiscriminator(width=32, layers=1, norm="instance"),
        objective=LEAST_SQUARES,
        cycle_weight=CYCLE_WEIGHT,
    ),
    # 36 pairs are too few to pick a step by, and the rates fall to 0. On a busy machine a pair took 0.32 s of one core
    # in float32: 10,000 are to take 27 minutes on two.
    training=Training(
        steps=10_000,
        batch_size=1,
        generator_optimizer=FALLING,
        discriminator_optimizer=FALLING,
        ema_half_life_images=500,
        keep="last",
    ),
    # Above what needs no network: of the held-out pairs (benchmarks/experiments/baselines.py), the identity has a psnr
    # of 9.1 dB, an ssim of 0.31, histograms matched without pairs have 21.0 and 0.55. By chance the retrieval is 0.042.
    evaluation=Evaluation(
        thresholds={
            "psnr": AtLeast(21.1),
            "retrieval_efficientnet_lite0": AtLeast(0.06),
            "cycle_error": AtMost(0.5),
            "sharpness": AtLeast(0.4),
        }
    ),
)

EMOJI_CYCLEGAN = Experiment(
    name="emoji-cyclegan",
    description="Noto's emoji in the style of Twemoji without pairs (CycleGAN); `ganworks fetch emoji` first",
    # What has one base code point stays together, all skin tones and professions of it. Training sees 769 pictures of
    # Noto and 1,305 of Twemoji, of others; 433 whole pairs choose and 632 judge.
    data=Separated(source="folder:data/emoji", folders=("noto", "twemoji"), resolution=32, split_by="name:^[0-9a-f]+"),
    scheme=Cycle(
        generator=ResNetTranslator(width=32, blocks=4),
        discriminator=PatchGANDiscriminator(width=32, layers=2, norm="instance"),
        objective=LEAST_SQUARES,
        cycle_weight=CYCLE_WEIGHT,
    ),
    training=Training(
        steps=10_000,
        batch_size=1,
        generator_optimizer=FALLING,
        discriminator_optimizer=FALLING,
        ema_half_life_images=500,
    ),
    # The styles are alike: of the held-out pairs, the identity has a psnr of 13.1 dB, an ssim of 0.32 and a retrieval
    # of 0.44, by chance 0.011; matched histograms have 13.2 dB and 0.32. What does nothing is refused.
    evaluation=Evaluation(
        thresholds={
            "psnr": AtLeast(13.3),
            "retrieval_efficientnet_lite0": AtLeast(0.1),
            "cycle_error": AtMost(0.5),
            "sharpness": AtLeast(0.4),
        }
    ),
)

SIDE = {"resolution": 256, "channels": 3, "flip": True}

CYCLEGAN = Experiment(
    name="cyclegan",
    description="your own two folders without pairs at 256 pixels, at the size of the paper, such as horses and zebras",
    data=Unpaired(input=Images(source="folder:data/A", **SIDE), target=Images(source="folder:data/B", **SIDE)),
    # The paper's networks of 11.4 and 2.8 million weights, and its settings.
    scheme=Cycle(
        generator=ResNetTranslator(width=64, blocks=9),
        discriminator=PatchGANDiscriminator(width=64, layers=3, norm="instance"),
        objective=LEAST_SQUARES,
        cycle_weight=CYCLE_WEIGHT,
        identity_weight=0.5,
        pool_size=50,
    ),
    # 200 epochs of the larger folder, 1,334 zebras: steps are 200 times the training pictures of your larger folder
    training=Training(
        steps=266_800,
        batch_size=1,
        generator_optimizer=Optimizer(learning_rate=2e-4, schedule="half_linear"),
        discriminator_optimizer=Optimizer(learning_rate=2e-4, schedule="half_linear"),
        ema_half_life_images=0,
        checkpoint_every_steps=2_000,
        keep="last",
    ),
    # No truth is known: are pictures of the other domain, do they differ, do they keep what they were made of? Modest,
    # as what can be reached is a matter of the pictures.
    evaluation=Evaluation(
        thresholds={"kd_efficientnet_lite0": AtMost(0.3), "spread": AtLeast(0.5), "cycle_error": AtMost(0.5)},
    ),
)
