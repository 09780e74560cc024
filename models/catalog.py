"""The parts that an experiment can name: one line each, `name: "module:function"`.

A line is plain text so that names can be checked without importing TensorFlow; `lookup` imports what it names.
To add a part, write its function and add its line: tests/test_catalog.py tests every line. What has fields of its own
has its variant in `models.config` beside it.
"""

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

from models.extractors.pretrained import Pretrained
from models.metrics.metric import Metric as Metric

OBJECTIVES = {
    "minimax": "models.objectives:minimax",
    "non_saturating": "models.objectives:non_saturating",
    "maximum_likelihood": "models.objectives:maximum_likelihood",
    "least_squares": "models.objectives:least_squares",
    "wasserstein": "models.objectives:wasserstein",
    "hinge": "models.objectives:hinge",
    "relativistic": "models.objectives:relativistic",
    "f_total_variation": "models.divergences:f_total_variation",
    "f_total_variation_heuristic": "models.divergences:f_total_variation_heuristic",
    "f_kl": "models.divergences:f_kl",
    "f_kl_heuristic": "models.divergences:f_kl_heuristic",
    "f_reverse_kl": "models.divergences:f_reverse_kl",
    "f_reverse_kl_heuristic": "models.divergences:f_reverse_kl_heuristic",
    "f_pearson_chi2": "models.divergences:f_pearson_chi2",
    "f_pearson_chi2_heuristic": "models.divergences:f_pearson_chi2_heuristic",
    "f_neyman_chi2": "models.divergences:f_neyman_chi2",
    "f_neyman_chi2_heuristic": "models.divergences:f_neyman_chi2_heuristic",
    "f_squared_hellinger": "models.divergences:f_squared_hellinger",
    "f_squared_hellinger_heuristic": "models.divergences:f_squared_hellinger_heuristic",
    "f_jeffrey": "models.divergences:f_jeffrey",
    "f_jeffrey_heuristic": "models.divergences:f_jeffrey_heuristic",
    "f_jensen_shannon": "models.divergences:f_jensen_shannon",
    "f_jensen_shannon_heuristic": "models.divergences:f_jensen_shannon_heuristic",
    "f_gan": "models.divergences:f_gan",
    "f_gan_heuristic": "models.divergences:f_gan_heuristic",
}

PENALTIES = {
    "r1": "models.penalties:r1",
    "r2": "models.penalties:r2",
    "wgan_gp": "models.penalties:wgan_gp",
    "wgan_gp_one_sided": "models.penalties:wgan_gp_one_sided",
    "dragan": "models.penalties:dragan",
    "consistency": "models.penalties:consistency",
}

GENERATOR_PENALTIES = {
    "path_length": "models.penalties:path_length",
}

GENERATORS = {
    "gan_mlp": "models.networks.gan_mlp:generator",
    "points": "models.networks.points:generator",
    "dcgan": "models.networks.dcgan:generator",
    "resnet": "models.networks.resnet:generator",
}

TRANSLATORS = {
    "points": "models.networks.points:translator",
    "unet": "models.networks.unet:translator",
    "resnet": "models.networks.resnet_translator:translator",
    "srresnet": "models.networks.srresnet:translator",
    "deconvolution": "models.networks.deconvolution:translator",
}

DISCRIMINATORS = {
    "gan_mlp": "models.networks.gan_mlp:discriminator",
    "points": "models.networks.points:discriminator",
    "dcgan": "models.networks.dcgan:discriminator",
    "resnet": "models.networks.resnet:discriminator",
    "patchgan": "models.networks.patchgan:discriminator",
    "lapgan": "models.networks.lapgan:discriminator",
}

TASKS = {
    "generate": "models.tasks:Generate",
    "translate": "models.tasks:Translate",
    "restore": "models.tasks:Restore",
}

COLUMN_KINDS = {
    "image": "models.columns:Image",
    "photograph": "models.columns:Photograph",
    "surroundings": "models.examples.surroundings:Surroundings",
    "point": "models.columns:Point",
    "label": "models.columns:Label",
}

