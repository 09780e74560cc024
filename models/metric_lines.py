"""The metrics that judge, and what is judged of a training: one line each, as in `models.catalog`."""

from typing import Literal, NamedTuple

Kind = Literal["images", "stacked", "points"]
"""What an example is: an image, an image of three digits one a channel, or a point of the plane."""


class Metric(NamedTuple):
    """A line of METRICS.

    Attributes:
        line: `module:function`. The function's parameters say what it is given: any of real_features, fake_features,
            real_images, fake_images, real_points, fake_points, real_labels, fake_labels, fake_probabilities,
            fake_inception_probabilities, train_features, neighbourhoods, mixture. One with a default is given where
            there is any.
        better: which direction is good.
        measures: what it says, for a reader of the report.
        fault: what is wrong with a generator that fails it.
        of: the kinds of data that have it.
        under: whose features it is of, as some names are those of Inception's alone.
        over: parts of as many generated examples as there are real ones, for what depends on their number; or all.
        share: whether it is a share of examples, so that its error is bounded before anything is measured.
        least: examples of each side that it takes without which it has no value.
        least_of_class: likewise of each class, of what is measured class by class.
    """

    line: str
    better: Literal["higher", "lower"]
    measures: str
    fault: str
    of: tuple[Kind, ...] = ("images", "stacked", "points")
    under: Literal["any", "own", "inception_v3"] = "any"
    over: Literal["parts", "all"] = "parts"
    share: bool = False
    least: int = 20
    least_of_class: int = 0


INCEPTION = "inception_v3"
"""The name of the extractor that is not trained on the data; any other name is one for the features of one that is."""

METRICS = {
    # {extractor} stands for evaluation.extractor: a distance of features is comparable only under the same features.
    "conditional_accuracy": Metric(
        "models.metrics.conditional_accuracy:conditional_accuracy",
        "higher",
        "examples that the classifier reads as the class asked for",
        "the examples do not show the class that was asked for",
        of=("images", "points"),
        over="all",
        share=True,
    ),
    "within_class_spread": Metric(
        "models.metrics.spread:within_class_spread",
        "higher",
        "how much pictures of one class differ, real pictures = 1",
        "the pictures of one class are nearly the same (mode collapse)",
        of=("images",),
        over="all",
        least_of_class=2,
    ),
    "spread": Metric(
        "models.metrics.spread:spread",
        "higher",
        "how much pictures differ, real pictures = 1",
        "the pictures are nearly the same (mode collapse)",
        of=("images",),
    ),
    "near_duplicates": Metric(
        "models.metrics.spread:near_duplicates",
        "lower",
        "pictures that have almost a twin among the others",
        "many pictures are almost copies of one another (mode collapse)",
        of=("images",),
        share=True,
        least=100,
    ),
    "ms_ssim": Metric(
        "models.metrics.ms_ssim:ms_ssim",
        "lower",
        "how alike two pictures look, of one class where there are classes",
        "the pictures look alike (mode collapse)",
        of=("images", "stacked"),
        over="all",
    ),
    "sharpness": Metric(
        "models.metrics.sharpness:sharpness",
        "higher",
        "slopes between neighbouring pixels, real pictures = 1",
        "the pictures are blurred",
        of=("images", "stacked"),
    ),
    "noise": Metric(
        "models.metrics.sharpness:noise",
        "lower",
        "grain of the pictures, real pictures = 1",
        "the pictures are noisy",
        of=("images", "stacked"),
    ),
    "memorisation": Metric(
        "models.metrics.memorisation:memorisation",
        "lower",
        "examples as near to a training example as only the nearest 1 % of held-out ones are, real = 0.01",
        "the generator repeats training examples",
        over="all",
        share=True,
        least=100,
    ),
    "novelty": Metric(
        "models.metrics.memorisation:novelty",
        "higher",
        "distance to the nearest training example, held-out ones = 1",
        "the generator repeats training examples",
        over="all",
    ),
    "coverage": Metric(
        "models.metrics.density_coverage:coverage",
        "higher",
        "real examples that have a generated one near",
        "much of the real variety is never drawn",
        share=True,
        least=100,
    ),
    "recall": Metric(
        "models.metrics.precision_recall:recall",
        "higher",
        "real examples that fall among generated ones",
        "much of the real variety is never drawn",
        share=True,
        least=100,
    ),
    "density": Metric(
        "models.metrics.density_coverage:density",
        "higher",
        "how densely real examples surround the generated ones",
        "many examples lie far from all real ones",
        least=100,
    ),
    "precision": Metric(
        "models.metrics.precision_recall:precision",
        "higher",
        "generated examples that fall among real ones",
        "many examples are like no real one",
        share=True,
        least=100,
    ),
    "fcd_{extractor}": Metric(
        "models.metrics.frechet:frechet_distance",
        "lower",
        "Frechet distance of Gaussians fitted to the features",
        "the features of the examples are distributed unlike those of real ones",
        under="own",
    ),
    "fid": Metric(
        "models.metrics.frechet:frechet_distance",
        "lower",
        "Frechet inception distance",
        "the features of the examples are distributed unlike those of real ones",
        of=("images",),
        under="inception_v3",
    ),
    "kid_{extractor}": Metric(
        "models.metrics.kid:unbiased_distance",
        "lower",
        "kernel distance (unbiased MMD) of the features",
        "the features of the examples are distributed unlike those of real ones",
    ),
    "classifier_score": Metric(
        "models.metrics.classifier_score:classifier_score",
        "higher",
        "sure of a class for each example, all classes drawn",
        "the classifier is unsure of single examples, or some classes are hardly drawn",
        of=("images", "points"),
    ),
    "inception_score": Metric(
        "models.metrics.classifier_score:inception_score",
        "higher",
        "the classifier score with Inception's 1000 classes",
        "Inception is unsure of single examples, or some classes are hardly drawn",
        of=("images",),
        under="inception_v3",
    ),
    "modes": Metric(
        "models.metrics.modes:modes",
        "higher",
        "modes of the mixture that are drawn",
        "modes of the mixture are never drawn (mode collapse)",
        of=("points",),
        over="all",
        least=2_500,
    ),
    "high_quality": Metric(
        "models.metrics.modes:high_quality",
        "higher",
        "points within three standard deviations of a mode's centre",
        "many points lie between the modes",
        of=("points",),
        over="all",
        least=2_500,
    ),
    "reverse_kl": Metric(
        "models.metrics.modes:reverse_kl",
        "lower",
        "how unevenly the modes are drawn, 0 for evenly",
        "some modes are hardly drawn (mode collapse)",
        of=("points",),
        over="all",
        least=2_500,
    ),
    "stacked_modes": Metric(
        "models.metrics.stacked:stacked_modes",
        "higher",
        "of the 1000 triples of digits, those that are drawn",
        "triples of digits are never drawn (mode collapse)",
        of=("stacked",),
        over="all",
        least=26_000,
    ),
    "stacked_kl": Metric(
        "models.metrics.stacked:stacked_kl",
        "lower",
        "how unevenly the 1000 triples are drawn, 0 for evenly",
        "some triples of digits are hardly drawn (mode collapse)",
        of=("stacked",),
        over="all",
        least=26_000,
    ),
}

PLAYERS = {
    "d_real_accuracy": "real examples that the discriminator knew at the end of the training",
    "d_fake_accuracy": "generated examples that the discriminator knew at the end of the training",
}
"""What is judged of the training itself, from its history; neither direction is good."""
