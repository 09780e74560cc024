"""What fits a user's images: each setting of an experiment with the reason for it."""

from typing import Any, NamedTuple

from models import catalog
from models.config import Experiment, Images
from pipeline.new import bounds, counting
from pipeline.new.bounds import Carried
from pipeline.new.counting import Counts
from pipeline.new.facts import Facts
from pipeline.new.looking import Look

SIZES = (8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)
"""Resolutions that both networks can do, and that are worth drawing."""
USUAL = (32, 48, 64, 96, 128)
FEW, SOME = 1_000, 400
"""Images below which more of them are held out, as what judges needs a number that is its own."""
AUGMENTED_BELOW = 5_000
"""Training images below which the discriminator would learn them by heart."""
CONTRAST = 0.25
"""Contrast below which what augmentation does to an image is more than all that it shows.

`color` moves all values by up to 0.5, and what is moved or cut out leaves a grey that pale images do not have. Reliefs,
455 of 32 pixels with a contrast of 0.13, one training each of 800 steps, by the choosing split: coverage was 0.03 with
translation and cutout, 0.36 unchanged, and 0.39 with R1 of 0.001 for 0.01. Kernels that began with a grid had 0.15.
"""
MANY = 20_000


class Choice(NamedTuple):
    """A setting: its path, its value, and why. A value of None stands for a setting that is left out."""

    path: str
    value: Any
    reason: str = ""


class Chosen(NamedTuple):
    """An experiment in the making.

    Attributes:
        choices: in the order in which they are written.
        counts: of the images, under these choices.
    """

    choices: list[Choice]
    counts: Counts

    def value(self, path: str) -> Any:
        """The value of a setting; None where it is not chosen."""
        return next((choice.value for choice in self.choices if choice.path == path), None)

    def experiment(self) -> Experiment:
        """The experiment."""
        return Experiment.parse(tree(self.choices))


def tree(choices: list[Choice]) -> dict[str, Any]:
    """The settings as nested fields."""
    root: dict[str, Any] = {}
    for choice in choices:
        if choice.value is not None:
            node = root
            *outer, last = choice.path.split(".")
            for name in outer:
                node = node.setdefault(name, {})
            node[last] = choice.value
    return root


def choose(look: Look, facts: Facts, *, name: str, resolution: int, why_resolution: str) -> Chosen:
    """All settings but the number of steps, which stands at 1.

    Args:
        look: the images.
        facts: of the look.
        name: of the experiment.
        resolution: of the images; `planning.plan` finds it.
        why_resolution: the reason for it.
    """
    channels, why_channels = _channels(facts)
    data = {
        "source": Choice("data.source", look.source),
        "resolution": Choice("data.resolution", resolution, why_resolution),
        "channels": Choice("data.channels", channels, why_channels),
        "classes": Choice("data.classes", facts.classes, _why_classes(look, facts)),
        **{
            choice.path.partition(".")[2]: choice
            for choice in [*shares(facts.different, look), *_split_by(look, facts), *bad(look)]
        },
    }

    def images() -> Images:
        return Images(**{field: choice.value for field, choice in data.items() if choice.value is not None})

    counts = counting.split(look.seen, images())
    if lacking := counts.lacking(facts.classes):
        names = ", ".join(look.classes[number] for number in lacking[:3])
        why = f"each class needs images to train on and others to judge by, and {names} has not, as the source splits"
        facts = facts._replace(classes=0, of_class=[], read=None, why_none=why)
        data["classes"] = Choice("data.classes", 0, why)
    description = f"{facts.images:,} images of {look.source}, chosen by `ganworks new`"
    choices = [
        Choice("name", name),
        Choice("description", description),
        *data.values(),
        *_scheme(facts, counts, channels),
        *_training(facts, counts, channels),
        *_evaluation(facts, counts, images()),
    ]
    return Chosen(choices, counts)


def fitting(facts: Facts, look: Look) -> list[int]:
    """The resolutions that the images have, the largest last; those of few images stay small."""
    most = 64 if facts.different < FEW else SIZES[-1]
    fits = [size for size in SIZES if size <= min(facts.side, most)]
    if not fits:
        raise ValueError(
            f"images have at least {SIZES[0]} pixels a side; most of {look.source} have {facts.side}: give larger ones"
        )
    usual = [size for size in fits if size in USUAL]
    # a size between these is worth its while only where the images have it, or nothing larger
    return usual + [fits[-1]] * (fits[-1] not in USUAL and (not usual or fits[-1] == facts.side))


