"""ServingValidator: a model is pushed only after a server has answered with it."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components import runtime
from components.serving_validator import executor


class ServingValidatorSpec(ComponentSpec):
    """What goes into a validation and what comes out."""

    PARAMETERS: ClassVar = {
        "experiment": ExecutionParameter(type=str),
        "source": ExecutionParameter(type=str),
        **{name: runtime.parameter(name) for name in (runtime.DATA_SOURCE, runtime.TRAINING_STEPS)},
    }
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "image_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
    }
    OUTPUTS: ClassVar = {"infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}


class ServingValidator(base_component.BaseComponent):
    """Serves a blessed model in a fresh process, asks it by gRPC and REST, and checks what it answers.

    Args:
        model: the generator.
        examples: transformed ones; the model is asked with those of the eval split.
        model_blessing: the evaluator's; a model that is not blessed is not served, and refused here too.
        evaluation: the evaluator's figures, for the model's card.
        experiment: JSON of the parts of an `Experiment` that made the model, and `serving`.
        source: hash of the code that serves, part of the cache key.
        image_blessing: InfraValidator's, which has loaded the model in TensorFlow Serving's own image; what that
            refused is not served here.
        data_source: in place of the experiment's `data.source`; see `components.runtime`.
        training_steps: in place of its `training.steps`.

    Outputs:
        infra_blessing: what Pusher reads. Of a model that passed it holds the copy to push, with `MODEL_CARD.md` and
            the requests as TF Serving's warm-up; the reason is in the property `reason`.
    """

    SPEC_CLASS = ServingValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        model_blessing: types.BaseChannel,
        evaluation: types.BaseChannel,
        experiment: str,
        source: str,
        image_blessing: types.BaseChannel | None = None,
        data_source: RuntimeParameter | None = None,
        training_steps: RuntimeParameter | None = None,
    ):
        super().__init__(
            ServingValidatorSpec(
                model=model,
                examples=examples,
                model_blessing=model_blessing,
                evaluation=evaluation,
                experiment=experiment,
                source=source,
                image_blessing=image_blessing,
                data_source=data_source,
                training_steps=training_steps,
                infra_blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
