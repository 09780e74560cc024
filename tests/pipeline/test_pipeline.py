"""The shape of the pipeline, and what a change of the experiment makes run again. Nothing runs here."""

import json

import pytest
from absl import flags
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.dsl.compiler import compiler
from tfx.types.standard_artifacts import Model, ModelBlessing
from tfx_bsl.coders import batch_util

from models.config import (
    Experiment,
    PatchGANDiscriminator,
    Photographs,
    Restoration,
    SRResNetTranslator,
    Training,
)
from pipeline.baseline import BlessedBeforeStrategy
from pipeline.experiments.named import DIGITS_CGAN, EXPERIMENTS, TINY
from pipeline.pipeline import create_pipeline

STAGES = [
    "ImageExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "ExampleValidator",
    "Transform",
    "FeatureTrainer",
    "GanTrainer",
    "Baseline",
    "GanEvaluator",
    "ServingValidator",
    "Pusher",
]


def nodes(experiment, fingerprint="f", root="/root", **options):
    """Stage -> its compiled node."""
    pipeline = create_pipeline(experiment, root, fingerprint=fingerprint, **options)
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in compiler.Compiler().compile(pipeline).nodes}


def own_changes(before, after):
    """The stages whose own properties differ: these run again, and what lies behind them."""
    return {name for name in before if before[name].parameters != after[name].parameters}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_all_stages_in_order(name):
    assert list(nodes(EXPERIMENTS[name])) == STAGES


@pytest.mark.parametrize(("settings", "platform"), [([], "local_docker"), (["kubernetes"], "kubernetes")])
def test_tensorflow_servings_image_goes_first_where_it_is_named(settings, platform):
    settings = ["serving.image=tensorflow/serving:2.19.1", *(f"serving.image_runs_on={each}" for each in settings)]
    found = nodes(TINY.override(settings))
    assert set(found) == {*STAGES, "InfraValidator"}
    assert "InfraValidator" in found["ServingValidator"].upstream_nodes
    spec = json.loads(found["InfraValidator"].parameters.parameters["serving_spec"].field_value.string_value)
    assert spec == {
        platform: {},
        "tensorflow_serving": {"image_name": "tensorflow/serving", "tags": ["2.19.1"]},
    }


def test_an_image_cannot_be_asked_for_on_a_cluster():
    with pytest.raises(ValueError, match="as no cluster's compiler takes InfraValidator"):
        nodes(TINY.override(["serving.image=tensorflow/serving:2.19.1"]), managed=True)


class TestBatchesByBytes:
    """If these fail, StatisticsGen and Transform hold a thousand photographs at a time."""

    FLAG = "--tfxio_use_byte_size_batching=true"
    PHOTOGRAPHS = Experiment(
        name="photographs",
        data=Photographs(source="folder:mine", crop=16),
        scheme=Restoration(
            degradations={"noise": 0.1},
            generator=SRResNetTranslator(scale=1, width=4, blocks=1),
            discriminator=PatchGANDiscriminator(width=4, layers=1),
        ),
        training=Training(steps=1),
    )

    @pytest.mark.parametrize("experiment", [TINY, PHOTOGRAPHS], ids=lambda each: each.name)
    def test_where_images_are_kept_whole(self, experiment):
        stages = create_pipeline(experiment, "/root", fingerprint="f").components
        asked = {each.id for each in stages if self.FLAG in getattr(each.executor_spec, "beam_pipeline_args", ())}
        assert asked == ({"StatisticsGen", "Transform"} if experiment is self.PHOTOGRAPHS else set())

    def test_the_flag_reaches_what_reads(self):
        stages = create_pipeline(self.PHOTOGRAPHS, "/root", fingerprint="f").components
        stage = next(each for each in stages if each.id == "StatisticsGen")
        arguments = list(stage.executor_spec.beam_pipeline_args)
        try:
            assert batch_util.GetBatchElementsKwargs(None)["max_batch_size"] == 1_000
            statistics_gen.Executor(statistics_gen.Executor.Context(beam_pipeline_args=arguments))
            of_bytes = batch_util.GetBatchElementsKwargs(None)
            assert (of_bytes["max_batch_size"], of_bytes["element_size_fn"](b"x" * 2**20)) == (20 * 2**20, 2**20)
        finally:
            flags.FLAGS.tfxio_use_byte_size_batching = False