def _channels(facts: Facts) -> tuple[int, str]:
    share = f"{100 * facts.coloured:.0f} % of those looked at have colour"
    if facts.coloured == 0:
        return 1, "grey: none has colour, whatever the files say"
    if facts.coloured < 0.5:
        return 1, f"grey: {share}, and lose it; 3 gives the others none"
    return 3, "colour" if facts.coloured == 1 else f"colour: {share}; the others stay grey"


def _why_classes(look: Look, facts: Facts) -> str:
    if not facts.classes:
        return f"without classes: {facts.why_none}" if facts.why_none else ""
    listed = ", ".join(f"{number} {name}" for number, name in enumerate(look.classes[:30]))
    more = f" and {facts.classes - 30:,} more" if facts.classes > 30 else ""
    return f"{listed}{more}; of each {facts.of_each} images"


def shares(different: int, look: Look) -> list[Choice]:
    """How many of so many different examples are held out, and by how many the best weights are chosen."""
    if counting.divides_itself(look):
        return [Choice("data.eval_share", 0.2, "of what the source does not split itself, as it does")]
    if different >= FEW:
        return [
            Choice("data.eval_share", 0.2, "held out to judge by"),
            Choice("data.choose_share", 0.1, "held out to choose the best weights by"),
        ]
    held_out = f"held out to judge by: more than usual, as {different:,} different images are few"
    if different >= SOME:
        return [
            Choice("data.eval_share", 0.3, held_out),
            Choice("data.choose_share", 0.1, "held out to choose the best weights by"),
        ]
    return [
        Choice("data.eval_share", 0.35, held_out),
        Choice("data.choose_share", 0, "too few to choose the best weights by: the last ones are taken"),
    ]


def _split_by(look: Look, facts: Facts) -> list[Choice]:
    looked = "" if look.whole else f" of the {len(look.sample):,} looked at"
    if facts.keeps_together:
        reason = f"{facts.near:,} images{looked} are almost equal to another one; such stay on one side of the split"
        return [Choice("data.split_by", "near_duplicates", reason)]
    if facts.near:
        reason = (
            f"{facts.near:,} images{looked} are almost equal to another one, {facts.largest_group:,} of them in one "
            "chain, too many for one side of the split: what is held out flatters every score"
        )
        return [Choice("data.split_by", "content", reason)]
    return []


def bad(look: Look) -> list[Choice]:
    """How many bad images may be skipped."""
    share = look.bad / (look.bad + len(look.seen))
    if look.bad:
        allowed = min(0.99, max(0.01, round(1.2 * share + 0.005, 2)))
        what = "file" if look.bad == 1 else "files"
        return [Choice("data.bad_image_tolerance", allowed, f"{look.bad:,} {what} cannot be used: the page names them")]
    if not look.whole and look.files:
        reason = f"{len(look.sample):,} of {len(look.seen):,} were decoded: others may turn out damaged"
        return [Choice("data.bad_image_tolerance", 0.01, reason)]
    return []


def _scheme(facts: Facts, counts: Counts, channels: int) -> list[Choice]:
    """The networks and the game: recipes that are known to work on small images."""
    width = 48 if channels == 3 and facts.different >= MANY else 32
    latent = 64 if channels == 3 else 16
    conditional = bool(facts.classes)
    generator, discriminator, objective = (f"scheme.{part}" for part in ("generator", "discriminator", "objective"))
    why_width = "enough for an hour" if width == 32 else f"wider, as {facts.different:,} images have much to learn"
    why_latent = "colour pictures differ in more ways than grey ones, which have 16" if channels == 3 else ""
    augment = None
    why_augment = f"{counts.of('train'):,} training images are enough: none is changed"
    if _pale(facts, channels):
        why_augment = (
            f"images are not changed, though they are few: with a contrast of {facts.contrast:.2f}, that would be more "
            "than all they show"
        )
    elif counts.of("train") < AUGMENTED_BELOW:
        augment = ["color", "translation", "cutout"]
        why_augment = (
            f"of {counts.of('train'):,} training images the discriminator would learn each by heart: it sees them, and "
            "generated ones, changed"
        )
    r1 = PALE_R1 if _pale(facts, channels) else R1[channels]
    why_r1 = "small, as pale images ask for steep slopes" if _pale(facts, channels) else ""
    return [
        Choice(f"{generator}.name", "dcgan"),
        Choice(f"{generator}.width", width, why_width),
        Choice(f"{generator}.kernel", 4, "strides of 2 divide it, so that it draws no grid"),
        Choice(f"{generator}.even_start", True, "nor begins with one, which pale images take long to lose"),
        Choice(f"{generator}.latent.size", latent, why_latent),
        *([Choice(f"{generator}.condition", "embedding", "draws the class that is asked for")] * conditional),
        Choice(f"{discriminator}.name", "dcgan"),
        Choice(f"{discriminator}.width", width),
        Choice(f"{discriminator}.kernel", 4),
        Choice(f"{discriminator}.norm", "none", "the gradient penalty keeps it smooth"),
        Choice(f"{discriminator}.smallest_map", 4, "it sees the whole image"),
        Choice(f"{discriminator}.batch_statistics", "stddev", "it sees how much a batch varies, against collapse"),
        *([Choice(f"{discriminator}.condition", "projection")] * conditional),
        Choice(f"{objective}.penalties.r1.weight", r1, why_r1),
        Choice(f"{objective}.penalties.r1.every_steps", 4, "costs a quarter so, and does as much"),
        Choice(f"{objective}.augment", augment, why_augment),
    ]


