"""What makes a stage run again: its own code and fields, and nothing of other experiments."""

import importlib.metadata
import sys

import pytest

from models import catalog
from models.config import Adversarial, DCGANDiscriminator, DCGANGenerator, Experiment
from models.digests import closure
from pipeline import keys
from pipeline.experiments.named import DIGITS_CGAN, EXPERIMENTS, MNIST_DCGAN

ALL = EXPERIMENTS


def of(experiment):
    """All digests and JSON keys of an experiment."""
    return (
        keys.ingestion(experiment.data),
        keys.validation(experiment),
        keys.transform(experiment.data),
        keys.extractor(experiment),
        keys.training(experiment),
        keys.evaluation(experiment),
        keys.measuring(experiment),
        keys.serving(experiment),
        experiment.key(),
    )


@pytest.fixture
def before():
    return {name: of(experiment) for name, experiment in ALL.items()}


def test_a_new_gan_in_the_catalog_changes_no_other_experiment(before, monkeypatch):
    monkeypatch.setitem(catalog.SCHEMES, "new", "models.gans.cycle:CycleGAN")
    monkeypatch.setitem(catalog.OBJECTIVES, "new", "models.objectives:hinge")
    monkeypatch.setitem(catalog.SOURCES, "new", "components.example_gen.sources.idx:Idx")
    assert {name: of(experiment) for name, experiment in ALL.items()} == before


@pytest.mark.parametrize("package", ["tensorflow", "keras", "numpy", "pillow"])
def test_another_version_of_what_computes_changes_every_key(package, monkeypatch):
    """If this fails, what one version made is taken for what another would make."""
    old = of(DIGITS_CGAN)
    version = importlib.metadata.version
    newer = f"{version(package)}.post1"
    monkeypatch.setattr(importlib.metadata, "version", lambda name: newer if name == package else version(name))
    *digests, settings = of(DIGITS_CGAN)
    assert not set(digests) & set(old)
    assert settings == old[-1]


def test_a_new_field_with_a_default_changes_no_key_and_no_json_of_another_scheme(before):
    class Wider(DCGANGenerator):
        more: int = 3

    class Longer(Adversarial):
        more: int = 3
        generator: Wider = Wider()

    with_fields = Longer.model_construct(
        **{name: getattr(DIGITS_CGAN.scheme, name) for name in Adversarial.model_fields}, more=3
    )
    assert with_fields.essential() == DIGITS_CGAN.scheme.essential()
    assert before["mnist-dcgan"] == of(MNIST_DCGAN)
    assert "more" not in DIGITS_CGAN.to_json()


def test_a_changed_default_is_told_by_the_revision():
    class Changed(DCGANDiscriminator):
        revision = 1

    assert Changed().essential() == DCGANDiscriminator().essential() | {"revision": 1}


def test_experiments_of_other_parts_have_other_code():
    assert keys.training(ALL["ring-to-square"]) != keys.training(ALL["ring-restoration"])
    assert keys.training(DIGITS_CGAN) == keys.training(MNIST_DCGAN)
    assert keys.ingestion(DIGITS_CGAN.data) != keys.ingestion(MNIST_DCGAN.data)
    hinge = DIGITS_CGAN.override(["scheme.objective.name=hinge"])
    assert keys.training(hinge) != keys.training(DIGITS_CGAN)
    assert keys.evaluation(hinge) == keys.evaluation(DIGITS_CGAN)


def test_what_spoils_the_examples_is_known_to_what_is_measured_on_them():
    """If this fails, a restorer's measurements are taken for those of other examples."""
    noisy = ALL["ring-restoration"]
    shrunk = noisy.override(['scheme.degradations={"shrink": 0.5}'])
    assert keys.measuring(shrunk) != keys.measuring(noisy)
    assert keys.evaluation(shrunk) != keys.evaluation(noisy)
    assert keys.validation(shrunk) == keys.validation(noisy)


def test_what_trains_is_known_to_the_key_of_the_training():
    lines = [*keys.trained_lines(DIGITS_CGAN)]
    found = {module for module, _ in closure.closure(["components.gan_trainer.executor"], lines)}
    expected = {
        "training.loop",
        "training.train",
        "training.checkpoints",
        "export.signatures",
        "objectives",
        "penalties",
        "networks.dcgan",
        "gans.game",
    }
    assert {f"models.{name}" for name in expected} <= found
    assert not {module for module in found if module.startswith(("models.metrics.frechet", "models.gans.cycle"))}


def test_what_is_measured_does_not_depend_on_what_gates_and_shows():
    """If this fails, another word in the report, or another rule of the gate, measures everything again."""
    entry = "components.gan_evaluator.measuring.instruments"
    found = {module for module, _ in closure.closure([entry], keys.metric_lines(DIGITS_CGAN))}
    house = "components.gan_evaluator"
    assert {f"{house}.measuring.{name}" for name in ("metrics", "populations", "pictures", "reference")} <= found
    assert "models.metrics.density_coverage" in found
    assert not found & {f"{house}.{name}" for name in ("gate", "verdict", "report", "charts", "judge", "executor")}
    assert not found & {"models.metrics.bounds"}
    folders = {closure._module(module).folder for module in found}
    assert not [file for folder in folders for file in folder.iterdir() if file.suffix in closure.TEMPLATES]


def test_what_the_catalog_says_of_a_metric_is_known_to_the_key(before, monkeypatch):
    """If this fails, figures of a metric over parts are taken for those of all examples."""
    changed = catalog.METRICS["coverage"]._replace(least=50)
    monkeypatch.setitem(catalog.METRICS, "coverage", changed)
    assert keys.measuring(DIGITS_CGAN) not in before["digits-cgan"]
    assert keys.evaluation(DIGITS_CGAN) not in before["digits-cgan"]


def test_the_users_own_part_is_in_the_key(tmp_path, monkeypatch):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "parts.py").write_text(
        "from typing import ClassVar\n"
        "from models.config import DCGANGenerator\n\n"
        "class Mine(DCGANGenerator):\n"
        "    implementation: ClassVar[str] = 'shop.parts:build'\n"
        "    name: str\n\n"
        "def build(variant, data):\n    return 1\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    mine = Experiment.parse(
        {
            "name": "mine",
            "data": {"resolution": 16},
            "scheme": {"generator": "shop.parts:Mine"},
            "training": {"steps": 1},
        }
    )
    first = keys.training(mine)
    (package / "parts.py").write_text((package / "parts.py").read_text().replace("return 1", "return 2"))
    assert keys.training(mine) != first
