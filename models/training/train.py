"""Training a GAN: any of the catalog, under any strategy, resumed where it stopped."""

import logging
from collections.abc import Sequence
from pathlib import Path

from etils import epath

from models.config import Experiment
from models.digests.packages import code_hash
from models.examples.arrays import read_examples, reference
from models.export import saving
from models.files import copy_tree, writing
from models.gans.base import GAN
from models.training import precision, workers
from models.training.callbacks import standard_callbacks
from models.training.loop import Callbacks, make_loop
from models.training.strategies import make_strategy

log = logging.getLogger(__name__)


def train(
    experiment: Experiment,
    *,
    examples: Sequence[str],
    choose: Sequence[str] = (),
    model_dir: str | Path,
    run_dir: str | Path,
    checkpoint_dir: str | Path,
    callbacks: Callbacks | None = None,
    classes: Sequence[str] = (),
) -> GAN:
    """Trains a GAN and exports its generator; continues from `checkpoint_dir` when an earlier run stopped there.

    Of several workers each calls this; the chief alone reads checkpoints, and writes. All places may lie in a bucket.

    Args:
        experiment: what to train; `data`, `scheme` and `training` are read.
        examples: patterns of the transformed training examples.
        choose: patterns of those that looks at samples compare with, none of which is trained on: a look that compares
            with what is trained on favours copies. Without any, looks have to do so.
        model_dir: where the SavedModel goes; written last, only when the training is complete and finite.
        run_dir: receives `history.jsonl`, `samples/` and `tensorboard/`.
        checkpoint_dir: belongs to this experiment on these examples alone; survives a killed run.
        callbacks: Keras callbacks besides the loop's own; None stands for progress, TensorBoard and sample grids, on
            the chief.
        classes: their names, by number, for the model's interface; empty for numbers.

    Returns:
        The trained GAN, with the weights that were exported.

    Raises:
        ValueError: data and configuration do not fit, or the checkpoint is of another architecture, or the workers are
            not alike.
        CannotWrite: a file system refuses, for example because it is full; the last good checkpoint stays.
        WorkerLost: another worker is gone; a new process goes on from the last checkpoint.
        TrainingDiverged: a loss became infinite or NaN; nothing is exported, the last good checkpoint stays.
        TrainingUnhealthy: likewise, where `training.health.action` is `stop`.
    """
    strategy = make_strategy(experiment)
    numbers, devices = precision.resolve(experiment.training.precision), strategy.extended.worker_devices
    log.info("training in %s on %s", numbers, ", ".join(devices))
    with workers.naming_the_lost(strategy):
        arrays = read_examples(examples, experiment.data)
        chosen_by = read_examples(choose, experiment.data.held_out) if choose else None
        workers.check_alike(
            strategy,
            experiment=experiment.to_json(),
            examples=arrays.digest,
            choosing_examples=chosen_by.digest if chosen_by else "",
            source=code_hash("models"),
            precision=numbers,
        )
        live_dir = epath.Path(checkpoint_dir) / "run"
        if callbacks is None:
            shown = reference(arrays, experiment.data, 200, experiment.training.seed)
            callbacks = standard_callbacks(live_dir, experiment, shown) if workers.is_chief(strategy) else []
        loop = make_loop(experiment, arrays, epath.Path(checkpoint_dir), live_dir, callbacks, choose=chosen_by)
        loop.run()
        step = loop.restore_best()

        def publish() -> None:
            with writing(run_dir):
                copy_tree(live_dir, run_dir)
            saving.save(loop.gan, model_dir, trained_on=arrays.digest, step=step, classes=classes)

        workers.by_chief(strategy, publish)
    return loop.gan
