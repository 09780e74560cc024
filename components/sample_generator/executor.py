"""The executor of SampleGenerator: unwraps artifacts and calls `generate`."""

import json
import posixpath
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.sample_generator.drawing import generate
from components.sample_generator.order import Order

SPLIT = "samples"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Draws an order of a model that is not refused."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `SampleGenerator`."""
        for blessing in input_dict.get("model_blessing", []):
            if not blessing.get_int_custom_property("blessed"):
                raise ValueError(f"samples are drawn of a blessed model; {blessing.uri} says that it is not")
        order = Order.parse(**json.loads(exec_properties["order"]))
        if order.format != "tfrecord":
            raise ValueError(f"the component writes tfrecord; received {order.format}")
        samples = artifact_utils.get_single_instance(output_dict["samples"])
        samples.split_names = artifact_utils.encode_split_names([SPLIT])
        generate(
            order,
            path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"])),
            samples.uri,
            self._make_beam_pipeline(),
            split=posixpath.relpath(artifact_utils.get_split_uri([samples], SPLIT), samples.uri),
        )
