import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.config import AtLeast, AtMost, Data, Evaluation, Experiment, Threshold, Training

SMALL = Experiment(
    name="small",
    data=Data(resolution=16, labels=10),
    network="dcgan",
    training=Training(steps=5),
    evaluation=Evaluation(thresholds={"coverage": AtLeast(0.5, within_floor=0.1)}),
)


class TestJson:
    def test_reads_what_it_wrote(self):
        assert Experiment.from_json(SMALL.to_json()) == SMALL

    def test_a_name_stands_for_the_part_of_that_name(self):
        assert SMALL.network.name == "dcgan"

    def test_equal_experiments_read_the_same_whatever_the_order(self):
        tree = dict(reversed(json.loads(SMALL.to_json()).items()))
        assert Experiment.parse(tree).to_json() == SMALL.to_json()

    def test_parts_alone(self):
        assert set(json.loads(SMALL.to_json(["name", "data"]))) == {"name", "data"}

    def test_text_that_is_no_json(self):
        with pytest.raises(ValueError, match="an experiment is written as JSON"):
            Experiment.from_json("{")

    @given(
        steps=st.integers(1, 10**9),
        rate=st.floats(1e-9, 10, allow_nan=False),
        labels=st.integers(0, 1000),
        weight=st.floats(0, 1e6),
    )
    def test_any_valid_experiment_survives(self, steps, rate, labels, weight):
        tree = json.loads(SMALL.to_json())
        tree["training"] |= {"steps": steps, "generator_optimizer": {"learning_rate": rate}}
        tree["data"]["labels"] = labels
        del tree["evaluation"]["extractor"]  # it follows from the data
        tree["objective"]["penalties"] = {"r1": weight}
        experiment = Experiment.parse(tree)
        assert Experiment.from_json(experiment.to_json()) == experiment


class TestFrozen:
    def test_does_not_change(self):
        with pytest.raises(ValueError, match="frozen"):
            SMALL.training.steps = 7


class TestOverride:
    @pytest.mark.parametrize(
        ("setting", "path", "value"),
        [
            ("training.steps=7", ("training", "steps"), 7),
            (
                "training.generator_optimizer.learning_rate=1e-3",
                ("training", "generator_optimizer", "learning_rate"),
                1e-3,
            ),
            ("data.source=idx:data/mnist", ("data", "source"), "idx:data/mnist"),
            ("objective.penalties.r1=2", ("objective", "penalties"), {"r1": 2.0}),
            ('objective.penalties={"r1": 3}', ("objective", "penalties"), {"r1": 3.0}),
            ("network=dcgan", ("network", "name"), "dcgan"),
        ],
    )
    def test_sets_a_field(self, setting, path, value):
        found = SMALL.override([setting])
        for name in path:
            found = getattr(found, name)
        assert found == value

    def test_adds_a_threshold_beside_the_others(self):
        thresholds = SMALL.override(["evaluation.thresholds.recall.at_least=0.2"]).evaluation.thresholds
        assert thresholds == {"coverage": AtLeast(0.5, within_floor=0.1), "recall": AtLeast(0.2)}

    def test_the_last_setting_wins_and_the_original_stays(self):
        assert SMALL.override(["training.steps=7", "training.steps=8"]).training.steps == 8
        assert SMALL.training.steps == 5

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("training.stps=4", r"training\.stps is no field of training; did you mean training\.steps\?"),
            ("trainin.steps=4", "trainin is no field of an experiment; did you mean training"),
            ("training.steps", "a setting is written field=value; received 'training.steps'"),
            ("training.steps=0", r"training\.steps: .*greater than 0; received 0"),
            ("training.steps=many", r"training\.steps: .*integer.*; received 'many'"),
            ("training.seed=1.5", r"training\.seed: .*integer.*; received 1\.5"),
            ("data.resolution=17", r"data\.resolution: resolution is one of 16, 28, .*; received 17"),
            ("network.name=dcgn", r"network\.name: dcgn is no network of the catalog; did you mean dcgan\?"),
            ("objective.penalties.dragon=2", "dragon is no penalty of the catalog; did you mean dragan?"),
            ("objective.penalties.r1=-1", "the weight of a penalty is at least 0; received -1.0 for r1"),
            ("evaluation.thresholds.coverage.atleast=3", "atleast is no field"),
            ("evaluation.thresholds.recall={}", "a threshold sets at_least, at_most, within_floor or within_blessed"),
            ("network.condition=embeding", "network.condition: .*; received 'embeding'"),
            ("name=Big Name", "name: .*pattern.*; received 'Big Name'"),
        ],
    )
    def test_refuses_in_one_line(self, setting, message):
        with pytest.raises(ValueError, match=message) as caught:
            SMALL.override([setting])
        assert "\n" not in str(caught.value)


class TestData:
    @pytest.mark.parametrize(
        ("source", "kind", "shape"),
        [
            ("idx:data/mnist", "images", (28, 28, 3)),
            ("stacked:idx:data/mnist", "stacked", (28, 28, 3)),
            ("mixture:ring", "points", (2,)),
        ],
    )
    def test_the_source_says_what_an_example_is(self, source, kind, shape):
        data = Data(source=source, channels=3)
        assert (data.kind, data.points, data.shape, data.sources) == (kind, kind == "points", shape, (source,))

    def test_a_second_domain(self):
        assert Data(unpaired_source="idx:data/mnist").sources == ("digits", "idx:data/mnist")

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (["data.source=mixture:rign"], r"data\.source: rign is no mixture of the catalog; did you mean ring\?"),
            (["data.unpaired_source=mixture:x"], r"data\.unpaired_source: x is no .*; choose from grid, ring"),
            (["data.unpaired_source=mixture:ring"], "both domains are points or both images; received digits and mix"),
        ],
    )
    def test_refuses_in_one_line(self, settings, message):
        with pytest.raises(ValueError, match=message) as caught:
            SMALL.override(settings)
        assert "\n" not in str(caught.value)


class TestThreshold:
    def test_short_forms(self):
        assert AtLeast(0.5) == Threshold(at_least=0.5)
        assert AtMost(3, within_blessed=0.1) == Threshold(at_most=3, within_blessed=0.1)