R1 = {1: 0.1, 3: 0.01}
"""Channels -> weight of the gradient penalty."""
PALE_R1 = 0.001
"""The weight for images in colour of less than CONTRAST."""

RATES = {1: (1e-3, 2e-3), 3: (5e-4, 1e-3)}
"""Channels -> learning rates of both players.

Those of colour go with R1 of 0.01. Noto emoji, 32 pixels, one training each, judged by the same held-out images:
coverage was 0.113 after 4,600 steps, and 0.095 after 4,200 with R1 of 0.1 and rates of 2e-4 and 4e-4: perhaps chance.
"""


def _pale(facts: Facts, channels: int) -> bool:
    """True for images in colour of little contrast; grey ones were not tried."""
    return channels == 3 and facts.contrast < CONTRAST


def _training(facts: Facts, counts: Counts, channels: int) -> list[Choice]:
    batch, why = 64, ""
    rates = RATES[channels]
    while batch > 8 and 4 * batch > counts.of("train"):
        batch, why = batch // 2, f"small, as there are {counts.of('train'):,} training images"
    keep = []
    if not counts.of("choose"):
        keep = [Choice("training.keep", "last", "there is no split to choose the best weights by")]
    return [
        Choice("training.steps", 1),
        Choice("training.batch_size", batch, why),
        Choice("training.generator_optimizer.learning_rate", rates[0]),
        Choice("training.generator_optimizer.schedule", "cosine", "falls to 0 at the last step"),
        Choice("training.discriminator_optimizer.learning_rate", rates[1]),
        Choice("training.discriminator_optimizer.schedule", "cosine"),
        *keep,
    ]


def _evaluation(facts: Facts, counts: Counts, data: Images) -> list[Choice]:
    """How the model is judged, as far as the counts allow."""
    fields: dict[str, Any] = {}
    choices = []
    own = bool(facts.classes)
    if facts.read and facts.read[0] < facts.read[1] + 3 * facts.read[2]:
        own = False
        fields["extractor"] = catalog.UNLABELLED
        reason = (
            f"a linear look at the pixels reads {facts.read[0]:.2f} of the classes right, and guessing "
            f"{facts.read[1]:.2f}: a network that has seen other images judges better than one that learns these"
        )
        choices.append(Choice("evaluation.extractor", catalog.UNLABELLED, reason))
    elif own and counts.of("train") >= AUGMENTED_BELOW:
        fields["extractor_steps"] = 1_500
        choices.append(Choice("evaluation.extractor_steps", 1_500, "of the classifier whose features judge"))
    fields["samples"] = 20_000 if own or counts.of("eval") > 1_000 else 10_000
    choices.append(Choice("evaluation.samples", fields["samples"], "drawn to judge by"))
    return choices + thresholds(bounds.carried(bounds.wishes(facts, own=own), data, fields, counts))


def thresholds(carried: list[Carried]) -> list[Choice]:
    """What is required of each metric; without a value where the counts cannot carry it."""
    return [
        Choice(
            f"evaluation.thresholds.{each.metric}",
            each.threshold and each.threshold.model_dump(exclude_none=True),
            each.reason,
        )
        for each in carried
    ]
