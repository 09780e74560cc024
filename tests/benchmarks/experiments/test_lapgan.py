"""What exposure costs a LAPGAN: what is drawn, and that a whole run is measured."""

import numpy as np
import pytest

from benchmarks.experiments import lapgan, pipelines
from models.examples.arrays import Arrays
from models.gans.lapgan import LaplacianGAN
from pipeline.experiments.named import DIGITS_CGAN, FASHION_LAPGAN
from tests import trainings
from tests.models.gans.test_lapgan import pyramid

TINY = (
    *("data.source=digits", "data.resolution=16", "scheme.levels=2", "scheme.refiner.width=4"),
    *("scheme.generator.width=4", "scheme.generator.latent.size=8", "scheme.discriminator.width=4"),
    *("training.steps=20", "training.precision=float32", "training.steps_per_call=10"),
    *("training.checkpoint_every_steps=10", "training.sample_every_steps=20", "training.health.check_every_steps=10"),
    *(
        "evaluation.samples=200",
        "evaluation.extractor_steps=50",
        'evaluation.thresholds={"conditional_accuracy": {"at_least": 0}}',
    ),
)


@pytest.fixture(scope="module")
def gan():
    """Three levels of 8, 16 and 32 pixels, of which the finer add nothing."""
    made = LaplacianGAN(pyramid())
    for level in (1, 2):
        for average in (made.averages[f"generator_{level}"].average, made.networks[f"generator_{level}"]):
            average.layers[-2].set_weights([0 * each for each in average.layers[-2].get_weights()])
    return made


@pytest.fixture(scope="module")
def examples(gan) -> Arrays:
    return trainings.arrays(gan.experiment.data, 12)


def enlarged(x):
    """Twice as large, by hand: a new value lies at a quarter between two old ones, and at an edge is the old one."""
    for axis in (1, 2):
        last = x.shape[axis] - 1
        before, after = (np.take(x, np.clip(np.arange(last + 1) + step, 0, last), axis) for step in (-1, 1))
        x = np.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1).reshape(
            [2 * size if i == axis else size for i, size in enumerate(x.shape)]
        )
    return x


class TestDrawn:
    @pytest.mark.parametrize(("size", "times"), [(16, 1), (8, 2)])
    def test_levels_that_add_nothing_give_the_real_image_halved_and_enlarged(self, gan, examples, size, times):
        """If this fails, a level is given something else than real coarse images of this size."""
        factor, x = 2**times, examples.target.astype(np.float64)
        x = x.reshape(12, size, factor, size, factor, 1).mean((2, 4))
        for _ in range(times):
            x = enlarged(x)
        np.testing.assert_allclose(lapgan.drawn(gan, examples, size).astype(float), x, atol=0.51)

    def test_generated_ones_are_drawn_of_noise_and_label_alone(self, gan, examples):
        """If this fails, the served model was shown the examples it is judged beside."""
        others = Arrays.aligned(255 - examples.target, examples.label)
        made = lapgan.drawn(gan, examples, None)
        np.testing.assert_array_equal(made, lapgan.drawn(gan, others, None))
        relabelled = Arrays.aligned(examples.target, (examples.label + 1) % 3)
        assert (made != lapgan.drawn(gan, relabelled, None)).any()


def test_rows_are_means_over_trainings():
    """By hand: 0.4 and 0.6 have the mean 0.5 and the deviation 0.1414."""
    listed = [{"generated ones": {"coverage": value, "density": None}} for value in (0.4, 0.6)]
    (row,) = lapgan.summarise("any", listed)
    assert (row["trainings"], row["coverage"], row["± coverage"]) == (2, 0.5, 0.1414)
    assert (row["density"], row["± density"]) == (None, None)


def test_what_has_no_levels_is_refused():
    with pytest.raises(ValueError, match="is of experiments of the scheme lapgan; digits-cgan is adversarial"):
        lapgan.check([FASHION_LAPGAN, DIGITS_CGAN])


@pytest.mark.e2e
@pytest.mark.slow
def test_a_run_is_measured_once(tmp_path, monkeypatch):
    run = pipelines.Run("tiny-lapgan", "fashion-lapgan", TINY, FASHION_LAPGAN.override(TINY))
    pipelines.carry_out([run], tmp_path, 1, lambda run, record: None)
    figures = lapgan.measured(run, tmp_path)
    assert list(figures) == ["generated ones", "real ones of 8 pixels"]
    assert 0 <= figures["generated ones"]["coverage"] < figures["real ones of 8 pixels"]["coverage"]
    monkeypatch.setattr(lapgan, "restored", None)
    assert lapgan.measured(run, tmp_path) == figures