SOURCES = {
    "digits": "components.example_gen.sources.digits:Digits",
    "idx": "components.example_gen.sources.idx:Idx",
    "folder": "components.example_gen.sources.folder:Folder",
    "zip": "components.example_gen.sources.folder:ZipFile",
    "tar": "components.example_gen.sources.folder:TarFile",
    "tfds": "components.example_gen.sources.prepared:Prepared",
    "mixture": "components.example_gen.sources.points:Points",
    "stacked": "components.example_gen.sources.stacked:Stacked",
}

READERS = {
    # a variant of data -> what makes of a source's files something else than an example each
    "pairs": "components.example_gen.sources.pairs:PairedFiles",
    "separated": "components.example_gen.sources.pairs:PairedFiles",
}

MIXTURES = {
    "ring": "models.mixtures:ring",
    "square": "models.mixtures:square",
    "grid": "models.mixtures:grid",
}

DEGRADATIONS = {
    # in the order in which they happen
    "shrink": "models.degradations:shrink",
    "gaussian_blur": "models.degradations:gaussian_blur",
    "motion_blur": "models.degradations:motion_blur",
    "known_gaussian_blur": "models.degradations:known_gaussian_blur",
    "known_motion_blur": "models.degradations:known_motion_blur",
    "downscale": "models.degradations:downscale",
    "noise": "models.degradations:noise",
}

DIVIDING = ("downscale",)
"""Degradations whose strength, a whole number, divides both sides of an image; blurs take pixels beside edges."""

KERNELS = {
    "gaussian_blur": "models.kernels:gaussian",
    "motion_blur": "models.kernels:motion",
    "known_gaussian_blur": "models.kernels:gaussian",
    "known_motion_blur": "models.kernels:motion",
}
"""A blur -> the kind of its kernels."""

BLURRING = tuple(KERNELS)
"""Degradations whose strength is the odd side of a kernel: they take (side - 1) / 2 pixels beside each edge."""

KNOWN_KERNELS = ("known_gaussian_blur", "known_motion_blur")
"""Blurs of one kernel, the same always; the other blurs have one an image."""

SCHEMES = {
    "adversarial": "models.gans.adversarial:AdversarialGAN",
    "cycle": "models.gans.cycle:CycleGAN",
    "restoration": "models.gans.restoration:RestorationGAN",
    "pix2pix": "models.gans.pix2pix:Pix2PixGAN",
    "lapgan": "models.gans.lapgan:LaplacianGAN",
}

LITE0_WEIGHTS = "data/efficientnet_lite0/efficientnet_lite0.pth"
SQUEEZENET_WEIGHTS = "data/squeezenet/squeezenet.h5"
SQUEEZENET_LAYERS = ("conv1", "fire2", "fire3", "fire4", "fire5", "fire6", "fire7", "fire8", "fire9")
EXTRACTORS = {
    # pretrained ones; any other name is one for the features of a classifier that is trained on the data
    "inception_v3": Pretrained("models.extractors.inception:load_inception", 2048),
    "efficientnet_lite0": Pretrained("models.extractors.efficientnet:load_efficientnet_lite0", 1280, LITE0_WEIGHTS),
    "squeezenet": Pretrained(
        "models.extractors.squeezenet:load_squeezenet",
        512,
        SQUEEZENET_WEIGHTS,
        "models.extractors.squeezenet:load_network",
        SQUEEZENET_LAYERS,
        "308d1afdb450bd2836240f6cb6fe952cb2e33492fc3564b0c134391614c3dcb5",
    ),
}

UNLABELLED = "efficientnet_lite0"
"""The extractor of images without classes, where a classifier would have nothing to learn."""

