import numpy as np
import pytest
import tensorflow as tf

from models.catalog import lookup
from models.export import card, saving
from tests.harness import experiment
from tests.translators import COLOUR, restorer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    config = experiment()
    directory = str(tmp_path_factory.mktemp("model") / "1")
    saving.save(lookup("scheme", config.scheme.name)(config), directory, trained_on="abc")
    return directory


def test_the_card_says_what_it_answers_what_it_scored_and_what_made_it(model):
    line = {"value": 0.912, "uncertainty": 0.0101, "holds": True, "measures": "right class | asked for"}
    judged = {
        "reason": "blessed: every threshold holds",
        "metrics": {"conditional_accuracy": line, "novelty": line | {"value": None}},
    }
    text = card.card(model, judged)
    assert text.startswith("# small\n")
    assert "| `conditional_accuracy` | 0.912 ± 0.01 | holds | right class \\| asked for |" in text
    assert "Blessed: every threshold holds" in text
    assert "novelty" not in text
    assert "| `interpolate` | seed int64 [batch], other_seed int64 [batch], share float32 [batch], label" in text
    assert "| `z` | noise, standard normal |  |" in text
    assert "| `label` | the class | 0 to 2 |" in text
    assert (
        "| `image_bytes` | an example like those that it was made to draw | image as a PNG file; 16 x 16 x 1 |" in text
    )
    assert "for programs, is `assets.extra/interface.json`" in text
    assert "| examples | `abc` |" in text
    assert "without a judgement" in card.card(model)


def test_the_card_names_the_classes(tmp_path):
    config = experiment()
    saving.save(lookup("scheme", config.scheme.name)(config), tmp_path / "1", classes=["ant", "bee", "2"])
    assert "| `label` | the class | 0 to 2: 0 is ant, 1 is bee |" in card.card(str(tmp_path / "1"))


def test_the_card_says_what_was_done_to_the_images(model):
    """If this fails, whoever takes the model does not know that its images were cut."""
    judged = {"reason": "blessed", "metrics": {}}
    ingested = [{"source": "folder:x", "told": ["cropped more than a third of the area of 1 image (x/a.png to 7 %)"]}]
    text = card.card(model, judged | {"protocol": {"ingested": ingested}})
    assert "## What was done to the images\n\n- `folder:x`: cropped more than a third" in text
    assert "What was done to the images" not in card.card(model, judged)


def test_the_card_of_a_model_that_takes_images_of_any_size(tmp_path):
    """If this fails, whoever takes the model does not know which files it takes, and how large its answers are."""
    config = restorer(COLOUR, any_size=True, times=2)
    saving.save(lookup("scheme", config.scheme.name)(config), tmp_path / "1")
    text = card.card(str(tmp_path / "1"))
    assert "A restorer of degraded images of 16 x 16 x 3, trained" in text
    assert "| `serving_default` | image float32 [batch, any, any, 3] | image float32 [batch, any, any, 3] |" in text
    assert "| `image_bytes` | an example like those that it was made to take | image as a file, PNG or JPEG |" in text
    assert "An image that is given is 2 times as high and wide." in text


def test_a_model_of_others_has_no_card(tmp_path):
    module = tf.Module()
    module.half = tf.function(lambda x: {"y": x / 2}, input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    tf.saved_model.save(module, str(tmp_path), signatures={"half": module.half})
    with pytest.raises(ValueError, match=r"a model of ganworks has assets\.extra/experiment\.json"):
        card.card(str(tmp_path))


def test_no_model(tmp_path):
    np.save(tmp_path / "weights.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"a model is a folder with saved_model\.pb"):
        card.card(str(tmp_path))
