"""ImageExampleGen: images of any source as TFX examples."""

import json

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import component_spec, standard_artifacts
from tfx.types.channel import Channel

from components import runtime
from components.example_gen.executor import Executor
from models.config import Data


class ImageExampleGenSpec(component_spec.ComponentSpec):
    """The properties by which a run is cached, and the output."""

    PARAMETERS = {  # noqa: RUF012 - TFX's convention
        "data": component_spec.ExecutionParameter(type=str),
        "fingerprint": component_spec.ExecutionParameter(type=str),
        "source": component_spec.ExecutionParameter(type=str),
        runtime.DATA_SOURCE: runtime.parameter(runtime.DATA_SOURCE),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}  # noqa: RUF012 - as above
    OUTPUTS = {  # noqa: RUF012 - as above
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)
    }


class ImageExampleGen(base_beam_component.BaseBeamComponent):
    """Reads images into gzip TFRecords of tf.Example with splits train, choose and eval; output key `examples`."""

    SPEC_CLASS = ImageExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, data: Data, fingerprint: str, source: str, data_source: RuntimeParameter | None = None) -> None:
        """Builds the node.

        Args:
            data: what is read; fields that this component does not read are left out, so that a change of theirs does
                not ingest again.
            fingerprint: what `sources.source.fingerprint` says of the source: part of the cache key.
                A cluster's tasks find it by themselves: `components.example_gen.driver`.
            source: digest of the code that reads: part of the cache key.
            data_source: in place of the source that `data` names; see `components.runtime`.
        """
        super().__init__(
            spec=ImageExampleGenSpec(
                data=json.dumps(data.read().essential(), sort_keys=True),
                fingerprint=fingerprint,
                source=source,
                data_source=data_source,
                examples=Channel(type=standard_artifacts.Examples),
            )
        )
