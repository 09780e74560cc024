import importlib.util
import math
import multiprocessing
import threading

import pytest

from benchmarks.performance import contenders, throughput
from benchmarks.performance.throughput import Contender
from models.networks import dcgan

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the bench extra is not installed")


def trainable(networks):
    return [sum(math.prod(weight.shape) for weight in network.trainable_variables) for network in networks]


@pytest.fixture(scope="module")
def ours():
    experiment = contenders.experiment(64, "float32", 2)
    scheme, data = experiment.scheme, experiment.data
    return dcgan.generator(scheme.generator, data), dcgan.discriminator(scheme.discriminator, data)


def test_ours_and_the_bare_networks_have_equal_weights(ours):
    # 100 -> 7x7x256 -> 128 -> 64 -> 1 and 1 -> 64 -> 128 -> 1 by hand: kernels, scales and shifts, the biases left
    generator = 100 * 12_544 + 25 * (256 * 128 + 128 * 64 + 64) + 2 * (256 + 128 + 64) + 1
    discriminator = 25 * (64 + 64 * 128) + 64 + 2 * 128 + 6_272 + 1
    assert trainable(ours) == trainable(contenders.keras_networks()) == [generator, discriminator]


@needs_torch
def test_those_of_pytorch_too(ours):
    networks = contenders.pytorch_networks()
    assert [sum(each.numel() for each in network.parameters()) for network in networks] == trainable(ours)


def test_ours_and_the_bare_loop_take_the_same_optimizer():
    training = contenders.experiment(64, "float32", 2).training
    for optimizer in (training.generator_optimizer, training.discriminator_optimizer):
        found = (optimizer.name, optimizer.learning_rate, optimizer.beta_1, optimizer.beta_2)
        assert found == ("adam", contenders.RATE, contenders.BETA_1, contenders.BETA_2)


@pytest.mark.parametrize("precision", throughput.PRECISIONS)
def test_bare_tensorflow_trains(precision):
    contenders.tensorflow_run(4, precision)(2)


@needs_torch
@pytest.mark.parametrize("precision", throughput.PYTORCH_PRECISIONS)
def test_pytorch_trains(precision):
    contenders.pytorch_run(4, precision)(2)


def test_our_loop_trains_by_turns_until_it_is_stopped():
    pipe, theirs = multiprocessing.Pipe()
    answers = []

    def two_turns():
        for _ in range(2):
            pipe.send(True)
            answers.append(pipe.recv())
        pipe.send(False)

    turns = threading.Thread(target=two_turns)
    turns.start()
    with pytest.raises(SystemExit):
        contenders.serve(theirs, "ganworks", 8, "float32", 2)
    turns.join()
    assert answers == [True, True]


def test_operations_of_a_step_by_hand():
    # multiplications of one example, layer by layer
    generator = [100 * 12_544, 49 * 25 * 256 * 128, 49 * 25 * 128 * 64, 196 * 25 * 64]
    discriminator = [196 * 25 * 64, 49 * 25 * 64 * 128, 6_272]
    networks = contenders.keras_networks()
    assert [throughput.layer_flops(each) for each in networks] == [
        [2 * each for each in layers] for layers in (generator, discriminator)
    ]
    # the generator's values twice, its gradients once; the discriminator's values three times, its gradients twice, and
    # its input's once more; neither needs the gradient of its own input
    total = 4 * sum(generator) - generator[0] + 8 * sum(discriminator) - 2 * discriminator[0]
    assert throughput.count_flops() == pytest.approx(2 * total / 1e9)


def test_marks_compare_medians_turn_by_turn_with_the_best_of_pytorch():
    rates = {each: [100.0, 110.0, 90.0] for each in throughput.field()}
    rates[Contender("ganworks", "bfloat16")] = [220.0, 242.0, 198.0]
    rates[Contender("pytorch", "bfloat16, channels_last")] = [110.0, 121.0, 99.0]
    marks = {mark["name"]: mark for mark in throughput.judge({64: rates})}
    assert {name: mark["value"] for name, mark in marks.items()} == {
        "of_tensorflow_float32_64": 1.0,
        "of_tensorflow_bfloat16_64": 2.2,
        "of_pytorch_64": 2.0,
    }
    assert all(mark["holds"] for mark in marks.values())


def test_without_pytorch_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"PyTorch.*not installed.*pip install"):
        throughput.main()


def test_a_contender_that_fails_is_named():
    running = throughput.Running(Contender("nobody", "float32"), 4, 1)
    with pytest.raises(ValueError, match="nobody in float32 failed"):
        running.turn()
