"""GanTrainer: transformed examples to a generator that can be served."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components import runtime
from components.gan_trainer import executor


class GanTrainerSpec(ComponentSpec):
    """What goes into a training and what comes out."""

    PARAMETERS: ClassVar = {
        "experiment": ExecutionParameter(type=str),
        "checkpoint_root": ExecutionParameter(type=str),
        "source": ExecutionParameter(type=str),
        **{name: runtime.parameter(name) for name in (runtime.DATA_SOURCE, runtime.TRAINING_STEPS)},
    }
    INPUTS: ClassVar = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "ingested": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
    }


class GanTrainer(base_component.BaseComponent):
    """Trains the GAN of an experiment.

    Args:
        examples: transformed examples; the splits `train` and, for looks at samples, `choose` are read.
        experiment: JSON of an `Experiment` with the parts that made a model (`export.saving.RECORDED`); parts that
            do not change the weights are left out, so that changing them does not train again.
        checkpoint_root: a folder that outlives the execution; a killed training continues from there.
        source: hash of the code that trains, part of the cache key.
        data_source: in place of the experiment's `data.source`; see `components.runtime`.
        training_steps: in place of its `training.steps`.
        ingested: the examples before Transform, whose report has the names of the classes; None where they have none,
            and the model tells of numbers.

    Outputs:
        model: the SavedModel of the averaged generator.
        model_run: `history.jsonl`, `samples/`, `tensorboard/`.
    """

    SPEC_CLASS = GanTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        experiment: str,
        checkpoint_root: str | RuntimeParameter,
        source: str,
        data_source: RuntimeParameter | None = None,
        training_steps: RuntimeParameter | None = None,
        ingested: types.BaseChannel | None = None,
    ):
        super().__init__(
            GanTrainerSpec(
                examples=examples,
                ingested=ingested,
                experiment=experiment,
                checkpoint_root=checkpoint_root,
                source=source,
                data_source=data_source,
                training_steps=training_steps,
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
            )
        )
