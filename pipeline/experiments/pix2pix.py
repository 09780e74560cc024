"""Pictures to pictures by pairs: pix2pix. Isola et al. 2017."""

from models.config import (
    AtLeast,
    Evaluation,
    Experiment,
    Optimizer,
    Pairs,
    PatchGANDiscriminator,
    Pix2Pix,
    Training,
    UNetTranslator,
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
    # mean relief of each colour (benchmarks/experiments/baselines.py) 23.3, of the Americas 20.1 and 21.3; neither is
    # sharp.
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
