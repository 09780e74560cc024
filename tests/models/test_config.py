import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import objectives
from models.catalog import OBJECTIVES, lookup
from models.config import (
    Adversarial,
    AtLeast,
    AtMost,
    CrossEntropy,
    Cycle,
    Data,
    DCGANDiscriminator,
    DCGANGenerator,
    Evaluation,
    Experiment,
    Images,
    Laplacian,
    Latent,
    Objective,
    Pairs,
    Penalty,
    Pix2Pix,
    Points,
    PointsDiscriminator,
    PointsGenerator,
    ResNetGenerator,
    Restoration,
    Separated,
    Stacked,
    Threshold,
    Training,
    Unpaired,
    parse_data,
)
from models.config.variants import made_by, own_parts

SMALL = Experiment(
    name="small",
    data=Images(resolution=16, classes=10),
    scheme="adversarial",
    training=Training(steps=5),
    evaluation=Evaluation(thresholds={"coverage": AtLeast(0.5, within_floor=0.1)}),
)
IMAGES = Experiment(name="images", data=Images(), training=Training(steps=1))
POINTS = Experiment(
    name="points",
    data=Points(),
    scheme=Adversarial(generator=PointsGenerator(), discriminator=PointsDiscriminator()),
    training=Training(steps=1),
)
OF_EACH_SCHEME = {
    "adversarial": SMALL,
    "cycle": Experiment(
        name="cycle",
        data=Unpaired(input=Points(classes=8), target=Points(source="mixture:grid")),
        scheme=Cycle(cycle_weight=3),
        training=Training(steps=5),
    ),
    "restoration": Experiment(
        name="restoration",
        data=Points(),
        scheme=Restoration(degradations={"noise": 0.3}, pretraining={"steps": 7}, objective="hinge"),
        training=Training(steps=5),
    ),
    "pix2pix": Experiment(
        name="pairs",
        data=Pairs(source="folder:x", folders=("photo", "map"), split_by="name:^.", input_channels=1),
        scheme=Pix2Pix(l1_weight=10),
        training=Training(steps=5),
    ),
    "lapgan": Experiment(
        name="lapgan",
        data=Images(resolution=32),
        scheme=Laplacian(levels=2, coarse_steps=3, refiner={"width": 8}),
        training=Training(steps=5),
    ),
}

PAIR = [("r1", 1.0), ("wgan_gp", 2.0)]


def refused(experiment, settings, message):
    """Checks that settings are refused, in one line."""
    with pytest.raises(ValueError, match=message) as caught:
        experiment.override(settings)
    assert "\n" not in str(caught.value)


class TestJson:
    @pytest.mark.parametrize("name", OF_EACH_SCHEME)
    def test_reads_what_it_wrote(self, name):
        experiment = OF_EACH_SCHEME[name]
        assert Experiment.from_json(experiment.to_json()) == experiment

    def test_a_name_stands_for_the_part_of_that_name(self):
        assert SMALL.scheme == Adversarial()
        assert SMALL.scheme.generator.name == SMALL.scheme.discriminator.name == "dcgan"
        assert Objective(name="hinge") == Adversarial(objective="hinge").objective

    def test_equal_experiments_read_the_same_whatever_the_order(self):
        tree = dict(reversed(json.loads(SMALL.to_json()).items()))
        assert Experiment.parse(tree).to_json() == SMALL.to_json()

    def test_parts_alone(self):
        assert set(json.loads(SMALL.to_json(["name", "data"]))) == {"name", "data"}

    def test_text_that_is_no_json(self):
        with pytest.raises(ValueError, match="an experiment is written as JSON"):
            Experiment.from_json("{")

    @pytest.mark.parametrize("part", ["network", "gan"])
    def test_what_an_earlier_version_wrote_is_named_as_that(self, part):
        old = {"name": "old", "data": {}, part: {}, "training": {"steps": 1}}
        with pytest.raises(ValueError, match="an experiment is of format 2; received one of another") as caught:
            Experiment.parse(old)
        assert "\n" not in str(caught.value)

    @given(
        steps=st.integers(1, 10**9),
        rate=st.floats(1e-9, 10, allow_nan=False),
        classes=st.integers(0, 1000),
        weight=st.floats(0, 1e6),
    )
    def test_any_valid_experiment_survives(self, steps, rate, classes, weight):
        tree = json.loads(SMALL.to_json())
        del tree["evaluation"]["extractor"]  # it follows from the data
        tree["training"] |= {"steps": steps, "generator_optimizer": {"learning_rate": rate}}
        tree["data"]["classes"] = classes
        tree["scheme"]["objective"]["penalties"] = {"r1": weight}
        experiment = Experiment.parse(tree)
        assert Experiment.from_json(experiment.to_json()) == experiment
        assert Experiment.from_json(experiment.key()) == experiment

    def test_the_order_of_penalties_is_the_catalogs(self):
        one, other = (Objective(name="hinge", penalties=dict(order)) for order in (PAIR, reversed(PAIR)))
        assert list(one.penalties) == list(other.penalties) == ["r1", "wgan_gp"]

    def test_has_a_json_schema_that_names_every_variant(self):
        schema = json.dumps(Experiment.model_json_schema())
        variants = ("ResNetGenerator", "GanMLPDiscriminator", "PointsTranslator", "Cycle", "CrossEntropy", "Unpaired")
        assert not [name for name in variants if f'"#/$defs/{name}"' not in schema]


