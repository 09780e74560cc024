"""The benchmark of the recipes: what it asks for, how it sums up; whole runs are kept, and share their judge."""

import json
import os
import shutil

import pytest

from benchmarks import captions, reporting
from benchmarks.experiments import pipelines, recipes
from pipeline.experiments import reached
from pipeline.experiments.named import DIGITS_CGAN, EXPERIMENTS, TINY

SHARED = {
    *("ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform", "FeatureTrainer"),
}


def summary(places, seed):
    (root,) = (places / "work" / "runs").glob(f"tiny-{seed}-float32-*")
    return json.loads((root / "summary.json").read_text())


def with_state(tree, state):
    return {stage["name"] for stage in tree["stages"] if stage["state"] == state}


def training(seed=0, precision="float32", *, name="digits-cgan", blessed=True, minutes=4.0, **figures):
    """A training as the results tell it; a figure is the value of a metric that has to be at least 0.9."""
    figures = {metric: {"value": value, "at_least": 0.9} for metric, value in figures.items()}
    own = {"recipe": reached.recipe(EXPERIMENTS[name]), "reason": "", "cores": 1, "figures": figures}
    return {"experiment": name, "seed": seed, "precision": precision, "blessed": blessed, "minutes": minutes} | own


def planned(name="digits-cgan", values=(0.94, 0.95, 0.96), **changes):
    """All trainings of a plan, with these values in turn."""
    listed = recipes.PLANS[name].trainings
    return [training(*each, name=name, coverage=values[i % len(values)], **changes) for i, each in enumerate(listed)]


