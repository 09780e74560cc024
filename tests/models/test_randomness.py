import hashlib
import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from models.randomness import draw, fold, key
from tests.models.gans.tiny import experiment, make, number, points

KEY = tf.constant([7, 11], tf.int64)
NAMES = st.lists(st.one_of(st.text(max_size=5), st.integers(0, 30)), min_size=1, max_size=4).map(tuple)


class TestKey:
    def test_is_the_digest_of_its_names_below_seed_and_step(self):
        # by hand: the first word is drawn from seed and step, the second is BLAKE2b of the names
        digest = hashlib.blake2b(b"('discriminator', 0)", digest_size=8).digest()
        expected = [
            tf.random.stateless_uniform([], [3, 5], minval=None, maxval=None, dtype=tf.int64, alg="philox").numpy(),
            int.from_bytes(digest, "little", signed=True),
        ]
        np.testing.assert_array_equal(key(3, 5, "discriminator", 0), expected)

    @given(names=NAMES, others=NAMES)
    def test_other_names_have_another_key(self, names, others):
        assert (tuple(key(0, 1, *names).numpy()) == tuple(key(0, 1, *others).numpy())) == (names == others)

    def test_a_number_is_no_text(self):
        assert (key(0, 0, 1) != key(0, 0, "1")).numpy().any()

    def test_seed_and_step_do_not_stand_for_one_another(self):
        keys = {tuple(key(seed, step, "z").numpy()) for seed, step in itertools.product(range(8), repeat=2)}
        assert len(keys) == 64

    def test_is_the_same_in_a_graph(self):
        traced = tf.function(lambda step: fold(key(4, step, "a"), "b"))
        np.testing.assert_array_equal(traced(number(9)), fold(key(4, 9, "a"), "b"))

    def test_needs_a_name(self):
        with pytest.raises(ValueError, match="a key has at least one name; received none"):
            key(0, 0)


def test_draws_are_uniform_and_differ_by_name_and_key():
    first = draw(KEY, "a", [10_000]).numpy()
    # the standard error of the mean is sqrt(1/12 / n) = 0.0029
    assert abs(first.mean() - 0.5) < 5 * 0.0029
    assert first.min() >= 0
    assert first.max() < 1
    for other in (draw(KEY, "b", [10_000]), draw(KEY + 1, "a", [10_000])):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.05


class TestNoTwoDrawsOfAStepShareTheirNumbers:
    @pytest.fixture
    def drawn(self, monkeypatch):
        """The keys of all draws, in order."""
        keys, fold_in = [], tf.random.fold_in

        def recording(within, number, alg):
            # what lies below a seed and a step is not drawn from, but folded further, here and there twice
            if abs(int(within[1])) > 1_000:
                keys.append(tuple(fold_in(within, number, alg=alg).numpy()))
            return fold_in(within, number, alg=alg)

        monkeypatch.setattr(tf.random, "fold_in", recording)
        return keys

    def test_of_a_restoration_that_looks_far_ahead(self, drawn):
        # what is counted by hand collides here: twelve updates ahead, degradations, augmentations, penalties
        gan = make(
            experiment(
                "restoration",
                degradations={"noise": 0.4, "shrink": 0.1},
                objective={"penalties": {"wgan_gp": 1.0, "dragan": 1.0}, "instance_noise": 0.1},
                unrolled_steps=12,
                discriminator_steps=2,
                generator_steps=2,
                pretraining={"steps": 1},
            )
        )
        drawn.clear()
        gan.step({"target": points(gan.draws, 8)}, number(1))
        gan.pretraining_step({"target": points(1, 8)}, number(1))
        assert len(drawn) > 100
        assert len(set(drawn)) == len(drawn)

    def test_of_a_cycle(self, drawn):
        gan = make(experiment("cycle", pool_size=4, objective={"penalties": {"wgan_gp": 1.0}}))
        drawn.clear()
        gan.step({"input": points(1, 8), "target": points(1, 8, seed=1)}, number(0))
        # two draws of each pool and one of each penalty at least
        assert len(set(drawn)) == len(drawn) >= 6