class TestKey:
    @pytest.mark.parametrize("name", OF_EACH_SCHEME)
    def test_reads_what_it_wrote(self, name):
        experiment = OF_EACH_SCHEME[name]
        assert Experiment.from_json(experiment.key()) == experiment

    def test_is_what_differs_from_the_defaults_with_the_names_of_variants(self):
        assert json.loads(SMALL.key()) == {
            "name": "small",
            "data": {"name": "images", "resolution": 16, "classes": 10},
            "training": {"steps": 5},
            "evaluation": {"thresholds": {"coverage": {"at_least": 0.5, "within_floor": 0.1}}},
        }
        hinge = SMALL.override(["scheme.objective.name=hinge"])
        assert json.loads(hinge.key(["scheme"])) == {"scheme": {"name": "adversarial", "objective": {"name": "hinge"}}}

    def test_a_field_at_its_default_is_not_in_it(self):
        settings = ["scheme.generator.width=64", "scheme.objective.penalties={}", "training.seed=0", "data.channels=1"]
        for setting in settings:
            assert SMALL.override([setting]).key() == SMALL.key()
        assert SMALL.override(["scheme.generator.width=32"]).key() != SMALL.key()

    def test_equal_experiments_read_the_same_however_they_were_written(self):
        written = {
            "training": {"seed": 0, "steps": 5},
            "scheme": {"objective": {"penalties": dict(reversed(PAIR)), "name": "minimax"}},
            "data": {"classes": 10, "resolution": 16},
            "name": "small",
        }
        otherwise = Experiment(
            name="small",
            data=Images(resolution=16, classes=10, source="digits"),
            scheme=Adversarial(
                objective=CrossEntropy(name="minimax", penalties={"r1": Penalty(weight=1), "wgan_gp": 2})
            ),
            training=Training(steps=5),
        )
        assert Experiment.parse(written) == otherwise
        assert Experiment.parse(written).key() == otherwise.key()
        assert Experiment.parse(written).to_json() == otherwise.to_json()

    def test_parts_alone(self):
        assert set(json.loads(SMALL.key(["name", "data"]))) == {"name", "data"}

    def test_a_variant_with_the_fields_of_another_is_not_taken_for_it(self):
        resnet = SMALL.override(["scheme.generator.name=resnet"])
        assert resnet.scheme.generator == ResNetGenerator()
        assert resnet.key() != SMALL.key()

    def test_a_default_that_changes_is_a_revision(self, monkeypatch):
        before = SMALL.key()
        monkeypatch.setattr(Training, "revision", 1)
        assert SMALL.key() != before
        assert json.loads(SMALL.key())["training"] == {"revision": 1, "steps": 5}


class TestFrozen:
    def test_does_not_change(self):
        with pytest.raises(ValueError, match="frozen"):
            SMALL.training.steps = 7


