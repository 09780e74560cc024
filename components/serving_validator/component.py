"""ServingValidator: a model is pushed only after a server has answered with it."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.serving_validator import executor


class ServingValidatorSpec(ComponentSpec):
    """What goes into a validation and what comes out."""

    PARAMETERS: ClassVar = {"experiment": ExecutionParameter(type=str), "source": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }
    OUTPUTS: ClassVar = {"infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}


class ServingValidator(base_component.BaseComponent):
    """Serves a blessed model in a fresh process, asks it by gRPC and REST, and checks what it answers.

    Args:
        model: the generator.
        model_blessing: the evaluator's; a model that is not blessed is not served, and refused here too.
        evaluation: the evaluator's figures, for the model's card.
        experiment: JSON of the parts of an `Experiment` that made the model, and `serving`.
        source: hash of the code that serves, part of the cache key.

    Outputs:
        infra_blessing: what Pusher reads. Of a model that passed it holds the copy to push, with `MODEL_CARD.md` and
            the requests as TF Serving's warm-up; the reason is in the property `reason`.
    """

    SPEC_CLASS = ServingValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        evaluation: types.BaseChannel,
        experiment: str,
        source: str,
    ):
        super().__init__(
            ServingValidatorSpec(
                model=model,
                model_blessing=model_blessing,
                evaluation=evaluation,
                experiment=experiment,
                source=source,
                infra_blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
