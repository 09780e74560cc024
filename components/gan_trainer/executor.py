"""The executor of GanTrainer: unwraps artifacts and calls `models.training.train.train`."""

import hashlib
import posixpath
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.example_gen.notes import read_classes
from components.runtime import experiment_of
from models.export.saving import RECORDED
from models.training.train import train


class Executor(base_executor.BaseExecutor):
    """Trains on the `train` split; looks compare with the `choose` split, where there is one."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `GanTrainer`."""
        examples = artifact_utils.get_split_uri(input_dict["examples"], "train")
        splits = artifact_utils.decode_split_names(input_dict["examples"][0].split_names)
        choose = [artifact_utils.get_split_uri(input_dict["examples"], "choose")] if "choose" in splits else []
        experiment = experiment_of(exec_properties)
        ingested = artifact_utils.get_single_uri(input_dict["ingested"]) if input_dict.get("ingested") else None
        # what is kept of a training is decided when it has ended: other weights of it are exported without another one
        trained = experiment.override(["training.keep=last"])
        identity = "\0".join([trained.to_json(RECORDED), exec_properties["source"], examples])
        key = hashlib.sha256(identity.encode()).hexdigest()[:16]
        train(
            experiment,
            examples=[io_utils.all_files_pattern(examples)],
            choose=[io_utils.all_files_pattern(each) for each in choose],
            model_dir=path_utils.serving_model_dir(artifact_utils.get_single_uri(output_dict["model"])),
            run_dir=artifact_utils.get_single_uri(output_dict["model_run"]),
            checkpoint_dir=posixpath.join(exec_properties["checkpoint_root"], key),
            classes=read_classes(ingested) if ingested else (),
        )
