import numpy as np
import pytest

from benchmarks.papers import mixtures as bench
from benchmarks.papers import runs
from models import mixtures


# GAN and PacGAN4 are PacGAN2 with another number, "R1, longer" is R1 with more steps
@pytest.mark.parametrize("entry", [name for name in bench.ENTRIES if name not in ("GAN", "PacGAN4", "R1, longer")])
def test_each_entry_trains(entry, tmp_path):
    changes = {"training.steps": 2, "training.batch_size": 16, "training.jit": False}
    changes |= {"scheme.generator.width": 8, "scheme.discriminator.width": 8}
    run = runs.Run(entry, runs.changed(bench.experiment("grid", entry, seed=0), changes))
    figures = runs.figures(run, runs.Work(bench.examples, bench.measure), tmp_path)
    assert 0 <= figures["modes"] <= 25
    assert np.load(runs.folder_of(run, tmp_path) / "samples.npy").shape == (2_500, 2)


class TestScore:
    def test_the_mixture_itself_is_the_ceiling(self):
        # 1 - exp(-9/2) of a Gaussian of the plane lies within three deviations; half of (25 - 1) / 2500 by chance
        row = bench.truth("grid")
        assert row["modes"] == 25
        assert row["high_quality_percent"] == pytest.approx(98.89, abs=0.4)
        assert row["reverse_kl"] == pytest.approx(0.0048, abs=0.002)

    def test_points_of_no_quality_have_the_largest_divergence(self):
        score = bench.score(np.zeros([2_500, 2], np.float32), mixtures.ring())
        assert score == {"modes": 0, "high_quality_percent": 0, "reverse_kl": pytest.approx(np.log(8))}


class TestSummary:
    def test_means_over_the_seeds_beside_what_is_published(self):
        measured = [
            {"modes": modes, "high_quality_percent": 90.0, "reverse_kl": 0.1, "seconds": 10.0} for modes in (7, 8, 8)
        ]
        row = bench.summarise("ring", "PacGAN2", measured)
        assert (row["modes"], row["±_modes"]) == (7.67, 0.33)
        assert (row["seconds"], row["published_modes"]) == (10, "7.9 ± 0.1")

    def test_a_seed_that_diverged_leaves_no_mean(self):
        row = bench.summarise("ring", "GAN", [{"diverged": "at step 3", "seconds": 1.0}, {"modes": 8, "seconds": 2.0}])
        assert row["diverged"] == "1 of 2 seeds"
        assert "modes" not in row


def test_marks_hold_for_the_figures_that_they_ask_for_and_not_without_figures():
    def rows(**best):
        return [
            {"mixture": name, "entry": entry, "modes": modes, "high_quality_percent": 98, "reverse_kl": 0.01}
            | (best if entry == bench.BEST else {})
            for name, modes in (("ring", 8), ("grid", 25))
            for entry in (bench.BEST, "PacGAN2")
        ]

    assert all(mark["holds"] for mark in bench.judge(rows()))
    failing = [mark["name"] for mark in bench.judge(rows(high_quality_percent=97.9)) if not mark["holds"]]
    assert failing == ["ring_best_high_quality_percent", "grid_best_high_quality_percent"]
    lost = [{"mixture": name, "entry": entry} for name in bench.MIXTURES for entry in bench.ENTRIES]
    assert not any(mark["holds"] for mark in bench.judge(lost))
