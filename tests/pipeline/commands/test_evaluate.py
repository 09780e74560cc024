"""`ganworks evaluate`: a folder of images against a source, whole."""

import json

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from sklearn.datasets import load_digits

from pipeline.commands import evaluate as yardstick
from pipeline.commands import reading
from pipeline.commands.fetch import fetch
from tests.components.images import image_file, noise, write_classes
from tests.pipeline.commands.test_cli import ganworks

FEW = ["evaluation.extractor_steps=40", "evaluation.samples=200"]


@pytest.fixture(scope="module")
def digits():
    """scikit-learn's digits as files would hold them: at 16 pixels, from 0 to 255."""
    found = load_digits()
    images = [Image.fromarray((each * 15.9).astype(np.uint8)).resize((16, 16)) for each in found.images[:1000]]
    return images, found.target[:1000]


def save(folder, images, labels=None):
    for i, image in enumerate(images):
        place = folder if labels is None else folder / str(labels[i])
        place.mkdir(parents=True, exist_ok=True)
        image.save(place / f"{i}.png")
    return folder


def evaluate(samples, real, tmp_path, *settings):
    return yardstick.evaluate(samples, real, settings, tmp_path / "work", Console(quiet=True))


class TestEvaluate:
    @pytest.fixture(scope="class")
    def collapsed(self, digits, tmp_path_factory):
        """One picture a class, and none of class 3."""
        root = tmp_path_factory.mktemp("collapsed")
        images, labels = digits
        rows = [i for i in range(400) if labels[i] != 3]
        first = {label: images[list(labels).index(label)].convert("RGB") for label in range(10)}
        folder = save(root / "samples", [first[labels[i]] for i in rows], labels[rows])
        settings = [*FEW, "evaluation.thresholds.within_class_spread.at_least=0.5"]
        return evaluate(folder, "digits", root, *settings)

    def test_is_refused_for_its_fault(self, collapsed):
        assert not collapsed.blessed
        assert "within_class_spread is 0, must be at least 0.5" in collapsed.reason
        assert "mode collapse" in collapsed.reason

    def test_the_real_images_are_split_as_a_run_splits_them(self, collapsed):
        # 1,797 digits by the hash of their pixels, a fifth held out, and none for choosing: nothing is chosen here
        assert collapsed.counts["train"] + collapsed.counts["eval"] == 1797
        assert 300 < collapsed.counts["eval"] < 420
        assert collapsed.counts["generated"] == 200

    def test_says_what_was_done_to_the_images(self, collapsed):
        origin = collapsed.protocol["origin"]
        assert origin["samples_handled"] == "358 of 16 x 16 pixels; colour turned grey (ITU-R 601 luma): all"
        assert origin["real_handled"].startswith("1,797 of 8 x 8 pixels; resized to 16 x 16")
        assert origin["samples_handled"] in collapsed.html

    def test_classes_go_by_the_names_of_their_folders(self, collapsed):
        per_class = collapsed.lines["conditional_accuracy"].per_class
        assert np.isnan(per_class[3])
        assert not np.isnan(per_class[4:]).any()

    def test_the_judge_learned_from_the_real_images(self, collapsed):
        assert collapsed.protocol["extractor"]["eval_accuracy"] > 0.3  # 0.1 by chance
        assert collapsed.protocol["origin"]["real"] == "digits"


class TestAnySize:
    """Also one that the convolutional networks do not have: nothing is trained on these images but the judge."""

    def test_the_real_images_are_resized_to_that_of_the_samples(self, digits, tmp_path):
        images, labels = digits
        folder = save(tmp_path / "s", [each.resize((19, 19)) for each in images[:300]], labels)
        verdict = evaluate(folder, "digits", tmp_path, *FEW)
        assert verdict.protocol["origin"]["samples_handled"] == "300 of 19 x 19 pixels"
        assert verdict.protocol["origin"]["real_handled"].startswith("1,797 of 8 x 8 pixels; resized to 19 x 19")
        assert verdict.lines["conditional_accuracy"].value > 0.3


