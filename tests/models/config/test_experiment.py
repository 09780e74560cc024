import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.config import (
    Adversarial,
    CrossEntropy,
    DCGANDiscriminator,
    DCGANGenerator,
    Experiment,
    Images,
    Latent,
    Objective,
    Penalty,
    ResNetGenerator,
    Training,
)
from tests.models.config.small import OF_EACH_SCHEME, SMALL

PAIR = [("r1", 1.0), ("wgan_gp", 2.0)]


class TestJson:
    @pytest.mark.parametrize("name", OF_EACH_SCHEME)
    def test_reads_what_it_wrote(self, name):
        experiment = OF_EACH_SCHEME[name]
        assert Experiment.from_json(experiment.to_json()) == experiment

    def test_a_name_stands_for_the_part_of_that_name(self):
        assert SMALL.scheme == Adversarial()
        assert SMALL.scheme.generator.name == SMALL.scheme.discriminator.name == "dcgan"
        assert Objective(name="hinge") == Adversarial(objective="hinge").objective

    def test_equal_experiments_read_the_same_whatever_the_order(self):
        tree = dict(reversed(json.loads(SMALL.to_json()).items()))
        assert Experiment.parse(tree).to_json() == SMALL.to_json()

    def test_parts_alone(self):
        assert set(json.loads(SMALL.to_json(["name", "data"]))) == {"name", "data"}

    def test_text_that_is_no_json(self):
        with pytest.raises(ValueError, match="an experiment is written as JSON"):
            Experiment.from_json("{")

    @pytest.mark.parametrize("part", ["network", "gan"])
    def test_what_an_earlier_version_wrote_is_named_as_that(self, part):
        old = {"name": "old", "data": {}, part: {}, "training": {"steps": 1}}
        with pytest.raises(ValueError, match="an experiment is of format 2; received one of another") as caught:
            Experiment.parse(old)
        assert "\n" not in str(caught.value)

    @given(
        steps=st.integers(1, 10**9),
        rate=st.floats(1e-9, 10, allow_nan=False),
        classes=st.integers(0, 1000),
        weight=st.floats(0, 1e6),
    )
    def test_any_valid_experiment_survives(self, steps, rate, classes, weight):
        tree = json.loads(SMALL.to_json())
        del tree["evaluation"]["extractor"]  # it follows from the data
        tree["training"] |= {"steps": steps, "generator_optimizer": {"learning_rate": rate}}
        tree["data"]["classes"] = classes
        tree["scheme"]["objective"]["penalties"] = {"r1": weight}
        experiment = Experiment.parse(tree)
        assert Experiment.from_json(experiment.to_json()) == experiment
        assert Experiment.from_json(experiment.key()) == experiment

    def test_the_order_of_penalties_is_the_catalogs(self):
        one, other = (Objective(name="hinge", penalties=dict(order)) for order in (PAIR, reversed(PAIR)))
        assert list(one.penalties) == list(other.penalties) == ["r1", "wgan_gp"]

    def test_has_a_json_schema_that_names_every_variant(self):
        schema = json.dumps(Experiment.model_json_schema())
        variants = ("ResNetGenerator", "GanMLPDiscriminator", "PointsTranslator", "Cycle", "CrossEntropy", "Unpaired")
        assert not [name for name in variants if f'"#/$defs/{name}"' not in schema]


class TestKey:
    @pytest.mark.parametrize("name", OF_EACH_SCHEME)
    def test_reads_what_it_wrote(self, name):
        experiment = OF_EACH_SCHEME[name]
        assert Experiment.from_json(experiment.key()) == experiment

    def test_is_what_differs_from_the_defaults_with_the_names_of_variants(self):
        assert json.loads(SMALL.key()) == {
            "name": "small",
            "data": {"name": "images", "resolution": 16, "classes": 10},
            "training": {"steps": 5},
            "evaluation": {"thresholds": {"coverage": {"at_least": 0.5, "within_floor": 0.1}}},
        }
        hinge = SMALL.override(["scheme.objective.name=hinge"])
        assert json.loads(hinge.key(["scheme"])) == {"scheme": {"name": "adversarial", "objective": {"name": "hinge"}}}

    def test_a_field_at_its_default_is_not_in_it(self):
        settings = ["scheme.generator.width=64", "scheme.objective.penalties={}", "training.seed=0", "data.channels=1"]
        for setting in settings:
            assert SMALL.override([setting]).key() == SMALL.key()
        assert SMALL.override(["scheme.generator.width=32"]).key() != SMALL.key()

    def test_equal_experiments_read_the_same_however_they_were_written(self):
        written = {
            "training": {"seed": 0, "steps": 5},
            "scheme": {"objective": {"penalties": dict(reversed(PAIR)), "name": "minimax"}},
            "data": {"classes": 10, "resolution": 16},
            "name": "small",
        }
        otherwise = Experiment(
            name="small",
            data=Images(resolution=16, classes=10, source="digits"),
            scheme=Adversarial(
                objective=CrossEntropy(name="minimax", penalties={"r1": Penalty(weight=1), "wgan_gp": 2})
            ),
            training=Training(steps=5),
        )
        assert Experiment.parse(written) == otherwise
        assert Experiment.parse(written).key() == otherwise.key()
        assert Experiment.parse(written).to_json() == otherwise.to_json()

    def test_parts_alone(self):
        assert set(json.loads(SMALL.key(["name", "data"]))) == {"name", "data"}

    def test_a_variant_with_the_fields_of_another_is_not_taken_for_it(self):
        resnet = SMALL.override(["scheme.generator.name=resnet"])
        assert resnet.scheme.generator == ResNetGenerator()
        assert resnet.key() != SMALL.key()

    def test_a_default_that_changes_is_a_revision(self, monkeypatch):
        before = SMALL.key()
        monkeypatch.setattr(Training, "revision", 1)
        assert SMALL.key() != before
        assert json.loads(SMALL.key())["training"] == {"revision": 1, "steps": 5}


class TestFrozen:
    def test_does_not_change(self):
        with pytest.raises(ValueError, match="frozen"):
            SMALL.training.steps = 7


class TestExperiment:
    def test_says_what_its_scheme_says(self):
        assert not SMALL.conditional
        assert SMALL.latent == Latent()
        conditional = Adversarial(
            generator=DCGANGenerator(condition="embedding"), discriminator=DCGANDiscriminator(condition="auxiliary")
        )
        assert SMALL.model_copy(update={"scheme": conditional}).conditional
        assert {name: each.scheme.task for name, each in OF_EACH_SCHEME.items()} == {
            "adversarial": "generate",
            "cycle": "translate",
            "restoration": "restore",
            "pix2pix": "translate",
            "lapgan": "generate",
        }
        assert {name: each.total_steps for name, each in OF_EACH_SCHEME.items()} == {
            "adversarial": 5,
            "cycle": 5,
            "restoration": 12,
            "pix2pix": 5,
            "lapgan": 8,
        }

    def test_what_translates_has_no_latent(self):
        with pytest.raises(TypeError, match="points takes examples, and no noise"):
            _ = OF_EACH_SCHEME["cycle"].latent
