"""SampleGenerator: a model to as many samples as are wanted."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.sample_generator import executor


class SampleGeneratorSpec(ComponentSpec):
    """What goes into a drawing and what comes out."""

    PARAMETERS: ClassVar = {
        "order": ExecutionParameter(type=str),
        "source": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }
    OUTPUTS: ClassVar = {"samples": ChannelParameter(type=standard_artifacts.Examples)}


class SampleGenerator(base_beam_component.BaseBeamComponent):
    """Draws samples of consecutive seeds on Beam, as examples that other components read.

    Args:
        model: a generator that draws by seeds, as its interface says.
        order: JSON of an `Order` of TFRecords.
        source: hash of the code that draws, part of the cache key.
        model_blessing: where it is given, a model that is not blessed fails the component.

    Outputs:
        samples: one split, `samples`, of gzip TFRecords with the features of ingestion and `seed`.
    """

    SPEC_CLASS = SampleGeneratorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self, model: types.BaseChannel, order: str, source: str, model_blessing: types.BaseChannel | None = None
    ):
        super().__init__(
            SampleGeneratorSpec(
                model=model,
                model_blessing=model_blessing,
                order=order,
                source=source,
                samples=types.Channel(type=standard_artifacts.Examples),
            )
        )
