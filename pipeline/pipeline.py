"""The pipeline of an experiment, for any orchestrator."""

import json
import posixpath
from typing import Any

from google.protobuf import json_format
from tfx.components import InfraValidator, Pusher, SchemaGen, StatisticsGen, Trainer, Transform
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import infra_validator_pb2, pusher_pb2, trainer_pb2
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components import runtime
from components.beam import BEAM_ARGS
from components.example_gen.component import ImageExampleGen
from components.example_gen.sources.source import has_names
from components.example_gen.statistics import stats_options
from components.example_validator.component import StrictExampleValidator
from components.gan_evaluator.component import GanEvaluator
from components.gan_trainer.component import GanTrainer
from components.serving_validator.component import ServingValidator
from models.columns import kind_of
from models.config import Data, Experiment, Serving
from models.export.saving import RECORDED
from pipeline import keys
from pipeline.baseline import BlessedBeforeStrategy

JUDGED = tuple(name for name in Experiment.model_fields if name not in ("serving", "resources"))
"""The parts of an experiment that the evaluator is told."""

CHECKPOINT_ROOT, MEASUREMENTS_ROOT, PUSH_DESTINATION = "checkpoint_root", "measurements_root", "push_destination"
"""Runtime parameters beside those of `components.runtime`."""


def create_pipeline(
    experiment: Experiment, root: str, *, fingerprint: str, managed: bool = False, baseline: bool = True
) -> Pipeline:
    """Builds the pipeline; reads and writes nothing.

    Args:
        experiment: what to run.
        root: below it lie `artifacts/`, `checkpoints/`, `measurements/` and `serving/NAME/VERSION`; a path or a
            bucket's URL.
        fingerprint: of the data source; a change makes the next run ingest again.
        managed: for Kubeflow and Vertex, with runtime parameters and the experiment's resources; these know the
            standard strategies of finding a baseline alone.
        baseline: whether the latest blessed model is looked up, to compare with; Kubeflow Pipelines has no resolvers.

    Returns:
        A TFX pipeline named after the experiment. Raises ValueError for a GAN that it could not judge.
    """
    values = at_run_time(experiment) | places(experiment.name, root)
    parameters = {name: RuntimeParameter(name, type(value), value) for name, value in values.items()} if managed else {}
    source, steps = (parameters.get(name) for name in (runtime.DATA_SOURCE, runtime.TRAINING_STEPS))
    example_gen = ImageExampleGen(
        data=experiment.data, fingerprint=fingerprint, source=keys.ingestion(experiment.data), data_source=source
    )
    examples = example_gen.outputs["examples"]
    statistics_gen = StatisticsGen(examples=examples, stats_options=stats_options(experiment.data))
    statistics_gen.with_beam_pipeline_args(list(reading_args(experiment.data)))
    statistics = statistics_gen.outputs["statistics"]
    schema_gen = _schema_gen(experiment.data, statistics)
    validator = StrictExampleValidator(
        examples=examples,
        statistics=statistics,
        schema=schema_gen.outputs["schema"],
        experiment=experiment,
        source=keys.validation(experiment),
        thresholds=parameters.get(runtime.THRESHOLDS),
    ).with_id("ExampleValidator")
    transform = Transform(
        examples=examples,
        schema=schema_gen.outputs["schema"],
        preprocessing_fn="models.examples.preprocessing.preprocessing_fn",
        custom_config={
            "data": json.dumps(experiment.data.essential(), sort_keys=True),
            "source": keys.transform(experiment.data),
        },
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    transform.with_beam_pipeline_args(list(reading_args(experiment.data)))
    transformed = transform.outputs["transformed_examples"]
    feature_trainer = Trainer(
        examples=transformed,
        run_fn="models.extractors.classifier.run_fn",
        eval_args=trainer_pb2.EvalArgs(splits=[experiment.evaluation.split]),
        custom_config={
            "experiment": _extractor_json(experiment),
            "source": keys.extractor(experiment),
        },
    ).with_id("FeatureTrainer")
    gan_trainer = GanTrainer(
        examples=transformed,
        experiment=experiment.key(RECORDED),
        checkpoint_root=parameters.get(CHECKPOINT_ROOT, values[CHECKPOINT_ROOT]),
        source=keys.training(experiment),
        data_source=source,
        training_steps=steps,
        ingested=examples if has_names(experiment.data) else None,
    )
    model = gan_trainer.outputs["model"]
    resolver = _baseline(model, managed=managed) if baseline else None
    evaluator = GanEvaluator(
        model=model,
        examples=transformed,
        feature_model=feature_trainer.outputs["model"],
        model_run=gan_trainer.outputs["model_run"],
        baseline_model=resolver.outputs["model"] if resolver else None,
        ingested=examples,
        experiment=experiment.key(JUDGED),
        source=keys.evaluation(experiment),
        measurements_root=parameters.get(MEASUREMENTS_ROOT, values[MEASUREMENTS_ROOT]),
        measuring_source=keys.measuring(experiment),
        data_source=source,
        training_steps=steps,
        thresholds=parameters.get(runtime.THRESHOLDS),
    )
    image_validator = _image_validator(experiment.serving, model, managed=managed)
    serving_validator = ServingValidator(
        model=model,
        examples=transformed,
        model_blessing=evaluator.outputs["blessing"],
        evaluation=evaluator.outputs["evaluation"],
        experiment=experiment.key((*RECORDED, "serving")),
        source=keys.serving(experiment),
        image_blessing=image_validator.outputs["blessing"] if image_validator else None,
        data_source=source,
        training_steps=steps,
    )
    # without `model` it pushes what the validator served: the model with its card and its warm-up requests
    pusher = Pusher(
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_validator.outputs["infra_blessing"],
        push_destination=parameters.get(
            PUSH_DESTINATION, json_format.Parse(values[PUSH_DESTINATION], pusher_pb2.PushDestination())
        ),
    )
    return Pipeline(
        pipeline_name=experiment.name,
        pipeline_root=posixpath.join(root, "artifacts"),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            validator,
            transform,
            feature_trainer,
            gan_trainer,
            *([resolver] if resolver else []),
            evaluator,
            *([image_validator] if image_validator else []),
            serving_validator,
            pusher,
        ],
        enable_cache=True,
        beam_pipeline_args=list((managed and experiment.resources.beam_args) or BEAM_ARGS),
    )


