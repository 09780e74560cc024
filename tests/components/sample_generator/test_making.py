"""Pictures made of a folder of pictures: all that are good, once, whatever is stopped or damaged."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from components.beam import local_pipeline
from components.sample_generator import making
from models.config.variants import made_by
from models.export import saving
from pipeline.cli import app
from tests.harness import experiment
from tests.translators import COLOUR, restorer, told_deblurrer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Turns the pixels of a picture of any size round."""
    folder, config = tmp_path_factory.mktemp("model") / "1", restorer(COLOUR, any_size=True)
    saving.save(made_by("scheme", config.scheme)(config), folder)
    return folder


@pytest.fixture
def pictures(tmp_path):
    """One upright, one turned by EXIF in a folder of its own, two whose names differ by their endings, and a text."""
    folder = tmp_path / "pictures"
    (folder / "trip").mkdir(parents=True)
    Image.fromarray(pixels(5, 9)).save(folder / "one.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(pixels(4, 8)).save(folder / "trip" / "turned.jpg", exif=turned)
    Image.fromarray(pixels(6, 6)).save(folder / "same.png")
    Image.fromarray(pixels(6, 6)).save(folder / "same.bmp")
    (folder / "notes.txt").write_text("none")
    return folder


def pixels(height, width):
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def made(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*.png")}


EXPECTED = {"one.png", "trip/turned.png", "same.png.png", "same.bmp.png"}


class TestMake:
    def test_makes_a_png_of_every_picture_at_its_place(self, pictures, model, tmp_path):
        work = making.plan(str(pictures), str(model), str(tmp_path / "out"))
        assert making.make(work, local_pipeline()) == []
        assert made(tmp_path / "out") == EXPECTED
        np.testing.assert_allclose(
            np.asarray(Image.open(tmp_path / "out" / "one.png")).astype(int), 255 - pixels(5, 9).astype(int), atol=1
        )
        assert Image.open(tmp_path / "out" / "trip" / "turned.png").size == (4, 8)

    def test_goes_on_where_it_was_stopped(self, pictures, model, tmp_path, monkeypatch):
        work, write = making.plan(str(pictures), str(model), str(tmp_path / "out")), making.write

        def stop(made, work):
            if made.example == "same.bmp":
                raise RuntimeError("stopped")
            write(made, work)

        monkeypatch.setattr(making, "write", stop)
        with pytest.raises(RuntimeError, match="stopped"):
            making.make(work, local_pipeline())
        monkeypatch.setattr(making, "write", write)
        there = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in made(tmp_path / "out")}
        assert "same.bmp.png" not in there
        making.make(work, local_pipeline())
        assert made(tmp_path / "out") == EXPECTED
        assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in there} == there

    def test_a_bad_picture_is_named_and_stops_nobody(self, pictures, model, tmp_path):
        (pictures / "cut.png").write_bytes((pictures / "one.png").read_bytes()[:100])
        work = making.plan(str(pictures), str(model), str(tmp_path / "out"))
        (fault,) = making.make(work, local_pipeline())
        assert fault.name == str(pictures / "cut.png")
        assert made(tmp_path / "out") == EXPECTED


class TestKernel:
    """A model that is told what pictures were blurred by."""

    @pytest.fixture(scope="class")
    def told(self, tmp_path_factory):
        folder, config = tmp_path_factory.mktemp("told") / "1", told_deblurrer()
        saving.save(made_by("scheme", config.scheme)(config), folder)
        return folder

    @pytest.fixture
    def kernels(self, tmp_path):
        """One that leaves a picture where it is, and one that shifts it by two pixels to the right."""
        (tmp_path / "point.csv").write_text("1")
        (tmp_path / "shift.csv").write_text("0,0,0,0,1")
        return tmp_path

    def test_all_are_made_by_it(self, pictures, told, kernels, tmp_path):
        for name in ("point", "shift"):
            command = ["generate", str(told), "--input", str(pictures), "--kernel", str(kernels / f"{name}.csv")]
            result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / name)], catch_exceptions=False)
            assert result.exit_code == 0
            assert made(tmp_path / name) == EXPECTED
        # untrained, it is a filter: what undoes a shift to the right moves to the left
        still, moved = (np.asarray(Image.open(tmp_path / name / "one.png"), int) for name in ("point", "shift"))
        np.testing.assert_allclose(moved[:, :5], still[:, 2:7], atol=3)
        assert np.abs(moved - still).mean() > 10

    def test_another_kernel_is_another_order(self, pictures, told, kernels, tmp_path):
        """If this fails, a folder holds pictures that were made by two kernels."""
        for name in ("point", "shift"):
            work = making.plan(str(pictures), str(told), str(tmp_path / "out"), kernels / f"{name}.csv")
            if name == "point":
                making.make(work, local_pipeline())
        with pytest.raises(ValueError, match="another order \\(kernel_sha256 differs\\)"):
            making.make(work, local_pipeline())

    def test_one_that_is_missing_or_too_much_is_refused_at_once(self, pictures, model, told, kernels, tmp_path):
        with pytest.raises(ValueError, match="is told what a picture was blurred by"):
            making.plan(str(pictures), str(told), str(tmp_path / "out"))
        with pytest.raises(ValueError, match="is told no kernel: leave --kernel out"):
            making.plan(str(pictures), str(model), str(tmp_path / "out"), kernels / "point.csv")


class TestPlan:
    def test_what_cannot_be_is_refused_before_anything_is_written(self, pictures, model, tmp_path):
        (tmp_path / "empty").mkdir()
        out = tmp_path / "out"
        for source, output, message in [
            (tmp_path / "empty", out, "empty has no picture"),
            (tmp_path / "none", out, "needs a folder of images; there is none"),
            (pictures, pictures / "out", "what is made needs a folder outside of"),
        ]:
            with pytest.raises(ValueError, match=message):
                making.plan(str(source), str(model), str(output))
        assert not out.exists()

    def test_a_model_that_draws_by_seed(self, pictures, tmp_path):
        config = experiment()
        saving.save(made_by("scheme", config.scheme)(config), tmp_path / "drawing")
        with pytest.raises(ValueError, match="takes no picture, but draws by seed"):
            making.plan(str(pictures), str(tmp_path / "drawing"), str(tmp_path / "out"))


class TestCommand:
    def test_makes_all_and_once(self, pictures, model, tmp_path):
        command = ["generate", str(model), "--input", str(pictures), "--out", str(tmp_path / "out")]
        for _ in range(2):
            result = CliRunner().invoke(app, command, catch_exceptions=False)
            assert result.exit_code == 0
            assert made(tmp_path / "out") == EXPECTED

    def test_names_what_is_bad_at_the_end(self, pictures, model, tmp_path):
        (pictures / "cut.png").write_bytes((pictures / "one.png").read_bytes()[:100])
        result = CliRunner().invoke(
            app, ["generate", str(model), "--input", str(pictures), "--out", str(tmp_path / "out")]
        )
        assert str(result.exception).startswith(f"nothing was made of {pictures / 'cut.png'} ")
        assert made(tmp_path / "out") == EXPECTED

    def test_labels_are_of_what_is_drawn(self, pictures, model, tmp_path):
        command = ["generate", str(model), "--input", str(pictures), "--out", str(tmp_path / "out"), "--label", "1"]
        assert "leave them out beside --input" in str(CliRunner().invoke(app, command).exception)
