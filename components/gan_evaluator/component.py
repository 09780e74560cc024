"""GanEvaluator: judges a generator and blesses or refuses it."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components import runtime
from components.gan_evaluator import executor


class GanEvaluatorSpec(ComponentSpec):
    """What goes into a judgement and what comes out."""

    PARAMETERS: ClassVar = {
        "experiment": ExecutionParameter(type=str),
        "source": ExecutionParameter(type=str),
        "measurements_root": ExecutionParameter(type=str),
        "measuring_source": ExecutionParameter(type=str),
        **{name: runtime.parameter(name) for name in runtime.FIELDS},
    }
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "feature_model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
        "ingested": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "baseline_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS: ClassVar = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class GanEvaluator(base_beam_component.BaseBeamComponent):
    """Measures a generator against held-out images, its thresholds and the latest blessed model.

    Args:
        model: the generator.
        examples: transformed examples; the splits `train` (noise floor, neighbours) and that of `evaluation.split`
            (reference) are read.
        feature_model: the classifier whose features judge.
        model_run: the training run, for its history.
        ingested: the examples as ImageExampleGen wrote them, for its report: what was done to the files is shown.
        baseline_model: the latest blessed generator; a resolver's output, which may be empty.
        experiment: JSON of the `Experiment`, whole but for its `resources`.
        source: hash of the code that judges, part of the cache key.
        measurements_root: a folder that outlives the execution; what is measured is kept there, and measured once.
        measuring_source: hash of the code that measures, part of the keys of what is kept.
        data_source: in place of the experiment's `data.source`; see `components.runtime`.
        training_steps: in place of its `training.steps`.
        thresholds: JSON, in place of its `evaluation.thresholds`.

    Outputs:
        evaluation: `metrics.json` and `report.html`.
        blessing: what Pusher and LatestBlessedModelStrategy read, with the reason in `blessing_message`.
    """

    SPEC_CLASS = GanEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        feature_model: types.BaseChannel,
        model_run: types.BaseChannel,
        experiment: str,
        source: str,
        measurements_root: str | RuntimeParameter,
        measuring_source: str,
        baseline_model: types.BaseChannel | None = None,
        ingested: types.BaseChannel | None = None,
        data_source: RuntimeParameter | None = None,
        training_steps: RuntimeParameter | None = None,
        thresholds: RuntimeParameter | None = None,
    ):
        super().__init__(
            GanEvaluatorSpec(
                model=model,
                examples=examples,
                feature_model=feature_model,
                model_run=model_run,
                baseline_model=baseline_model,
                ingested=ingested,
                experiment=experiment,
                source=source,
                measurements_root=measurements_root,
                measuring_source=measuring_source,
                data_source=data_source,
                training_steps=training_steps,
                thresholds=thresholds,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
