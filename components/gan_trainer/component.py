"""GanTrainer: transformed examples to a generator that can be served."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.gan_trainer import executor


class GanTrainerSpec(ComponentSpec):
    """What goes into a training and what comes out."""

    PARAMETERS: ClassVar = {
        "experiment": ExecutionParameter(type=str),
        "checkpoint_root": ExecutionParameter(type=str),
        "source": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {"examples": ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
    }


class GanTrainer(base_component.BaseComponent):
    """Trains the GAN of an experiment.

    Args:
        examples: transformed examples; their `train` split is read.
        experiment: JSON of an `Experiment` with the parts that made a model (`models.export.RECORDED`); parts that
            do not change the weights are left out, so that changing them does not train again.
        checkpoint_root: a folder that outlives the execution; a killed training continues from there.
        source: hash of the code that trains, part of the cache key.

    Outputs:
        model: the SavedModel of the averaged generator.
        model_run: `history.jsonl`, `samples/`, `tensorboard/`.
    """

    SPEC_CLASS = GanTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, examples: types.BaseChannel, experiment: str, checkpoint_root: str, source: str):
        super().__init__(
            GanTrainerSpec(
                examples=examples,
                experiment=experiment,
                checkpoint_root=checkpoint_root,
                source=source,
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
            )
        )