PAIRED = ("translate", "restore")
"""Tasks where each output may have one true answer."""

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
        tasks=("generate",),
        needs=("classes", "labels"),
    ),
    "within_class_spread": Metric(
        "models.metrics.spread:within_class_spread",
        "higher",
        "how much pictures of one class differ, real pictures = 1",
        "the pictures of one class are nearly the same (mode collapse)",
        of=("images",),
        over="all",
        least_of_class=2,
        tasks=("generate",),
        needs=("labels",),
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
        needs=("training",),
    ),
    "novelty": Metric(
        "models.metrics.memorisation:novelty",
        "higher",
        "distance to the nearest training example, held-out ones = 1",
        "the generator repeats training examples",
        over="all",
        needs=("training",),
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
        under=("own",),
    ),
    "fid": Metric(
        "models.metrics.frechet:frechet_distance",
        "lower",
        "Frechet inception distance",
        "the features of the examples are distributed unlike those of real ones",
        of=("images",),
        under=("inception_v3",),
    ),
    "kid_{extractor}": Metric(
        "models.metrics.kid:unbiased_distance",
        "lower",
        "kernel distance (unbiased MMD) of the features",
        "the features of the examples are distributed unlike those of real ones",
        under=("own", "inception_v3"),
    ),
    "fd_{extractor}": Metric(
        "models.metrics.frechet:frechet_distance",
        "lower",
        "Frechet distance of Gaussians fitted to the network's features",
        "the features of the examples are distributed unlike those of real ones",
        under=("pretrained",),
        least_of_feature=5,
    ),
    "kd_{extractor}": Metric(
        "models.metrics.kid:unbiased_distance",
        "lower",
        "kernel distance (unbiased MMD) of the network's features",
        "the features of the examples are distributed unlike those of real ones",
        under=("pretrained",),
    ),
    "classifier_score": Metric(
        "models.metrics.classifier_score:classifier_score",
        "higher",
        "sure of a class for each example, all classes drawn",
        "the classifier is unsure of single examples, or some classes are hardly drawn",
        of=("images", "points"),
        needs=("classes",),
    ),
    "inception_score": Metric(
        "models.metrics.classifier_score:inception_score",
        "higher",
        "the classifier score with Inception's 1000 classes",
        "Inception is unsure of single examples, or some classes are hardly drawn",
        of=("images",),
        under=("inception_v3",),
    ),
    "modes": Metric(
        "models.metrics.modes:modes",
        "higher",
        "modes of the mixture that are drawn",
        "modes of the mixture are never drawn (mode collapse)",
        of=("points",),
        over="all",
        least=2_500,
        needs=("mixture",),
    ),
    "high_quality": Metric(
        "models.metrics.modes:high_quality",
        "higher",
        "points within three standard deviations of a mode's centre",
        "many points lie between the modes",
        of=("points",),
        over="all",
        least=2_500,
        needs=("mixture",),
    ),
    "reverse_kl": Metric(
        "models.metrics.modes:reverse_kl",
        "lower",
        "how unevenly the modes are drawn, 0 for evenly",
        "some modes are hardly drawn (mode collapse)",
        of=("points",),
        over="all",
        least=2_500,
        needs=("mixture",),
    ),
    "stacked_modes": Metric(
        "models.metrics.stacked:stacked_modes",
        "higher",
        "of the 1000 triples of digits, those that are drawn",
        "triples of digits are never drawn (mode collapse)",
        of=("stacked",),
        over="all",
        least=26_000,
        needs=("classes",),
    ),
    "stacked_kl": Metric(
        "models.metrics.stacked:stacked_kl",
        "lower",
        "how unevenly the 1000 triples are drawn, 0 for evenly",
        "some triples of digits are hardly drawn (mode collapse)",
        of=("stacked",),
        over="all",
        least=26_000,
        needs=("classes",),
    ),
    "psnr": Metric(
        "models.metrics.restoration:psnr",
        "higher",
        "peak signal-to-noise ratio of each output and its truth, dB",
        "outputs are far from the truth, pixel by pixel",
        of=("images",),
        tasks=PAIRED,
        over="all",
        needs=("truth",),
    ),
    "ssim": Metric(
        "models.metrics.restoration:ssim",
        "higher",
        "structural similarity of each output and its truth",
        "outputs have not the structure of the truth",
        of=("images",),
        tasks=PAIRED,
        over="all",
        needs=("truth",),
    ),
    "pair_distance_{extractor}": Metric(
        "models.metrics.restoration:feature_distance",
        "lower",
        "distance of each output from its truth, in the features",
        "outputs do not show what the truth shows",
        of=("images",),
        tasks=PAIRED,
        over="all",
        needs=("truth",),
    ),
    "retrieval_{extractor}": Metric(
        "models.metrics.retrieval:retrieval",
        "higher",
        "reciprocal rank of the true partner among all, nearest first in the features",
        "outputs are nearer to the truths of other inputs than to their own",
        of=("images",),
        tasks=("translate",),
        over="all",
        needs=("truth",),
    ),
    "squared_error": Metric(
        "models.metrics.restoration:squared_error",
        "lower",
        "squared distance of each output from its truth, that of the input = 1",
        "outputs are no nearer to the truth than what they were made of",
        tasks=("restore",),
        over="all",
        needs=("truth", "inputs"),
    ),
    "cycle_error": Metric(
        "models.metrics.restoration:cycle_error",
        "lower",
        "how far the way there and back leads from where it began, the mean distance of two inputs = 1",
        "the way back does not lead to where it began: the translation forgets its input",
        tasks=("translate",),
        over="all",
        needs=("inputs", "back"),
    ),
}

