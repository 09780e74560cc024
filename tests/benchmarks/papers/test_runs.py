import json

import numpy as np
import pytest

from benchmarks.papers import mixtures, runs
from models.config import Experiment

PLAYERS = ("generator", "discriminator")


def short(**training):
    """A recipe of two steps of small networks, not compiled by XLA, which would take longer than they do."""
    fields = {"steps": 2, "batch_size": 16, "steps_per_call": 1, "checkpoint_every_steps": 1, "jit": False}
    changes = {f"training.{name}": value for name, value in (fields | training).items()}
    changes |= {f"scheme.{player}.{name}": value for player in PLAYERS for name, value in (("width", 8), ("depth", 1))}
    return runs.changed(mixtures.experiment("ring", "R1", seed=0), changes)


@pytest.fixture
def work():
    return runs.Work(lambda experiment: mixtures.examples(experiment), mixtures.measure)


class TestChanged:
    def test_changes_the_fields_named_and_no_other(self):
        base = mixtures.experiment("ring", "GAN", seed=0)
        packed = runs.changed(base, {"scheme.discriminator.pack": 2})
        assert packed.scheme.discriminator.pack == 2
        assert packed.model_copy(update={"scheme": base.scheme}) == base
        assert packed.override(["scheme.discriminator.pack=1"]) == base

    def test_refuses_what_no_experiment_has(self):
        message = r"scheme\.discriminator\.pak is no field of the discriminator points; did you mean pack\?"
        with pytest.raises(ValueError, match=message):
            runs.changed(mixtures.experiment("ring", "GAN", seed=0), {"scheme.discriminator.pak": 2})


class TestFigures:
    def test_a_run_is_done_once(self, tmp_path, work):
        run = runs.Run("a", short())
        first = runs.figures(run, work, tmp_path)
        assert set(first) == {"modes", "high_quality_percent", "reverse_kl", "seconds"}

        def never(*_):
            raise AssertionError("trained or measured again")

        assert runs.figures(run, runs.Work(never, never), tmp_path) == first

    def test_a_stopped_run_goes_on(self, tmp_path, work):
        run = runs.Run("a", short(steps=3))

        def stop(gan, folder):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            runs.figures(run, work._replace(measure=stop), tmp_path)
        history = runs.folder_of(run, tmp_path) / "history.jsonl"
        trained = history.read_text()
        runs.figures(run, work, tmp_path)
        assert history.read_text() == trained
        assert [json.loads(line)["step"] for line in trained.splitlines()] == [1, 2, 3]

    def test_another_recipe_is_another_run(self, tmp_path):
        one, other = (runs.folder_of(runs.Run("a", short(seed=seed)), tmp_path) for seed in (0, 1))
        assert one != other

    def test_a_diverged_training_is_told_of(self, tmp_path, work):
        rate = {"name": "sgd", "learning_rate": 1e30}
        run = runs.Run("a", short(steps=5, generator_optimizer=rate, discriminator_optimizer=rate))
        figures = runs.figures(run, work, tmp_path)
        assert set(figures) == {"diverged", "seconds"}
        assert "diverged before step" in figures["diverged"]


@pytest.mark.slow
def test_runs_of_several_processes_come_back_in_their_order(tmp_path):
    todo = [runs.Run(f"seed-{seed}", short(seed=seed)) for seed in range(3)]
    work = runs.Work(mixtures.examples, mixtures.measure)
    together = runs.carry_out(todo, work, tmp_path / "together")
    for run, figures in zip(todo, together, strict=True):
        assert runs.figures(run, work, tmp_path / "together") == figures
        alone = np.load(runs.folder_of(run, tmp_path / "together") / "samples.npy")
        runs.figures(run, work, tmp_path / "alone")
        np.testing.assert_allclose(np.load(runs.folder_of(run, tmp_path / "alone") / "samples.npy"), alone, atol=1e-5)


@pytest.mark.slow
def test_a_step_compiled_by_xla_does_the_same(tmp_path):
    first = []
    for jit in (False, True):
        recipe = short(jit=jit)
        runs.train(runs.Run("a", recipe), mixtures.examples(recipe), tmp_path / str(jit))
        first.append(json.loads((tmp_path / str(jit) / "history.jsonl").read_text().splitlines()[0]))
    # XLA draws other noise from the same seed, so only what real points alone decide can be compared
    for name in ("d_real_logit", "d_r1"):
        assert first[1][name] == pytest.approx(first[0][name], rel=1e-4)


class TestSamples:
    def test_parts_add_up_and_follow_from_the_seed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(runs, "BATCH", 4)
        gan = runs.train(runs.Run("a", short()), mixtures.examples(short()), tmp_path)
        drawn = [np.concatenate(list(runs.samples(gan, 10, seed))) for seed in (1, 1, 2)]
        assert drawn[0].shape == (10, 2)
        assert len(np.unique(drawn[0], axis=0)) == 10
        np.testing.assert_array_equal(drawn[0], drawn[1])
        assert not np.isin(drawn[0], drawn[2]).any()


def test_mean_and_error():
    # by hand: deviations -1, 0, 1 of variance 1, over the root of 3
    assert runs.mean_and_error([1, 2, 3]) == (2.0, pytest.approx(3**-0.5))
    assert runs.mean_and_error([5]) == (5.0, 0.0)


def test_every_recipe_of_the_benchmarks_is_sound():
    from benchmarks.papers import fgan, parzen, stacked

    recipes = [mixtures.experiment(name, entry, 0) for name in mixtures.MIXTURES for entry in mixtures.ENTRIES]
    recipes += [parzen.experiment(changes) for changes in parzen.ENTRIES.values()]
    recipes += [fgan.experiment(name) for name in fgan.PUBLISHED]
    recipes += [stacked.experiment(changes) for changes in stacked.ENTRIES.values()]
    for recipe in recipes:
        assert Experiment.from_json(recipe.to_json()) == recipe
        assert recipe.training.strategy == "one_device"
