import json
import logging
import math

import numpy as np
import pytest

from models.catalog import lookup
from models.examples.arrays import read_examples, reference
from models.training.history import DISTANCE
from models.training.looks import COVERAGE, DIVERSITY, NAMES, NEAR_DUPLICATES, PRECISION
from models.training.loop import TrainingDiverged, TrainingUnhealthy
from models.training.monitor import LONG, MEANINGS, SWING, SWINGS, Course, Monitor, draw_verdict, follow, moves
from models.training.train import train
from tests import laboratory
from tests.harness import experiment, write_examples

GOOD = {DIVERSITY: 1.0, NEAR_DUPLICATES: 0.02, PRECISION: 0.9, COVERAGE: 0.9}
ALIKE = GOOD | {DIVERSITY: 0.2}


def history(distances, aucs=0.8, looks=GOOD, **logged):
    """Rows of a training with a look every 100 steps, at these distances, and four rows for each.

    Args:
        distances: of the looks.
        aucs: of the rows: one value for all, or one each.
        looks: what else a look sees: one for all, or one each.
        logged: further values of every row.
    """
    count = 4 * len(distances)
    aucs = [aucs] * count if isinstance(aucs, float) else aucs
    looks = [looks] * len(distances) if isinstance(looks, dict) else looks
    rows = [{"step": 25 * (i + 1), "d_auc": aucs[i], **logged} for i in range(count)]
    for row, distance, look in zip(rows[3::4], distances, looks, strict=True):
        row |= look | {DISTANCE: distance}
    return rows


class TestRules:
    @pytest.mark.parametrize(
        ("verdict", "rows"),
        [
            ("healthy", history([0.8, 0.3, 0.1, 0.02])),
            ("healthy", history([0.01, 0.01, 0.01, 0.01])),
            # stages of good trainings: all alike at first, a discriminator far ahead, a generator ahead
            ("healthy", history([0.9, 0.7, 0.5], looks=[ALIKE | {DIVERSITY: value} for value in (0.05, 0.1, 0.2)])),
            ("healthy", history([0.9, 0.7, 0.5], aucs=1.0)),
            ("healthy", history([0.9, 0.7, 0.5], aucs=0.1)),
            # a discriminator that has learnt few examples by heart, while the samples are like real ones
            ("healthy", history([0.01, 0.01, 0.01], aucs=1.0)),
            ("healthy", history([0.3, 0.3, 0.3])),
            ("discriminator_overpowers", history([0.3, 0.3, 0.3], aucs=0.995)),
            # its samples are alike because they were so at the start: they learnt nothing
            ("discriminator_overpowers", history([0.6, 0.6, 0.6], aucs=1.0, looks=ALIKE)),
            ("healthy", history([0.3, 0.3, 0.3], aucs=0.98)),
            ("generator_overpowers", history([0.3, 0.3, 0.3], aucs=0.3)),
            ("generator_overpowers", history([0.3, 0.3, 0.3], aucs=0.5)),
            ("healthy", history([0.3, 0.3, 0.3], aucs=0.6)),
            ("mode_collapse", history([0.3, 0.3, 0.3], looks=ALIKE)),
            ("mode_collapse", history([0.3, 0.3, 0.3], aucs=0.5, looks=ALIKE)),
            # they get nearer, but no more varied
            ("mode_collapse", history([0.9, 0.7, 0.5], looks=ALIKE)),
            ("mode_collapse", history([0.9, 0.7, 0.5], looks=GOOD | {DIVERSITY: 0.0})),
            ("mode_collapse", history([0.3, 0.3, 0.3], looks=GOOD | {NEAR_DUPLICATES: 0.9})),
            ("mode_collapse", history([0.3, 0.3, 0.3], looks=GOOD | {COVERAGE: 0.3})),
            # what is far from all real examples covers none of them: that is no collapse
            ("healthy", history([0.3, 0.3, 0.3], looks=GOOD | {PRECISION: 0.1, COVERAGE: 0.0})),
            ("healthy", history([0.3, 0.3, 0.3], looks=[ALIKE, GOOD, ALIKE])),
            # it was better before: going up and down among bad values is no progress
            ("mode_collapse", history([0.5, 0.2, 0.4, 0.5, 0.3, 0.35], looks=ALIKE)),
            ("diverged", history([20.0, 30.0, 40.0])),
            ("diverged", history([0.3], d_loss=math.inf)),
            ("diverged", history([0.3], g_loss=math.nan)),
            ("diverged", history([0.3, math.nan])),
            ("oscillating", history([0.3] * 5, aucs=[0.9, 0.9, 0.5, 0.4] * 5)),
            ("oscillating", history([0.3, 0.8, 0.3, 0.8, 0.3])),
            # one point that runs from mode to mode
            ("mode_collapse", history([0.3, 0.8, 0.3, 0.8, 0.3], looks=GOOD | {DIVERSITY: 0.01})),
            ("healthy", history([0.01, 0.04, 0.01, 0.04, 0.01])),
            ("healthy", history([0.3, 0.4, 0.3, 0.4, 0.3])),
            ("healthy", history([0.3] * 5, aucs=[0.8, 0.7, 0.6, 0.6] * 5)),
        ],
    )
    def test_verdict(self, verdict, rows):
        assert draw_verdict(rows)[0] == verdict

    @pytest.mark.parametrize("options", [{"aucs": 1.0}, {"aucs": 0.0}, {"looks": ALIKE}, {"aucs": [1.0, 0.0] * 4}])
    def test_none_before_three_looks(self, options):
        assert draw_verdict([]) == ("healthy", {})
        assert draw_verdict(history([0.5, 0.5], **options)) == ("healthy", {})

    def test_any_discriminator_of_several_is_enough(self):
        rows = [row | {"second_auc": 1.0} for row in history([0.3] * 3)]
        verdict, evidence = draw_verdict(rows)
        assert verdict == "discriminator_overpowers"
        assert (evidence["d_auc"], evidence["second_auc"]) == (pytest.approx(0.8), 1)

    def test_evidence_is_of_the_last_look_and_the_rows_behind_it(self):
        rows = history([0.5, 0.4, 0.3, 0.3, 0.3], aucs=[0.0] * 12 + [0.9, 1.0] * 4, looks=ALIKE)
        verdict, evidence = draw_verdict(rows)
        assert verdict == "mode_collapse"
        assert evidence == {"d_auc": pytest.approx(0.95)} | ALIKE | {DISTANCE: 0.3}

    def test_a_history_without_discriminator_or_variety(self):
        rows = [{"step": step, "loss": 1.0, DISTANCE: 0.3} for step in (10, 20, 30)]
        assert draw_verdict(rows)[0] == "healthy"


