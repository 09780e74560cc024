"""What a refused model's user is told to try: it parses, it changes something, and it fits the experiment."""

import shlex
import sys

import pytest

from models import catalog
from models.config import Experiment
from pipeline import advice
from pipeline.commands import running
from pipeline.experiments.named import (
    DIGITS_CGAN,
    EXPERIMENTS,
    FASHION_CGAN,
    MNIST_DCGAN,
    RING_RESTORATION,
    RING_TO_SQUARE,
    TINY,
)

PLAIN = Experiment(name="plain", data={"classes": 3}, training={"steps": 100})
VARIANTS = {
    "plain": PLAIN,
    "auxiliary": PLAIN.override(["scheme.generator.condition=embedding", "scheme.discriminator.condition=auxiliary"]),
    "odd-batch": PLAIN.override(["training.batch_size=9", "training.ema_half_life_images=0"]),
    "wgan": PLAIN.override(["scheme.objective.name=wasserstein", "scheme.objective.penalties.wgan_gp=10"]),
    "lazy": PLAIN.override(
        [
            "scheme.discriminator.norm=none",
            'scheme.objective.penalties.consistency={"weight": 10, "every_steps": 4}',
        ]
    ),
    "consistency": PLAIN.override(["scheme.objective.penalties.consistency=10"]),
    "points": PLAIN.override(
        ["data.name=points", "data.classes=8", "scheme.generator.name=points", "scheme.discriminator.name=points"]
    ),
    "stacked": PLAIN.override(["data.name=stacked", "data.source=stacked:idx:data/mnist"]),
    "inception": PLAIN.override(["evaluation.extractor=inception_v3"]),
    "efficientnet": PLAIN.override(["evaluation.extractor=efficientnet_lite0"]),
    "one-step": PLAIN.override(["training.steps=1"]),
    **EXPERIMENTS,
}


def fallen(*names, **changes):
    """What the evaluator says of metrics that fell short."""
    return {name: {"holds": False, "value": 0.5, "threshold": {"at_least": 0.6}} | changes for name in names}


def tried(experiment, *names, **changes):
    """Metric -> the settings to try for it, each as one would type them."""
    advised = advice.advise(experiment, fallen(*names, **changes))
    return {name: [each.settings for each in advised if name in each.metrics] for name in names}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_metric_has_settings_that_the_experiment_takes(name):
    experiment = VARIANTS[name]
    known = catalog.metric_names(experiment.evaluation.extractor, experiment.data.kind, experiment.scheme.task)
    names = [*known, *catalog.PLAYERS]
    advised = advice.advise(experiment, fallen(*names))
    for each in advised:
        changed = experiment.override(each.settings)
        assert changed != experiment
        assert changed.evaluation == experiment.evaluation, "the bar stays where it is"
    for metric in names:
        count = sum(metric in each.metrics for each in advised)
        # one step cannot be halved, and points cannot be augmented
        assert count <= 2
        assert count or metric in ("memorisation", "novelty")


def test_every_metric_of_the_catalog_is_known():
    assert advice.FOR.keys() == catalog.METRICS.keys()
    assert set().union(*advice.FOR.values()) <= advice.REMEDIES.keys()