class TestOverride:
    @pytest.mark.parametrize(
        ("setting", "path", "value"),
        [
            ("training.steps=7", ("training", "steps"), 7),
            (
                "training.generator_optimizer.learning_rate=1e-3",
                ("training", "generator_optimizer", "learning_rate"),
                1e-3,
            ),
            ("data.source=idx:data/mnist", ("data", "source"), "idx:data/mnist"),
            ("scheme.generator.latent.size=8", ("scheme", "generator", "latent"), Latent(size=8)),
            ("scheme.objective.penalties.r1=2", ("scheme", "objective", "penalties"), {"r1": Penalty(weight=2)}),
            ('scheme.objective.penalties={"r1": 3}', ("scheme", "objective", "penalties"), {"r1": Penalty(weight=3)}),
            ("scheme.generator=resnet", ("scheme", "generator"), ResNetGenerator()),
            ("scheme=adversarial", ("scheme", "name"), "adversarial"),
        ],
    )
    def test_sets_a_field(self, setting, path, value):
        found = SMALL.override([setting])
        for name in path:
            found = getattr(found, name)
        assert found == value

    def test_adds_a_threshold_beside_the_others(self):
        thresholds = SMALL.override(["evaluation.thresholds.recall.at_least=0.2"]).evaluation.thresholds
        assert thresholds == {"coverage": AtLeast(0.5, within_floor=0.1), "recall": AtLeast(0.2)}

    def test_the_last_setting_wins_and_the_original_stays(self):
        assert SMALL.override(["training.steps=7", "training.steps=8"]).training.steps == 8
        assert SMALL.training.steps == 5

    def test_a_name_drops_the_fields_of_the_variant_before(self):
        smallest = SMALL.override(["scheme.discriminator.smallest_map=4", "scheme.discriminator.width=8"])
        resnet = smallest.override(["scheme.discriminator.name=resnet"]).scheme.discriminator
        assert (resnet.name, resnet.width) == ("resnet", 64)

    def test_a_name_comes_first_wherever_it_is_written(self):
        settings = ["scheme.generator.width=8", "scheme.generator.name=resnet"]
        assert SMALL.override(settings).scheme.generator == ResNetGenerator(width=8)
        assert SMALL.override(settings[::-1]).scheme.generator == ResNetGenerator(width=8)

    def test_a_scheme_and_its_parts_are_set_together(self):
        settings = ["data.name=points", "scheme.degradations.noise=0.3", "scheme.name=restoration"]
        assert IMAGES.override(settings).scheme == Restoration(degradations={"noise": 0.3})
        settings = ["data.name=points", "scheme.generator.name=points", "scheme.discriminator.name=points"]
        found = SMALL.override(settings)
        assert (found.data, found.scheme) == (POINTS.data, POINTS.scheme)

    @pytest.mark.parametrize("setting", ["name=other", "training.generator_optimizer.name=sgd"])
    def test_a_name_that_picks_no_variant_drops_nothing(self, setting):
        fast = SMALL.override(["training.generator_optimizer.learning_rate=1e-3"])
        assert fast.override([setting]).training.generator_optimizer.learning_rate == 1e-3

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("training.stps=4", r"training\.stps is no field of training; did you mean training\.steps\?"),
            ("trainin.steps=4", "trainin is no field of an experiment; did you mean training"),
            ("training.steps", "a setting is written field=value; received 'training.steps'"),
            ("training.steps=0", r"training\.steps: .*greater than 0; received 0"),
            ("training.steps=many", r"training\.steps: .*integer.*; received 'many'"),
            ("training.seed=1.5", r"training\.seed: .*integer.*; received 1\.5"),
            ("data.resolution=2000", r"data\.resolution: .*less than or equal to 1024; received 2000"),
            ("scheme.generator.name=dcgn", r"^scheme\.generator: dcgn is no generator; did you mean dcgan\?$"),
            ("scheme.name=cycl", r"^scheme: cycl is no scheme; did you mean cycle\?$"),
            ("scheme.objective=hing", r"^scheme\.objective: hing is no objective; did you mean hinge\?$"),
            ("scheme.generator.wdth=3", r"scheme\.generator\.wdth is no field of the generator dcgan; .*mean width\?"),
            ("scheme.generator.depth=3", r"depth is no field of the generator dcgan; gan_mlp and points have it$"),
            (
                "scheme.discriminator.dropout=0.5",
                "no field of the discriminator dcgan; gan_mlp and lapgan and points have it$",
            ),
            ("scheme.cycle_weight=3", r"scheme\.cycle_weight is no field of the scheme adversarial; cycle has it$"),
            ("data.channel=3", r"data\.channel is no field of the data images; did you mean channels\?"),
            ("data.input=points", r"data\.input is no field of the data images; unpaired has it$"),
            ("objective.name=hinge", r"objective is no field of an experiment; did you mean scheme\.objective\?"),
            ("scheme.generator.latent.siz=4", r"latent\.siz is no field of .*; did you mean .*latent\.size\?"),
            ("scheme.objective.penalties.dragon=2", "dragon is no penalty of the catalog; did you mean dragan?"),
            ("scheme.objective.penalties.r1=-1", r"penalties\.r1\.weight: .*greater than or equal to 0; received -1"),
            ("evaluation.thresholds.coverage.atleast=3", "atleast is no field"),
            ("evaluation.thresholds.recall={}", "a threshold sets at_least, at_most, within_floor or within_blessed"),
            ("scheme.generator.condition=embeding", "scheme.generator.condition: .*; received 'embeding'"),
            ("name=Big Name", "name: .*pattern.*; received 'Big Name'"),
        ],
    )
    def test_refuses_in_one_line(self, setting, message):
        refused(SMALL, [setting], message)


