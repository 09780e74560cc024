"""What was measured is not measured again, and a gate of kept figures is the direct one."""

import shutil

import pytest

from components.gan_evaluator.executor import Executor
from components.gan_evaluator.measuring.instruments import Instruments
from components.gan_evaluator.measuring.saved_models import Extractor, Generator
from components.gan_evaluator.measuring.store import FIGURES, Store
from models.config import AtLeast, Threshold
from tests import judging
from tests.components.gan_evaluator.test_gan_evaluator import artifacts, properties

FEW = {"samples": 300}
STRICT = {"coverage": AtLeast(0.5), "spread": Threshold(at_least=0.2, within_floor=0.1)}
ALL = ["the model", "real against real"]


@pytest.fixture
def work(monkeypatch):
    """Counts what is drawn and looked at; both are really done."""
    done = []

    def counted(kind, name):
        real = getattr(kind, name)

        def call(self, *arguments, **options):
            done.append(name)
            return real(self, *arguments, **options)

        monkeypatch.setattr(kind, name, call)

    counted(Generator, "sample")
    counted(Generator, "interpolate")
    counted(Extractor, "extract")
    return done


@pytest.fixture(scope="module")
def root(house, tmp_path_factory):
    """A store in which the honest generator is."""
    root = tmp_path_factory.mktemp("kept")
    judging.judge_in(house, "honest", judging.experiment(**FEW), store=Store(str(root), "code"))
    return root


@pytest.fixture
def store(root):
    return Store(str(root), "code")


@pytest.fixture(scope="module")
def direct(house):
    return judging.judge_in(house, "honest", judging.experiment(STRICT, **FEW))


def test_a_changed_threshold_measures_nothing_and_gates_the_same(house, store, direct, work, caplog):
    """If this fails, a threshold costs minutes, or what is kept is not what was measured."""
    caplog.set_level("INFO")
    kept = judging.judge_in(house, "honest", judging.experiment(STRICT, **FEW), store=store)
    assert (work, kept.measured) == ([], [])
    assert (kept.lines, kept.counts, kept.warnings) == (direct.lines, direct.counts, direct.warnings)
    assert (kept.reason, kept.protocol, kept.html) == (direct.reason, direct.protocol, direct.html)
    assert "measured before; judged again" in caplog.messages
    assert direct.measured == ALL


def test_nor_do_confidence_and_bluntness(house, store, work):
    asked = judging.experiment(confidence=0.9, bluntness=0.3, **FEW)
    assert judging.judge_in(house, "honest", asked, store=store).measured == work == []


class Looks(Exception):
    """Examples are about to be looked at."""


@pytest.fixture
def anew(monkeypatch):
    """True where a judgement measures; it is stopped there."""

    def looks(self, **sides):
        raise Looks

    monkeypatch.setattr(Instruments, "_look_at", looks)

    def ask(*arguments, **options):
        try:
            return judging.judge_in(*arguments, **options).measured != []
        except Looks:
            return True

    return ask


@pytest.mark.parametrize(
    ("settings", "model", "expected"),
    [
        ({}, "honest", False),
        ({"thresholds": STRICT, "split": "eval"}, "honest", False),
        ({"seed": 1}, "honest", True),
        ({"samples": 250}, "honest", True),
        ({"compared": 100}, "honest", True),
        ({"split": "choose"}, "honest", True),
        ({"extractor": "other"}, "honest", True),
        ({}, "collapsed", True),
    ],
)
def test_what_changes_figures_measures_anew(house, store, anew, settings, model, expected):
    """If this fails, figures of something else are taken for these, or kept ones are not found."""
    asked = judging.experiment(**{"thresholds": {}} | FEW | settings)
    assert anew(house, model, asked, store=store) is expected


def test_other_code_measures_anew(house, root, anew):
    assert anew(house, "honest", judging.experiment(**FEW), store=Store(str(root), "other code"))


def test_another_extractor_measures_anew(house, store, anew, tmp_path):
    shutil.copytree(house / "extractor/Format-Serving", tmp_path / "extractor")
    asked = {"asked": judging.experiment(**FEW), "feature_model": str(tmp_path / "extractor"), "store": store}
    assert not anew(house, "honest", **asked)
    (tmp_path / "extractor" / "more").write_text("another")
    assert anew(house, "honest", **asked)