def test_the_noise_of_single_batches_is_no_oscillation():
    # a row a step: the AUC of a batch of 16 deviates by 0.1
    noise = np.random.default_rng(0).normal(0.7, 0.1, 500).tolist()
    rows = [{"step": step, "d_auc": auc} for step, auc in enumerate(noise, start=1)]
    for row in rows[99::100]:
        row |= GOOD | {DISTANCE: 0.3}
    assert moves(noise, SWING) > SWINGS
    assert draw_verdict(rows)[0] == "healthy"
    for row in rows:
        row["d_auc"] += 0.25 * math.sin(row["step"] / 10)
    assert draw_verdict(rows)[0] == "oscillating"


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([], 0),
        ([0.5], 0),
        ([0, 1], 1),
        ([1, 0], 1),
        ([0, 0.2, 0.4, 0.6, 1], 1),
        ([0, 1, 0, 1, 0], 4),
        ([0, 1, 0.9, 1, 0.8, 1.1, 0.1], 2),
        # the first move goes up from the lowest of the values before
        ([0.5, 0.2, 0.65], 1),
        ([0.5, 0.75, 0.25, 0.75], 2),
        ([0.5, 0.6] * 20, 0),
    ],
)
def test_moves(values, count):
    assert moves(values, 0.4) == count


class TestCourse:
    def test_tells_since_when_a_verdict_stands(self):
        bad = history([0.5, 0.2, 0.3, 0.3, 0.3, 0.3], looks=[GOOD, GOOD, ALIKE, ALIKE, ALIKE, ALIKE])
        verdict = follow(bad)
        assert (verdict.name, verdict.since_step) == ("mode_collapse", 500)
        assert verdict.meaning == MEANINGS["mode_collapse"]
        assert str(verdict).startswith("mode_collapse since step 500: the samples are nearly the same")
        assert "look_diversity 0.2" in str(verdict)

    def test_ends_when_the_training_recovers(self):
        rows = history([0.3, 0.3, 0.3, 0.1], looks=[ALIKE, ALIKE, ALIKE, GOOD])
        course = Course()
        names = []
        for row in rows:
            course.add(row)
            names.append(course.verdict.name)
        assert names == ["healthy"] * 11 + ["mode_collapse"] * 4 + ["healthy"]

    def test_needs_no_more_rows_than_it_keeps(self):
        random = np.random.default_rng(0)
        rows = history(random.uniform(0.1, 1, 40).tolist(), aucs=random.uniform(0, 1, 160).tolist())
        course = Course()
        for i, row in enumerate(rows, start=1):
            course.add(row)
            if DISTANCE in row:
                assert course.verdict.name == draw_verdict(rows[:i])[0]
        assert len(course.rows) <= 4 * LONG

    def test_a_value_that_is_not_finite_needs_no_look(self):
        rows = [*history([0.3]), {"step": 125, "d_loss": math.nan}]
        verdict = follow(rows)
        assert (verdict.name, verdict.since_step) == ("diverged", 125)
        assert list(verdict.evidence) == ["d_loss"]


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return laboratory.write_points(tmp_path_factory.mktemp("ring"))