def test_building_it_twice_gives_the_same(tmp_path):
    assert nodes(TINY, root=str(tmp_path)) == nodes(TINY, root=str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_flow():
    upstream = {name: set(node.upstream_nodes) for name, node in nodes(TINY).items()}
    assert upstream["GanTrainer"] == {"Transform"}
    assert upstream["FeatureTrainer"] == {"Transform"}
    assert upstream["Transform"] == {"ImageExampleGen", "SchemaGen"}
    # the report of what was done to the files is beside the examples as they were ingested
    assert upstream["GanEvaluator"] == {"ImageExampleGen", "Transform", "FeatureTrainer", "GanTrainer", "Baseline"}
    assert upstream["ServingValidator"] == {"Transform", "GanTrainer", "GanEvaluator"}
    assert upstream["Pusher"] == {"GanEvaluator", "ServingValidator"}


def test_names_of_classes_come_from_where_they_are_read():
    """If this fails, a model of folders tells of numbers, or digits, whose classes are numbers, are trained again."""
    folders = TINY.override(["data.source=folder:mine"])
    assert set(nodes(folders)["GanTrainer"].upstream_nodes) == {"ImageExampleGen", "Transform"}
    without = ["data.classes=0", "scheme.generator.condition=none", "scheme.discriminator.condition=none"]
    unlabelled = folders.override([*without, "evaluation.thresholds={}"])
    assert set(nodes(unlabelled)["GanTrainer"].upstream_nodes) == {"Transform"}


@pytest.mark.parametrize(
    ("name", "producer", "output"),
    [("model_blessing", "GanEvaluator", "blessing"), ("infra_blessing", "ServingValidator", "infra_blessing")],
)
def test_the_push_waits_for_both_blessings(name, producer, output):
    (channel,) = nodes(TINY)["Pusher"].inputs.inputs[name].channels
    assert (channel.producer_node_query.id, channel.output_key) == (producer, output)


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("evaluation.thresholds.recall.at_least=0.1", {"ExampleValidator", "GanEvaluator"}),
        ("evaluation.samples=300", {"ExampleValidator", "GanEvaluator"}),
        ("evaluation.split=choose", {"ExampleValidator", "FeatureTrainer", "GanEvaluator"}),
        ("evaluation.extractor_steps=60", {"FeatureTrainer", "GanEvaluator"}),
        ("training.steps=21", {"GanTrainer", "GanEvaluator", "ServingValidator"}),
        ("scheme.generator.width=9", {"GanTrainer", "GanEvaluator", "ServingValidator"}),
        ("serving.latency_milliseconds=9", {"ServingValidator"}),
    ],
)
def test_a_setting_runs_again_what_it_concerns(setting, changed):
    assert own_changes(nodes(DIGITS_CGAN), nodes(DIGITS_CGAN.override([setting]))) == changed


def test_a_changed_source_is_ingested_again():
    assert own_changes(nodes(TINY), nodes(TINY, fingerprint="other")) == {"ImageExampleGen"}


def test_a_curated_schema_is_imported():
    schema_gen = nodes(TINY.override(["data.schema_dir=schemas/digits"]))["SchemaGen"]
    assert schema_gen.node_info.type.name.endswith("ImportSchemaGen")
    assert schema_gen.parameters.parameters["schema_file"].field_value.string_value == "schemas/digits/schema.pbtxt"


def test_every_experiment_can_be_read_back_from_what_the_trainer_gets():
    from models.config import Experiment

    parameters = nodes(DIGITS_CGAN)["GanTrainer"].parameters.parameters
    read = Experiment.from_json(parameters["experiment"].field_value.string_value)
    assert read.training == DIGITS_CGAN.training
    assert read.evaluation.thresholds == {}


class TestBaseline:
    @pytest.fixture
    def resolve(self, tmp_path):
        """Resolves among models of these ids, of which some are blessed, for a candidate."""

        def model(identity):
            artifact = Model()
            artifact.id, artifact.uri = identity, str(tmp_path / str(identity))
            (tmp_path / str(identity)).mkdir(exist_ok=True)
            return artifact

        def blessing(identity, of, blessed):
            artifact = ModelBlessing()
            artifact.id = identity
            artifact.set_int_custom_property("blessed", int(blessed))
            artifact.set_int_custom_property("current_model_id", of)
            return artifact

        def resolve(models, blessed, candidate, gone=()):
            inputs = {
                "model": [model(identity) for identity in models],
                "model_blessing": [blessing(100 + each, each, each in blessed) for each in models],
                "candidate": [model(candidate)],
            }
            for identity in gone:
                (tmp_path / str(identity)).rmdir()
            found = BlessedBeforeStrategy().resolve_artifacts(None, inputs)
            return [each.id for each in found["model"]], [each.id for each in found["model_blessing"]]

        return resolve

    def test_the_latest_blessed_other_than_the_candidate(self, resolve):
        assert resolve([1, 2, 3], blessed={1, 2, 3}, candidate=3) == ([2], [102])

    def test_one_that_was_refused_is_passed_over(self, resolve):
        assert resolve([1, 2, 3], blessed={1}, candidate=3) == ([1], [101])

    def test_one_that_was_deleted_is_passed_over(self, resolve):
        assert resolve([1, 2, 3], blessed={1, 2}, candidate=3, gone=[2]) == ([1], [101])

    @pytest.mark.parametrize("models", [[], [3]])
    def test_none_at_first(self, resolve, models):
        assert resolve(models, blessed={3}, candidate=3) == ([], [])