class TestWhatIsAdvised:
    def test_low_coverage(self):
        longer, other = tried(DIGITS_CGAN, "coverage")["coverage"]
        assert longer == (f"training.steps={2 * DIGITS_CGAN.training.steps}",)
        assert other == ("scheme.discriminator.batch_statistics=stddev",)

    def test_a_collapse_without_a_penalty(self):
        first, second = tried(PLAIN, "within_class_spread")["within_class_spread"]
        assert first == ("scheme.objective.penalties.r1=0.1", "scheme.discriminator.norm=none")
        assert second == ("training.discriminator_optimizer.learning_rate=0.0004",)

    def test_a_class_that_is_not_recognised(self):
        assert tried(VARIANTS["auxiliary"], "conditional_accuracy")["conditional_accuracy"] == [
            ("scheme.discriminator.condition=projection",),
            ("training.steps=200",),
        ]

    def test_copies(self):
        assert tried(DIGITS_CGAN, "memorisation")["memorisation"] == [
            ('scheme.objective.augment=["translation", "cutout"]',),
            (f"training.steps={DIGITS_CGAN.training.steps // 2}",),
        ]
        assert tried(VARIANTS["points"], "memorisation")["memorisation"] == [("training.steps=50",)]

    @pytest.mark.parametrize(("threshold", "rate"), [({"at_most": 0.4}, "0.001"), ({"at_least": 0.6}, "0.004")])
    def test_a_discriminator_that_knows_too_much_or_too_little(self, threshold, rate):
        settings = tried(DIGITS_CGAN, "d_real_accuracy", threshold=threshold)["d_real_accuracy"]
        assert settings == [(f"training.discriminator_optimizer.learning_rate={rate}",)]

    def test_a_translation_that_forgets_its_input(self):
        assert tried(RING_TO_SQUARE, "cycle_error")["cycle_error"] == [
            ("scheme.cycle_weight=2",),
            (f"training.steps={2 * RING_TO_SQUARE.training.steps}",),
        ]
        unbound = RING_TO_SQUARE.override(["scheme.cycle_weight=0"])
        assert tried(unbound, "cycle_error")["cycle_error"][0] == ("scheme.cycle_weight=1",)

    def test_what_is_restored_far_from_the_truth(self):
        assert tried(RING_RESTORATION, "squared_error")["squared_error"][0] == ("scheme.fidelity_weight=0.6",)

    def test_what_helps_most_metrics_comes_first_and_once(self):
        advised = advice.advise(FASHION_CGAN, fallen("within_class_spread", "coverage", "conditional_accuracy"))
        assert advised[0].metrics == ("within_class_spread", "coverage", "conditional_accuracy")
        assert advised[0].settings == (f"training.steps={2 * FASHION_CGAN.training.steps}",)
        assert len({each.settings for each in advised}) == len(advised)

    def test_nothing_for_what_holds_or_has_no_value(self):
        assert advice.advise(MNIST_DCGAN, fallen("coverage", holds=True) | fallen("precision", holds=None)) == []
        assert advice.advise(MNIST_DCGAN, fallen("coverage", value=None)) == []
        assert list(advice.lines([], "ganworks run tiny")) == []


class TestLines:
    def test_a_shell_takes_the_command_as_it_stands(self):
        advised = advice.advise(DIGITS_CGAN, fallen("memorisation"))
        first, metrics, command, *_ = advice.lines(advised, "ganworks run digits-cgan --root 'a b'")
        assert first.startswith("nothing failed")
        assert metrics == "  memorisation: augment what the discriminator sees (DiffAugment)"
        words = shlex.split(command)
        assert words[:5] == ["ganworks", "run", "digits-cgan", "--root", "a b"]
        changed = DIGITS_CGAN.override(words[words.index("--set") + 1 :: 2])
        assert changed.scheme.objective.augment == ("translation", "cutout")

    def test_a_compiled_pipeline_is_compiled_again(self):
        lines = list(advice.lines(advice.advise(TINY, fallen("coverage")), None))
        assert lines[2] == "    compile it again with --set training.steps=40"


@pytest.mark.parametrize(
    ("program", "active", "shown"),
    [
        (".venv/bin/ganworks", False, ".venv/bin/ganworks"),
        (".venv/bin/ganworks", True, "ganworks"),
        ("/elsewhere/cli.py", False, "ganworks"),
    ],
)
def test_the_command_is_shown_as_it_can_be_typed(tmp_path, monkeypatch, program, active, shown):
    script = tmp_path / ".venv/bin/ganworks"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(script.parent) if active else "")
    monkeypatch.setattr(sys, "argv", [program, "run", "tiny", "--set", "a=[1, 2]"])
    assert running.typed() == f"{shown} run tiny --set 'a=[1, 2]'"
