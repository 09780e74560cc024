"""Images of a user, looks at images that there are not, and what is planned for them."""

import numpy as np
from PIL import Image

from components.example_gen.sources.source import SPLITS, Head
from pipeline.new import facts, planning, timing
from pipeline.new.looking import Look, Seen, Shown
from tests.components.images import noise

SLOW, FAST = 2.0, 10_000.0
"""Steps a second of 32 pixels, of machines that the tests make up."""


def blob(seed, size=(32, 32), grey=False):
    """A smooth picture, unlike those of other seeds."""
    image = Image.fromarray(noise(seed, 4, 4, 3)).resize(size, Image.Resampling.BICUBIC)
    return image.convert("L").convert("RGB") if grey else image


def write(folder, images, ending="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        image.save(folder / f"{number}.{ending}")
    return folder


def machine(speed):
    """Measures nothing: a machine that takes so many steps a second at 32 pixels."""

    def measure(experiment):
        rate = speed * planning._work(32) / planning._work(experiment.data.resolution)
        return timing.Rate(experiment.data.resolution, rate, 96, 10.0, 0.0, rate)

    return measure


def made_up(count, *, side=64, classes=0, sample=200, grey=False, sides=SPLITS):
    """A look at so many images of which there are no files."""
    random = np.random.default_rng(0)
    keys = [random.bytes(32) for _ in range(count)]
    labels = [number % classes if classes else None for number in range(count)]
    seen = [
        Seen(f"/somewhere/{number}.png", Head(3, key, label), sides, side, side, "PNG RGB")
        for number, (key, label) in enumerate(zip(keys, labels, strict=True))
    ]
    shown = []
    for number in range(min(sample, count)):
        small = random.integers(0, 80, (64, 64, 3), np.uint8)
        small[..., 0] += np.uint8(40 * ((labels[number] or 0) % 4))
        shown.append(Shown(number, small, grey, False))
    names = [f"class {number}" for number in range(classes)]
    return Look("folder:/somewhere", True, names, "", seen, shown, 0, [], {}, [])


def planned(look, speed=FAST, **options):
    return planning.plan(look, facts.find(look), machine(speed), **{"name": "mine", "minutes": 60} | options)


def chosen(look, speed=FAST):
    return planned(look, speed).chosen