class TestParts:
    """What does not go together is refused at once, with what would be right."""

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (["evaluation.thresholds.modes.at_least=8"], "modes is no metric of images; choose from .*coverage"),
            (
                ["evaluation.thresholds.psnr.at_least=30"],
                "^psnr is no metric of the task generate, but of translate and restore; ",
            ),
            (
                ["evaluation.thresholds.memorisation.within_floor=0.1"],
                "within_floor is measured from real examples .*, of which memorisation has no value: write at",
            ),
            (
                ["evaluation.thresholds.d_real_accuracy.within_blessed=0.1"],
                "a bound on d_real_accuracy is at_least or at_most, as neither direction is better",
            ),
            (
                ["data.classes=10", "evaluation.thresholds.conditional_accuracy.at_least=0.9"],
                "^conditional_accuracy is of examples that are asked for by class, and these are not: leave",
            ),
            (
                ["evaluation.thresholds.classifier_score.at_least=3"],
                "^classifier_score is what a classifier says, and the examples to be drawn have no classes to t",
            ),
            (["evaluation.thresholds.coverage.at_least=NaN"], "coverage.at_least: .*finite number; received nan"),
            (
                ["scheme.name=cycle", "scheme.generator.name=dcgan"],
                "^scheme.generator: dcgan is no translator; choose from deconvolution, points, resnet, srresnet, unet$",
            ),
            (["data.name=points"], "^scheme.generator: dcgan is for images, but mixture:ring has points .*name=points"),
            (
                ["data.name=points", "scheme.generator.name=points"],
                "^scheme.discriminator: dcgan is for images, but mixture:ring has points of the plane: name=points is",
            ),
            (["scheme.name=cycle"], "points is for points of the plane, but digits has images"),
            (["scheme.name=restoration"], "^scheme.degradations is required$"),
            (["scheme.name=restoration", "scheme.degradations={}"], "scheme.degradations: .*at least 1 item"),
            (
                ["data.classes=3", "scheme.generator.condition=batch_norm", "scheme.generator.norm=none"],
                "^scheme.generator: condition=batch_norm needs norm=batch; received norm=none$",
            ),
            (["scheme.generator.condition=embedding"], "needs data.classes of at least 2; received 0"),
            (
                ["scheme.generator.condition=embedding", "data.classes=3"],
                "^both players read the label or neither: .* is embedding, .*; set scheme.discriminator.condition, or",
            ),
            (
                ["scheme.discriminator.condition=projection", "data.classes=3"],
                "condition is projection, the generator has none; set scheme.generator.condition, or",
            ),
            (
                ["scheme.discriminator.batch_statistics=stddev", "scheme.discriminator.batch_group=5"],
                r"^training.batch_size is a multiple of the discriminator's batch_group \(5\); received 64$",
            ),
            (
                [
                    "scheme.discriminator.batch_statistics=stddev",
                    "scheme.discriminator.batch_group=16",
                    "scheme.discriminator.pack=8",
                ],
                r"multiple of the discriminator's pack \(8\) x batch_group \(16\); received 64$",
            ),
            (["scheme.discriminator.batch_group=5"], "batch_group=5 with batch_statistics=none"),
            (["scheme.discriminator.pack=3"], r"a multiple of the discriminator's pack \(3\); received 64"),
            (
                ["scheme.discriminator.pack=2", "scheme.discriminator.condition=embedding", "data.classes=3"],
                "pack=2 needs condition=none; received embedding",
            ),
            (
                ["scheme.discriminator.pack=2", "scheme.generator.latent.continuous_codes=3"],
                "no code in common; received pack 2 and 3 codes",
            ),
            (
                ["data.resolution=17"],
                "^scheme.generator: dcgan doubles .* 4, 5, 6 or 7 times a power of 2; received 17, next .* 16 or 20$",
            ),
            (
                ["data.resolution=17", "scheme.generator.name=gan_mlp", "scheme.discriminator.name=resnet"],
                "^scheme.discriminator: resnet doubles .*; received 17, next to it are 16 or 20$",
            ),
            (
                ["scheme.objective.name=hinge", "scheme.objective.label_smoothing=0.1"],
                "^scheme.objective.label_smoothing is no field of the objective hinge; .*minimax.* have it$",
            ),
            (
                ['scheme.objective.penalties.dragan={"weight": 1, "every_steps": 4}', "scheme.discriminator.norm=none"],
                r"penalties\.dragan\.every_steps .* without batch statistics; received 4 with dragan$",
            ),
            (
                ['scheme.objective.penalties.r1={"weight": 1, "every_steps": 4}'],
                r"penalties\.r1\.every_steps .*; received 4 with scheme\.discriminator\.norm=batch$",
            ),
            (["scheme.unrolled_steps=2", "training.discriminator_optimizer.name=lion"], "or by sgd .*; received lion"),
            (
                [
                    "scheme.unrolled_steps=2",
                    "training.discriminator_optimizer.name=sgd",
                    "training.discriminator_optimizer.momentum=0.5",
                ],
                "received sgd with momentum 0.5",
            ),
            (["scheme.updates=simultaneous", "scheme.discriminator_steps=2"], "received 2 and 1"),
            (["data.eval_share=0.5", "data.choose_share=0.5"], "their sum is below 1; received 0.5 and 0.5"),
        ],
    )
    def test_of_images(self, settings, message):
        refused(IMAGES, settings, message)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (["evaluation.thresholds.spread.at_least=1"], "spread is no metric of points; choose from .*modes"),
            (
                ["scheme.objective.penalties.consistency=1"],
                r"^scheme\.objective\.penalties\.consistency changes images",
            ),
            (['scheme.objective.augment=["color"]'], r"^scheme\.objective\.augment changes images; mixture:ring gives"),
            (["data.name=images"], "^scheme.generator: points is for points of the plane, but digits has images$"),
            (
                ["scheme.name=cycle"],
                "the scheme cycle needs two domains: data.name=unpaired or separated; received points",
            ),
        ],
    )
    def test_of_points(self, settings, message):
        refused(POINTS, settings, message)

    @pytest.mark.parametrize(
        ("name", "settings", "message"),
        [
            (
                "cycle",
                ["scheme.generator.latent.size=3"],
                "latent is no field of the translator points; choose from depth, name, norm, width$",
            ),
            (
                "cycle",
                ["scheme.unrolled_steps=3"],
                "no field of the scheme cycle; adversarial and pix2pix and restoration have it",
            ),
            ("cycle", ["scheme.name=adversarial"], "dcgan is for images"),
            ("cycle", ["scheme.objective.generator_penalties.path_length=1"], "which the scheme cycle has none of"),
            ("restoration", ["scheme.objective.generator_penalties.path_length=1"], "scheme restoration has none of"),
            (
                "restoration",
                ['data={"name": "unpaired", "input": "points", "target": "points"}'],
                "degrades one domain; data.name=unpaired is for scheme.name=cycle",
            ),
            (
                "restoration",
                [
                    'data={"name": "pairs", "source": "folder:x", "resolution": 64}',
                    "scheme.generator.name=resnet",
                    "scheme.discriminator.name=patchgan",
                ],
                "degrades one domain; data.name=pairs is for scheme.name=pix2pix",
            ),
            ("pix2pix", ["scheme.l1_weight=0", "scheme.adversarial_weight=0"], "received 0 for both$"),
            ("pix2pix", ["scheme.name=cycle", "scheme.generator=unet", "scheme.discriminator=patchgan"], "two domains"),
            (
                "pix2pix",
                ["data.name=separated", "data.source=folder:x", "scheme.discriminator.pairs=false"],
                "the scheme pix2pix needs aligned images: data.name=pairs; received separated",
            ),
            (
                "pix2pix",
                [
                    "data.name=separated",
                    "data.source=folder:x",
                    "scheme.name=cycle",
                    "scheme.generator=resnet",
                    "scheme.discriminator=patchgan",
                    "data.input_channels=1",
                ],
                r"have the shape of targets; received \[256, 256, 1\] and \[256, 256, 3\]: leave data.input_res",
            ),
            ("pix2pix", ["data.name=images", "data.source=digits", "data.resolution=256"], "^scheme.*has no pairs"),
            (
                "pix2pix",
                ["data.name=images", "data.resolution=256", "scheme.discriminator.pairs=false"],
                "the scheme pix2pix needs aligned images: data.name=pairs; received images",
            ),
            ("pix2pix", ["data.input_resolution=128"], "takes; received 128 x 128 and 256 x 256: leave data.input_res"),
            ("pix2pix", ["scheme.generator=srresnet"], "received scheme.generator.scale=4: set it to 1"),
            ("pix2pix", ["scheme.objective.generator_penalties.path_length=1"], "scheme pix2pix has none of"),
        ],
    )
    def test_of_what_translates(self, name, settings, message):
        refused(OF_EACH_SCHEME[name], settings, message)

    def test_a_margin_of_domains_whose_surroundings_nothing_reads(self):
        domain = {"name": "photographs", "source": "digits", "margin": 4}
        tree = {"name": "apart", "data": {"name": "unpaired", "input": domain, "target": domain}}
        with pytest.raises(ValueError, match="which two domains have none of: leave it out"):
            Experiment.parse(tree | {"training": {"steps": 1}, "scheme": "cycle"})

    @pytest.mark.parametrize("name", ["psnr", "ssim", "pair_distance_efficientnet_lite0"])
    def test_a_bound_on_a_truth_that_domains_without_relation_do_not_have(self, name):
        domain = {"name": "images", "resolution": 32}
        bound = {"evaluation": {"thresholds": {name: {"at_least": 0.5}}}}
        tree = {
            "name": "apart",
            "data": {"name": "unpaired", "input": domain, "target": domain},
            "scheme": {"name": "cycle", "generator": "resnet", "discriminator": "patchgan"},
            "training": {"steps": 1},
        }
        assert Experiment.parse(tree).scheme.task == "translate"
        with pytest.raises(
            ValueError, match=rf"^{name} holds each output against its truth, and nothing says .*: leave"
        ):
            Experiment.parse(tree | bound)

    def test_a_lazy_penalty_goes_with_a_discriminator_whose_examples_do_not_mix(self):
        penalty = 'scheme.objective.penalties.r1={"weight": 1, "every_steps": 4}'
        found = IMAGES.override([penalty, "scheme.discriminator.norm=none"])
        assert found.scheme.objective.penalties == {"r1": Penalty(weight=1, every_steps=4)}

    def test_a_group_that_divides_the_batch(self):
        settings = ["scheme.discriminator.batch_statistics=stddev", "scheme.discriminator.batch_group=8"]
        assert IMAGES.override([*settings, "scheme.discriminator.pack=2"]).scheme.discriminator.group == 16

    def test_the_objectives_that_can_be_smoothed_are_those_with_the_field(self):
        for name in CrossEntropy.names():
            objectives.one_sided_label_smoothing(lookup("objective", name), 0.1)
        assert set(CrossEntropy.names()) | set(Objective.names()) == set(OBJECTIVES)
        for name in Objective.names():
            assert "label_smoothing" not in type(Adversarial(objective=name).objective).model_fields
            with pytest.raises(ValueError, match="label smoothing is for"):
                objectives.one_sided_label_smoothing(lookup("objective", name), 0.1)


