import keras
import numpy as np
import pytest

from benchmarks.papers import runs, stacked


# PacDCGAN2 is DCGAN, packed
@pytest.mark.parametrize("entry", [name for name in stacked.ENTRIES if name != "DCGAN"])
def test_each_entry_trains(entry, few_digits, tmp_path, monkeypatch):
    monkeypatch.setattr(stacked, "TRAINED_ON", 64)
    monkeypatch.setattr(stacked, "SAMPLES", 60)
    changes = {"training.steps": 2, "training.batch_size": 16, "training.jit": False}
    changes |= {"scheme.generator.width": 4, "scheme.discriminator.width": 4}
    recipe = runs.changed(stacked.experiment(stacked.ENTRIES[entry]), changes)
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


def test_the_score_counts_the_triples_that_are_read():
    # a reader of brightness: a channel of value 28 d is the digit d
    image = keras.Input([28, 28, 3])
    brightness = keras.ops.mean(image, axis=[1, 2])[..., None] * 255 / 28
    reader = keras.Model(image, {"logits": -((brightness - keras.ops.arange(10.0)) ** 2)})
    shown = np.array([[1, 2, 3], [9, 0, 9]], np.uint8)[np.arange(26_000) % 2]
    images = np.broadcast_to(28 * shown[:, None, None], [26_000, 28, 28, 3])
    # by hand: two even ones of 1000 are log 500 from uniform
    assert stacked.score(reader, images) == {"modes": 2, "kl": round(np.log(500), 3)}


def test_marks():
    rows = [{"generator": "DCGAN", "modes": 1000, "kl": 0.01}, {"generator": stacked.BEST, "modes": 999, "kl": 0.06}]
    assert [mark["holds"] for mark in stacked.judge(rows)] == [False, True]
    assert not any(mark["holds"] for mark in stacked.judge([{"generator": stacked.BEST}]))
