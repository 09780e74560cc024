"""ImageExampleGen: images of any source as TFX examples."""

import json

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import component_spec, standard_artifacts
from tfx.types.channel import Channel

from components import runtime
from components.example_gen.executor import Executor

SOURCE_PACKAGES = (
    "components.example_gen",
    "components.preflight",
    "components.runtime",
    "models.config",
    "models.fit",
    "models.frozen",
    "models.mixtures",
)
"""What the executor runs, for `models.source.source_hash`."""
DATA_FIELDS = (
    "source",
    "unpaired_source",
    "labels",
    "eval_share",
    "choose_share",
    "pixel_limit",
    "bad_image_tolerance",
    "mixed_channels",
    "split_by",
)


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

    def __init__(self, data: str, fingerprint: str, source: str, data_source: RuntimeParameter | None = None) -> None:
        """Builds the node.

        Args:
            data: JSON of `models.config.Data`; fields that this component does not use are dropped, so that a change
                of theirs does not ingest again.
            fingerprint: what `components.example_gen.sources.fingerprint` says of the source: part of the cache key.
                A cluster's tasks find it by themselves: `components.example_gen.driver`.
            source: hash of the code in SOURCE_PACKAGES: part of the cache key.
            data_source: in place of the source that `data` names; see `components.runtime`.
        """
        used = {name: value for name, value in json.loads(data).items() if name in DATA_FIELDS}
        super().__init__(
            spec=ImageExampleGenSpec(
                data=json.dumps(used, sort_keys=True),
                fingerprint=fingerprint,
                source=source,
                data_source=data_source,
                examples=Channel(type=standard_artifacts.Examples),
            )
        )
