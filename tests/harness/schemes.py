"""What every scheme has to do, whoever wrote it: `check_scheme`."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.columns import kind_of
from models.config import Experiment
from models.config.variants import made_by
from models.examples.arrays import Arrays, reference
from models.export.signatures import Sampler
from models.gans.base import GAN, Phase
from models.training.loop import Loop, make_loop
from tests import trainings
from tests.harness import weights

OF_A_REPLICA = ("_auc", "_gradient_norm", "images_per_second")
"""Logs that are of a replica, or of the clock: what the pairs within a replica say, and a bound of a norm."""

SGD = ("generator_optimizer.name=sgd", "discriminator_optimizer.name=sgd")
"""A loss that is off by a factor shows in the weights that SGD makes, and not in those of Adam."""


class Killed(BaseException):
    """Nothing handles it: what is not yet saved is lost."""


class _KillAt(keras.callbacks.Callback):
    def __init__(self, step: int):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        if batch >= self.step:
            raise Killed


def check_scheme(experiment: Experiment, directory: Path, *, processes: bool = True) -> None:
    """Checks a scheme by an experiment of it, on made data of its columns.

    Each phase updates exactly the players that it says, as often as they say, and changes no other; a training that is
    killed in every phase ends as one that is not; it logs what the scheme's charts show; two mirrored devices train as
    one does; what is exported has the signatures that its interface tells; what is generated has the target's shape.

    Args:
        experiment: of at least 4 steps, for one device, in float32, with a seed.
        directory: for what the trainings write.
        processes: False to leave out the two devices, which are trained in processes of their own.
    """
    examples = trainings.arrays(experiment.data)
    _check_updates(_made(experiment), examples)
    loop = _check_resumes(experiment, examples, directory)
    logged = {name for row in loop.history.rows for name in row}
    missing = {key for chart in experiment.scheme.charts for key in chart.curves.values()} - logged
    assert not missing, f"the charts of {experiment.scheme.name} show what it never logs: {sorted(missing)}"
    check_export(loop.gan, directory / "export")
    _check_generates(loop.gan, examples)
    if processes:
        check_parity(experiment, directory)


def _made(experiment: Experiment) -> GAN:
    keras.utils.set_random_seed(experiment.training.seed)
    made: GAN = made_by("scheme", experiment.scheme)(experiment)
    return made


def _check_updates(gan: GAN, examples: Arrays) -> None:
    """Runs a step of each phase by hand."""
    for number, phase in enumerate(phase for phase in gan.phases() if phase.steps):
        before, updates = weights(gan.state()), _updates(gan)
        logs = phase.step(_batch(gan, phase, examples), tf.constant(number, tf.int64))
        assert all(np.isfinite(value) and value.dtype == tf.float32 for value in logs.values()), logs
        updated = {name for name, count in _updates(gan).items() if count != updates[name]}
        assert updated, f"the phase {phase.name} updates nobody"
        networks = {_network(gan, name) for name in updated}
        assert phase.trains is None or networks == set(phase.trains), f"{phase.name} updates {sorted(networks)}"
        changed = {
            name.split("/")[0]
            for name, value in weights(gan.state()).items()
            if not np.array_equal(value, before[name])
        }
        expected = networks | {f"{name}_optimizer" for name in updated}
        assert changed - {"extra"} == expected, f"{phase.name} changes {sorted(changed ^ expected)} as well, or not"


def _updates(gan: GAN) -> dict[str, int]:
    return {name: int(optimizer.iterations) for name, optimizer in gan.optimizers.items()}


def _network(gan: GAN, player: str) -> str:
    """The player whose network it is."""
    build = gan.players[player].build
    return build if isinstance(build, str) else player


def _batch(gan: GAN, phase: Phase, examples: Arrays) -> dict[str, tf.Tensor]:
    """Real examples of a step, as they are held."""
    size = phase.batch_size or gan.experiment.training.batch_size
    rows = np.arange(phase.draws * size).reshape(phase.draws, size)
    return {role: tf.constant(values[rows % len(values)]) for role, values in examples.columns.items()}


def _check_resumes(experiment: Experiment, examples: Arrays, directory: Path) -> Loop:
    """Trains to the end, once without and once with a kill in each phase; returns the former."""
    every = experiment.override(["training.checkpoint_every_steps=1", "training.steps_per_call=1"])

    def loop(name: str, *callbacks: keras.callbacks.Callback) -> Loop:
        place = directory / name
        place.mkdir(parents=True, exist_ok=True)
        return make_loop(every, examples, place / "checkpoints", place, callbacks)

    whole = loop("whole")
    whole.run()
    assert _updates(whole.gan) == {name: each.updates for name, each in whole.gan.players.items() if each.optimizer}
    for stretch in whole.stretches:
        try:
            loop("killed", _KillAt((stretch.first + stretch.end + 1) // 2)).run()
        except Killed:
            continue
        raise AssertionError(f"the phase {stretch.phase.name} was not reached again")
    resumed = loop("killed")
    resumed.run()
    expected, received = weights(whole.gan.state()), weights(resumed.gan.state())
    assert received.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(received[name], value, err_msg=f"{name} of a resumed training")
    return whole


def check_export(gan: GAN, directory: Path) -> None:
    """Checks that the signatures of a saved model take and give what its interface says."""
    sampler = Sampler(gan.samplers(), gan.experiment, gan.judges())
    sampler.save(str(directory))
    signatures = tf.saved_model.load(str(directory)).signatures
    assert signatures.keys() == sampler.interface.signatures.keys()
    for name, told in sampler.interface.signatures.items():
        taken, given = signatures[name].structured_input_signature[1], signatures[name].structured_outputs
        for specs, tensors in ((taken, told.inputs), (given, told.outputs)):
            assert specs.keys() == tensors.keys(), name
            for key, tensor in tensors.items():
                assert specs[key].dtype.name == tensor.dtype, f"{name} {key}"
                assert specs[key].shape.is_compatible_with(tensor.shape), f"{name} {key}"


def _check_generates(gan: GAN, examples: Arrays) -> None:
    """One example for each, of the target's shape, the same for the same seed."""
    column = gan.experiment.data.drawn
    given = reference(examples, gan.experiment.data, 5, 0)
    first, again = (np.asarray(gan.generate(given, 3)) for _ in range(2))
    assert first.shape == (len(given["target"]), *column.shape)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    low, high = kind_of(column).range or (-np.inf, np.inf)
    served = kind_of(column).outside(first)
    assert served.min() >= low - 1e-4
    assert served.max() <= high + 1e-4
    np.testing.assert_array_equal(first, again)


def check_parity(experiment: Experiment, directory: Path, ways: tuple[str, ...] = ("mirrored",)) -> None:
    """Checks that an experiment trains with SGD in these ways as on one device, within the error of floats."""
    plain = experiment.override([f"training.{each}" for each in SGD])
    trees, place = {"it": plain.to_json()}, directory / "parity"
    trainings.run([(trainings.train_all, way, trees, place, None) for way in ("one_device", *ways)])
    expected = trainings.read(place / "one_device" / "it")
    for way in ways:
        check_alike(expected, trainings.read(place / way / "it"))


def check_alike(expected: trainings.Result, received: trainings.Result) -> None:
    """Checks that two trainings left the same state and logs, within the error of floats."""
    assert expected.state.keys() == received.state.keys()
    for variable, value in expected.state.items():
        np.testing.assert_allclose(received.state[variable], value, rtol=0, atol=1e-5, err_msg=variable)
    assert len(expected.rows) == len(received.rows)
    for row, other in zip(expected.rows, received.rows, strict=True):
        assert row.keys() == other.keys()
        for log in row:
            if not log.endswith(OF_A_REPLICA):
                np.testing.assert_allclose(other[log], row[log], rtol=1e-4, atol=1e-4, err_msg=log)