PLAYERS = {
    "d_real_accuracy": "real examples that the discriminator knew at the end of the training",
    "d_fake_accuracy": "generated examples that the discriminator knew at the end of the training",
}
"""What is judged of the training itself, from its history; neither direction is good."""

KINDS: dict[str, dict[str, str]] = {
    "objective": OBJECTIVES,
    "penalty": PENALTIES,
    "generator penalty": GENERATOR_PENALTIES,
    "generator": GENERATORS,
    "translator": TRANSLATORS,
    "discriminator": DISCRIMINATORS,
    "degradation": DEGRADATIONS,
    "kernel": KERNELS,
    "scheme": SCHEMES,
    "task": TASKS,
    "column kind": COLUMN_KINDS,
    "mixture": MIXTURES,
    "extractor": {name: extractor.line for name, extractor in EXTRACTORS.items()},
    "content network": {name: each.network for name, each in EXTRACTORS.items() if each.network},
    "metric": {name: metric.line for name, metric in METRICS.items()},
}


def near_misses(word: str, choices: Iterable[str]) -> str:
    """`; did you mean X?`, or the choices when none is near and they are few, or nothing."""
    choices = sorted(choices)
    near = difflib.get_close_matches(word, choices, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; choose from {', '.join(choices)}" if len(choices) <= 20 else ""


def require(kind: str, name: str) -> str:
    """The catalog's line of this name.

    Raises:
        ValueError: there is no such name; the message names the near miss and the choices.
    """
    names = KINDS[kind]
    if ":" in name:  # a user's own
        return name
    if name not in names:
        raise ValueError(f"{name} is no {kind} of the catalog{near_misses(name, names)}")
    return names[name]


def lookup(kind: str, name: str) -> Any:
    """Imports and returns what the catalog, or a user's own `package.module:attribute`, names.

    Raises:
        ValueError: as `require`, or it cannot be imported.
    """
    path, _, attribute = require(kind, name).partition(":")
    try:
        return getattr(importlib.import_module(path), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"what the {kind} {name} names cannot be imported: {error}") from error


def metric_names(extractor: str, kind: str | None = None, task: str | None = None) -> dict[str, str]:
    """The names of all metrics under an extractor, or of those that a kind of data and a task have -> their keys."""
    under = {"inception_v3": "inception_v3"}.get(extractor, "pretrained" if extractor in EXTRACTORS else "own")
    return {
        key.format(extractor=extractor): key
        for key, metric in METRICS.items()
        if under in metric.under and metric.suits(kind) and (task not in TASKS or task in metric.tasks)
    }


def least(key: str, extractor: str) -> int:
    """Examples of each side without which a metric of METRICS has no value under this extractor."""
    features = EXTRACTORS[extractor].width if extractor in EXTRACTORS else 0
    return max(METRICS[key].least, METRICS[key].least_of_feature * features)
