"""Super-resolution is judged as papers do, beside bicubic enlargement, against Pillow and scikit-image."""

import keras
import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from components.beam import local_pipeline
from components.gan_evaluator.measuring.instruments import Instruments
from components.gan_evaluator.measuring.measurements import Measurements
from components.gan_evaluator.measuring.reference import Reference
from components.gan_evaluator.measuring.settings import Settings
from components.gan_evaluator.verdict import Measured, decide
from models.config.variants import made_by
from models.examples.arrays import Arrays
from models.export.saving import save
from models.extractors import classifier
from tests import trainings
from tests.judging import Page
from tests.translators import enlarger

SCALE = 2
# Its last layer begins at 0: untrained, it enlarges as bicubic interpolation does.
CONFIG = enlarger(SCALE, crop=32)


def tiles():
    """48 squares of a photograph, [48, 32, 32, 3]."""
    whole = skimage.data.coffee()[100:292, 150:406]
    return whole.reshape(6, 32, 8, 32, 3).swapaxes(1, 2).reshape(48, 32, 32, 3)


def bicubic(image):
    """Made smaller and as large again by Pillow, in floats."""

    def resized(channel, side):
        return np.asarray(Image.fromarray(channel).resize((side, side), Image.Resampling.BICUBIC))

    planes = [np.clip(resized(image[..., i].astype(np.float32), 32 // SCALE), 0, 255) for i in range(3)]
    return np.rint(np.clip(np.stack([resized(plane, 32) for plane in planes], -1), 0, 255)).astype(np.uint8)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    directory = tmp_path_factory.mktemp("enlarged")
    keras.utils.set_random_seed(0)
    save(made_by("scheme", CONFIG.scheme)(CONFIG), str(directory / "model"))
    classifier.export(classifier.classifier(CONFIG.data), CONFIG.data, str(directory / "extractor"), {"name": "any"})
    known = Reference(trainings.arrays(CONFIG.data, 60), Arrays.aligned(tiles()), 0, "made")
    instruments = Instruments(Settings.of(CONFIG, samples=60), known, str(directory / "extractor"), local_pipeline)
    return instruments.measure_generator(str(directory / "model"))


@pytest.fixture(scope="module")
def luma():
    """Y of the photograph and of its bicubic enlargement, without the border."""
    inner = slice(SCALE, -SCALE)
    return [tuple(rgb2ycbcr(each)[inner, inner, 0] for each in (image, bicubic(image))) for image in tiles()]


def test_psnr_is_of_the_luma_without_a_border(measured, luma):
    expected = np.mean([peak_signal_noise_ratio(*pair, data_range=255) for pair in luma])
    assert measured.estimates["psnr"].protocol == "Y of BT.601, crop 2, range 255"
    assert measured.estimates["psnr"].value == pytest.approx(expected, abs=0.02)


def test_so_is_ssim(measured, luma):
    window = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = np.mean([structural_similarity(*pair, **window) for pair in luma])
    assert measured.estimates["ssim"].value == pytest.approx(expected, abs=0.005)


def test_bicubic_enlargement_is_measured_beside_the_model(measured):
    """If this fails, nothing says whether a model does more than a resize."""
    assert measured.estimates["squared_error"].value == pytest.approx(1, abs=0.02)
    for name in ("psnr", "ssim"):
        assert measured.untouched[name].value == pytest.approx(measured.estimates[name].value, abs=0.02)
    assert "pair_distance_efficientnet_lite0" in measured.untouched


def test_pictures_of_inputs_are_as_large_as_those_of_outputs(measured):
    assert {image.shape[1:] for row in measured.pictures.rows for image in row} == {(32, 32, 3)}


def test_the_best_and_the_worst_outputs_are_shown(measured):
    """If this fails, nobody looks at what the model does worst."""
    nearest, farthest = map(errors, measured.pictures.extremes)
    everything = np.concatenate([errors(row) for row in measured.pictures.rows])
    assert list(nearest) == sorted(nearest)
    assert list(farthest) == sorted(farthest, reverse=True)
    assert nearest[0] <= everything.min() < everything.max() <= farthest[0]


def errors(row):
    """Mean squared errors of the outputs of a row, whose columns are inputs, outputs and the truth."""
    _, outputs, truth = row
    return ((outputs.astype(float) - truth) ** 2).mean(axis=(1, 2, 3))


def test_the_report_has_a_column_of_it_and_what_is_kept_has_it_again(measured):
    again = Measurements.of(measured.to_tree(), measured.pictures)
    assert again.untouched == measured.untouched
    floor = Measurements({}, {}, {"noise_floor": 60}, labelled=False)
    protocol = {"extractor": {"steps": 0, "seconds": 1.0}, "baseline": "none", "made_by": {}, "lineage": []}
    verdict = decide(Measured(again, floor, None, []), CONFIG, protocol, history=[])
    assert ">Bicubic</th>" in verdict.html
    page = Page(verdict.html)
    assert "Best and worst" in page.text
    cuts = [attributes for tag, attributes in page.tags if tag == "input"]
    assert [each["type"] for each in cuts] == ["range"] * 4
    told = verdict.lines["psnr"].to_json()
    assert told["untouched"] == measured.untouched["psnr"].value
    assert told["untouched_uncertainty"] == measured.untouched["psnr"].uncertainty
    assert "untouched" not in verdict.lines["d_real_accuracy"].to_json()