class TestExperiment:
    def test_says_what_its_scheme_says(self):
        assert not SMALL.conditional
        assert SMALL.latent == Latent()
        conditional = Adversarial(
            generator=DCGANGenerator(condition="embedding"), discriminator=DCGANDiscriminator(condition="auxiliary")
        )
        assert SMALL.model_copy(update={"scheme": conditional}).conditional
        assert {name: each.scheme.task for name, each in OF_EACH_SCHEME.items()} == {
            "adversarial": "generate",
            "cycle": "translate",
            "restoration": "restore",
            "pix2pix": "translate",
            "lapgan": "generate",
        }
        assert {name: each.total_steps for name, each in OF_EACH_SCHEME.items()} == {
            "adversarial": 5,
            "cycle": 5,
            "restoration": 12,
            "pix2pix": 5,
            "lapgan": 8,
        }

    def test_what_translates_has_no_latent(self):
        with pytest.raises(TypeError, match="points takes examples, and no noise"):
            _ = OF_EACH_SCHEME["cycle"].latent


class TestData:
    @pytest.mark.parametrize(
        ("data", "kind", "shape"),
        [
            (Images(source="idx:data/mnist", channels=3), "images", (28, 28, 3)),
            (Stacked(source="stacked:idx:data/mnist"), "stacked", (28, 28, 3)),
            (Points(source="mixture:ring"), "points", (2,)),
        ],
    )
    def test_the_variant_says_what_an_example_is(self, data, kind, shape):
        assert (data.kind, data.points, data.shape, data.sources) == (kind, kind == "points", shape, (data.source,))
        assert data.domains == (data,)
        assert data.target == data
        assert data.source_path == "data.source"

    def test_stacked_digits_have_a_class_for_each_triple(self):
        data = Stacked(source="stacked:digits")
        assert (data.channels, data.classes) == (3, 1000)

    def test_a_second_domain(self):
        data = Unpaired(input=Images(classes=10), target=Images(source="idx:data/mnist", classes=3))
        assert data.sources == ("digits", "idx:data/mnist")
        assert (data.source, data.classes, data.target.source) == ("digits", 10, "idx:data/mnist")
        assert (data.kind, data.shape, data.source_path) == ("images", (28, 28, 1), "data.input.source")

    def test_reads_what_it_wrote(self):
        for each in OF_EACH_SCHEME.values():
            assert parse_data(each.data.essential()) == each.data

    def test_pairs_are_two_aligned_columns(self):
        data = Pairs(source="folder:x", resolution=64, input_channels=1, fit="pad", flip=True)
        taken, drawn = data.columns
        assert (taken.role, taken.shape, drawn.role, drawn.shape) == ("input", (64, 64, 1), "target", (64, 64, 3))
        assert taken[3:] == drawn[3:] == (0, 0, "pad", True, 0)
        assert (data.shape, data.classes, data.target_classes, data.kind) == ((64, 64, 3), 0, 0, "images")
        assert (data.domains, data.target, data.source_path) == ((data,), data, "data.source")
        assert data.read() == data.model_copy(update={"flip": False})

    def test_separated_pairs_are_two_domains_in_training_and_pairs_beside_it(self):
        data = Separated(source="folder:x", resolution=64, split_by="folder", folders=("photo", "map"), flip=True)
        whole = Pairs(source="folder:x", resolution=64, split_by="folder", folders=("photo", "map"), flip=True)
        assert [(each.role, each.group) for each in data.columns] == [("input", 0), ("target", 1)]
        assert data.held_out == whole
        assert [(each.role, each.group) for each in data.all_columns[2:]] == [("input", 2), ("target", 2)]
        assert data.all_columns[:2] == data.columns
        assert (data.domains, data.target, data.shape) == ((data,), data, (64, 64, 3))

    @pytest.mark.parametrize("name", ["adversarial", "cycle", "pix2pix"])
    def test_of_other_data_all_rows_are_alike(self, name):
        data = OF_EACH_SCHEME[name].data
        assert (data.held_out, data.all_columns) == (data, data.columns)

    def test_what_ingestion_does_not_read_is_at_its_default(self):
        data = Images(source="folder:x", resolution=64, channels=3, classes=4, schema_dir="there", eval_share=0.3)
        assert data.read() == Images(source="folder:x", classes=4, eval_share=0.3)
        both = Unpaired(input=Images(resolution=64), target=Images(resolution=64), schema_dir="there").read()
        assert both == Unpaired(input=Images(), target=Images())

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (["data.source=mixture:ring"], "mixture:ring is for data.name=points"),
            (["data.source=stacked:digits"], "stacked:digits is for data.name=stacked"),
            (["data.name=points", "data.source=mixture:rign"], r"data\.source: rign is no mix.*; did you mean ring\?"),
            (["data.name=points", "data.source=mixture:x"], r"data\.source: x is no .*; choose from grid, ring"),
            (["data.name=points", "data.source=digits"], "the source of points is mixture:NAME; received digits"),
            (["data.name=stacked", "data.source=digits"], "the source of stacked is stacked:NAME; received digits"),
            (["data.name=stacked"], "^data.source is required$"),
            (["data.name=stacked", "data.source=stacked:digits", "data.classes=10"], "no field of the data stacked"),
            (
                ["data.name=points", "data.resolution=16"],
                "data points; images and pairs and separated and stacked have it",
            ),
            (["data.name=unpaired", "data.input=images"], "^data.target is required$"),
            (
                ["data.name=unpaired", "data.input=images", "data.target=points"],
                r"the examples of both domains have one shape: .*; received \[28, 28, 1\] and \[2\]",
            ),
            (
                ["data.name=unpaired", "data.input=images", "data.target.resolution=32"],
                r"images of one resolution .*; received \[28, 28, 1\] and \[32, 32, 1\]",
            ),
            (["data.name=unpaired", "data.input=images", "data.target=images"], "unpaired is for scheme.name=cycle"),
            (
                ["data.name=pairs", "data.source=digits"],
                "pairs are files, of folder:DIR, zip:FILE or tar:FILE; rec",
            ),
            (["data.name=pairs", "data.source=tar:x.tar"], "first to its last file, .*received tar:x.tar with layout="),
            (
                ["data.name=pairs", "data.source=folder:x", 'data.folders=["a", "a"]'],
                r"^data.folders: .*two names without a slash; received \['a', 'a'\]",
            ),
            (
                ["data.name=pairs", "data.source=folder:x", "data.layout=halves", 'data.folders=["a", "b"]'],
                r"folders are of layout=folders; received \['a', 'b'\] with layout=halves",
            ),
            (["data.name=pairs", "data.source=folder:x", "data.transfer=("], r"^data.transfer: .*; received '\(': "),
            (
                ["data.name=pairs", "data.source=folder:x", "data.resolution=28"],
                "is for scheme.name=pix2pix",
            ),
            (
                ["data.split_by=name:["],
                r"^data.split_by: a part of a name is given as a regular .*'\['",
            ),
            (["data.split_by=colour"], "^data.split_by: .*name:.*; received 'colour'"),
            (["evaluation.split=transfer"], "is of what data.transfer held out; data.name=images holds out none"),
        ],
    )
    def test_refuses_in_one_line(self, settings, message):
        refused(SMALL, settings, message)

    def test_data_alone_is_refused_in_one_line(self):
        with pytest.raises(ValueError, match=r"^data\.clases is no field of the data images; did you mean classes\?$"):
            parse_data({"clases": 3})


