"""Small images of classes, drawn by DCGANs, conditional or not."""

from models.config import (
    Adversarial,
    AtLeast,
    AtMost,
    CrossEntropy,
    DCGANDiscriminator,
    DCGANGenerator,
    Evaluation,
    Experiment,
    Images,
    Latent,
    Optimizer,
    Penalty,
    Threshold,
    Training,
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
    # and minibatch stddev 0.62. Kernels of 4x4 take half of the time: noise of 16 dimensions had 0.879 after 8,000
    # steps, of 10 0.884 after 7,500, of 12 0.844 after 4,200 steps of 128 images, which take as long.
    scheme=Adversarial(
        generator=DCGANGenerator(width=32, kernel=4, latent=Latent(size=10)),
        discriminator=DCGANDiscriminator(width=32, kernel=4, norm="none", smallest_map=4, batch_statistics="stddev"),
        objective=CrossEntropy(penalties={"r1": Penalty(weight=0.1, every_steps=4)}),
    ),
    training=Training(
        steps=7_500,
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
    # One seed each, kernels of 5x5: 8,000 steps had coverage 0.876, 6,000 steps 0.864, and 4,000 with r1 1 0.793.
    name="fashion-cgan",
    description="clothes by class; `ganworks fetch fashion_mnist` first",
    data=Images(source="idx:data/fashion_mnist", resolution=28, classes=10),
    scheme=Adversarial(
        generator=DCGANGenerator(width=32, kernel=4, latent=Latent(size=16), condition="embedding"),
        discriminator=DCGANDiscriminator(
            width=32, kernel=4, norm="none", smallest_map=4, batch_statistics="stddev", condition="projection"
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