class TestErrors:
    def test_what_is_refused_at_once(self, tmp_path):
        samples = write_classes(tmp_path / "s", {"a": 2}, (16, 16))
        for real, settings, message in (
            ("mixture:ring", [], "samples are images; --real mixture:ring gives points"),
            (
                "digits",
                ["training.steps=3"],
                "judged by fields of data and evaluation; received --set training.steps=3",
            ),
            ("digits", ["data.pixls=3"], "data.pixls is no field of the data images"),
            ("nothing", [], "data.source is digits"),
            (f"folder:{tmp_path}/no", [], "needs a folder of images; there is none of this name"),
        ):
            with pytest.raises(ValueError, match=message):
                evaluate(samples, real, tmp_path, *settings)
        with pytest.raises(ValueError, match=r"--samples .*nothing needs a folder of images"):
            evaluate(tmp_path / "nothing", "digits", tmp_path)

    def test_tinted_samples_of_grey_images(self, digits, tmp_path):
        images, _ = digits
        red = [Image.merge("RGB", [each, *[each.point(lambda grey: grey // 3)] * 2]) for each in images[:20]]
        with pytest.raises(ValueError, match="samples of grey images are grey"):
            evaluate(save(tmp_path / "s", red), "digits", tmp_path)

    def test_a_size_too_small_to_be_judged(self, tmp_path):
        samples = write_classes(tmp_path / "s", {"all": 2}, (3, 3)) / "all"
        with pytest.raises(
            ValueError, match=r"data\.resolution: input should be greater than or equal to 4; received 3"
        ):
            evaluate(samples, "digits", tmp_path)


def test_images_without_classes_need_the_networks_weights(digits, tmp_path):
    images, _ = digits
    samples, real = save(tmp_path / "samples", images[:30]), save(tmp_path / "real", images[30:90])
    nowhere = f"evaluation.extractor_weights={tmp_path}/nowhere.pth"
    with pytest.raises(
        ValueError, match=r"judged by efficientnet_lite0, whose weights are not at .*nowhere\.pth: name"
    ):
        evaluate(samples, f"folder:{real}", tmp_path, nowhere)


@pytest.mark.data
@pytest.mark.e2e
def test_unlabelled_images_from_the_command_line(digits, tmp_path):
    weights = fetch("efficientnet_lite0", tmp_path / "lite0") / "efficientnet_lite0.pth"
    images, _ = digits
    real = save(tmp_path / "real", images[:700])
    samples = save(tmp_path / "samples", images[700:])
    page, figures = tmp_path / "page.html", tmp_path / "figures.json"
    command = ["evaluate", "--samples", str(samples), "--real", f"folder:{real}"]
    command += ["--set", f"evaluation.extractor_weights={weights}"]
    options = ["--html", str(page), "--json", str(figures), "--set", "evaluation.thresholds.coverage.at_least="]
    passed = ganworks(*command, *options[:-1], options[-1] + "0.8")
    assert passed.returncode == 0, passed.stderr
    assert passed.stderr == ""
    assert "blessed: every threshold holds (coverage" in passed.stdout
    tree = json.loads(figures.read_text())
    assert tree["protocol"]["extractor"]["steps"] == 0
    assert tree["counts"]["train"] + tree["counts"]["eval"] == 700
    assert tree["protocol"]["extractor"]["name"] == "efficientnet_lite0"
    assert tree["metrics"]["kd_efficientnet_lite0"]["value"] < 1
    assert "needs at least 6400" in tree["metrics"]["fd_efficientnet_lite0"]["verdict"]
    assert "efficientnet_lite0" in page.read_text()
    refused = ganworks(*command, *options[:-1], options[-1] + "1.1")
    assert refused.returncode == 3
    assert "refused: coverage is" in refused.stdout


@pytest.mark.e2e
def test_a_bad_sample_is_one_line_and_exit_1(tmp_path):
    samples = write_classes(tmp_path / "s", {"1": 2}, (16, 16))
    (samples / "1/bad.png").write_bytes(image_file(noise(0, 16, 16))[:60])
    written = [tmp_path / "page.html", tmp_path / "figures.json"]
    done = ganworks(
        *("evaluate", "--samples", str(samples), "--real", "digits"),
        *("--html", str(written[0]), "--json", str(written[1])),
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: each sample is a sound image; {samples}/1/bad.png does not decode")
    assert done.stderr.count("\n") == 1
    assert not any(file.exists() for file in written)


@pytest.mark.parametrize("option", ["--html", "--json"])
def test_a_place_that_cannot_be_written_is_refused_before_measuring(tmp_path, option):
    """If this fails, minutes of measuring are lost to a wrong path."""
    (tmp_path / "file").write_text("kept")
    samples = write_classes(tmp_path / "in", {"a": 2})
    place = tmp_path / "file" / "out"
    done = ganworks("evaluate", "--samples", str(samples), "--real", "folder:none", option, str(place))
    assert done.returncode == 1
    assert done.stderr == f"error: {place} cannot be written: Not a directory\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "in"]


def test_trying_a_place_leaves_nothing_behind(tmp_path):
    reading.check_place(tmp_path / "new" / "deep" / "page.html")
    assert not list(tmp_path.iterdir())
    (tmp_path / "page.html").write_text("kept")
    reading.check_place(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "kept"
