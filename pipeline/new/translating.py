"""What fits a user's pairs: each setting of a translator with the reason for it."""

import math

import numpy as np

from models.config import Pairs
from models.metrics.restoration import psnr
from pipeline.new import bounds, choosing, counting
from pipeline.new.bounds import Wish
from pipeline.new.choosing import Choice, Chosen
from pipeline.new.facts import Facts
from pipeline.new.looking import Look
from pipeline.new.pairing import Pairing
from pipeline.new.pixels import Pixels

SIZES = (32, 64, 128, 256)
"""Resolutions that a U-Net halves to one place."""
PATCHES = {32: (1, 16), 64: (2, 34), 128: (3, 70), 256: (3, 70)}
"""Resolution -> halvings of the discriminator and the patch that it judges: about half a side, and the paper's 70."""
COMPARED = 1_000
"""Images by which it is found how near another one is."""
CLOSER = 1.0
"""How many dB nearer to the truth an output has to be than another real image is."""


def fitting(facts: Facts, look: Look) -> list[int]:
    """The resolutions that the images have, the largest last."""
    fits = [size for size in SIZES if size <= facts.side]
    if not fits:
        raise ValueError(
            f"pairs have at least {SIZES[0]} pixels a side; most images of {look.source} have {facts.side}: give "
            "larger ones, or add --task generate"
        )
    return fits


def choose(look: Look, paired: Pairing, *, name: str, resolution: int, why_resolution: str) -> Chosen:
    """All settings but the number of steps, which stands at 1: pix2pix, as its paper has it for small images.

    Args:
        look: the images.
        paired: which of them are partners.
        name: of the experiment.
        resolution: a power of two from 32 to 256.
        why_resolution: the reason for it.

    Raises:
        ValueError: the resolution is another. One line.
    """
    if resolution not in SIZES:
        raise ValueError(
            f"a translator of pairs has {', '.join(map(str, SIZES[:-1]))} or {SIZES[-1]} pixels a side; received "
            f"{resolution}"
        )
    data = _data(look, paired, Choice("data.resolution", resolution, why_resolution))
    fields = {choice.path.removeprefix("data."): choice.value for choice in data if choice.value is not None}
    drawn = [look.seen[number] for _, number in paired.partners]
    of_pairs = [each._replace(head=each.head._replace(label=None)) for each in drawn]
    counts = counting.split(of_pairs, Pairs(**fields))
    made_of = f"{len(paired.partners):,} pairs of {look.source}, {' to '.join(paired.folders)}"
    _, targets = paired.known(look)
    choices = [
        Choice("name", name),
        Choice("description", f"{made_of}, chosen by `ganworks new`"),
        *data,
        *_scheme(resolution),
        *_training(counts.of("choose")),
        *choosing.thresholds(bounds.carried(wishes(targets), Pairs(**fields), {}, counts, task="translate")),
    ]
    return Chosen(choices, counts)


def wishes(targets: Pixels) -> list[Wish]:
    """What would be good to require of a translator.

    Args:
        targets: [n, height, width, channels] uint8, what is to be drawn; n of at least 2.
    """
    shown = targets[:COMPARED]
    others = psnr(shown, np.roll(shown, 1, axis=0)).value
    reason = f"nearer to the truth than another real image of its kind is, which has {others:.1f} dB"
    return [
        Wish("psnr", {"at_least": math.floor(10 * (others + CLOSER)) / 10}, reason),
        Wish("sharpness", {"at_least": 0.4}, "blurred pictures have less; real ones have 1"),
        Wish("spread", {"at_least": 0.4}, "one picture for all inputs would have 0; real ones have 1"),
    ]


def _data(look: Look, paired: Pairing, resolution: Choice) -> list[Choice]:
    """Where the pairs are, and how they are divided."""
    taken, drawn = paired.folders
    why = f"{len(paired.partners):,} images of one name and size in both, with edges in the same places"
    channels = {
        folder: 1 if all(shown.grey for shown in look.sample if shown.number in numbers) else 3
        for folder, numbers in zip(paired.folders, map(set, zip(*paired.partners, strict=True)), strict=True)
    }
    return [
        Choice("data.name", "pairs", why),
        Choice("data.source", look.source),
        Choice("data.folders", [taken, drawn], f"{drawn} is drawn from {taken}; data.direction: BtoA turns them round"),
        resolution,
        Choice("data.channels", channels[drawn], f"of {drawn}"),
        *([Choice("data.input_channels", channels[taken], f"of {taken}")] * (channels[taken] != channels[drawn])),
        Choice("data.flip", None, "data.flip: true mirrors half of what is trained on, where sides do not matter"),
        *choosing.shares(len({look.seen[number].head.key for _, number in paired.partners}), look),
        *choosing.bad(look),
    ]


def _scheme(resolution: int) -> list[Choice]:
    levels, (layers, patch) = resolution.bit_length() - 1, PATCHES[resolution]
    return [
        Choice("scheme.name", "pix2pix", "near the truth, and like it to a discriminator that sees the input, too"),
        Choice("scheme.generator.name", "unet"),
        Choice("scheme.generator.width", 24 if resolution < 128 else 32, "enough for an hour"),
        Choice("scheme.generator.levels", levels, "halves the image to one place"),
        Choice("scheme.generator.norm", "instance", "a picture is normalised by itself, in training and when served"),
        Choice("scheme.discriminator.name", "patchgan"),
        Choice("scheme.discriminator.width", 32),
        Choice("scheme.discriminator.layers", layers, f"it judges patches of {patch} pixels"),
        Choice("scheme.discriminator.norm", "instance"),
        Choice("scheme.discriminator.pairs", True),
    ]


def _training(choose: int) -> list[Choice]:
    last = "there is no split to choose the best weights by"
    return [
        Choice("training.steps", 1),
        Choice("training.batch_size", 4, "small batches, as the paper has them"),
        Choice("training.generator_optimizer.schedule", "linear", "falls to 0 at the last step"),
        Choice("training.discriminator_optimizer.schedule", "linear"),
        Choice("training.ema_half_life_images", 2_000),
        *([] if choose else [Choice("training.keep", "last", last)]),
    ]
