import io

import numpy as np
import pytest
from PIL import Image

from components import preflight
from components.example_gen.images import read_picture
from components.example_gen.sources.source import TRAINED
from pipeline.new import bounds, facts, looking, pixels
from tests.components.images import noise
from tests.pipeline.new.looks import blob, chosen, made_up, planned, write


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
