import json
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import tensorflow as tf

from models import latents
from models.catalog import lookup
from models.config import Adversarial, DCGANDiscriminator, DCGANGenerator, Latent, Optimizer
from models.examples.arrays import read_examples
from models.training.checkpoints import Checkpoints
from models.training.history import DISTANCE, History
from models.training.looks import NAMES
from models.training.loop import TrainingDiverged, TrainingUnhealthy, make_loop
from models.training.monitor import MEANINGS, Monitor, Verdict
from models.training.train import train
from tests.harness import experiment, weights, write_examples

SGD = Optimizer(name="sgd", learning_rate=0.05)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    return write_examples(tmp_path_factory.mktemp("examples"))


def run(config, examples, directory, **options):
    gan = train(
        config,
        examples=examples,
        model_dir=directory / "model",
        run_dir=directory / "run",
        checkpoint_dir=directory / "checkpoints",
        **{"callbacks": []} | options,
    )
    return weights(gan.state())


def trained(config, examples, directory):
    """The state after a training whose model is not written, which would take as long again."""
    loop = make_loop(config, read_examples(examples, config.data), directory / "checkpoints", directory / "run")
    loop.run()
    return weights(loop.gan.state())


def assert_equal(left, right, atol=0.0):
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=0, atol=atol, err_msg=name)


class TestTrain:
    def test_leaves_a_model_a_history_and_pictures(self, examples, tmp_path):
        run(experiment(training={"sample_every_steps": 4}), examples, tmp_path, callbacks=None)
        assert (tmp_path / "model" / "saved_model.pb").exists()
        rows = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows] == [2, 4, 6]
        assert rows[-1]["images"] == 48
        assert {"d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy", "images_per_second"} <= rows[0].keys()
        names = [path.name for path in sorted((tmp_path / "run" / "samples").iterdir())]
        assert names == ["step_00000004.png", "step_00000006.png"]
        assert list((tmp_path / "run" / "tensorboard").glob("events*"))

    def test_looks_compare_with_the_choosing_split(self, examples, tmp_path, caplog):
        caplog.set_level("INFO")
        choose = write_examples(tmp_path / "choose", seed=9)
        looks = []
        for name, options in (("with", {"choose": choose}), ("without", {})):
            run(experiment(), examples, tmp_path / name, **options)
            rows = [json.loads(line) for line in (tmp_path / name / "run" / "history.jsonl").read_text().splitlines()]
            looks.append(rows[-1][DISTANCE])
        assert looks[0] != looks[1]
        assert "looks at samples compare with examples of the choosing split, which has 40" in caplog.text
        assert "compare with training examples, as the choosing split has 0" in caplog.text

    def test_what_is_chosen_by_is_not_trained_on(self, examples, tmp_path):
        choose = write_examples(tmp_path / "choose", seed=9)
        keep = experiment(training={"keep": "last"})
        with_choose = run(keep, examples, tmp_path / "1", choose=choose)
        assert_equal(with_choose, run(keep, examples, tmp_path / "2"))

    def test_one_seed_gives_the_same_weights_twice_and_another_does_not(self, examples, tmp_path):
        first = trained(experiment(), examples, tmp_path / "1")
        assert_equal(first, trained(experiment(), examples, tmp_path / "2"))
        other = trained(experiment(training={"seed": 1}), examples, tmp_path / "3")
        assert any((first[name] != other[name]).any() for name in first)

    def test_steps_a_call_change_nothing_of_the_weights(self, examples, tmp_path):
        one = trained(experiment(training={"steps_per_call": 1}), examples, tmp_path / "1")
        assert_equal(one, trained(experiment(training={"steps_per_call": 6}), examples, tmp_path / "6"))

    def test_the_step_is_traced_once(self, examples, tmp_path):
        traces = []
        scheme = lookup("scheme", "adversarial")
        original = scheme.step

        def counted(self, batch, step):
            traces.append(step)
            return original(self, batch, step)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scheme, "step", counted)
            # calls of 4 and 3 steps and a checkpoint in between: none of these may trace again
            steps = {"steps": 7, "steps_per_call": 4, "checkpoint_every_steps": 4}
            trained(experiment(training=steps), examples, tmp_path)
        assert len(traces) == 1

    def test_a_loss_that_is_no_number_stops_the_run_and_leaves_no_model(self, examples, tmp_path):
        wild = Optimizer(name="sgd", learning_rate=1e30)
        config = experiment(training={"generator_optimizer": wild, "discriminator_optimizer": wild, "steps": 40})
        with pytest.raises(TrainingDiverged, match=r"diverged before step \d+: \w+ is (nan|inf|-inf); no model"):
            run(config, examples, tmp_path)
        assert not (tmp_path / "model").exists()

    def test_a_checkpoint_of_another_architecture_is_refused(self, examples, tmp_path):
        trained(experiment(), examples, tmp_path)
        wider = experiment().override(["scheme.generator.width=8"])
        with pytest.raises(ValueError, match="is of another architecture: generator"):
            run(wider, examples, tmp_path)


