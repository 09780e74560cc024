"""What once fooled the judge, each with its right value."""

import numpy as np
import pytest

from models.config import AtLeast, AtMost
from tests import judging
from tests.components.gan_evaluator.test_judging_images import look
from tests.judging import judge_in


@pytest.fixture(scope="module")
def copied(house, tmp_path_factory):
    """A held-out split in which 11 of 371 images are copies of training ones."""
    root = tmp_path_factory.mktemp("copied")
    data = judging.digits()
    pairs = zip(data["eval"], data["train"], strict=True)
    images, labels = (np.concatenate([held_out, train[:11]]) for held_out, train in pairs)
    judging.write_split(root / "Split-eval", images, labels)
    return str(root / "Split-eval/*")


class TestCopiesOfTrainingImages:
    """The honest generator of the house draws training images, pixel by pixel."""

    MEMORY = judging.experiment({"memorisation": AtMost(0.05)})

    def test_are_refused_though_held_out_images_are_copies_too(self, house, copied):
        verdict = judge_in(house, "honest", self.MEMORY, eval_examples=[copied])
        assert verdict.lines["memorisation"].value == 1
        assert not verdict.blessed
        assert (verdict.counts["eval"], verdict.counts["held_out_copies"]) == (360, 11)
        said = "11 of 371 held-out examples are copies of training ones and were left out of the reference"
        assert said in verdict.warnings
        assert said in verdict.html

    def test_a_held_out_split_of_copies_alone(self, house, tmp_path):
        images, labels = judging.digits()["train"]
        judging.write_split(tmp_path / "Split-eval", images[:40], labels[:40])
        with pytest.raises(ValueError, match="all 40 are copies of some"):
            judge_in(house, "honest", eval_examples=[str(tmp_path / "Split-eval/*")])


def test_ten_pictures_again_and_again_are_near_duplicates(house):
    images, labels = judging.digits()["eval"]
    ten = np.stack([images[labels == label][0] for label in range(10)])
    many = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 140))
    verdict = look(house, ten[many], many, judging.experiment({"near_duplicates": AtMost(0.2)}))
    assert verdict.lines["near_duplicates"].value > 0.99
    assert not verdict.blessed


def test_the_held_out_images_themselves_are_remarked(house):
    verdict = look(house, *judging.digits()["eval"], judging.experiment({}))
    assert verdict.counts["equal_to_held_out"] == 360
    assert "360 of 360 generated examples are equal to held-out ones" in verdict.warnings[0]
    assert verdict.warnings[0] in verdict.html


def test_a_share_of_one_is_not_without_error(house):
    images, labels = judging.digits()["eval"]
    verdict = look(house, images[:60], labels[:60], judging.experiment({"conditional_accuracy": AtLeast(0.9)}))
    line = verdict.lines["conditional_accuracy"]
    assert line.uncertainty > 0.005
    # sixty images tell no shortfall of 0.1 for sure, and the verdict says so
    assert line.notices[0] > 0.1
    assert any(warning.startswith("the bound of conditional_accuracy is blunt") for warning in verdict.warnings)
