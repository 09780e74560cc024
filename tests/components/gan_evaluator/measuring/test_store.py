"""What is kept of measurements: whole or not at all, and exactly what was measured."""

import dataclasses
import json
import logging
import math

import numpy as np
import pytest
import tensorflow as tf

from components.gan_evaluator.measuring import store as stores
from components.gan_evaluator.measuring.measurements import Measurements
from components.gan_evaluator.measuring.pictures import Pictures
from components.gan_evaluator.measuring.store import FIGURES, PICTURES, Store
from models.metrics.estimate import Estimate
from tests.disks import files_of_at_most

ESTIMATES = {
    "coverage": Estimate(
        np.float64(0.1) + 0.2, 1e-17, (0.25, math.nan), "k = 5, 10 parts", {"real": np.int64(3), "fake": 30}, 30, 9
    ),
    "fcd_cnn": Estimate(math.inf, -math.inf),
    "modes": Estimate(5e-324),
}


def figures(pictures: Pictures | None = None) -> Measurements:
    return Measurements(ESTIMATES, {"recall": "needs more"}, {"generated": np.int64(30)}, True, pictures)


def pictures(classes: bool = True) -> Pictures:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, [9, 4, 4, 1], np.uint8)
    return Pictures(
        first=images,
        rows=((images[:3], images[3:4]), (images[:2], images[5:])),
        classes=np.array([0, 7]) if classes else None,
        real_dots=random.normal(size=[5, 2]),
        fake_dots=random.normal(size=[4, 2]).astype(np.float32),
        reach=math.pi,
        neighbours=images[:2],
        distances=np.array([1.5, 0.1], np.float32),
        ways=images.reshape(3, 3, 4, 4, 1) if classes else None,
        extremes=() if classes else ((images[:2], images[2:4]), (images[4:6], images[6:8])),
    )


def assert_same(left: Measurements | None, right: Measurements) -> None:
    """Equal to the last bit and in type, NaN among them."""
    assert left is not None
    assert repr(left.estimates) == repr(Measurements.of(right.to_tree(), None).estimates)
    assert (left.missing, left.counts, left.labelled) == (right.missing, right.counts, right.labelled)
    assert (left.pictures is None) == (right.pictures is None)
    if left.pictures and right.pictures:
        found, expected = left.pictures.arrays(), right.pictures.arrays()
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "measurements"), "code")


@pytest.mark.parametrize("shown", [None, pictures(), pictures(classes=False)], ids=["none", "classes", "rows"])
def test_what_is_kept_is_what_was_measured(store, shown):
    store.put("k", figures(shown))
    assert_same(store.get("k"), figures(shown))


def test_values_are_the_same_to_the_last_bit():
    """If this fails, a gate from stored figures may differ from the direct one."""
    again = Measurements.of(json.loads(json.dumps(figures().to_tree(), allow_nan=False)), None).estimates
    for name, estimate in ESTIMATES.items():
        for field in dataclasses.fields(Estimate):
            given, found = getattr(estimate, field.name), getattr(again[name], field.name)
            assert repr(found) == repr(given).replace("np.float64(0.30000000000000004)", "0.30000000000000004").replace(
                "np.int64(3)", "3"
            )


def test_in_a_bucket(tmp_path):
    store = Store(f"ram://{tmp_path.name}/measurements", "code")
    store.put("k", figures(pictures()))
    assert_same(store.get("k"), figures(pictures()))


def test_nothing_is_kept_of_what_was_never_measured(store, caplog):
    assert store.get("k") is None
    assert not caplog.records


def test_the_key_is_of_all_that_it_is_given(store, tmp_path, monkeypatch):
    """If this fails, figures of other inputs, code or versions are taken for these."""
    parts = {"model": "m", "settings": {"seed": 0}}
    keys = [store.key(**parts), store.key(**parts | {"model": "n"}), store.key(**parts | {"settings": {"seed": 1}})]
    keys.append(Store(str(tmp_path), "other").key(**parts))
    monkeypatch.setattr(tf, "__version__", "9.9")
    keys.append(store.key(**parts))
    assert len(set(keys)) == 5
    assert store.key(**parts) == keys[-1]