class TestAlgorithm1:
    def test_counts_of_updates(self, examples, tmp_path):
        config = experiment().override(["scheme.discriminator_steps=3", "scheme.generator_steps=2"])
        state = trained(config, examples, tmp_path)
        assert state["discriminator_optimizer/000"] == 6 * 3
        assert state["generator_optimizer/000"] == 6 * 2

    def test_a_players_step_changes_that_player_alone(self):
        config = experiment(
            scheme=Adversarial(
                generator=DCGANGenerator(latent=Latent(size=4), width=4),
                discriminator=DCGANDiscriminator(width=4, norm="batch"),
            )
        )
        gan = lookup("scheme", config.scheme.name)(config)
        step = tf.constant(0, tf.int64)
        real = {"target": tf.random.stateless_normal([2, 4, 16, 16, 1], [1, 2]), "label": tf.zeros([2, 4], tf.int64)}

        def changed(before):
            after = weights(gan.state())
            return {name.split("/")[0] for name in after if (before[name] != after[name]).any()}

        before = weights(gan.state())
        gan.game.discriminator_step(*gan.pair(real, step, 0), step, gan.key(step, "test"))
        assert changed(before) == {"discriminator", "discriminator_optimizer"}
        before = weights(gan.state())
        gan.generator_step(gan.real(real, 1), step)
        assert changed(before) == {"generator", "generator_optimizer"}

    def test_each_update_sees_fresh_examples_and_noise(self, monkeypatch):
        config = experiment().override(["scheme.discriminator_steps=2", "scheme.generator_steps=2"])
        gan = lookup("scheme", config.scheme.name)(config)
        seeds = []
        original = latents.drawn

        def noted(latent, key, size):
            seeds.append(tuple(key.numpy()))
            return original(latent, key, size)

        monkeypatch.setattr(latents, "drawn", noted)
        assert gan.draws == 4, "two for the discriminator, two for the generator, which reads their labels"
        batch = {"target": tf.zeros([4, 8, 16, 16, 1]), "label": tf.zeros([4, 8], tf.int64)}
        gan.step(batch, tf.constant(0, tf.int64))
        gan.step(batch, tf.constant(1, tf.int64))
        assert len(set(seeds)) == 8

    def test_simultaneous_updates_start_from_the_same_weights(self):
        # of plain SGD: each player's new weights are those that it would have had alone
        training = {"generator_optimizer": SGD, "discriminator_optimizer": SGD}
        step = tf.constant(0, tf.int64)
        batch = {"target": tf.random.stateless_normal([2, 8, 16, 16, 1], [1, 2]), "label": tf.zeros([2, 8], tf.int64)}

        def fresh():
            config = experiment(training=training).override(["scheme.updates=simultaneous"])
            tf.keras.utils.set_random_seed(0)
            return lookup("scheme", config.scheme.name)(config)

        both, one, other = fresh(), fresh(), fresh()
        both.step(batch, step)
        one.game.discriminator_step(*one.pair(batch, step, 0), step, one.key(step, "test"))
        other.generator_step(other.real(batch, 1), step)
        for name, alone in (("discriminator", one), ("generator", other)):
            for left, right in zip(
                both.networks[name].trainable_variables, alone.networks[name].trainable_variables, strict=True
            ):
                np.testing.assert_allclose(left.numpy(), right.numpy(), atol=1e-6)


def look_of(distance):
    """What a look at good samples sees, with this distance."""
    return dict.fromkeys(NAMES, 1.0) | {DISTANCE: distance}