class TestLaboratory:
    """Real trainings: each verdict is provoked by one experiment, which it stops, and the good one raises none."""

    def train(self, name, examples, directory):
        config = laboratory.EXPERIMENTS[name].override(["training.health.action=stop"])
        places = {name: directory / name for name in ("model_dir", "run_dir", "checkpoint_dir")}
        train(config, examples=examples, callbacks=[], **places)

    def test_healthy(self, ring, tmp_path, caplog):
        self.train("healthy", ring, tmp_path)
        assert (tmp_path / "model_dir").exists()
        rows = [json.loads(line) for line in (tmp_path / "run_dir" / "history.jsonl").read_text().splitlines()]
        assert len([row for row in rows if DISTANCE in row]) == 4
        assert follow(rows).name == "healthy"
        monitor = [record for record in caplog.records if record.name == "models.training.monitor"]
        assert not [record for record in monitor if not record.msg.startswith("look at step")]

    @pytest.mark.parametrize("name", sorted(laboratory.EXPERIMENTS.keys() - {"healthy", "diverged"}))
    def test_recognised(self, name, ring, tmp_path, caplog):
        with pytest.raises(TrainingUnhealthy, match=f"stopped at step 300, {name}: {MEANINGS[name]}"):
            self.train(name, ring, tmp_path)
        assert f"{name} since step 300" in caplog.text
        assert not (tmp_path / "model_dir").exists()

    def test_diverged(self, ring, tmp_path):
        with pytest.raises(TrainingDiverged):
            self.train("diverged", ring, tmp_path)


@pytest.fixture(scope="module")
def gan_and_examples(tmp_path_factory):
    """A GAN of three classes that nobody has trained, and real examples."""
    config = experiment()
    arrays = read_examples(write_examples(tmp_path_factory.mktemp("examples"), config.data), config.data)
    return lookup("scheme", config.scheme.name)(config), reference(arrays, config.data, 64, 0)


class TestLook:
    @pytest.fixture
    def average(self, gan_and_examples):
        """The generator that a look draws from; a test may change its weights."""
        average = gan_and_examples[0].averages["generator"].average
        weights = average.get_weights()
        yield average
        average.set_weights(weights)

    def test_sees_the_same_twice_and_a_change(self, gan_and_examples, average):
        gan, examples = gan_and_examples
        monitor = Monitor(gan.experiment, examples)
        first = monitor.look(gan, 1)
        assert tuple(first) == NAMES
        assert monitor.look(gan, 2) == first
        # an untrained generator draws grey: far from the real ones, and alike
        assert first[DISTANCE] > 0.5
        assert first[DIVERSITY] < 0.1
        average.set_weights([30 * weight for weight in average.get_weights()])
        assert monitor.look(gan, 3)[DIVERSITY] > 2 * first[DIVERSITY]

    def test_weights_that_are_not_finite(self, gan_and_examples, average):
        gan, examples = gan_and_examples
        monitor = Monitor(gan.experiment, examples)
        average.set_weights([np.full_like(weight, np.nan) for weight in average.get_weights()])
        look = monitor.look(gan, 1)
        assert np.isnan(list(look.values())).all()
        monitor.row({"step": 1} | look)
        assert monitor.verdict().name == "diverged"

    def test_variety_is_that_within_the_classes_that_are_asked_for(self, gan_and_examples):
        gan, examples = gan_and_examples
        asked = Monitor(gan.experiment, examples).look(gan, 1)
        config = gan.experiment.override(["scheme.generator.condition=none", "scheme.discriminator.condition=none"])
        # the labels of the data are there, but nobody asks for them
        assert Monitor(config, examples).look(gan, 1)[DIVERSITY] != asked[DIVERSITY]


class TestMonitor:
    @pytest.fixture
    def monitor(self, gan_and_examples):
        gan, examples = gan_and_examples
        return Monitor(gan.experiment, examples)

    def test_logs_looks_and_each_change_of_the_verdict(self, gan_and_examples, monitor, caplog):
        with caplog.at_level(logging.INFO):
            monitor.look(gan_and_examples[0], 7)
            for row in history([0.3, 0.3, 0.3, 0.3, 0.1], looks=[ALIKE] * 4 + [GOOD]):
                monitor.row(row)
        assert "look at step 7: look_distance" in caplog.text
        warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == 1
        assert warnings[0].startswith("mode_collapse since step 300")
        assert caplog.records[-1].getMessage().startswith("healthy since step 500")

    def test_a_resumed_training_goes_on_as_before(self, monitor):
        rows = history([0.3] * 5, looks=ALIKE)
        for row in rows:
            monitor.row(row)
        whole = monitor.verdict()
        monitor.reset()
        assert monitor.verdict().name == "healthy"
        # through the file of the history
        for row in map(json.loads, [json.dumps(row) for row in rows]):
            monitor.row(row)
        assert monitor.verdict() == whole
