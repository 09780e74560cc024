"""`ganworks new`: what is seen of a user's images, what is chosen for them, and the files that are written."""

import io
import json
import re
import struct
import sys
import zipfile

import numpy as np
import pytest
import yaml
from PIL import Image, ImageOps
from typer.testing import CliRunner

from components import preflight
from components.example_gen.images import read_picture
from components.example_gen.ingest import ingest
from components.example_gen.sources.source import SPLITS, TRAINED, Head
from models.config import Experiment, Images
from models.config.networks.base import scales
from pipeline.cli import app, main
from pipeline.commands.new import name_of
from pipeline.experiments.files import load
from pipeline.new import (
    bounds,
    choosing,
    counting,
    facts,
    looking,
    page,
    pairing,
    pixels,
    planning,
    telling,
    timing,
    translating,
    writing,
)
from pipeline.new.looking import Look, Seen, Shown
from tests.browser import CHROMIUM, browser
from tests.components.images import make_pipeline, noise

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


class TestLook:
    def test_kinds_sizes_and_grey_in_truth(self, tmp_path):
        """If this fails, a folder of files of all kinds is not seen for what it is."""
        write(tmp_path / "a", [blob(n, grey=True) for n in range(20)])
        for number, mode in enumerate(("L", "P", "RGBA", "1")):
            blob(50 + number, (40, 30), grey=True).convert(mode).save(tmp_path / "a" / f"mode-{mode}.png")
        blob(60, (48, 48), grey=True).save(tmp_path / "a" / "photo.webp")
        (tmp_path / "a" / "Thumbs.db").write_bytes(b"x")
        look = looking.look(f"folder:{tmp_path}")
        assert len(look.seen) == len(look.sample) == 25
        assert {each.kind for each in look.seen} == {"PNG RGB", "PNG L", "PNG P", "PNG RGBA", "PNG 1", "WEBP RGB"}
        assert sorted({(each.side, each.longer) for each in look.seen}) == [(30, 40), (32, 32), (48, 48)]
        assert all(each.grey for each in look.sample)
        assert look.notes["passed_over"].files == 1

    def test_what_cannot_be_used_is_named(self, tmp_path):
        write(tmp_path, [blob(n) for n in range(9)])
        (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:60])
        (tmp_path / "text.jpg").write_text("no image")
        look = looking.look(f"folder:{tmp_path}")
        assert (look.bad, len(look.seen)) == (2, 9)
        assert [fault.name.rpartition("/")[2] for fault in look.faults] == ["broken.png", "text.jpg"]

    def test_copies_and_near_duplicates(self, tmp_path):
        write(tmp_path, [blob(n, (64, 64)) for n in range(12)])
        (tmp_path / "copy.png").write_bytes((tmp_path / "3.png").read_bytes())
        blob(5, (64, 64)).save(tmp_path / "again.jpg", quality=90)
        look = looking.look(f"folder:{tmp_path}")
        groups = [sorted(looking.names(look, group)) for group in (*look.copies, *look.pairs)]
        assert groups == [["3.png", "copy.png"], ["5.png", "again.jpg"]]

    @pytest.mark.parametrize("kind", ["zip", "digits", "idx"])
    def test_other_sources(self, tmp_path, kind):
        if kind == "zip":
            write(tmp_path / "x", [blob(n) for n in range(8)])
            with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
                for file in sorted((tmp_path / "x").iterdir()):
                    archive.write(file, f"{'ab'[int(file.stem) % 2]}/{file.name}")
            look = looking.look(looking.source_of(str(tmp_path / "x.zip")))
            assert (len(look.seen), look.classes, look.seen[0].side) == (8, ["a", "b"], 32)
        elif kind == "idx":
            images = noise(0, 30, 20, 20)
            (tmp_path / "train-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, 30, 20, 20) + images.tobytes())
            look = looking.look(looking.source_of(str(tmp_path)))
            assert (len(look.seen), look.classes, {each.side for each in look.seen}) == (30, [], {20})
        else:
            look = looking.look(looking.source_of("digits"))
            assert (len(look.seen), len(look.classes), look.files) == (1797, 10, False)

    def test_only_a_sample_of_many_is_decoded(self, tmp_path, monkeypatch):
        """If this fails, a look at very many images takes as long as ingestion."""
        monkeypatch.setattr(looking, "SAMPLE", 10)
        write(tmp_path, [blob(n) for n in range(60)])
        look = looking.look(f"folder:{tmp_path}")
        assert len(look.seen) == 60
        assert 2 <= len(look.sample) <= 10
        assert [each.number for each in look.sample] == [each.number for each in looking.look(look.source).sample]

    def test_progress_reaches_the_number_of_images(self, tmp_path):
        write(tmp_path, [blob(n) for n in range(7)])
        told = []
        looking.look(f"folder:{tmp_path}", lambda done, total: told.append((done, total)))
        assert told[-1] == (7, 7)


class TestPairs:
    """If these fail, pairs are learnt as two classes without a word, or classes are called pairs."""

    def write_both(self, folder, other, names=("A", "B"), within=""):
        write(folder / within / names[0], [blob(n, (40, 40)) for n in range(30)])
        write(folder / within / names[1], [other(n) for n in range(30)], "jpg")
        return looking.look(f"folder:{folder}")

    @pytest.mark.parametrize("within", ["", "train"])
    def test_other_colours_in_the_same_places(self, tmp_path, within):
        look = self.write_both(tmp_path, lambda n: ImageOps.invert(blob(n, (40, 40), grey=True)), within=within)
        paired = pairing.find(look)
        assert paired.folders == ("A", "B")
        names = [tuple(looking.names(look, pair)) for pair in paired.partners]
        assert len(names) == 30
        assert all(within in a and a.endswith(f"A/{b.rpartition('/')[2][:-4]}.png") for a, b in names)

    def test_an_experiment_translates_them(self, tmp_path):
        """If this fails, `ganworks new` writes a translator that does not parse, or that learns the wrong way round."""
        look = self.write_both(tmp_path, lambda n: ImageOps.invert(blob(n, (40, 40))).convert("L"), ("photo", "map"))
        paired = pairing.find(look)
        plan = planned(look, paired=paired)
        read = Experiment.parse(yaml.safe_load(writing.to_yaml(plan.chosen.choices, [])))
        assert read == plan.experiment
        data = read.data
        assert (read.scheme.task, data.name, data.folders) == ("translate", "pairs", ("map", "photo"))
        assert (data.resolution, data.channels, data.input_channels) == (32, 3, 1)
        assert sum(plan.chosen.counts.by_split.values()) == 30
        lines = list(telling.next_lines(paired, plan, tmp_path / "my.yaml", tmp_path / "my.html"))
        assert "the experiment draws photo from map; to draw new images of both instead: --task generate" in lines
        lines = list(telling.next_lines(paired, planned(look), tmp_path / "my.yaml", tmp_path / "my.html"))
        assert "to draw photo from map instead: --task translate" in lines

    def test_an_output_has_to_be_nearer_than_another_real_image(self):
        """If this fails, a translator is blessed whose outputs have nothing to do with what it was given."""
        random = np.random.default_rng(0)
        flat = np.repeat(random.integers(0, 256, 400), 64 * 64 * 3).reshape(400, 64, 64, 3).astype(np.uint8)
        psnr = next(wish for wish in translating.wishes(flat) if wish.metric == "psnr").bounds["at_least"]
        one, two = random.integers(0, 256, (2, 100_000))
        apart = 10 * np.log10(255**2 / ((one - two) ** 2).clip(0.25))
        assert psnr == pytest.approx(apart.mean() + 1, abs=0.6)

    def test_translate_without_pairs_is_refused(self, tmp_path, monkeypatch):
        write(tmp_path / "images", [blob(n) for n in range(50)])
        output = tmp_path / "my.yaml"
        arguments = ["new", str(tmp_path / "images"), "--output", str(output), "--task", "translate"]
        monkeypatch.setattr(sys, "argv", ["ganworks", *arguments])
        with pytest.raises(SystemExit, match=r"^error: translate needs pairs: two folders .* has none$"):
            main()
        assert not output.exists()

    @pytest.mark.parametrize("side", [24, 31])
    def test_pairs_of_too_few_pixels_are_refused(self, tmp_path, side):
        write(tmp_path / "A", [blob(n, (side, side)) for n in range(30)])
        write(tmp_path / "B", [ImageOps.invert(blob(n, (side, side))) for n in range(30)])
        look = looking.look(f"folder:{tmp_path}")
        with pytest.raises(ValueError, match=rf"^pairs have at least 32 pixels a side; most images .* have {side}"):
            planned(look, paired=pairing.find(look))

    def test_two_classes_with_the_same_names_are_none(self, tmp_path):
        assert pairing.find(self.write_both(tmp_path, lambda n: blob(100 + n, (40, 40)))) is None

    def test_other_sizes_or_names_are_none(self, tmp_path):
        assert pairing.find(self.write_both(tmp_path / "sizes", lambda n: blob(n, (48, 40)))) is None
        look = self.write_both(tmp_path / "names", lambda n: blob(n, (40, 40)))
        (tmp_path / "names" / "B" / "7.jpg").rename(tmp_path / "names" / "B" / "x.jpg")
        assert pairing.find(look) is not None
        assert pairing.find(looking.look(look.source)) is None


class TestSourceOf:
    def test_a_place_alone(self, tmp_path):
        (tmp_path / "photos").mkdir()
        for name in ("a.zip", "b.tar.gz", "c.tgz", "d.tar"):
            (tmp_path / name).write_bytes(b"")
        found = [looking.source_of(str(path)).partition(":")[0] for path in sorted(tmp_path.iterdir())]
        assert found == ["zip", "tar", "tar", "tar", "folder"]
        assert looking.source_of("tfds:mnist") == "tfds:mnist"

    @pytest.mark.parametrize("given", ["mixture:ring", "stacked:digits", "nowhere", "folder"])
    def test_what_has_no_images(self, given, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match="new looks at"):
            looking.source_of(given)


class TestBadInput:
    """Each is one line; nothing is written."""

    @pytest.fixture
    def refused(self, tmp_path, monkeypatch, capsys):
        def run(*arguments):
            monkeypatch.setattr(sys, "argv", ["ganworks", "new", *map(str, arguments)])
            with pytest.raises(SystemExit) as left:
                main()
            assert isinstance(left.value.code, str)
            assert "\n" not in left.value.code
            assert not list(tmp_path.glob("my.*"))
            return left.value.code

        return run

    def test_folders_without_images(self, refused, tmp_path):
        (tmp_path / "empty").mkdir()
        write(tmp_path / "few", [blob(n) for n in range(9)])
        write(tmp_path / "black", [Image.new("RGB", (32, 32))] * 50)
        write(tmp_path / "bad", [])
        (tmp_path / "bad" / "x.png").write_text("no image")
        write(tmp_path / "icons", [blob(n, (5, 5)) for n in range(50)])
        output = ("--output", tmp_path / "my.yaml")
        assert "needs at least one image" in refused(tmp_path / "empty", *output)
        assert "needs at least 40 different images" in refused(tmp_path / "few", *output)
        assert "all 50 are identical" in refused(tmp_path / "black", *output)
        assert re.search(r"of 1 none can: .*x\.png is no image", refused(tmp_path / "bad", *output))
        assert "have at least 8 pixels a side" in refused(tmp_path / "icons", *output)
        assert "there is none at" in refused(tmp_path / "nowhere", *output)

    def test_places_are_tried_first(self, tmp_path, monkeypatch):
        """If this fails, a user waits for a long look that ends in nothing, or loses a file."""
        monkeypatch.setattr(looking, "source_of", lambda given: pytest.fail("it looked"))
        (tmp_path / "there.yaml").write_text("mine")
        (tmp_path / "page.html").write_text("mine")
        (tmp_path / "file").write_text("")
        for name, message in {
            "there.yaml": "is there already",
            "page.yaml": "page.html is there already",
            "x.json": "--output ends in .yaml",
            "file/x.yaml": "cannot be written",
        }.items():
            result = CliRunner().invoke(app, ["new", str(tmp_path), "--output", str(tmp_path / name)])
            assert message in str(result.exception), name
        assert (tmp_path / "there.yaml").read_text() == (tmp_path / "page.html").read_text() == "mine"


class TestCounts:
    @pytest.mark.parametrize("split_by", ["content", "near_duplicates"])
    def test_are_those_of_ingestion(self, tmp_path, split_by):
        """If this fails, thresholds are chosen for other numbers of images than a run has."""
        for label, name in enumerate("ab"):
            pictures = [blob(100 * label + n, (64, 64)) for n in range(30)]
            write(tmp_path / "in" / name, [*pictures, *(each.convert("RGBA") for each in pictures[:5])])
            for number in range(4):
                pictures[number].save(tmp_path / "in" / name / f"again{number}.jpg", quality=90)
        data = Images(source=f"folder:{tmp_path / 'in'}", classes=2, channels=3, eval_share=0.3, split_by=split_by)
        counts = counting.split(looking.look(data.source).seen, data)
        report = ingest(data, str(tmp_path), make_pipeline)
        assert counts.by_split == report.counts
        assert counts.by_class == report.by_class


class TestResolution:
    @pytest.mark.parametrize("speed", [SLOW, 12.0, FAST])
    @pytest.mark.parametrize("side", [9, 28, 31, 40, 45, 64, 300])
    def test_is_one_that_images_have_and_networks_can_do(self, side, speed):
        resolution = planned(made_up(2_000, side=side), speed).experiment.data.resolution
        base, doublings = scales(resolution)
        assert resolution <= min(side, 128)
        assert base <= 7
        assert doublings

    @pytest.mark.parametrize(("speed", "resolution"), [(SLOW, 32), (8.0, 48), (20.0, 64), (40.0, 96), (FAST, 128)])
    def test_grows_with_the_machine(self, speed, resolution):
        assert planned(made_up(2_000, side=300), speed).experiment.data.resolution == resolution

    def test_stays_small_for_few_images(self):
        assert planned(made_up(300, side=300)).experiment.data.resolution == 64

    def test_is_as_asked(self):
        assert planned(made_up(300), SLOW, resolution=48).experiment.data.resolution == 48
        with pytest.raises(ValueError, match="next to it are 28 or 32"):
            planned(made_up(300), resolution=30)

    def test_a_few_smaller_images_do_not_decide(self):
        look = made_up(1_000, side=64)
        look.seen[3] = look.seen[3]._replace(side=20)
        plan = planned(look)
        assert plan.experiment.data.resolution == 64
        assert "1 have less and are enlarged" in next(c.reason for c in plan.chosen.choices if "resolution" in c.path)


class TestSteps:
    def test_fill_the_time(self):
        """If this fails, `run` takes much less or much more than what was asked for."""
        plan = planned(made_up(1_000), SLOW, minutes=60)
        assert 30 * 60 < plan.experiment.training.steps / SLOW < 60 * 60
        assert planned(made_up(1_000), SLOW, minutes=10).experiment.training.steps < plan.experiment.training.steps / 4

    def test_measured_on_a_real_training(self):
        """If this fails, no step was taken, or the steps of another experiment."""
        look = made_up(200, classes=2)
        small = ["scheme.generator.width=4", "scheme.discriminator.width=4", "training.batch_size=8"]
        experiment = choosing.choose(look, facts.find(look), name="x", resolution=8, why_resolution="").experiment()
        rate = timing.measure(experiment.override(small), look)
        assert rate.resolution == 8
        assert rate.steps >= timing.STEPS_A_CALL
        assert 0 < rate.steps_per_second <= rate.at_most

    def test_a_busy_machine_is_told(self):
        def measure(experiment):
            return machine(SLOW)(experiment)._replace(load=3.0, at_most=9.0)

        look = made_up(300)
        plan = planning.plan(look, facts.find(look), measure, name="x", minutes=60)
        assert "3.0 other processes a core" in writing.to_yaml(plan.chosen.choices, []).replace("\n  # ", " ")


class TestAugmentation:
    @pytest.mark.parametrize(
        ("most", "expected"), [(256, (["color", "translation", "cutout"], 0.01)), (60, (None, 0.001))]
    )
    def test_colours_of_little_contrast_stay(self, most, expected):
        """If this fails, pale pictures are not learnt: augmentation changes them by more than they differ."""
        random = np.random.default_rng(0)
        look = made_up(300)
        sample = [each._replace(small=random.integers(0, most, (64, 64, 3), np.uint8)) for each in look.sample]
        found = chosen(look._replace(sample=sample))
        paths = ("scheme.objective.augment", "scheme.objective.penalties.r1.weight")
        assert tuple(map(found.value, paths)) == expected

    def test_many_images_are_not_changed(self):
        assert chosen(made_up(20_000)).value("scheme.objective.augment") is None


class TestChannels:
    @pytest.mark.parametrize(("coloured", "channels"), [(0, 1), (60, 1), (140, 3), (200, 3)])
    def test_follow_the_pixels(self, coloured, channels):
        """If this fails, grey pictures in colour files are drawn in colour, or colour is lost."""
        look = made_up(300)
        sample = [each._replace(grey=number >= coloured) for number, each in enumerate(look.sample)]
        assert chosen(look._replace(sample=sample)).value("data.channels") == channels

    def test_noise_of_jpeg_is_no_colour(self):
        buffer = io.BytesIO()
        Image.fromarray(np.repeat(noise(0, 64, 64, 1), 3, axis=-1)).save(buffer, "JPEG", quality=60)
        assert pixels.is_grey(pixels.small(buffer.getvalue()))
        buffer = io.BytesIO()
        blob(1).save(buffer, "PNG")
        assert not pixels.is_grey(pixels.small(buffer.getvalue()))

    def test_16_bits_are_scaled(self):
        buffer = io.BytesIO()
        Image.fromarray(np.full((32, 32), 0x8000, np.uint16)).save(buffer, "PNG")
        assert (pixels.small(read_picture(buffer.getvalue(), None, pixel_limit=10**6).encoded) == 128).all()


class TestClasses:
    def why(self, look):
        choices = chosen(look).choices
        return next((c.value, c.reason) for c in choices if c.path == "data.classes")

    def test_are_used_and_named(self):
        value, reason = self.why(made_up(300, classes=3))
        assert value == 3
        assert "0 class 0, 1 class 1, 2 class 2; of each 100 images" in reason

    def test_are_left_out_where_they_cannot_be_learnt(self):
        """If this fails, the run is refused, or classes of a few images each are drawn."""
        one = made_up(100, classes=1)
        assert self.why(one) == (0, "without classes: there is one class alone, class 0, and nothing to tell apart")
        assert "below 20 nothing can learn" in self.why(made_up(300, classes=50))[1]
        lonely = made_up(300, classes=2)
        seen = [
            each._replace(head=each.head._replace(label=int(number == 7))) for number, each in enumerate(lonely.seen)
        ]
        assert "needs two different images or more, and class 1 has not" in self.why(lonely._replace(seen=seen))[1]

    def test_images_beside_their_folders(self, tmp_path):
        """If this fails, the run ends with the error that some images have no label."""
        for name in "ab":
            write(tmp_path / name, [blob(ord(name) * 100 + n) for n in range(30)])
        write(tmp_path, [blob(n) for n in range(10)])
        value, reason = self.why(looking.look(f"folder:{tmp_path}"))
        assert value == 0
        assert "10 have none" in reason

    def test_of_splits_of_the_source(self):
        """If this fails, a class that only the training folder has makes the run fail."""
        look = made_up(300, classes=2)
        seen = [each._replace(sides=TRAINED if n < 250 or n % 2 else ("eval",)) for n, each in enumerate(look.seen)]
        value, reason = self.why(look._replace(seen=seen))
        assert value == 0
        assert "class 1 has not" in reason

    def test_that_nothing_tells_apart_are_judged_by_another_network(self):
        look = made_up(400, classes=2)
        apart = chosen(look)
        assert apart.value("evaluation.extractor") is None
        assert 0.6 < apart.value("evaluation.thresholds.conditional_accuracy")["at_least"] < 0.9
        random = np.random.default_rng(1)
        sample = [each._replace(small=random.integers(0, 80, (64, 64, 3), np.uint8)) for each in look.sample]
        alike = chosen(look._replace(sample=sample))
        assert alike.value("evaluation.extractor") == "efficientnet_lite0"
        assert alike.value("evaluation.thresholds.conditional_accuracy") is None


class TestSplit:
    def test_near_duplicates_stay_together(self):
        look = made_up(300)._replace(pairs=[[1, 2], [5, 6, 7]])
        assert chosen(look).value("data.split_by") == "near_duplicates"
        assert chosen(made_up(300)).value("data.split_by") is None

    def test_a_chain_of_most_images_is_told(self):
        """If this fails, one side of the split has almost all images, or the run says that it has none."""
        choices = chosen(made_up(300)._replace(pairs=[list(range(150))])).choices
        (found,) = (choice for choice in choices if choice.path == "data.split_by")
        assert found.value == "content"
        assert "flatters every score" in found.reason

    def test_bad_images_are_tolerated_and_counted(self):
        found = chosen(made_up(300)._replace(bad=6)).choices
        tolerance = next(choice for choice in found if choice.path == "data.bad_image_tolerance")
        assert tolerance.value >= 6 / 306
        assert "6 files cannot be used" in tolerance.reason


class TestBounds:
    @pytest.mark.parametrize("count", [40, 60, 300, 700, 3_000, 100_000])
    @pytest.mark.parametrize("classes", [0, 2])
    @pytest.mark.parametrize("grey", [False, True])
    def test_are_those_that_the_counts_carry(self, count, classes, grey):
        """If this fails, the experiment is refused after ingestion, when its counts are held against its bounds."""
        look = made_up(count, classes=classes, grey=grey)
        plan = planned(look)
        experiment, counts = plan.experiment, plan.chosen.counts
        preflight.check_classes(experiment.data, counts.by_class if experiment.data.classes else {}, look.classes)
        preflight.check_counts(
            experiment.data,
            experiment.evaluation,
            experiment.training.batch_size,
            [counts.by_split],
            counts.by_class if experiment.data.classes else {},
            experiment.scheme.task,
        )
        required = set(experiment.evaluation.thresholds)
        wished = {wish.metric for wish in bounds.wishes(facts.find(look), own=experiment.evaluation.extractor == "cnn")}
        assert required <= wished
        assert ("coverage" in required) == (count >= 700)
        assert required == wished or count < 700
        left_out = [choice for choice in plan.chosen.choices if choice.value is None and "thresholds" in choice.path]
        assert {choice.path.rpartition(".")[2] for choice in left_out} == wished - required
        assert all("nothing is required of" in choice.reason for choice in left_out)

    def test_one_that_few_images_blunt_says_so(self):
        (coverage,) = (c for c in chosen(made_up(450, classes=2)).choices if c.path == "evaluation.thresholds.coverage")
        assert coverage.value["resolves"] > 0.1
        assert f"it notices a shortfall of {coverage.value['resolves']:g}" in coverage.reason


class TestYaml:
    def test_is_read_as_what_was_chosen(self, tmp_path):
        plan = planned(made_up(2_000, classes=4))
        path = tmp_path / "mine.yaml"
        path.write_text(writing.to_yaml(plan.chosen.choices, ["head"]))
        assert load(path) == plan.experiment
        shown = CliRunner().invoke(app, ["show", str(path)])
        assert Experiment.from_json(shown.output) == plan.experiment
        assert max(map(len, path.read_text().splitlines())) <= 120

    def test_every_choice_has_its_reason_above_it(self):
        plan = planned(made_up(300))
        text = writing.to_yaml(plan.chosen.choices, [])
        flat = re.sub(r"\s+(# )?", " ", text)
        for choice in plan.chosen.choices:
            assert re.sub(r"\s+", " ", choice.reason) in flat, choice.path

    def test_names_of_files_and_classes_stay_in_comments_and_quotes(self, tmp_path):
        """If this fails, a folder's name can set a field of the experiment."""
        folder = tmp_path / "a: b\n# c"
        for name in ("x\nname: evil", "y\r\u2028#", "ü: {"):
            write(folder / name, [blob(hash(name) % 1000 + n) for n in range(30)])
        look = looking.look(f"folder:{folder}")
        plan = planned(look)
        path = tmp_path / "mine.yaml"
        path.write_text(writing.to_yaml(plan.chosen.choices, telling.head(look, "p.html", "new 'a\nname: evil'")))
        assert load(path) == plan.experiment
        assert plan.experiment.data.source == f"folder:{folder}"
        assert plan.experiment.data.classes == 3

    @pytest.mark.parametrize(
        ("stem", "name"), [("My Cats", "my-cats"), ("2024_x", "my-2024-x"), ("ü", "my"), ("a--b", "a-b")]
    )
    def test_name_of_the_experiment(self, tmp_path, stem, name):
        assert name_of(tmp_path / f"{stem}.yaml") == name


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """The look at a folder with all that is doubtful, and its page."""
    folder = tmp_path_factory.mktemp("odd")
    for name in ("<script>alert(1)", "b"):
        write(folder / name, [blob(len(name) * 100 + n, (64, 64)) for n in range(30)])
    (folder / "b" / "<img src=x>.png").write_text("no image")
    (folder / "b" / "copy.png").write_bytes((folder / "b" / "3.png").read_bytes())
    blob(105, (64, 64)).save(folder / "b" / "again&amp;.jpg", quality=90)
    Image.new("RGB", (64, 64), "white").save(folder / "b" / "flat.png")
    blob(999, (300, 20)).save(folder / "b" / f"{'long' * 40}.png")
    look = looking.look(f"folder:{folder}")
    return look, page.render(look, facts.find(look), planned(look))


class TestPage:
    def test_shows_all_and_needs_nothing_else(self, odd):
        """If this fails, the page leaves out what was seen, or asks the network."""
        html = odd[1]
        for text in (
            "2 classes",
            "cannot be used",
            "of nearly one colour",
            "lose more than a third",
            "300 x 20 pixels",
        ):
            assert text in html, text
        assert "b/3.png = b/copy.png" in html or "b/copy.png = b/3.png" in html
        assert "b/5.png = b/again&amp;amp;.jpg" in html or "b/again&amp;amp;.jpg = b/5.png" in html
        assert "<script" not in html
        assert "<img src=x>" not in html
        assert set(re.findall(r'(?:src|href)="([^",]*)', html)) == {"data:", "data:image/png;base64"}
        assert "://" not in html

    def test_without_classes_and_duplicates(self):
        look = made_up(300)
        html = page.render(look, facts.find(look), planned(look))
        assert "to another" not in html
        assert "classes</h2>" not in html

    @pytest.mark.e2e
    @pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
    def test_in_a_real_browser(self, odd, tmp_path):
        """If this fails, a phone has to scroll sideways, or a picture does not show."""
        file = tmp_path / "odd.html"
        file.write_text(odd[1])
        with browser(tmp_path / "profile") as tab:
            for width in (390, 1280):
                tab.requests.clear()
                tab.open(file.as_uri(), width)
                tab.until("document.readyState === 'complete' && document.images.length > 4")
                assert not tab.complaints
                assert {url for url in tab.requests if not url.startswith("data:")} == {file.as_uri()}
                assert tab.run("[...document.images].filter((each) => !each.naturalWidth).length") == 0
                assert not tab.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"), width


@pytest.mark.slow
class TestCommand:
    def test_writes_both_files_and_says_what_to_type_next(self, tmp_path, monkeypatch, capfd):
        """The whole command on real images, with steps that are taken."""
        monkeypatch.setattr(timing, "SECONDS", 1)
        write(tmp_path / "pictures", [blob(n) for n in range(60)])
        output = tmp_path / "deep" / "my.yaml"
        arguments = [str(tmp_path / "pictures"), "--output", str(output), "--resolution", "8", "--minutes", "5"]
        monkeypatch.chdir(tmp_path)
        result = CliRunner().invoke(app, ["new", *arguments])
        assert result.exception is None
        shown = capfd.readouterr().out + result.output
        experiment = load(output)
        assert (experiment.name, experiment.data.resolution) == ("my", 8)
        assert output.with_suffix(".html").read_text().startswith("<!doctype html>")
        assert "next: ganworks fetch efficientnet_lite0" in shown
        assert f"then: ganworks run {output}" in shown
        assert json.loads(experiment.to_json())["data"]["source"] == f"folder:{tmp_path / 'pictures'}"
