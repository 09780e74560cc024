import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from models import mixtures
from tests.models.gans.tiny import PLAIN, changed, copied, energy_distance, experiment, make, number, play, points

NOISY = {"degradations": {"noise": 0.4}, "fidelity_weight": 0.3}


def restoration(**fields):
    return experiment("restoration", **NOISY | fields)


class TestPhases:
    def test_the_pretrainings_loss_is_the_squared_error_of_what_was_degraded(self):
        gan = make(restoration(**PLAIN, pretraining={"steps": 3}))
        x = points(1, 8)
        degraded = gan.fed({"target": x[0]}, gan.key(number(2), "pretraining"))["input"]
        expected = np.mean((gan.networks["generator"]({"input": degraded}).numpy() - x[0].numpy()) ** 2)
        assert_allclose(gan.pretraining_step({"target": x}, number(2))["fidelity_loss"], expected, rtol=1e-5)

    def test_a_generators_gradient_is_of_both_losses(self):
        real, moved = {"target": points(8)}, []
        for weight in (0.0, 1.0, 3.0):
            gan = make(restoration(**PLAIN, fidelity_weight=weight))
            before = gan.networks["generator"].get_weights()[0]
            gan.generator_step(real, number(0))
            moved.append(gan.networks["generator"].get_weights()[0] - before)
        assert_allclose(moved[2] - moved[0], 3 * (moved[1] - moved[0]), atol=1e-6)
        assert np.abs(moved[0]).max() > 1e-5

    def test_only_the_last_phase_has_instance_noise_that_begins_in_full(self):
        fields = {"objective": {"instance_noise": 1.0}, "pretraining": {"steps": 6}, "training": {"steps": 4}}
        game = make(restoration(**PLAIN, **fields)).game
        shown = [
            game._shown(tf.zeros([4000, 2]), number(step), tf.constant([0, 0], tf.int64)).numpy().std()
            for step in (6, 8, 10)
        ]
        assert_allclose(shown, [1, 0.5, 0], atol=0.03)

    def test_without_degradations_it_has_nothing_to_do(self):
        with pytest.raises(ValueError, match=r"^scheme\.degradations is required$"):
            experiment("restoration")


class TestWeights:
    def test_the_adversarial_loss_is_weighted(self):
        real, moved = {"target": points(8)}, []
        for weight in (0.5, None, 2.0):
            gan = make(restoration(**PLAIN, fidelity_weight=0, adversarial_weight=weight))
            before = gan.networks["generator"].get_weights()[0]
            gan.generator_step(real, number(0))
            moved.append(gan.networks["generator"].get_weights()[0] - before)
        assert_allclose(moved[0], moved[1] / 2, atol=1e-6)
        assert_allclose(moved[2], 2 * moved[1], atol=1e-6)
        assert np.abs(moved[1]).max() > 1e-5

    def test_at_0_the_generator_alone_learns_by_the_squared_error(self):
        """If this fails, what is called SRResNet was trained against a discriminator, or serves one."""
        gan = make(restoration(**PLAIN, adversarial_weight=0, fidelity_weight=1.0, pretraining={"steps": 3}))
        other = make(restoration(**PLAIN, pretraining={"steps": 3}))
        assert [phase.name for phase in gan.phases()] == ["pretraining", "supervised"]
        assert gan.judges() == {}
        assert other.judges().keys() == {"discriminate"}
        x = points(1, 8)
        degraded = gan.fed({"target": x[0]}, gan.key(number(3), "supervised"))["input"]
        expected = np.mean((gan.networks["generator"]({"input": degraded}).numpy() - x[0].numpy()) ** 2)
        before = copied(gan)
        logs = gan.phases()[1].step({"target": x}, number(3))
        assert_allclose(logs["fidelity_loss"], expected, rtol=1e-5)
        assert changed(before, gan) == {"generator", "generator_optimizer"}

    def test_without_any_loss_it_is_refused(self):
        with pytest.raises(ValueError, match=r"by some loss; received scheme\.adversarial_weight=0"):
            restoration(adversarial_weight=0, fidelity_weight=0)


class TestGenerate:
    def test_restores_what_it_degrades_itself_the_same_for_the_same_seed(self):
        gan = make(restoration())
        x = points(5).numpy()
        first = gan.generate({"target": x}, 1)
        np.testing.assert_array_equal(first, gan.generate({"target": x}, 1))
        assert (first.numpy() != gan.generate({"target": x}, 2).numpy()).all()

    def test_what_is_exported_takes_a_degraded_example(self):
        gan = make(restoration())
        x = points(5)
        sampler = gan.samplers()["serving_default"]
        expected = gan.averages["generator"].average({"input": x}, training=False)
        np.testing.assert_array_equal(sampler({"input": x}, training=False), expected)


@pytest.mark.slow
def test_the_adversary_makes_real_points_of_the_mean_at_the_price_of_a_larger_error():
    # Ledig et al. 2017, table 1: the highest PSNR and the best look are not the same network's
    optimizer = {"learning_rate": 3e-3}
    training = {"steps": 400, "batch_size": 64, "ema_half_life_images": 1000}
    training |= {f"{name}_optimizer": optimizer for name in ("generator", "discriminator")}
    fields = {name: each | {"width": 32} for name, each in PLAIN.items()}
    fields |= {"objective": {"penalties": {"r1": 0.1}}, "pretraining": {"steps": 800, "optimizer": optimizer}}
    gan = make(restoration(**fields, training=training))
    x = mixtures.sample(mixtures.ring(), 4000, 0)[0]
    held_out, others = (mixtures.sample(mixtures.ring(), 1000, seed)[0] for seed in (1, 2))
    errors, distances, gaps = [], [], []
    for _ in play(gan, x):
        restored = gan.generate({"target": held_out}, 3).numpy()
        errors.append(np.mean((restored - held_out) ** 2))
        distances.append(energy_distance(restored, others))
        gaps.append(np.median(np.linalg.norm(restored[:, None] - mixtures.ring().centres, axis=-1).min(1)))
    assert errors[0] < 0.6 * 0.4**2
    assert errors[1] > 1.03 * errors[0]
    assert distances[1] < 0.6 * distances[0]
    assert gaps[1] < 0.6 * gaps[0]