class TestKeepingTheBest:
    def scripted(self, monkeypatch, distances, verdicts=None):
        """Looks that find these distances, and verdicts, by step; everything else is real."""

        monkeypatch.setattr(Monitor, "last", 0, raising=False)
        original = Monitor.row

        def row(self, values):
            self.last = values["step"]
            original(self, values)

        monkeypatch.setattr(Monitor, "row", row)
        monkeypatch.setattr(Monitor, "look", lambda self, gan, step: look_of(distances[step]))
        if verdicts is not None:
            monkeypatch.setattr(Monitor, "verdict", verdicts)

    def test_the_weights_of_the_best_look_are_exported(self, examples, tmp_path, monkeypatch):
        self.scripted(monkeypatch, {2: 3.0, 4: 1.0, 6: 2.0})
        options = {"health": {"check_every_steps": 2}, "generator_optimizer": SGD, "discriminator_optimizer": SGD}
        best = run(experiment(training=options), examples, tmp_path / "best")
        until_4 = trained(experiment(training=options | {"steps": 4}), examples, tmp_path / "until_4")
        assert_equal(best, until_4)
        last = trained(experiment(training=options | {"keep": "last"}), examples, tmp_path / "last")
        assert any((last[name] != best[name]).any() for name in best)
        record = json.loads((tmp_path / "best" / "model" / "assets.extra" / "record.json").read_text())
        assert record["step"] == 4

    def test_a_training_that_goes_wrong_is_rolled_back_with_half_the_rates(
        self, examples, tmp_path, monkeypatch, caplog
    ):
        def verdict(self):
            name = "mode_collapse" if self.last == 4 else "healthy"
            return Verdict(name, MEANINGS[name], {}, 4)

        self.scripted(monkeypatch, {2: 1.0, 4: 2.0, 6: 3.0}, verdict)
        health = {"check_every_steps": 2, "action": "roll_back"}
        with pytest.raises(
            TrainingUnhealthy, match=r"stopped at step 4, mode_collapse: .*; no model is written, the la"
        ):
            run(experiment(training={"health": health}), examples, tmp_path)
        # to 4, back to 2 and to 4 again three times: then the verdict stands
        assert caplog.text.count("step 4, mode_collapse: back to step 2, with half the learning rates") == 3
        rows = [json.loads(row) for row in (tmp_path / "checkpoints/run/history.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows] == [2]
        assert not (tmp_path / "model").exists()

    def test_a_training_that_goes_wrong_is_stopped_on_request(self, examples, tmp_path, monkeypatch):
        self.scripted(monkeypatch, {2: 1.0}, lambda self: Verdict("oscillating", "in circles", {}, 2))
        with pytest.raises(
            TrainingUnhealthy, match="step 2, oscillating: in circles; no model is written, there is no"
        ):
            run(experiment(training={"health": {"check_every_steps": 2, "action": "stop"}}), examples, tmp_path)

    def test_only_the_last_phase_has_a_best_look(self, tmp_path):
        history = History(tmp_path / "history.jsonl")
        for step, distance in ((2, 0.1), (4, 0.5), (6, 0.3), (8, 0.3)):
            history.add({"step": step, DISTANCE: distance})
        assert history.best()["step"] == 2
        assert history.best(after=2)["step"] == 8, "of equals the later"
        assert history.best(after=8) is None


class TestResume:
    SCRIPT = """
        import sys
        from pathlib import Path
        from tests.harness import experiment
        from models.training.train import train
        out = Path(sys.argv[2])
        config = experiment(training={"steps": 60, "checkpoint_every_steps": 5})
        train(config, examples=[sys.argv[1]], model_dir=out / "model", run_dir=out / "run",
              checkpoint_dir=out / "checkpoints")
    """

    def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(self, examples, tmp_path):
        config = experiment(training={"steps": 60, "checkpoint_every_steps": 5})
        expected = trained(config, examples, tmp_path / "whole")
        command = [sys.executable, "-c", textwrap.dedent(self.SCRIPT), examples[0], str(tmp_path / "killed")]
        process = subprocess.Popen(command)
        checkpoints = tmp_path / "killed" / "checkpoints"
        try:
            deadline = time.monotonic() + 120
            while not list(checkpoints.glob("ckpt-*[0-9].index")) and process.poll() is None:
                assert time.monotonic() < deadline, "no checkpoint within two minutes"
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the run ended before it could be killed"
        assert not (tmp_path / "killed" / "model").exists()
        assert_equal(expected, run(config, examples, tmp_path / "killed"))
        rows = [json.loads(row) for row in (tmp_path / "killed" / "run" / "history.jsonl").read_text().splitlines()]
        steps = [row["step"] for row in rows]
        assert steps == sorted(set(steps)), "a resumed run repeats or loses lines of its history"
        assert steps[-1] == 60


def test_checkpoints_hold_the_optimizers_and_the_average(tmp_path):
    config = experiment()
    gan = lookup("scheme", config.scheme.name)(config)
    owners = {name.split("/")[0] for name in Checkpoints(tmp_path, gan.state()).variables}
    players = {"generator", "discriminator"}
    assert owners == players | {f"{name}_optimizer" for name in players} | {"generator_average", "extra"}
