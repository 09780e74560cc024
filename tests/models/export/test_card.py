import numpy as np
import pytest
import tensorflow as tf

from models.catalog import lookup
from models.export import card, saving
from tests.harness import experiment


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    config = experiment()
    directory = str(tmp_path_factory.mktemp("model") / "1")
    saving.save(lookup("scheme", config.scheme.name)(config), directory, trained_on="abc")
    return directory


def test_signatures_are_those_that_a_server_finds(model):
    loaded = tf.saved_model.load(model)
    described = {each.name: each for each in card.signatures(model)}
    assert set(described) == set(loaded.signatures)
    assert described["serving_default"].inputs == ["label int64 [batch]", "z float32 [batch, 4]"]
    assert described["serving_default"].outputs == ["image float32 [batch, 16, 16, 1]"]
    assert described["sample"].outputs == ["image_bytes string [batch]"]
    assert all(each.about for each in described.values())


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
    assert "| `interpolate` | label int64 [batch], other_seed int64 [batch], seed int64 [batch], share" in text
    assert "| examples | `abc` |" in text
    assert "without a judgement" in card.card(model)


def test_the_card_says_what_was_done_to_the_images(model):
    """If this fails, whoever takes the model does not know that its images were cut."""
    judged = {"reason": "blessed", "metrics": {}}
    ingested = [{"source": "folder:x", "told": ["cropped more than a third of the area of 1 image (x/a.png to 7 %)"]}]
    text = card.card(model, judged | {"protocol": {"ingested": ingested}})
    assert "## What was done to the images\n\n- `folder:x`: cropped more than a third" in text
    assert "What was done to the images" not in card.card(model, judged)


def test_a_model_of_others_has_signatures_and_no_card(tmp_path):
    module = tf.Module()
    module.half = tf.function(lambda x: {"y": x / 2}, input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    tf.saved_model.save(module, str(tmp_path), signatures={"half": module.half})
    assert card.signatures(str(tmp_path)) == [card.Signature("half", ["x float32 [batch]"], ["y float32 [batch]"], "")]
    with pytest.raises(ValueError, match=r"a model of ganworks has assets\.extra/experiment\.json"):
        card.card(str(tmp_path))


def test_no_model(tmp_path):
    np.save(tmp_path / "weights.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"a model is a folder with saved_model\.pb"):
        card.signatures(str(tmp_path))
