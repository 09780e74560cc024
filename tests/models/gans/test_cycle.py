import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from models import mixtures
from models.config import Experiment
from tests.models.gans.tiny import PLAIN, changed, copied, energy_distance, experiment, make, number, play, points

DISCRIMINATORS = ("discriminator", "discriminator_reverse")
GENERATORS = ("generator", "generator_reverse")


def cycle(**fields):
    return experiment("cycle", **fields)


def with_optimizers(names):
    return {*names, *(f"{name}_optimizer" for name in names)}


class TestStep:
    def test_the_translators_step_changes_both_of_them_and_no_discriminator(self):
        gan = make(cycle(discriminator={"norm": "spectral"}))
        before = copied(gan)
        gan.generator_step({"input": points(8), "target": points(8, seed=1)}, number(0))
        assert changed(before, gan) == with_optimizers(GENERATORS)

    @pytest.mark.parametrize("i", [0, 1])
    def test_a_discriminators_step_changes_that_one_alone(self, i):
        gan = make(cycle())
        before = copied(gan)
        game = gan.sides[i].game
        real, fake = {"target": points(8)}, {"target": points(8, seed=1)}
        game.discriminator_step(real, fake, number(0), gan.key(number(0), "test"))
        assert changed(before, gan) == with_optimizers([DISCRIMINATORS[i]])

    def test_the_loss_is_that_of_the_paper(self):
        gan = make(cycle(**PLAIN, objective="least_squares", cycle_weight=7.0, identity_weight=0.3))
        x, y = points(8), points(8, seed=1) + 2
        there, back = (lambda value, name=name: gan.networks[name]({"input": value}) for name in GENERATORS)
        of_y, of_x = (lambda value, name=name: gan.networks[name]({"target": value}) for name in DISCRIMINATORS)

        def l1(left, right):
            return np.mean(np.abs(np.asarray(left) - np.asarray(right)))

        adversarial = [np.mean((judge - 1) ** 2) / 2 for judge in (of_y(there(x)), of_x(back(y)))]
        cycles = l1(back(there(x)), x) + l1(there(back(y)), y)
        identities = l1(there(y), y) + l1(back(x), x)
        drawn = {"target": there(x), "input": back(y)}
        loss, logs = gan.generator_loss({"input": x, "target": y}, drawn, number(0))
        assert_allclose(loss, sum(adversarial) + 7 * (cycles + 0.3 * identities), rtol=1e-5)
        received = [logs[name] for name in ("g_loss", "g_reverse_loss", "cycle_loss", "identity_loss")]
        assert_allclose(received, [*adversarial, cycles, identities], rtol=1e-5)

    def test_the_discriminators_learn_from_what_was_drawn_before_the_translators_learned(self):
        gan = make(cycle(**PLAIN, pool_size=0))
        real = {"input": points(1, 8), "target": points(1, 8, seed=1)}
        drawn = gan.networks["generator"]({"input": real["input"][0]})
        expected, _ = gan.sides[0].game.discriminator_loss(
            {"target": real["target"][0]}, {"target": drawn}, number(0), gan.key(number(0), "discriminator")
        )
        assert_allclose(gan.step(real, number(0))["d_loss"], expected, rtol=1e-6)

    def test_the_pool_is_state_of_the_gan(self):
        gan = make(cycle(**PLAIN, pool_size=12))
        batch = {"input": points(1, 8), "target": points(1, 8, seed=1)}
        drawn = gan.networks["generator_reverse"]({"input": batch["target"][0]})
        gan.step(batch, number(0))
        state = copied(gan)
        assert state["extra/pool_count"] == state["extra/pool_reverse_count"] == 8
        assert_allclose(state["extra/pool_reverse"][:8], drawn, rtol=1e-6)
        np.testing.assert_array_equal(state["extra/pool"][8:], 0)


class TestSamplers:
    def test_both_directions_are_exported_and_one_is_judged(self):
        gan = make(cycle())
        x = points(5)
        samplers = gan.samplers()
        assert list(samplers) == ["serving_default", "reverse"]
        translated = gan.generate({"input": x, "target": -x}, 0)
        np.testing.assert_array_equal(samplers["serving_default"]({"input": x}, training=False), translated)
        assert (samplers["reverse"]({"input": x}, training=False).numpy() != translated.numpy()).any()


class TestRefusals:
    def test_one_domain(self):
        tree = json.loads(cycle().to_json()) | {"data": {"name": "points"}}
        with pytest.raises(
            ValueError, match=r"the scheme cycle needs two domains: data\.name=unpaired or separated; received points"
        ):
            Experiment.parse(tree)

    def test_an_architecture_that_translates_nothing(self):
        with pytest.raises(
            ValueError, match=r"scheme\.generator: gan_mlp is no translator; choose from deconvolution, points"
        ):
            cycle(generator={"name": "gan_mlp"})

    def test_options_of_other_schemes(self):
        with pytest.raises(
            ValueError, match=r"scheme\.unrolled_steps is no field of the scheme cycle; adver.* have it"
        ):
            cycle(unrolled_steps=3)
        with pytest.raises(ValueError, match=r"scheme\.pool_size is no field of the scheme adversarial; cycle has it"):
            experiment("adversarial", pool_size=10)


@pytest.mark.slow
def test_it_learns_to_translate_and_to_come_back():
    def domains(seed):
        x, y = (mixtures.sample(mixtures.ring(), 1000, seed + i)[0] for i in range(2))
        return x, y * np.array([2, 1], np.float32) + np.array([3, 0], np.float32)

    optimizer = {"learning_rate": 2e-3}
    training = {"steps": 300, "batch_size": 64, "ema_half_life_images": 1000}
    training |= {"generator_optimizer": optimizer, "discriminator_optimizer": optimizer}
    players = {name: each | {"width": 32} for name, each in PLAIN.items()}
    fields = players | {"objective": {"penalties": {"r1": 0.1}}, "cycle_weight": 1.0, "identity_weight": 0.0}
    gan = make(cycle(**fields, training=training))
    x, y = domains(0)
    list(play(gan, target=y, taken=x))
    x, y = domains(7)
    there, back = (gan.averages[name].average for name in GENERATORS)
    # 3.1 before
    assert energy_distance(there({"input": x}).numpy(), y) < 0.3
    assert energy_distance(back({"input": y}).numpy(), x) < 0.3
    assert np.abs(back({"input": there({"input": x})}) - x).mean() < 0.1
    assert np.abs(there({"input": back({"input": y})}) - y).mean() < 0.1
