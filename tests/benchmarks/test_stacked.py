import numpy as np
import pytest

from benchmarks import runs, stacked
from models import features
from models.config import Evaluation
from models.data import Arrays


@pytest.mark.parametrize("entry", stacked.ENTRIES)
def test_each_entry_trains(entry, few_digits, tmp_path, monkeypatch):
    monkeypatch.setattr(stacked, "TRAINED_ON", 64)
    monkeypatch.setattr(stacked, "SAMPLES", 60)
    fields = {"steps": 2, "batch_size": 16}
    recipe = runs.changed(
        stacked.experiment(stacked.ENTRIES[entry]),
        {"training": fields, "network": {"generator_width": 4, "discriminator_width": 4}},
    )
    run = runs.Run(entry, recipe)
    assert set(runs.figures(run, runs.Work(stacked.examples, stacked.measure), tmp_path)) == {"seconds"}
    drawn = np.load(runs.folder_of(run, tmp_path) / "samples.npy")
    assert (drawn.shape, drawn.dtype) == ((60, 28, 28, 3), np.uint8)
    assert stacked.picture(tmp_path, [run]).size == (4 + 20 * 32, 4 + 3 * 32)


def test_a_triple_is_three_digits_and_its_label_names_them(few_digits):
    images, labels = runs.digits("train")
    triples, names = stacked.triples("train", 50)
    assert triples.shape == (50, 28, 28, 3)
    for triple, name in zip(triples, names, strict=True):
        for channel, digit in enumerate(f"{name:03}"):
            same = (images[..., 0] == triple[..., channel]).all(axis=(1, 2))
            assert labels[same].tolist() == [int(digit)]


def test_the_score_counts_what_a_classifier_reads(few_digits):
    data = stacked.experiment({}).data
    triples, names = stacked.triples("train", 200)
    classifier, _ = features.extractor(data, Evaluation(extractor_steps=60), Arrays(triples, names))
    read = features.accuracy(classifier, triples, names)
    assert read > 0.8, "the classifier has to read what it learnt by heart"
    repeated = np.resize(triples[:3], [26_000, 28, 28, 3])
    score = stacked.score(classifier, repeated)
    assert score["modes"] <= 3
    # by hand: three even ones of 1000 are log(1000 / 3) = 5.81 from uniform
    assert score["kl"] == pytest.approx(5.81, abs=0.01) or score["modes"] < 3


def test_marks():
    rows = [{"generator": "DCGAN", "modes": 1000, "kl": 0.01}, {"generator": stacked.BEST, "modes": 999, "kl": 0.06}]
    assert [mark["holds"] for mark in stacked.judge(rows)] == [False, True]
    assert not any(mark["holds"] for mark in stacked.judge([{"generator": stacked.BEST}]))
