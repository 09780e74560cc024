"""What a served GAN answers, over models of images by class, without classes, with codes, and of points."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm, truncnorm

from models.catalog import lookup
from models.config import (
    Adversarial,
    Cycle,
    DCGANDiscriminator,
    DCGANGenerator,
    Latent,
    Points,
    PointsDiscriminator,
    PointsGenerator,
    PointsTranslator,
    Unpaired,
)
from models.export import saving
from tests.harness import experiment


def images(discriminator=None, *, latent=None, **generator):
    """Small networks of images, with these fields of each player."""
    return Adversarial(
        generator=DCGANGenerator(latent=Latent(size=4, **latent or {}), width=4, **generator),
        discriminator=DCGANDiscriminator(width=4, **discriminator or {}),
    )


KINDS = {
    "classes": {"scheme": images({"condition": "projection"}, condition="embedding")},
    "plain": {"scheme": images()},
    "codes": {"scheme": images(latent={"categorical_codes": 3, "continuous_codes": 1})},
    "auxiliary": {"scheme": images({"condition": "auxiliary"}, condition="embedding")},
    "points": {
        "data": Points(source="mixture:ring"),
        "scheme": Adversarial(
            generator=PointsGenerator(latent=Latent(size=4), width=4, norm="none"),
            discriminator=PointsDiscriminator(width=4, norm="none"),
        ),
    },
}
SEEDS = np.array([5, -1, 2**63 - 1, 0, 5])


class Served:
    """A loaded model that is asked by plain arrays."""

    def __init__(self, gan, directory):
        saving.save(gan, directory)
        self.gan, self.directory = gan, str(directory)
        self.loaded = tf.saved_model.load(self.directory)
        self.output = "point" if gan.experiment.data.points else "image_bytes"

    def ask(self, name, **inputs):
        signature = self.loaded.signatures[name]
        given = signature.structured_input_signature[1]
        rows = len(next(iter(inputs.values())))
        inputs |= {"label": np.arange(rows) % 3} if "label" in given and "label" not in inputs else {}
        tensors = {key: tf.constant(value, given[key].dtype) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in signature(**tensors).items()}

    def drawn(self, name, **inputs):
        """Examples as floats: PNG files decoded to [0, 255]."""
        made = self.ask(name, **inputs)[self.output]
        if self.output == "point":
            return made
        return np.stack([tf.io.decode_png(each).numpy() for each in made]).astype(float)


@pytest.fixture(scope="module", params=KINDS)
def served(request, tmp_path_factory):
    config = experiment(**KINDS[request.param])
    return Served(lookup("scheme", config.scheme.name)(config), tmp_path_factory.mktemp("model") / "1")


def close(found, expected):
    """Equal up to the rounding to 8 bits, or of float32."""
    np.testing.assert_allclose(found, expected, atol=1 if found.ndim == 4 else 1e-4)


def test_latent_is_what_sample_draws_from(served):
    latent = served.ask("latent", seed=SEEDS)
    assert latent["z"].shape == (5, 4)
    np.testing.assert_array_equal(latent["z"][0], latent["z"][4])
    made = next(iter(served.ask("serving_default", **latent).values()))
    close(served.drawn("sample", seed=SEEDS), made * (1 if served.output == "point" else 255))


def test_tf_examples_ask_for_the_same(served):
    asks = "label" in served.loaded.signatures["sample"].structured_input_signature[1]
    examples = []
    for row, seed in enumerate(SEEDS):
        example = tf.train.Example()
        example.features.feature["seed"].int64_list.value.append(seed)
        if asks:
            example.features.feature["label"].int64_list.value.append(row % 3)
        examples.append(example.SerializeToString())
    assert list(served.loaded.signatures["sample_from_examples"].structured_input_signature[1]) == ["examples"]
    found = served.ask("sample_from_examples", examples=examples)[served.output]
    # of rank 2, which RunInference needs
    assert found.shape == (5, 2 if served.output == "point" else 1)
    np.testing.assert_array_equal(found, served.ask("sample", seed=SEEDS)[served.output].reshape(5, -1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="is required but could not be found"):
        served.ask("sample_from_examples", examples=[tf.train.Example().SerializeToString()])


class TestInterpolate:
    def test_ends_are_the_samples(self, served):
        others = SEEDS[[1, 2, 3, 0, 4]]
        for share, seeds in ((0, SEEDS), (1, others)):
            found = served.drawn("interpolate", seed=SEEDS, other_seed=others, share=np.full(5, share))
            close(found, served.drawn("sample", seed=seeds))

    def test_the_middle_lies_on_the_sphere(self, served):
        z = served.ask("latent", seed=[1, 2])
        # of two unit vectors the middle of the arc is their sum, scaled; lengths are kept apart
        start, end = z["z"].astype(np.float64)
        angle = np.arccos(start @ end / np.linalg.norm(start) / np.linalg.norm(end))
        middle = {key: value[:1] for key, value in z.items()}
        middle["z"] = ((start + end) * np.sin(angle / 2) / np.sin(angle))[None]
        if "code" in z:
            middle["code"] = z["code"].mean(0, keepdims=True)
        expected = next(iter(served.ask("serving_default", **middle).values()))
        found = served.drawn("interpolate", seed=[1], other_seed=[2], share=[0.5])
        close(found, expected * (1 if served.output == "point" else 255))

    def test_a_seed_and_itself(self, served):
        found = served.drawn("interpolate", seed=[3, 3], other_seed=[3, 3], share=[0.3, 1], **_same_label(served))
        close(found, served.drawn("sample", seed=[3, 3], **_same_label(served)))


class TestTruncation:
    def test_far_out_it_is_the_sample(self, served):
        found = served.drawn("sample_truncated", seed=SEEDS, truncation=np.full(5, 30.0))
        close(found, served.drawn("sample", seed=SEEDS))

    def test_noise_keeps_its_quantile(self, served):
        z = served.ask("latent", seed=[7])
        bound = 0.5
        z["z"] = truncnorm.ppf(norm.cdf(z["z"].astype(np.float64)), -bound, bound)
        assert np.abs(z["z"]).max() < bound
        expected = next(iter(served.ask("serving_default", **z).values()))
        found = served.drawn("sample_truncated", seed=[7], truncation=[bound])
        close(found, expected * (1 if served.output == "point" else 255))

    @pytest.mark.parametrize("bound", [0, -1, np.nan])
    def test_a_bound_is_above_0(self, served, bound):
        with pytest.raises(tf.errors.InvalidArgumentError, match="truncation is above 0"):
            served.ask("sample_truncated", seed=[1, 2], truncation=[1, bound])


@pytest.mark.parametrize("name", ["sample", "sample_truncated", "interpolate"])
def test_a_row_depends_on_itself_alone(served, name):
    # sums over a batch of one may be added up in another order: a rounding of a point, which no pixel shows
    equal = functools.partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-6) if served.output == "point" else None
    inputs = {"seed": SEEDS}
    inputs |= {"truncation": np.linspace(0.5, 2, 5)} if name == "sample_truncated" else {}
    inputs |= {"other_seed": SEEDS[::-1], "share": np.linspace(0, 1, 5)} if name == "interpolate" else {}
    whole = served.ask(name, **inputs, label=[2, 1, 0, 2, 1])[served.output] if _asks(served) else None
    whole = served.ask(name, **inputs)[served.output] if whole is None else whole
    for row in range(5):
        one = {key: value[row : row + 1] for key, value in inputs.items()}
        one |= {"label": [[2, 1, 0, 2, 1][row]]} if _asks(served) else {}
        (equal or np.testing.assert_array_equal)(served.ask(name, **one)[served.output], whole[row : row + 1])


def test_a_session_answers_alike(served):
    """TF Serving loads a model into a session: what restores its variables there is another thing than in Python."""
    seeds = {"seed": SEEDS} | ({"label": np.arange(5) % 3} if _asks(served) else {})
    expected = served.drawn("sample", **seeds)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], served.directory).signature_def["sample"]
        fed = {signature.inputs[name].name: value for name, value in seeds.items()}
        found = session.run(signature.outputs[served.output].name, fed)
    if served.output == "image_bytes":
        found = np.stack([tf.io.decode_png(each).numpy() for each in found]).astype(float)
    close(found, expected)


def test_discriminate_is_the_discriminator(served):
    signature = served.loaded.signatures["discriminate"]
    shape = signature.structured_input_signature[1]["point" if served.output == "point" else "image"].shape[1:]
    examples = np.random.default_rng(0).random((3, *shape), np.float32)
    found = served.ask("discriminate", **{"point" if served.output == "point" else "image": examples})
    discriminator = served.gan.networks["discriminator"]
    inputs = {"target": examples if served.output == "point" else examples * 2 - 1}
    inputs |= {"label": np.arange(3)} if "label" in discriminator.input else {}
    answers = discriminator(inputs, training=False)
    logit = np.asarray(answers["logit"] if isinstance(answers, dict) else answers, np.float32)
    np.testing.assert_allclose(found["logit"], logit, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["probability"], 1 / (1 + np.exp(-found["logit"])), rtol=1e-5)


@pytest.mark.parametrize("change", [{"pack": 2}, {"batch_statistics": "stddev"}])
def test_a_discriminator_that_looks_at_several_examples_is_not_served(change, tmp_path):
    config = experiment(scheme=images(change))
    model = Served(lookup("scheme", config.scheme.name)(config), tmp_path / "1")
    assert "discriminate" not in model.loaded.signatures
    assert "sample" in model.loaded.signatures


def test_both_directions_have_their_judge(tmp_path):
    data = Unpaired(input=Points(source="mixture:ring"), target=Points(source="mixture:square"))
    scheme = Cycle(
        generator=PointsTranslator(width=4, norm="none"), discriminator=PointsDiscriminator(width=4, norm="none")
    )
    config = experiment(data=data, scheme=scheme)
    model = Served(lookup("scheme", config.scheme.name)(config), tmp_path / "1")
    ways = {"serving_default", "reverse", "discriminate", "discriminate_reverse"}
    assert set(model.loaded.signatures) == {*ways, "interface"}


def test_a_class_that_there_is_not_is_refused(tmp_path):
    config = experiment(**KINDS["classes"])
    model = Served(lookup("scheme", config.scheme.name)(config), tmp_path / "1")
    asked = {
        "sample": {"seed": [1]},
        "serving_default": {"z": np.zeros((1, 4))},
        "discriminate": {"image": np.zeros((1, 16, 16, 1))},
    }
    for name, inputs in asked.items():
        for label in (-1, 3):
            with pytest.raises(tf.errors.InvalidArgumentError, match="label is 0 to 2"):
                model.ask(name, **inputs, label=[label])


def _asks(served) -> bool:
    return "label" in served.loaded.signatures["sample"].structured_input_signature[1]


def _same_label(served) -> dict:
    return {"label": [1, 1]} if _asks(served) else {}
