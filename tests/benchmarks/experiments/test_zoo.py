"""The zoo: what is told beside the models, and that whole runs of a translator are told with it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from benchmarks.experiments import pipelines, recipes, zoo
from benchmarks.experiments.baselines import fit_colours, fit_tones, recolour, retone
from pipeline.commands.fetch import fetch
from pipeline.experiments.named import EXPERIMENTS
from pipeline.experiments.reached import recipe


def metric(value, **beside):
    """A metric as the evaluator writes it."""
    return {"value": value, "threshold": {"at_least": 20}, "better": "higher", "floor": None} | beside


def record(psnr, **more):
    metrics = {"psnr": metric(psnr, untouched=9.0), "ssim": {"value": 0.5, "threshold": None, "untouched": 0.3}}
    metrics["sharpness"] = metric(30.0, floor=1.0)
    return {"blessed": True, "reason": "", "minutes": 5.0, "cores": 1, "metrics": metrics} | more


def row(records, without=None):
    run = recipes.make("maps-pix2pix", 0, "float32", "eval")
    base = recipes.summarise("maps-pix2pix", [recipes.told(run, each) for each in records])
    return zoo.summarise(base, records, without or {})


class TestRow:
    def test_is_that_of_recipes_with_what_needs_no_network(self):
        """By hand: 21 and 23 dB have a mean of 22 and a deviation of 1.414."""
        found = row([record(21.0, peak_bytes=2**30), record(23.0, peak_bytes=2**31)], {"matched": {"psnr": 20.98765}})
        assert (found["tried"], found["blessed"], found["minutes"], found["peak_gib"]) == (2, 2, 5.0, 2.0)
        lines = {line["metric"]: line for line in found["metrics"]}
        assert lines["psnr"] == {
            "metric": "psnr",
            "must_be": "at least 20",
            "mean": 22.0,
            "sd": 1.414,
            "what_is_taken": 9.0,
            "matched": 20.99,
        }
        assert lines["sharpness"]["real"] == 1.0

    def test_a_metric_that_is_not_required_is_told_beside(self):
        (line,) = [line for line in row([record(21.0)])["metrics"] if line["metric"] == "ssim"]
        assert (line["must_be"], line["mean"], line["what_is_taken"]) == ("", 0.5, 0.3)

    def test_an_older_record_has_no_memory(self):
        assert row([record(21.0)])["peak_gib"] is None


class TestLearned:
    """Pictures in [-1, 1] are asked, as the judge gives them to a model."""

    INPUTS, TARGETS = np.random.default_rng(0).integers(0, 256, [2, 6, 4, 4, 3]).astype(np.uint8)
    ASKED = np.random.default_rng(1).integers(0, 256, [3, 4, 4, 3]).astype(np.uint8)

    def made(self, name, baseline):
        learn = zoo.learned(EXPERIMENTS[name])[baseline]
        return learn(self.INPUTS, self.TARGETS)({"input": self.ASKED.astype(np.float32) / 127.5 - 1})

    def test_are_those_of_the_baselines(self):
        matched = retone(self.ASKED, fit_tones(self.INPUTS, self.TARGETS))
        assert_array_equal(self.made("maps-cyclegan", zoo.HISTOGRAMS), matched)
        coloured = recolour(self.ASKED, fit_colours(self.INPUTS, self.TARGETS))
        assert_array_equal(self.made("maps-pix2pix", zoo.COLOURS), coloured)

    def test_colours_are_paired_where_training_has_pairs(self):
        """If this fails, a baseline is learned from pairs that a model without pairs never saw."""
        assert list(zoo.learned(EXPERIMENTS["maps-pix2pix"])) == [zoo.HISTOGRAMS, zoo.COLOURS]
        assert list(zoo.learned(EXPERIMENTS["maps-cyclegan"])) == [zoo.HISTOGRAMS]
        assert not zoo.learned(EXPERIMENTS["photographs-deblur"])
        assert not zoo.learned(EXPERIMENTS["fashion-lapgan"])


MARK = {"value": 3, "mark": ">= 3 of 3", "holds": True}


class TestKept:
    def test_rows_of_others_stay_with_their_marks_while_their_recipe_does(self):
        names = ("maps-pix2pix", "maps-cyclegan", "emoji-cyclegan")
        rows = [{"experiment": name, "recipe": recipe(EXPERIMENTS[name])} for name in names]
        stale = rows[2] | {"recipe": "other"}
        before = {
            "rows": [rows[0], rows[1], stale],
            "marks": [{"name": f"{name}_blessed", **MARK} for name in names],
        }
        made = [{"name": "maps-pix2pix_blessed", **MARK, "value": 2}]
        found, marks = zoo.kept(before, [rows[0] | {"tried": 2}], made)
        assert found == [rows[0] | {"tried": 2}, rows[1]]
        assert [(mark["name"], mark["value"]) for mark in marks] == [
            ("maps-cyclegan_blessed", 3),
            ("maps-pix2pix_blessed", 2),
        ]


def test_has_what_takes_a_picture_and_the_clothes():
    assert {"maps-pix2pix", "emoji-cyclegan", "photographs-srgan-x2", "fashion-lapgan", "fashion-cgan"} < {*zoo.ZOO}


TINY = (
    *("data.resolution=16", "data.channels=1", "data.split_by=content", "data.transfer="),
    *("scheme.generator.width=4", "scheme.generator.levels=4", "scheme.discriminator.width=4"),
    *("scheme.discriminator.layers=1", "training.steps=4", "training.precision=float32", "training.steps_per_call=2"),
    'evaluation.thresholds={"psnr": {"at_least": 0}}',
)


@pytest.mark.data
@pytest.mark.e2e
@pytest.mark.slow
def test_a_translator_is_told_beside_baselines(tmp_path):
    """Pictures of noise and their negatives, of which the whole line makes a served model.

    By hand: one of 16 equal parts of the range has an error that is uniform over 16 values, and rounded: a squared one
    of 255 / 12, and 34.9 dB. Matched histograms leave noise as it is, 255 - 2 v off: (256^2 - 1) / 3, and 4.8 dB.
    """
    random = np.random.default_rng(0)
    for number in range(120):
        taken = random.integers(0, 256, [16, 16], np.uint8)
        for side, image in (("satellite", taken), ("relief", 255 - taken)):
            file = tmp_path / "pairs" / side / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
    weights = fetch("efficientnet_lite0", tmp_path / "lite0") / "efficientnet_lite0.pth"
    own = (f"data.source=folder:{tmp_path / 'pairs'}", f"evaluation.extractor_weights={weights}")
    settings = (*own, *TINY)
    run = pipelines.Run("tiny-maps", "maps-pix2pix", settings, EXPERIMENTS["maps-pix2pix"].override(settings))
    (made,) = pipelines.carry_out([run], tmp_path / "root", 1, lambda run, record: None)
    assert made["blessed"]
    assert 2**28 < made["peak_bytes"] < 2**34
    without = zoo.without_networks(run, tmp_path / "root")
    assert without[zoo.COLOURS]["psnr"] == pytest.approx(34.9, abs=0.2)
    assert without[zoo.HISTOGRAMS]["psnr"] == pytest.approx(4.8, abs=0.2)
    assert made["metrics"]["psnr"]["untouched"] == pytest.approx(4.8, abs=0.2)
