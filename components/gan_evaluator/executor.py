"""The executor of GanEvaluator: unwraps artifacts and calls `judge`."""

import posixpath
from typing import Any

from tfx import types
from tfx.components.evaluator import executor as evaluator
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.example_gen.notes import read_ingested
from components.gan_evaluator.blessing import write_blessing
from components.gan_evaluator.judge import judge
from components.gan_evaluator.measuring.store import Store
from components.runtime import experiment_of


# A cluster knows models by names, where TFX has numbers. Its entry point writes the names into the blessing, by which
# the latest blessed model is found later, but for executors of this class alone.
class Executor(evaluator.Executor):
    """Judges, writes the report and the blessing."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `GanEvaluator`."""
        model, baseline = input_dict["model"][0], next(iter(input_dict.get("baseline_model") or []), None)
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        experiment = experiment_of(exec_properties)
        ingested = artifact_utils.get_single_uri(input_dict["ingested"]) if input_dict.get("ingested") else None
        data = experiment.data
        held_out = artifact_utils.get_split_uri(input_dict["examples"], experiment.evaluation.split)
        verdict = judge(
            model=path_utils.serving_model_path(model.uri),
            train_examples=[io_utils.all_files_pattern(artifact_utils.get_split_uri(input_dict["examples"], "train"))],
            eval_examples=[io_utils.all_files_pattern(held_out)],
            feature_model=path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["feature_model"])),
            experiment=experiment,
            run_dir=artifact_utils.get_single_uri(input_dict["model_run"]),
            baseline=baseline and path_utils.serving_model_path(baseline.uri),
            make_pipeline=self._make_beam_pipeline,
            scratch=f"{evaluation}/scratch",
            ingested=read_ingested(ingested, data.sources, data.depth) if ingested else (),
            store=Store(exec_properties["measurements_root"], exec_properties["measuring_source"]),
            lineage=_lineage(input_dict),
        )
        verdict.write(evaluation)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        write_blessing(blessing, model, baseline, blessed=verdict.blessed, reason=verdict.reason)


def _lineage(input_dict: dict[str, list[types.Artifact]]) -> list[dict[str, Any]]:
    """Each artifact that is read, and what made it."""
    return [
        {
            "role": role,
            "stage": each.producer_component,
            "id": each.id,
            "uri": each.uri,
            "execution": _maker(each),
        }
        for role, artifacts in input_dict.items()
        for each in artifacts
    ]


def _maker(artifact: types.Artifact) -> str:
    """The id of the execution that made an artifact, which TFX puts last into its URI; empty where it has none."""
    name = posixpath.basename(artifact.uri)
    return name if name.isdigit() else ""