def reading_args(data: Data) -> tuple[str, ...]:
    """Arguments of the stages that read examples in batches.

    A batch is as large as Beam finds to be quick, up to 1,000 rows; photographs, which have megabytes each, are counted
    by bytes, 20 MiB a batch. TFX hands the flag on from Beam's arguments to the reader, which Beam itself passes over.
    """
    whole = any(kind_of(column).any_size for column in data.columns)
    return ("--tfxio_use_byte_size_batching=true",) if whole else ()


def at_run_time(experiment: Experiment) -> dict[str, Any]:
    """The runtime parameters of a compiled pipeline that replace fields of the experiment, with their defaults."""
    return {
        runtime.DATA_SOURCE: experiment.data.source,
        runtime.TRAINING_STEPS: experiment.training.steps,
        runtime.THRESHOLDS: json.dumps(experiment.model_dump(exclude_none=True)["evaluation"]["thresholds"]),
    }


def places(name: str, root: str) -> dict[str, str]:
    """The runtime parameters that say where a pipeline of this name keeps what outlives its runs, below a root."""
    destination = {"filesystem": {"baseDirectory": posixpath.join(root, "serving", name)}}
    return {
        CHECKPOINT_ROOT: posixpath.join(root, "checkpoints"),
        MEASUREMENTS_ROOT: posixpath.join(root, "measurements"),
        PUSH_DESTINATION: json.dumps(destination),
    }


def _schema_gen(data: Data, statistics: Any) -> Any:
    """The curated schema where there is one, else the schema that the statistics suggest."""
    if data.schema_dir is None:
        return SchemaGen(statistics=statistics, infer_feature_shape=True)
    return ImportSchemaGen(schema_file=posixpath.join(data.schema_dir, "schema.pbtxt")).with_id("SchemaGen")


def _image_validator(serving: Serving, model: Any, *, managed: bool) -> InfraValidator | None:
    """TFX's own validator, where the experiment names an image for it."""
    if serving.image is None:
        return None
    if managed:
        raise ValueError(
            "serving.image is for runs on a machine with Docker or kubectl, as no cluster's compiler takes "
            f"InfraValidator; received {serving.image}"
        )
    name, _, tag = serving.image.partition(":")
    platform: dict[str, Any] = {"local_docker": infra_validator_pb2.LocalDockerConfig()}
    if serving.image_runs_on == "kubernetes":
        platform = {"kubernetes": infra_validator_pb2.KubernetesConfig()}
    return InfraValidator(
        model=model,
        serving_spec=infra_validator_pb2.ServingSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServing(image_name=name, tags=[tag]), **platform
        ),
        validation_spec=infra_validator_pb2.ValidationSpec(max_loading_time_seconds=300, num_tries=1),
    )


def _extractor_json(experiment: Experiment) -> str:
    """The parts of an experiment that decide which features judge."""
    evaluation = experiment.evaluation.model_dump(include={"extractor", "extractor_weights", "extractor_steps", "seed"})
    return json.dumps({"data": experiment.data.essential(), "evaluation": evaluation}, sort_keys=True)


def _baseline(candidate: Any, *, managed: bool) -> Resolver:
    """Finds the model that the candidate has to beat: the latest blessed one, if there is any."""
    channels = {"model": Channel(type=Model), "model_blessing": Channel(type=ModelBlessing)}
    if managed:
        return Resolver(strategy_class=LatestBlessedModelStrategy, **channels).with_id("Baseline")
    return Resolver(strategy_class=BlessedBeforeStrategy, candidate=candidate, **channels).with_id("Baseline")
