import apache_beam as beam
import numpy as np
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.gan_evaluator.measuring import populations
from components.gan_evaluator.measuring.populations import Side, look
from components.gan_evaluator.measuring.saved_models import Extractor, Generator
from components.gan_evaluator.measuring.settings import Settings
from models.extractors import classifier
from tests import judging

COUNT = 130
SETTINGS = Settings.of(judging.experiment())


def processes():
    """The other local runner: two processes, in which nothing of this one is there."""
    options = ["--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    return beam.Pipeline(options=PipelineOptions(options))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An extractor with random weights and a generator that copies real digits."""
    root = tmp_path_factory.mktemp("house")
    images, labels = judging.digits()["train"]
    classifier.export(classifier.classifier(judging.DIGITS), judging.DIGITS, str(root / "extractor"), {})
    judging.save_generator(root / "honest", judging.honest(images, labels))
    judging.save_generator(root / "not_finite", lambda z, label: judging.honest(images, labels)(z, label) / 0)
    return root


@pytest.fixture
def seen(house, monkeypatch):
    """Looks at generated and real digits, in blocks of a size."""
    images, labels = judging.digits()["train"]

    def run(block, generator="honest", **options):
        monkeypatch.setattr(populations, "BLOCK", block)
        sides = {
            "fake": Side(COUNT, labels=labels[:COUNT], generator=str(house / generator)),
            "real": Side(COUNT, examples=images[:COUNT], labels=labels[:COUNT]),
        }
        return look(sides, extractor=str(house / "extractor"), settings=SETTINGS, **options)

    return run


def assert_equal(left, right):
    for side in left:
        for name in ("examples", "labels", "features", "probabilities"):
            np.testing.assert_allclose(getattr(left[side], name), getattr(right[side], name), rtol=1e-6, atol=1e-6)
        assert left[side].count == right[side].count == COUNT


@pytest.fixture(scope="module")
def whole(house):
    """What one block shows, without Beam."""
    images, labels = judging.digits()["train"]
    generator = Generator(str(house / "honest"), SETTINGS)
    drawn = generator.sample(COUNT, seed=0, labels=labels[:COUNT])
    extractor = Extractor(str(house / "extractor"), SETTINGS.data)
    return {
        side: {"examples": examples} | extractor.extract(examples)
        for side, examples in (("fake", drawn), ("real", images[:COUNT]))
    }


@pytest.mark.parametrize("block", [COUNT, 50, 7])
def test_any_sharding_shows_the_same(seen, whole, block):
    found = seen(block)
    for side, expected_of in whole.items():
        np.testing.assert_array_equal(found[side].examples, expected_of["examples"])
        for name in ("features", "probabilities"):
            np.testing.assert_allclose(getattr(found[side], name), expected_of[name], rtol=1e-6, atol=1e-6)
        assert found[side].count == COUNT


@pytest.mark.slow
def test_both_local_runners_show_the_same(seen):
    assert_equal(seen(50), seen(50, make_pipeline=processes))


def test_a_fault_of_a_model_is_one_line(seen, house, tmp_path):
    with pytest.raises(ValueError, match=r"^generated images are finite; 50 of 50 of \S+ hold NaN or infinity$"):
        seen(50, generator="not_finite", scratch=str(tmp_path / "scratch"))
    assert not (tmp_path / "scratch").exists()
