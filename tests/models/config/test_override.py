import pytest

from models.config import AtLeast, Latent, Penalty, ResNetGenerator, Restoration
from tests.models.config.small import IMAGES, POINTS, SMALL, refused


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
