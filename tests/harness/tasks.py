"""What every task has to do, whoever wrote it: `check_task`."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components.beam import local_pipeline
from components.gan_evaluator.measuring.instruments import Instruments
from components.gan_evaluator.measuring.reference import Reference
from components.gan_evaluator.measuring.settings import Settings
from components.serving_validator import checks
from components.serving_validator.real import Real
from components.serving_validator.requests import requests
from models import catalog
from models.columns import kind_of
from models.config import Experiment
from models.config.variants import made_by
from models.examples.arrays import Arrays, reference
from models.export.interface import MAIN
from models.export.reading import read_interface
from models.export.saving import save
from models.extractors import classifier
from models.gans.base import GAN
from models.randomness import key
from models.tasks import Task, task_of
from tests import trainings

ROLES: Mapping[str, str] = {"z": "noise", "code": "code", "label": "label", "input": "input", "kernel": "kernel"}
"""What a network calls its input -> its role in an interface."""


def check_task(experiment: Experiment, directory: Path) -> None:
    """Checks a task by an experiment that learns it, on made data of its columns and an untrained model.

    A model takes what the task says; what it is judged on is finite, within the range of its kind and, where the task
    is paired, row by row of the truth; the evaluator has a value, or a reason for none, of each metric that the catalog
    has for the task; and all requests that the serving validator would make are answered as the interface says.

    Args:
        experiment: for one device; its evaluation is cut down.
        directory: for the models.
    """
    task, examples = task_of(experiment), trainings.arrays(experiment.data, 60)
    keras.utils.set_random_seed(0)
    gan: GAN = made_by("scheme", experiment.scheme)(experiment)
    model = str(directory / "model")
    save(gan, model)
    _check_takes(gan, examples, model)
    if task.takes_examples:
        _check_asked(task, experiment, examples)
    _check_measured(experiment, examples, model, directory)
    check_answers(experiment, examples, model)


def _check_takes(gan: GAN, examples: Arrays, model: str) -> None:
    given = {role: tf.constant(each) for role, each in reference(examples, gan.experiment.data, 4, 0).items()}
    taken = gan.task.inputs(gan.experiment, given, key(0, 0, "test"))
    assert taken.keys() == gan.samplers()["serving_default"].input.keys()
    main = read_interface(model).signatures[MAIN]
    assert {ROLES[name] for name in taken} == {each.role for each in main.inputs.values()}


def _check_asked(task: Task, experiment: Experiment, examples: Arrays) -> None:
    data = experiment.data
    column = next((each for each in data.columns if each.role == "input"), data.drawn)
    kind, settings = kind_of(column), task.settings(experiment)

    def asked(of: Arrays) -> dict[str, np.ndarray]:
        return task.asked(settings, data.columns, of, 0)

    found, again = asked(examples), asked(examples)
    assert found.keys() == {"input", *task.beside(settings)}
    for name, values in found.items():
        assert values.shape[0] == len(examples.columns[column.role])
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(values, again[name], err_msg=f"{name} differs from one time to the other")
    if kind.range:
        served = kind.outside(found["input"])
        assert served.min() >= kind.range[0] - 1e-4
        assert served.max() <= kind.range[1] + 1e-4
    if task.paired(data.columns):
        # the last row has the values of the first
        others = {role: np.concatenate([each[:-1], each[:1]]) for role, each in examples.columns.items()}
        other = asked(Arrays(others, examples.groups))
        rows = {name: (other[name] != each).reshape(len(each), -1).any(axis=1) for name, each in found.items()}
        assert rows["input"][-1]
        assert not any(each[:-1].any() for each in rows.values()), (
            "a row of what is asked depends on others of the truth"
        )


def _check_measured(experiment: Experiment, examples: Arrays, model: str, directory: Path) -> None:
    data = experiment.data
    extractor = str(directory / "extractor")
    if data.kind == "images":
        # untrained: its figures say nothing, but there are some
        network = classifier.classifier(data)
    else:
        network, _ = classifier.extractor(data, experiment.evaluation, examples)
    classifier.export(network, data, extractor, {"name": experiment.evaluation.extractor})
    settings = Settings.of(experiment, samples=60)
    known = Reference(examples, trainings.arrays(data.held_out, 60, seed=1), 0, "made")
    measured = Instruments(settings, known, extractor, local_pipeline).measure_generator(model)
    names = catalog.metric_names(settings.extractor, data.kind, settings.task)
    assert measured.estimates.keys() | measured.missing.keys() == names.keys()
    assert measured.estimates, "nothing is measured"
    assert all(measured.missing.values()), measured.missing
    assert measured.pictures is not None


def check_answers(experiment: Experiment, examples: Arrays, model: str) -> None:
    """Asks a saved model, in this process, all that the serving validator asks of a served one."""
    interface, loaded = read_interface(model), tf.saved_model.load(model)
    made = requests(interface, Real.of(examples, experiment))
    assert {each.signature for each in made} == interface.signatures.keys()
    for request in made:
        answer = checks.answer(loaded.signatures[request.signature], request)
        rows = len(next(iter(request.inputs.values())))
        signature = interface.signatures[request.signature]
        assert answer.keys() == signature.outputs.keys()
        assert not list(checks.wrong(answer, rows, signature)), request.signature
