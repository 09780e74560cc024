import pytest

from models import objectives
from models.catalog import OBJECTIVES, lookup
from models.config import Adversarial, CrossEntropy, Experiment, Objective, Penalty
from tests.models.config.small import IMAGES, OF_EACH_SCHEME, POINTS, refused


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