OWN = '''
from typing import ClassVar

from models.config import DCGANDiscriminator, NoiseGenerator


class Wide(NoiseGenerator):
    """A generator of one's own."""

    implementation: ClassVar[str] = "my_networks:make"
    breadth: int = 3


class Silent(NoiseGenerator):
    """It does not say what makes it."""


def make(variant, data):
    """What makes it."""
    return variant.breadth
'''


class TestOwnParts:
    @pytest.fixture(autouse=True)
    def module(self, tmp_path, monkeypatch):
        (tmp_path / "my_networks.py").write_text(OWN)
        (tmp_path / "my_broken.py").write_text("raise RuntimeError('not today')\n")
        monkeypatch.syspath_prepend(tmp_path)
        yield
        sys.modules.pop("my_networks", None)

    def test_is_named_by_where_it_lies_and_has_fields_of_its_own(self):
        experiment = IMAGES.override(["scheme.generator.name=my_networks:Wide", "scheme.generator.breadth=5"])
        generator = experiment.scheme.generator
        assert (type(generator).__name__, generator.breadth, generator.width) == ("Wide", 5, 64)
        assert made_by("generator", generator)(generator, experiment.data) == 5
        assert own_parts(experiment) == ["my_networks:Wide"]
        assert own_parts(IMAGES) == []

    def test_survives_json_and_key(self):
        experiment = IMAGES.override(["scheme.generator.name=my_networks:Wide", "scheme.generator.breadth=5"])
        assert Experiment.from_json(experiment.to_json()) == experiment
        assert Experiment.from_json(experiment.key()) == experiment
        assert json.loads(experiment.key())["scheme"]["generator"] == {"name": "my_networks:Wide", "breadth": 5}

    def test_its_fields_are_changed_and_dropped_like_those_of_the_catalog(self):
        experiment = IMAGES.override(["scheme.generator=my_networks:Wide"]).override(["scheme.generator.breadth=7"])
        assert experiment.scheme.generator.breadth == 7
        assert experiment.override(["scheme.generator.name=dcgan"]).scheme == IMAGES.scheme

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("my_nowhere:Wide", "my_nowhere:Wide cannot be imported as a generator: ModuleNotFoundError: No module"),
            ("my_networks:Wid", "my_networks:Wid cannot be imported as a generator: AttributeError: .*no attribute"),
            ("my_broken:Wide", "my_broken:Wide cannot be imported as a generator: RuntimeError: not today$"),
            ("my_networks:make", "a generator of your own is a class below .*NoiseGenerator; my_networks:make is none"),
            ("my_networks:DCGANDiscriminator", "below .*NoiseGenerator; my_networks:DCGANDiscriminator is none"),
            ("my_networks:Silent", "says in `implementation` what makes it; my_networks:Silent says nothing"),
            ("models.config:DCGANGenerator", "models is a package of ganworks, and hides one of your own"),
        ],
    )
    def test_what_is_no_variant_is_refused_in_one_line(self, name, message):
        refused(IMAGES, [f"scheme.generator.name={name}"], f"^scheme.generator: .*{message}")

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("breadh=5", r"breadh is no field.*; did you mean .*breadth\?"),
            ("breadth=wide", "breadth: .*integer.*; received 'wide'"),
        ],
    )
    def test_its_fields_are_refused_in_one_line(self, setting, message):
        settings = ["scheme.generator.name=my_networks:Wide", f"scheme.generator.{setting}"]
        refused(IMAGES, settings, f"^scheme.generator: {message}")

    def test_fits_the_data_and_the_other_player_like_those_of_the_catalog(self):
        own = "scheme.generator.name=my_networks:Wide"
        refused(IMAGES, [own, "scheme.generator.condition=embedding"], "needs data.classes of at least 2; received 0")
        refused(IMAGES, [own, "scheme.generator.condition=embedding", "data.classes=3"], "both players read the label")


class TestThreshold:
    def test_short_forms(self):
        assert AtLeast(0.5) == Threshold(at_least=0.5)
        assert AtMost(3, within_blessed=0.1) == Threshold(at_most=3, within_blessed=0.1)


def test_data_are_abstract():
    with pytest.raises(NotImplementedError, match="Data says what its domains are"):
        _ = Data(name="any").domains
