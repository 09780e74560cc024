"""The executor of ServingValidator: unwraps artifacts and calls `validate`."""

from typing import Any

from tfx import types
from tfx.components.infra_validator import executor as infra_validator
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.runtime import experiment_of
from components.serving_validator.real import Real
from components.serving_validator.validator import Outcome, judgement, validate

REASON = "reason"

SPLIT = "eval"
"""The split whose examples a model is asked with."""


class Executor(base_executor.BaseExecutor):
    """Serves what was blessed; what was not is refused unseen."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `ServingValidator`."""
        blessing = artifact_utils.get_single_instance(output_dict["infra_blessing"])
        outcome = Outcome(False, "not served: only a blessed model is")
        images = input_dict.get("image_blessing", [])
        if not all(image.get_int_custom_property(infra_validator._BLESSED_KEY) for image in images):
            outcome = Outcome(False, "refused: TensorFlow Serving's own image does not load it")
        elif artifact_utils.get_single_instance(input_dict["model_blessing"]).get_int_custom_property("blessed"):
            experiment = experiment_of(exec_properties)
            held_out = artifact_utils.get_split_uri(input_dict["examples"], SPLIT)
            outcome = validate(
                path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"])),
                experiment,
                Real.read([io_utils.all_files_pattern(held_out)], experiment),
                judged=judgement(artifact_utils.get_single_uri(input_dict["evaluation"])),
                output=path_utils.stamped_model_path(blessing.uri),
            )
        name = infra_validator._BLESSED_FILENAME if outcome.blessed else infra_validator._NOT_BLESSED_FILENAME
        io_utils.write_string_file(f"{blessing.uri}/{name}", outcome.reason)
        blessing.set_string_custom_property(REASON, outcome.reason)
        # what Pusher reads: whether it may push, and that the model to push lies here
        blessing.set_int_custom_property(infra_validator._BLESSED_KEY, int(outcome.blessed))
        blessing.set_int_custom_property(infra_validator._MODEL_FLAG_KEY, int(outcome.blessed))