def test_the_floor_is_that_of_labelled_or_unlabelled_examples(house, store):
    """If this fails, metrics that need labels have a floor without a value, or one that they must not have."""
    verdict = judging.judge_in(house, "unconditional", judging.experiment({}, **FEW), store=store)
    assert verdict.measured == ALL
    assert verdict.lines["conditional_accuracy"].floor is None


class TestBaseline:
    RELATIVE = judging.experiment({"spread": Threshold(within_blessed=0.1)}, **FEW)

    def test_is_found_where_it_was_once_the_candidate(self, house, store, direct):
        verdict = judging.judge_in(house, "collapsed", self.RELATIVE, baseline="honest", store=store)
        assert verdict.measured == ["the model"]
        for name in ("spread", "coverage", "fcd_cnn"):
            assert (verdict.lines[name].baseline, verdict.lines[name].baseline_uncertainty) == (
                direct.lines[name].value,
                direct.lines[name].uncertainty,
            )

    def test_is_measured_again_against_other_examples(self, house, store, tmp_path):
        """If this fails, two models are compared by different examples."""
        images, labels = judging.digits()["eval"]
        judging.write_split(tmp_path / "other", images[:-1], labels[:-1])
        asked = {"eval_examples": [str(tmp_path / "other/*")], "store": store}
        verdict = judging.judge_in(house, "honest", self.RELATIVE, baseline="honest", **asked)
        # the same model in both places, so that it is measured once
        assert verdict.measured == ALL
        asked["eval_examples"] = [str(house / "examples/Split-eval/*")]
        assert judging.judge_in(house, "honest", self.RELATIVE, baseline="honest", **asked).measured == []


def test_the_same_examples_in_other_files_are_the_same(house, store, tmp_path):
    """If this fails, what was written anew without a change is measured again."""
    images, labels = judging.digits()["eval"]
    for part in (slice(200, None), slice(0, 200)):
        judging.write_split(tmp_path / str(part.start), images[part], labels[part])
    asked = {"eval_examples": [str(tmp_path / "*/*")], "store": store}
    assert judging.judge_in(house, "honest", judging.experiment(**FEW), **asked).measured == []


def test_what_was_measured_before_a_kill_is_kept(house, tmp_path, direct, monkeypatch):
    store = Store(str(tmp_path), "code")
    asked = judging.experiment(STRICT, **FEW)

    def killed(self, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Instruments, "measure_floor", killed)
        with pytest.raises(KeyboardInterrupt):
            judging.judge_in(house, "honest", asked, store=store)
    verdict = judging.judge_in(house, "honest", asked, store=store)
    assert verdict.measured == ["real against real"]
    assert (verdict.lines, verdict.html) == (direct.lines, direct.html)


def test_what_is_spoiled_is_measured_again(house, root, tmp_path, direct):
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    store = Store(str(tmp_path), "code")
    asked = judging.experiment(STRICT, **FEW)
    for file in tmp_path.glob(f"*/{FIGURES}"):
        file.write_bytes(file.read_bytes()[:-5])
    verdict = judging.judge_in(house, "honest", asked, store=store)
    assert (verdict.measured, verdict.lines, verdict.html) == (ALL, direct.lines, direct.html)
    assert judging.judge_in(house, "honest", asked, store=store).measured == []


def test_a_place_that_cannot_be_written_does_not_stop_a_judgement(house, tmp_path, direct, caplog):
    (tmp_path / "file").touch()
    store = Store(str(tmp_path / "file"), "code")
    verdict = judging.judge_in(house, "honest", judging.experiment(STRICT, **FEW), store=store)
    assert (verdict.lines, verdict.html) == (direct.lines, direct.html)
    assert "cannot be written" in caplog.text


def test_a_model_that_is_gone_is_refused_as_ever(house, store):
    with pytest.raises(ValueError, match=r"a generator is a SavedModel; \S+ cannot be loaded"):
        judging.judge_in(house, "gone", judging.experiment(**FEW), store=store)


def test_the_component_keeps_what_it_measured(house, tmp_path, work):
    """If this fails, the executor hands no store over, or one that nobody finds again."""
    inputs, outputs = artifacts(house, tmp_path, "honest")
    Executor().Do(inputs, outputs, properties(judging.experiment(**FEW), tmp_path))
    assert len(list((tmp_path / "measurements").iterdir())) == 2
    work.clear()
    Executor().Do(inputs, outputs, properties(judging.experiment(STRICT, **FEW), tmp_path))
    assert work == []