OPERATIONS = ["makedirs", "rename", "rename"]


class TestKilled:
    @pytest.mark.parametrize("number", range(len(OPERATIONS)))
    @pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
    def test_leaves_what_is_whole_or_does_not_count(self, store, monkeypatch, number, late):
        """If this fails, a run that was killed while it wrote leaves figures that the next one believes."""
        calls = []

        def wrapped(function):
            def call(*arguments, **options):
                calls.append(function)
                if len(calls) == number + 1 and not late:
                    raise SystemExit
                function(*arguments, **options)
                if len(calls) == number + 1:
                    raise SystemExit

            return call

        with monkeypatch.context() as patch:
            for name in set(OPERATIONS):
                patch.setattr(tf.io.gfile, name, wrapped(getattr(tf.io.gfile, name)))
            with pytest.raises(SystemExit):
                store.put("k", figures(pictures()))
        whole = (number, late) == (len(OPERATIONS) - 1, True)
        assert (store.get("k") is not None) == whole
        store.put("k", figures(pictures()))
        assert_same(store.get("k"), figures(pictures()))


def edit(change):
    def spoil(folder):
        tree = json.loads((folder / FIGURES).read_text())
        change(tree)
        (folder / FIGURES).write_text(json.dumps(tree))

    return spoil


def cut(name, share):
    def spoil(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(share * len(content))])

    return spoil


def flip(folder):
    content = bytearray((folder / PICTURES).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / PICTURES).write_bytes(content)


class TestSpoiled:
    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            (cut(FIGURES, 0.5), ""),
            (cut(FIGURES, 0), ""),
            (edit(lambda tree: tree.update(format=0)), "format 0, and this ganworks reads format 1"),
            (edit(lambda tree: tree.pop("format")), ""),
            (edit(lambda tree: tree["measured"]["estimates"]["modes"].update(value=1.0)), "not what was written"),
            (edit(lambda tree: tree.update(key="other")), "not what was written"),
            (lambda folder: (folder / FIGURES).write_text("[]"), ""),
            (lambda folder: (folder / FIGURES).write_bytes(b"\xff\xfe"), ""),
            (cut(PICTURES, 0.5), f"{PICTURES} beside it is not what was written"),
            (flip, f"{PICTURES} beside it is not what was written"),
            (lambda folder: (folder / PICTURES).unlink(), ""),
        ],
        ids=range(11),
    )
    def test_is_measured_again_and_the_log_says_so(self, store, tmp_path, caplog, spoil, why):
        """If this fails, figures that nobody measured decide, or a damaged file stops a run."""
        store.put("k", figures(pictures()))
        spoil(tmp_path / "measurements" / "k")
        assert store.get("k") is None
        (record,) = caplog.records
        assert f"k/{FIGURES} cannot be used, and its examples are measured again" in record.getMessage()
        assert why in record.getMessage()
        assert "\n" not in record.getMessage()
        store.put("k", figures(pictures()))
        assert_same(store.get("k"), figures(pictures()))

    def test_pictures_are_never_unpickled(self, store, tmp_path, monkeypatch):
        """If this fails, a file in a shared folder runs code."""

        class Told:
            def __reduce__(self):
                return (pytest.fail, ("it was unpickled",))

        shown = pictures()
        arrays = shown.arrays() | {"first": np.array([Told()], object)}
        with monkeypatch.context() as patch:
            patch.setattr(Pictures, "arrays", lambda self: arrays)
            store.put("k", figures(shown))
        assert store.get("k") is None


class TestUnwritable:
    def test_place(self, tmp_path, caplog):
        """If this fails, a judgement of minutes is lost to a folder that cannot be written."""
        (tmp_path / "file").touch()
        store = Store(str(tmp_path / "file" / "measurements"), "code")
        store.put("k", figures(pictures()))
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert "cannot be written" in record.getMessage()
        assert store.get("k") is None

    def test_full_disk(self, store, caplog):
        with files_of_at_most(600):
            store.put("k", figures(pictures()))
        assert "cannot be written" in caplog.text
        assert store.get("k") is None
        assert stores.FORMAT == 1
