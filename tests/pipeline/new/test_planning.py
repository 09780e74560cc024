import pytest

from models.config.networks.base import scales
from pipeline.new import choosing, facts, planning, timing, writing
from tests.pipeline.new.looks import FAST, SLOW, machine, made_up, planned


class TestResolution:
    @pytest.mark.parametrize("speed", [SLOW, 12.0, FAST])
    @pytest.mark.parametrize("side", [9, 28, 31, 40, 45, 64, 300])
    def test_is_one_that_images_have_and_networks_can_do(self, side, speed):
        resolution = planned(made_up(2_000, side=side), speed).experiment.data.resolution
        base, doublings = scales(resolution)
        assert resolution <= min(side, 128)
        assert base <= 7
        assert doublings

    @pytest.mark.parametrize(("speed", "resolution"), [(SLOW, 32), (8.0, 48), (20.0, 64), (40.0, 96), (FAST, 128)])
    def test_grows_with_the_machine(self, speed, resolution):
        assert planned(made_up(2_000, side=300), speed).experiment.data.resolution == resolution

    def test_stays_small_for_few_images(self):
        assert planned(made_up(300, side=300)).experiment.data.resolution == 64

    def test_is_as_asked(self):
        assert planned(made_up(300), SLOW, resolution=48).experiment.data.resolution == 48
        with pytest.raises(ValueError, match="next to it are 28 or 32"):
            planned(made_up(300), resolution=30)

    def test_a_few_smaller_images_do_not_decide(self):
        look = made_up(1_000, side=64)
        look.seen[3] = look.seen[3]._replace(side=20)
        plan = planned(look)
        assert plan.experiment.data.resolution == 64
        assert "1 have less and are enlarged" in next(c.reason for c in plan.chosen.choices if "resolution" in c.path)


class TestSteps:
    def test_fill_the_time(self):
        """If this fails, `run` takes much less or much more than what was asked for."""
        plan = planned(made_up(1_000), SLOW, minutes=60)
        assert 30 * 60 < plan.experiment.training.steps / SLOW < 60 * 60
        assert planned(made_up(1_000), SLOW, minutes=10).experiment.training.steps < plan.experiment.training.steps / 4

    def test_measured_on_a_real_training(self):
        """If this fails, no step was taken, or the steps of another experiment."""
        look = made_up(200, classes=2)
        small = ["scheme.generator.width=4", "scheme.discriminator.width=4", "training.batch_size=8"]
        experiment = choosing.choose(look, facts.find(look), name="x", resolution=8, why_resolution="").experiment()
        rate = timing.measure(experiment.override(small), look)
        assert rate.resolution == 8
        assert rate.steps >= timing.STEPS_A_CALL
        assert 0 < rate.steps_per_second <= rate.at_most

    def test_a_busy_machine_is_told(self):
        def measure(experiment):
            return machine(SLOW)(experiment)._replace(load=3.0, at_most=9.0)

        look = made_up(300)
        plan = planning.plan(look, facts.find(look), measure, name="x", minutes=60)
        assert "3.0 other processes a core" in writing.to_yaml(plan.chosen.choices, []).replace("\n  # ", " ")
