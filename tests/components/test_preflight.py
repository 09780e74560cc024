"""What would fail late is refused early, on real folders: ingested, and held against what is to be done with them."""

import pytest

from components import preflight
from components.example_gen.ingest import ingest, read_reports
from models.config import Evaluation, Images, Threshold, Unpaired
from pipeline.experiments.named import TINY
from tests.components.images import make_pipeline, write_classes


@pytest.fixture
def folder(tmp_path):
    """Writes and ingests a folder of so many images a class; gives its name and a function that ingests it."""

    def write(counts, **settings):
        root = write_classes(tmp_path / "in", counts)
        data = Images(source=f"folder:{root}", channels=3, resolution=16, **settings)
        ingest(data, str(tmp_path), make_pipeline)
        return data, read_reports(str(tmp_path), data)

    return write


def check(found, batch_size=4, task="generate", **evaluation):
    data, reports = found
    counts = [report.counts for report in reports]
    preflight.check_counts(data, Evaluation(**evaluation), batch_size, counts, reports[0].by_class, task)


class TestWeights:
    UNLABELLED = TINY.override(
        [
            "data.classes=0",
            "scheme.generator.condition=none",
            "scheme.discriminator.condition=none",
            "evaluation.thresholds={}",
        ]
    )

    def test_a_classifier_needs_none(self):
        preflight.check_weights(TINY)

    def test_fetched_ones_are_advised(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(
            ValueError,
            match=r"^images without classes are judged by efficientnet_lite0, whose weights are not at "
            r"data/efficientnet_lite0/efficientnet_lite0\.pth: ganworks fetch efficientnet_lite0$",
        ):
            preflight.check_weights(self.UNLABELLED)
        with pytest.raises(ValueError, match=r"^evaluation\.extractor is efficientnet_lite0, whose weights are not at"):
            preflight.check_weights(TINY.override(["evaluation.extractor=efficientnet_lite0"]))
        weights = tmp_path / "data/efficientnet_lite0/efficientnet_lite0.pth"
        weights.parent.mkdir(parents=True)
        weights.touch()
        preflight.check_weights(self.UNLABELLED)

    def test_a_bucket_is_not_looked_into(self):
        preflight.check_weights(self.UNLABELLED.override(["evaluation.extractor_weights=gs://bucket/lite0.pth"]))

    def test_inceptions_may_be_downloaded(self):
        preflight.check_weights(TINY.override(["evaluation.extractor=inception_v3"]))


class TestClasses:
    @pytest.mark.parametrize("classes", [3, 1, 10])
    def test_another_number_than_the_folder_has(self, folder, tmp_path, classes):
        message = rf"has 2, ant, bee, and data\.classes is {classes}: set data\.classes=2$"
        with pytest.raises(ValueError, match=message):
            folder({"ant": 5, "bee": 5}, classes=classes)
        assert not list(tmp_path.glob("Split-*"))

    @pytest.mark.parametrize(
        ("by_class", "message"),
        [
            ({}, "has no labels, and data.classes is 3"),
            ({"0": 4, "1": 4}, "has labels from 0 to 1, and data.classes is 3: set data.classes=2"),
            ({"0": 4, "1": 4, "2": 4, "3": 4}, "has labels from 0 to 3, and data.classes is 3: set data.classes=4"),
            ({"-1": 4, "1": 4, "2": 4}, "has labels from -1 to 2, and data.classes is 3$"),
            ({"0": 4, "2": 4}, "class 1 has 0 in train and 0 in eval: add"),
        ],
    )
    def test_where_classes_have_no_names_the_labels_say_it(self, by_class, message):
        counts = {label: {"train": count, "eval": count} for label, count in by_class.items()}
        with pytest.raises(ValueError, match=message):
            preflight.check_classes(Images(source="idx:x", classes=3), counts, [])

    def test_one_example_alone_is_no_class(self, folder, tmp_path):
        with pytest.raises(ValueError, match=r"needs two different examples .* class b has [01] in train and [01] in"):
            folder({"a": 40, "b": 1}, classes=2)
        assert not list(tmp_path.glob("Split-*"))

    def test_copies_of_one_example_are_no_class(self, tmp_path):
        root = write_classes(tmp_path / "in", {"a": 20, "b": 1})
        for number in range(9):
            (root / "b" / f"copy-{number}.png").write_bytes((root / "b" / "0.png").read_bytes())
        with pytest.raises(ValueError, match=r"class b has (10 in train and 0|0 in train and 10) in eval"):
            ingest(Images(source=f"folder:{root}", classes=2), str(tmp_path / "out"), make_pipeline)

    def test_without_labels_classes_do_not_matter(self, folder):
        _, (report,) = folder({"a": 40, "b": 1})
        assert sum(report.counts.values()) == 41


class TestCounts:
    def test_a_batch_of_more_than_there_are(self, folder):
        found = folder({"a": 5, "b": 4}, classes=2)
        most = found[1][0].counts["train"]
        with pytest.raises(ValueError, match=rf"^training\.batch_size is at most .* received {most + 1}, and folder:"):
            check(found, most + 1)
        check(found, most)

    def test_a_second_domain_of_fewer(self, tmp_path):
        roots = [write_classes(tmp_path / name, {"x": count}) for name, count in (("a", 40), ("b", 6))]
        data = Unpaired(input=Images(source=f"folder:{roots[0]}"), target=Images(source=f"folder:{roots[1]}"))
        ingest(data, str(tmp_path / "out"), make_pipeline)
        with pytest.raises(ValueError, match=rf"received 8, and folder:{roots[1]} has \d in train"):
            check((data, read_reports(str(tmp_path / "out"), data)), 8)

    def test_a_model_is_compared_with_targets_and_given_inputs(self, tmp_path):
        """Each domain has its own number, and it is the numbers of the other that would do."""
        roots = [write_classes(tmp_path / name, {"x": count}) for name, count in (("a", 40), ("b", 400))]
        data = Unpaired(input=Images(source=f"folder:{roots[0]}"), target=Images(source=f"folder:{roots[1]}"))
        ingest(data, str(tmp_path / "out"), make_pipeline)
        found = data, read_reports(str(tmp_path / "out"), data)
        given = found[1][0].counts["eval"]
        assert given < 20
        with pytest.raises(ValueError, match=rf"held-out ones, of which there are {given}: add examples"):
            check(found, task="translate", thresholds={"cycle_error": Threshold(at_most=0.5)})
        check(found, thresholds={"spread": Threshold(at_least=0.5)})
        check((data, found[1]), task="translate")

    def test_a_domain_without_held_out_examples_is_named(self, tmp_path):
        data = Unpaired(input=Images(source="folder:a"), target=Images(source="folder:b"))
        counts = [{"train": 9, "eval": 3}, {"train": 9}]
        with pytest.raises(ValueError, match=r"needs examples to judge against; folder:b has none there"):
            preflight.check_counts(data, Evaluation(), 4, counts, {}, "translate")

    def test_too_few_for_what_is_required(self, folder):
        found = folder({"a": 5, "b": 4}, classes=2)
        check(found, 2)
        with pytest.raises(ValueError, match=r"a bound on coverage needs at least \d+ held-out") as caught:
            check(found, 2, thresholds={"coverage": Threshold(at_least=0.5)})
        assert "leave evaluation.thresholds.coverage out" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_no_choosing_split_to_judge_against(self, folder):
        found = folder({"a": 20, "b": 20}, classes=2, choose_share=0)
        with pytest.raises(ValueError, match=r"evaluation\.split=choose needs examples to judge against"):
            check(found, split="choose")
        check(found, split="eval")

    def test_a_class_that_the_choosing_split_lacks(self, folder):
        found = folder({"a": 20, "b": 2}, classes=2)
        with pytest.raises(ValueError, match=r"evaluation\.split=choose needs examples of class 1 to judge against"):
            check(found, split="choose")
