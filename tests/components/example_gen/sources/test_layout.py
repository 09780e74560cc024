import json
import os
from pathlib import Path

import pytest

from components.example_gen.sources.source import SPLITS, TRAINED, fingerprint, open_source
from tests.components.example_gen.sources.laid_out import faults, found, png, write


class TestWhatIsNoImage:
    def test_is_passed_over_and_counted(self, tmp_path):
        """If this fails, what a system leaves beside images stops a run, or goes without a word."""
        root = write(tmp_path, "a/0.png", "b/1.png")
        for name in ("a/Thumbs.db", "a/.DS_Store", "b/desktop.ini", "README", "notes.md", "a/._0.png", "b/model.npy"):
            (root / name).write_bytes(b"\xd0\xcf\x11\xe0 no image")
        opened = open_source(f"folder:{root}")
        assert set(found(f"folder:{root}")) == {"a/0.png", "b/1.png"}
        assert opened.notes()["passed_over"].files == 7

    def test_an_image_is_known_by_its_first_bytes(self, tmp_path):
        """If this fails, images without an ending are lost."""
        root = write(tmp_path, "a/0.png", "a/1f3c9d", "b/photo.dat")
        assert set(found(f"folder:{root}")) == {"a/0.png", "a/1f3c9d", "b/photo.dat"}

    @pytest.mark.parametrize("folder", ["__MACOSX", ".git", "@eaDir", "docs"])
    def test_a_folder_without_images_is_nobodys_class(self, tmp_path, folder):
        """If this fails, class 0 is made of rubbish and every label is shifted."""
        root = write(tmp_path, "a/0.png", "b/1.png")
        (root / folder / "a").mkdir(parents=True)
        (root / folder / "a" / "._0.png" if folder != "docs" else root / folder / "a.txt").write_bytes(b"\0\5\x16\7")
        assert open_source(f"folder:{root}").classes() == ["a", "b"]

    def test_a_folder_of_other_files_says_what_it_has(self, tmp_path):
        (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
        with pytest.raises(ValueError, match=r"at least one image; .* has none among 1 files, such as x\.npy"):
            open_source(f"folder:{tmp_path}")

    def test_a_pipe_is_not_waited_for(self, tmp_path):
        root = write(tmp_path, "a/0.png")
        os.mkfifo(root / "a" / "pipe")
        assert set(found(f"folder:{root}")) == {"a/0.png"}


class TestSplits:
    @pytest.mark.parametrize(
        ("train", "choose", "held_out"), [("Train", "Val", "Test"), ("training", "VALID", "testing")]
    )
    def test_in_any_case(self, tmp_path, train, choose, held_out):
        """If this fails, splits become classes."""
        root = write(tmp_path, f"{train}/a/0.png", f"{train}/b/1.png", f"{choose}/a/2.png", f"{held_out}/b/3.png")
        assert found(f"folder:{root}") == {
            f"{train}/a/0.png": (("train",), 0),
            f"{train}/b/1.png": (("train",), 1),
            f"{choose}/a/2.png": (("choose",), 0),
            f"{held_out}/b/3.png": (("eval",), 1),
        }

    def test_val_alone_is_held_out(self, tmp_path):
        root = write(tmp_path, "train/a/0.png", "Valid/a/1.png")
        assert {sides for sides, _ in found(f"folder:{root}").values()} == {TRAINED, ("eval",)}

    def test_what_lies_outside_is_counted(self, tmp_path):
        root = write(tmp_path, "train/a/0.png", "test/a/1.png", "extra/a/2.png", "loose.png")
        opened = open_source(f"folder:{root}")
        assert opened.notes()["outside"] == (2, ("extra/a/2.png", "loose.png"))

    def test_two_folders_of_one_split(self, tmp_path):
        """If this fails, one of the two is lost without a word."""
        root = write(tmp_path, "train/a/0.png", "test/a/1.png", "eval/a/2.png")
        with pytest.raises(ValueError, match="one folder for each split; eval and test are both eval"):
            open_source(f"folder:{root}")

    @pytest.mark.parametrize("others", [("train/a/0.png", "extra/b/1.png"), ("test/a/0.png", "val/a/1.png")])
    def test_half_a_split_is_no_pair_of_classes(self, tmp_path, others):
        """If this fails, splits are learnt as classes."""
        with pytest.raises(ValueError, match="folders of splits are train and val or test beside it"):
            open_source(f"folder:{write(tmp_path, *others)}")

    def test_one_folder_that_holds_all_is_the_top(self, tmp_path):
        """If this fails, an archive's own folder is the only class."""
        root = write(tmp_path, "pack/a/0.png", "pack/b/1.png")
        opened = open_source(f"folder:{root}")
        assert (opened.classes(), opened.notes()["top"].names) == (["a", "b"], ("pack",))
        assert {sides for sides, _ in found(f"folder:{root}").values()} == {SPLITS}

    def test_images_beside_class_folders(self, tmp_path):
        """If this fails, a third of the images is lost without a word."""
        root = write(tmp_path, "a/0.png", "b/1.png", *(f"{number}.png" for number in range(5)))
        opened = open_source(f"folder:{root}")
        with pytest.raises(
            ValueError, match=r"needs a label; 5 have none, .*: 0\.png, 1\.png, 2\.png and 2 more: move them"
        ):
            opened.check_labels()
        # without classes all of them count
        assert set(found(f"folder:{root}").values()) == {(SPLITS, None)}
        assert len(found(f"folder:{root}")) == 7


class TestLabelFiles:
    def labels(self, root: Path) -> dict[str, str | None]:
        opened = open_source(f"folder:{root}")
        classes = opened.classes()
        return {name: None if label is None else classes[label] for name, (_, label) in found(f"folder:{root}").items()}

    def test_stylegan(self, tmp_path):
        """If this fails, shards are the classes."""
        root = write(tmp_path, "00000/a.png", "00000/b.png", "00001/c.png")
        (root / "dataset.json").write_text(
            json.dumps({"labels": [["00000/a.png", 2], ["00000/b.png", 0], ["00001/c.png", 1]]})
        )
        assert self.labels(root) == {"00000/a.png": "2", "00000/b.png": "0", "00001/c.png": "1"}
        assert "passed_over" not in open_source(f"folder:{root}").notes()

    @pytest.mark.parametrize("kind", ["jsonl", "csv"])
    @pytest.mark.parametrize("named", [True, False], ids=["names", "numbers"])
    def test_metadata(self, tmp_path, kind, named):
        root = write(tmp_path, "0.png", "1.png", "2.png")
        labels = ["dog", "cat", "dog"] if named else [1, 0, 1]
        rows = [{"file_name": f"{n}.png", "text": "a, b", "label": label} for n, label in enumerate(labels)]
        text = "\n".join(json.dumps(row) for row in rows)
        if kind == "csv":
            text = "file_name,text,label\n" + "".join(f'{n}.png,"a, b",{label}\n' for n, label in enumerate(labels))
        (root / f"metadata.{kind}").write_text(text)
        assert self.labels(root) == {f"{n}.png": str(label) for n, label in enumerate(labels)}
        assert open_source(f"folder:{root}").notes()["columns"].names == (f"text of metadata.{kind}",)

    def test_of_each_split(self, tmp_path):
        root = write(tmp_path, "train/0.png", "train/1.png", "test/2.png", "test/3.png")
        for split, numbers in (("train", (0, 1)), ("test", (2, 3))):
            rows = [json.dumps({"file_name": f"{n}.png", "label": "ab"[n % 2]}) for n in numbers]
            (root / split / "metadata.jsonl").write_text("\n".join(rows))
        assert self.labels(root) == {"train/0.png": "a", "train/1.png": "b", "test/2.png": "a", "test/3.png": "b"}

    @pytest.mark.parametrize("labels", [("a", "a"), (0, 0)], ids=["names", "numbers"])
    def test_a_contradiction_with_the_folders(self, tmp_path, labels):
        """If this fails, one of two labels wins without a word."""
        names = [f"{'ab'[n % 2]}/{n}.png" for n in range(20)]
        root = write(tmp_path, *names)
        right = [["a", "b"][n % 2] if isinstance(labels[0], str) else n % 2 for n in range(20)]
        wrong = [*right[:19], labels[0]]
        write_labels(root, dict(zip(names, right, strict=True)))
        assert set(self.labels(root).values()) == {str(right[0]), str(right[1])}
        write_labels(root, dict(zip(names, wrong, strict=True)))
        with pytest.raises(ValueError, match=r"contradicts: b/19\.png has the label [a0], where b/ means [b1]"):
            open_source(f"folder:{root}")

    def test_folders_that_are_no_classes_do_not_contradict(self, tmp_path):
        names = [f"day{n % 2}/{n}.png" for n in range(20)]
        root = write(tmp_path, *names)
        write_labels(root, {name: n // 10 for n, name in enumerate(names)})
        assert self.labels(root) == {name: str(n // 10) for n, name in enumerate(names)}

    def test_an_image_without_a_label_and_a_label_without_an_image(self, tmp_path):
        root = write(tmp_path, "0.png", "1.png", "2.png")
        write_labels(root, {"0.png": 0, "1.png": 1, "gone.png": 1, "../0.png": 1})
        opened = open_source(f"folder:{root}")
        assert opened.notes()["labels_without_image"] == (2, ("../0.png", "gone.png"))
        with pytest.raises(ValueError, match=r"1 have none, .* no file names their label: 2\.png"):
            opened.check_labels()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"labels": [["0.png", 1.5]]}', r"number of at least 0 or the name of a class; label 1 is 1\.5"),
            ('{"labels": [["0.png", -1]]}', "number of at least 0"),
            ('{"labels": ["0.png"]}', "a list of pairs"),
            ('{"labels": [["0.png", 1], ["0.png", 2]]}', r"one label; 0\.png has 1 and 2"),
            ('{"labels": [["x.png", 1]]}', r"for none of its 1 images, but for x\.png"),
            ('{"labels": [', "cannot be read"),
        ],
    )
    def test_a_wrong_one_is_one_line(self, tmp_path, text, message):
        root = write(tmp_path, "0.png")
        (root / "dataset.json").write_text(text)
        with pytest.raises(ValueError, match=message) as error:
            open_source(f"folder:{root}")
        assert "\n" not in str(error.value)
        assert "dataset.json" in str(error.value)

    def test_a_file_of_the_name_that_is_something_else(self, tmp_path):
        root = write(tmp_path, "a/0.png", "b/1.png")
        (root / "dataset.json").write_text('{"title": "mine"}')
        (root / "metadata.csv").write_text("camera,year\nx,1999\n")
        assert self.labels(root) == {"a/0.png": "a", "b/1.png": "b"}
        assert open_source(f"folder:{root}").notes()["passed_over"].names == ("dataset.json", "metadata.csv")

    def test_null_labels_are_none(self, tmp_path):
        root = write(tmp_path, "00000/0.png", "00001/1.png")
        (root / "dataset.json").write_text('{"labels": null}')
        assert set(self.labels(root).values()) <= {None}


def write_labels(root: Path, labels: dict) -> None:
    (root / "dataset.json").write_text(json.dumps({"labels": list(map(list, labels.items()))}))


class TestLinksAndNames:
    def test_a_broken_link_is_one_bad_image(self, tmp_path):
        root = write(tmp_path, "a/0.png")
        (root / "a" / "gone.png").symlink_to("/nowhere/x.png")
        (root / "a" / "self.png").symlink_to("self.png")
        (root / "latest").symlink_to("/nowhere")
        assert [fault.split(" ", 1)[1] for fault in faults(f"folder:{root}")] == [
            "is a link to /nowhere/x.png, which is not there: restore what it points to or remove it",
            "is a link to self.png, which is not there: restore what it points to or remove it",
        ]
        assert fingerprint(f"folder:{root}")

    def test_a_loop_is_one_line_that_names_the_link(self, tmp_path):
        root = write(tmp_path, "a/0.png")
        (root / "a" / "up").symlink_to("..")
        with pytest.raises(ValueError, match=r"does not hold itself; .*/a/up is a link to a folder above it: remove"):
            open_source(f"folder:{root}")

    def test_a_linked_folder_is_followed(self, tmp_path):
        write(tmp_path / "elsewhere", "0.png")
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "a").symlink_to(tmp_path / "elsewhere")
        write(tmp_path / "in", "b/1.png")
        assert set(found(f"folder:{tmp_path}/in")) == {"a/0.png", "b/1.png"}

    def test_a_name_that_is_no_utf_8(self, tmp_path):
        root = write(tmp_path, "a/0.png")
        (root / "a" / os.fsdecode(b"\xff\xfe.png")).write_bytes(png(1))
        assert faults(f"folder:{root}") == [f"{root}/a/\\xff\\xfe.png has a name that is not UTF-8: rename it"]

    def test_home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        write(tmp_path / "imgs", "a/0.png")
        assert len(list(open_source("folder:~/imgs").shards())) == 1