class TestTrainings:
    def test_the_plans(self):
        digits = recipes.trainings("digits-cgan", None, None)
        assert len(set(digits)) == 20
        assert {precision for _, precision in digits} == {"bfloat16", "float32"}
        mnist = recipes.trainings("mnist-dcgan", None, None)
        assert [precision for _, precision in mnist] == ["bfloat16"] * 3 + ["float32"] * 2
        assert len({seed for seed, _ in mnist}) == 5
        full_size = {"pix2pix", "cyclegan", "photographs-srgan-x4", "lapgan"}
        assert recipes.PLANS.keys() == EXPERIMENTS.keys() - full_size - {"tiny"}

    @pytest.mark.parametrize(
        ("seeds", "precisions", "expected"),
        [
            ("3-4", "float32", [(3, "float32"), (4, "float32")]),
            ("4,3", None, [(3, "bfloat16"), (4, "bfloat16"), (3, "float32"), (4, "float32")]),
            (None, "float32", [(3, "float32"), (4, "float32")]),
        ],
    )
    def test_as_asked_for(self, seeds, precisions, expected):
        assert list(recipes.trainings("fashion-cgan", seeds, precisions)) == expected

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"seeds": "a"}, r"--seeds is a range such as 0-9, or a list such as 0,3,4; received a"),
            ({"seeds": "3-1"}, r"--seeds is a range .* received 3-1"),
            ({"precisions": "float16"}, r"--precisions is bfloat16 or float32, .* received float16"),
            ({"experiment": ["tny"]}, r"tny is no experiment; did you mean tiny\?"),
            ({"split": "train"}, r"--split is eval or choose; received train"),
            ({"jobs": 0}, r"--jobs is 1 to \d+, the cores of this process; received 0"),
            ({"jobs": 999}, r"--jobs is 1 to \d+, .* received 999"),
        ],
    )
    def test_what_cannot_be_asked_for(self, options, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            recipes.main(tmp_path, **{"experiment": ["tiny"]} | options)
        assert not list(tmp_path.iterdir())

    def test_a_run_is_what_its_settings_make(self):
        run = recipes.make("digits-cgan", 3, "float32", "eval")
        assert (run.experiment.training.seed, run.experiment.training.precision) == (3, "float32")
        assert DIGITS_CGAN.override(run.settings) == run.experiment
        assert recipes.make("digits-cgan", 3, "bfloat16", "eval").name != run.name

    def test_the_split_for_choosing_is_a_setting(self, monkeypatch):
        class Takes:
            def override(self, settings):
                return settings

        monkeypatch.setattr(recipes, "find", lambda name: Takes())
        assert recipes.make("tiny", 3, "float32", "choose").experiment[-1] == "evaluation.split=choose"
        assert not any("split" in each for each in recipes.make("tiny", 3, "float32", "eval").experiment)


class TestLimits:
    @pytest.mark.parametrize(
        ("threshold", "better", "expected"),
        [
            ({"at_least": 0.6}, "higher", {"at_least": 0.6}),
            ({"at_least": 0.6, "at_most": 0.9}, None, {"at_least": 0.6, "at_most": 0.9}),
            ({"within_floor": 0.25}, "higher", {"at_least": 0.5}),
            ({"within_floor": 0.25}, "lower", {"at_most": 1.0}),
            # both: the stricter
            ({"within_floor": 0.25, "at_least": 0.6}, "higher", {"at_least": 0.6}),
            ({"within_floor": 0.25, "at_least": 0.4}, "higher", {"at_least": 0.5}),
            ({"within_blessed": 0.1}, "higher", {}),
        ],
    )
    def test_by_threshold_and_floor(self, threshold, better, expected):
        assert recipes.limits({"threshold": threshold, "floor": 0.75, "better": better}) == expected


class TestSummary:
    def test_mean_deviation_and_margin(self):
        # by hand: mean 0.95, deviation 0.01, five of them down to 0.9
        row = recipes.summarise_metric("coverage", [{"value": v, "at_least": 0.9} for v in (0.94, 0.95, 0.96)])
        assert row == {
            "metric": "coverage",
            "must_be": "at least 0.9",
            "mean": 0.95,
            "sd": 0.01,
            "margin_sd": 5.0,
            "worst": 0.94,
        }

    def test_an_upper_limit(self):
        row = recipes.summarise_metric("noise", [{"value": v, "at_most": 4} for v in (1, 2, 3)])
        assert (row["must_be"], row["margin_sd"], row["worst"]) == ("at most 4", 2.0, 3)

    def test_of_two_limits_the_nearer_counts(self):
        row = recipes.summarise_metric("a", [{"value": v, "at_least": 0, "at_most": 4} for v in (2, 3, 4)])
        assert (row["margin_sd"], row["worst"]) == (1.0, 4)

    @pytest.mark.parametrize("values", [[0.95], [0.95, 0.95], [0.95, None]])
    def test_no_margin_without_a_deviation(self, values):
        assert recipes.summarise_metric("a", [{"value": v, "at_least": 0.9} for v in values])["margin_sd"] is None

    def test_a_training_that_diverged_counts_as_refused(self):
        row = recipes.summarise("digits-cgan", [training(coverage=0.95), training(1, blessed=False)])
        assert (row["tried"], row["blessed"]) == (2, 1)
        assert [metric["mean"] for metric in row["metrics"]] == [0.95]

    def test_minutes(self):
        row = recipes.summarise("digits-cgan", [training(minutes=3), training(1, minutes=5)])
        assert row["minutes"] == {"mean": 4, "most": 5, "most_on_two": None}

    @pytest.mark.parametrize(("on_two", "holds"), [(None, False), (11, True), (13, False)])
    def test_what_one_core_does_not_do_in_the_time_two_have_to(self, on_two, holds):
        """If this fails, a slow training on one core proves or refutes what is said of two."""
        listed = planned("mnist-dcgan", minutes=18)
        if on_two:
            listed[0] |= {"cores": 2, "minutes": on_two}
        row = recipes.summarise("mnist-dcgan", listed)
        assert row["minutes"] == {"mean": 18, "most": 18, "most_on_two": on_two}
        mark = next(mark for mark in recipes.marks([row]) if mark["name"] == "mnist-dcgan_minutes")
        assert (mark["value"], mark["holds"]) == (on_two or 18, holds)


class TestMarks:
    @pytest.mark.parametrize(
        ("name", "changes", "short"),
        [
            ("digits-cgan", {}, None),
            ("mnist-dcgan", {}, None),
            ("digits-cgan", {"minutes": 12.5}, "minutes"),
            # by hand: two values 0.02 from the limit, with a deviation of 0.01
            ("digits-cgan", {"values": (0.91, 0.93)}, "margin_sd"),
        ],
    )
    def test_a_plan_carried_out(self, name, changes, short):
        marks = {
            mark["name"]: mark["holds"] for mark in recipes.marks([recipes.summarise(name, planned(name, **changes))])
        }
        assert marks == {f"{name}_{each}": each != short for each in ("blessed", "minutes", "margin_sd")}

    @pytest.mark.parametrize(("name", "refused", "holds"), [("digits-cgan", 1, True), ("digits-cgan", 2, False)])
    def test_refusals_that_a_plan_allows(self, name, refused, holds):
        listed = planned(name)
        for each in listed[:refused]:
            each["blessed"] = False
        (mark, *_) = recipes.marks([recipes.summarise(name, listed)])
        assert (mark["value"], mark["mark"], mark["holds"]) == (20 - refused, ">= 19 of 20", holds)

    def test_a_plan_half_carried_out_proves_nothing(self):
        (mark, *_) = recipes.marks([recipes.summarise("mnist-dcgan", planned("mnist-dcgan")[:4])])
        assert (mark["mark"], mark["holds"]) == (">= 5 of 5", False)

    def test_a_metric_that_never_varies_has_no_margin_to_keep(self):
        rows = [recipes.summarise("digits-cgan", [each | {} for each in planned(values=(0.95,))])]
        assert rows[0]["metrics"][0]["sd"] == 0
        assert not recipes.marks(rows)[2]["holds"], "nothing was shown"
        for i, each in enumerate(listed := planned()):
            each["figures"]["memorisation"] = {"value": 0.0, "at_most": 0.05}
            each["figures"]["noise"] = {"value": None if i == 3 else 1.0 + i, "at_most": 400}
        assert not recipes.marks([recipes.summarise("digits-cgan", listed)])[2]["holds"], "a value is missing"
        for each in listed:
            del each["figures"]["noise"]
        assert recipes.marks([recipes.summarise("digits-cgan", listed)])[2]["holds"]


class TestMerged:
    def test_other_experiments_and_other_trainings_stay(self):
        before = [training(0), training(1), training(0, name="mnist-dcgan")]
        made = [training(1, minutes=9)]
        found = recipes.merged(before, made)
        assert [(each["experiment"], each["seed"], each["minutes"]) for each in found] == [
            ("digits-cgan", 0, 4),
            ("digits-cgan", 1, 9),
            ("mnist-dcgan", 0, 4),
        ]

    def test_trainings_of_another_recipe_go(self):
        gone = training() | {"experiment": "gone"}
        assert recipes.merged([training(0) | {"recipe": "other"}, gone], [training(1)]) == [training(1)]


def result(listed):
    rows = [recipes.summarise("digits-cgan", listed)]
    return {"command": "ganworks bench recipes", "rows": rows, "marks": recipes.marks(rows), "trainings": listed}


class TestShown:
    def test_a_line_of_the_table_for_each_metric(self):
        text = reporting.body(result([training(i, coverage=0.9 + i / 100, noise=i) for i in (1, 2)])["rows"], [])
        head, _, first, second = text.split("\n")
        assert head.startswith(
            "| experiment | recipe | tried | blessed | cores | mean minutes | most minutes | most on two minutes |"
        )
        assert first.startswith("| digits-cgan | ")
        assert first.endswith("| 2 | 2 | 1 | 4.0 | 4.0 |  | coverage | at least 0.9 | 0.915 | 0.007071 | 2.1 | 0.91 |")
        assert second.startswith("|  |  |  |  |  |  |  |  | noise |")

    def test_the_caption_has_means_and_deviations(self):
        text = " ".join(captions.caption(result(planned(conditional_accuracy=0.99))).split())
        assert "Of 20 trainings (10 seeds, bfloat16 and float32), 20 were blessed." in text
        assert "95.0 ± 0.8 % of the held-out digits have a generated one near" in text
        assert "4 min of one core each (`ganworks bench recipes`)." in text

    @pytest.mark.parametrize("results", [{}, {"rows": [], "trainings": []}])
    def test_the_caption_invents_nothing(self, results):
        assert captions.caption(results) == f"*{captions.CAPTION}*"

    def test_the_caption_of_another_recipe_is_none(self):
        stale = result(planned())
        stale["rows"][0]["recipe"] = "other"
        assert captions.caption(stale) == f"*{captions.CAPTION}*"

    def test_the_readme_shows_the_results_as_they_are(self):
        """`python -m benchmarks.reporting` writes it; a recipe that changed has no figures until it trains again."""
        content = captions.README.read_text()
        assert reporting.replaced(content, "recipes", captions.caption(reporting.read("recipes"))) == content


@pytest.mark.e2e
@pytest.mark.slow
class TestWholeRuns:
    """`tiny` by the real pipeline. In the order of the tests: each stands on what the one before left."""

    @pytest.fixture(scope="class")
    def places(self, tmp_path_factory):
        return tmp_path_factory.mktemp("bench")

    @pytest.fixture
    def bench(self, places, monkeypatch, capsys):
        """Runs it with results, pages and README of its own; what it said."""
        monkeypatch.setattr(reporting, "RESULTS", places / "results")
        monkeypatch.setattr(reporting, "DOCS", places)
        monkeypatch.setattr(captions, "README", places / "README.md")
        for page in ("page.md", "README.md"):
            (places / page).write_text("<!-- recipes -->\n<!-- /recipes -->\n")

        def bench(**options):
            code = recipes.main(places / "work", ["tiny"], precisions="float32", **options)
            return code, capsys.readouterr()

        return bench

    def test_each_training_is_run_and_told(self, bench, places):
        code, said = bench(seeds="0-1", jobs=min(2, len(os.sched_getaffinity(0))))
        assert code == 0
        assert "2 of 2 after" in said.err
        found = json.loads((places / "results" / "recipes.json").read_text())
        assert [(each["seed"], each["blessed"]) for each in found["trainings"]] == [(0, True), (1, True)]
        assert 0 < found["trainings"][0]["figures"]["conditional_accuracy"]["value"] < 1
        assert found["rows"][0]["blessed"] == 2
        assert "| tiny |" in (places / "page.md").read_text()
        assert captions.CAPTION in (places / "README.md").read_text()

    def test_they_share_what_comes_before_the_training(self, places):
        for tree in (summary(places, seed) for seed in (0, 1)):
            assert with_state(tree, "cached") == SHARED
            # what the others made is no baseline
            assert tree["metrics"]["conditional_accuracy"]["baseline"] is None

    def test_it_goes_on_where_it_was_stopped(self, bench, places):
        (kept,) = (places / "work" / "records").glob("tiny-0-*")
        (gone,) = (places / "work" / "records").glob("tiny-1-*")
        before, figures = kept.stat().st_mtime_ns, json.loads(gone.read_text())["metrics"]
        # as a training leaves its root that was killed
        gone.unlink()
        (root,) = (places / "work" / "runs").glob("tiny-1-*")
        (root / pipelines.DONE).unlink()
        shutil.rmtree(root / "artifacts" / "GanEvaluator")
        code, _ = bench(seeds="0-1")
        assert code == 0
        assert kept.stat().st_mtime_ns == before
        assert with_state(summary(places, 1), "cached") == SHARED
        again = json.loads(gone.read_text())["metrics"]
        assert again["conditional_accuracy"]["value"] == figures["conditional_accuracy"]["value"]

    def test_another_threshold_is_judged_and_not_trained(self, places):
        run = recipes.make("tiny", 0, "float32", "eval")
        settings = (*run.settings, "evaluation.thresholds.conditional_accuracy.at_least=1.1")
        (before,) = ({**json.loads(file.read_text())} for file in (places / "work" / "records").glob("tiny-0-*"))
        higher = run._replace(settings=settings, experiment=TINY.override(settings))
        (record,) = pipelines.carry_out([higher], places / "work", 1, lambda run, record: None)
        # the examples are asked whether they can carry the new bound
        assert with_state(summary(places, 0), "cached") == SHARED - {"ExampleValidator"} | {"GanTrainer"}
        assert not record["blessed"]
        assert record["reason"].startswith("refused: conditional_accuracy")
        assert record["minutes"] == before["minutes"]

    def test_other_weights_of_a_training_are_exported_without_another_training(self, places):
        (root,) = (places / "work" / "runs").glob("tiny-0-*")
        trainings = list((root / "checkpoints").iterdir())
        run = recipes.make("tiny", 0, "float32", "eval", keep="last")
        pipelines.carry_out([run], places / "work", 1, lambda run, record: None)
        assert with_state(summary(places, 0), "cached") == SHARED
        assert list((root / "checkpoints").iterdir()) == trainings
        assert "resumed at step 20 of 20" in (root / "logs" / "run.log").read_text()

    def test_a_run_that_fails_ends_it_in_one_line(self, bench, places):
        (shared,) = (places / "work" / "shared").iterdir()
        (shared / "metadata.sqlite").write_text("no database")
        with pytest.raises(ValueError, match=r"tiny-2-float32 ended with exit code 1: .*; see .*logs"):
            bench(seeds="2")
        assert not list((places / "work" / "records").glob("tiny-2-*"))
