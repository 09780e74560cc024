"""What a model says of itself: that it is true, that it is read again, and what stands in for it in older models."""

import json
import re
import shutil
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.config import Adversarial, DCGANDiscriminator, DCGANGenerator, Latent
from models.config.variants import made_by
from models.export import saved, saving
from models.export.interface import FORMAT, MAIN, OLDER, Interface, Signature, Tensor, TensorInfo, derived
from models.export.reading import read_interface
from models.export.signatures import Sampler
from pipeline.experiments.named import EXPERIMENTS
from tests.harness import experiment
from tests.translators import COLOUR, restorer, translator

CODES = Adversarial(
    generator=DCGANGenerator(latent=Latent(size=4, categorical_codes=3, continuous_codes=1), width=4),
    discriminator=DCGANDiscriminator(width=4),
)
LISTED = {
    # a loss is no part of what is exported, and its network's weights need not be here
    name: each.override(["scheme.content=null"]) if each.scheme.trained_on else each
    for name, each in EXPERIMENTS.items()
}
ALL = {
    **LISTED,
    "classes": experiment(),
    "codes": experiment(scheme=CODES),
    "restores": restorer(),
    "restores any size": restorer(COLOUR, any_size=True),
    "doubles any size": restorer(COLOUR, any_size=True, times=2),
    "translates": translator(COLOUR),
}


def sampler(config) -> Sampler:
    """What would be saved of an untrained model."""
    gan = made_by("scheme", config.scheme)(config)
    return Sampler(gan.samplers(), config, gan.judges())


def told(tensors):
    return {name: (each.dtype, each.shape) for name, each in tensors.items()}


def real(specs):
    return {name: (each.dtype.name, tuple(each.shape)) for name, each in specs.items()}


class TestIsTrue:
    @pytest.mark.parametrize("name", ALL)
    def test_of_every_signature_of_every_experiment(self, name):
        """If this fails, readers send what a model does not take, or wait for what it does not give."""
        exported = sampler(ALL[name])
        interface = exported.interface
        assert interface.task == ALL[name].scheme.task
        functions = exported.signatures()
        assert functions.keys() == interface.signatures.keys()
        assert next(iter(interface.signatures)) == MAIN
        for key, function in functions.items():
            signature = interface.signatures[key]
            # an argument that is not asked for is None
            taken = {each.name: each for each in tf.nest.flatten(function.structured_input_signature) if each}
            assert told(signature.inputs) == real(taken), key
            assert told(signature.outputs) == real(function.structured_outputs), key
            assert signature.about, key
        answer = functions["interface"](row=tf.constant([7, 8], tf.int64))["interface"].numpy().tolist()
        assert [Interface.from_json(each) for each in answer] == [interface] * 2

    def test_noise_codes_and_classes(self):
        inputs = sampler(ALL["codes"]).interface.inputs
        assert (inputs["z"].role, inputs["z"].shape) == ("noise", (None, 4))
        assert (inputs["code"].role, inputs["code"].shape, inputs["code"].categories) == ("code", (None, 4), 3)
        by_class = sampler(ALL["classes"]).interface
        assert by_class.inputs["label"].range == (0, 2)
        assert by_class.classes == ("0", "1", "2")
        # labels that the data have and the model does not read
        assert sampler(EXPERIMENTS["mnist-dcgan"]).interface.classes == ()

    def test_sizes_of_images(self):
        interface = sampler(ALL["doubles any size"]).interface
        assert interface.scale == 2
        assert interface.inputs["image"].shape == (None, None, None, 3)
        assert interface.signatures["from_bytes"].outputs["image_bytes"].pixels == (None, None, 3)
        assert sampler(ALL["restores"]).interface.outputs["image"].shape == (None, 16, 16, 1)

    def test_a_way_back_takes_what_the_way_there_gives(self):
        """If this fails, a translator back is asked with examples of the wrong domain."""
        signatures = sampler(ALL["translates"]).interface.signatures
        roles = {
            name: ({each.role for each in one.inputs.values()}, {each.role for each in one.outputs.values()})
            for name, one in signatures.items()
        }
        assert roles["serving_default"] == roles["from_bytes"] == ({"input"}, {"target"})
        assert roles["reverse"] == roles["from_bytes_reverse"] == ({"target"}, {"input"})
        assert roles["discriminate"][0] == {"target"}
        assert roles["discriminate_reverse"][0] == {"input"}


class TestDrawing:
    def test_signatures_are_found_by_what_they_take(self):
        interface = sampler(ALL["classes"]).interface
        assert interface.drawing() == "sample"
        assert interface.drawing(truncated=True) == "sample_truncated"
        assert interface.by_file() is None
        renamed = {f"my_{name}": each for name, each in interface.signatures.items()}
        assert interface.model_copy(update={"signatures": renamed}).drawing() == "my_sample"

    def test_what_takes_an_image_draws_nothing_by_a_seed(self):
        interface = sampler(ALL["restores"]).interface
        assert interface.drawing() is None
        assert interface.by_file() == "from_bytes"


NUMBERS = st.one_of(st.none(), st.tuples(st.floats(-9, 0), st.floats(0, 9)))
TENSORS = st.builds(
    Tensor,
    role=st.sampled_from(["input", "target", "noise", "label"]),
    kind=st.sampled_from(["image", "point", "number"]),
    dtype=st.sampled_from(["float32", "string", "int64"]),
    shape=st.lists(st.one_of(st.none(), st.integers(1, 99)), max_size=4).map(tuple),
    range=NUMBERS,
    categories=st.integers(0, 9),
    pixels=st.one_of(st.none(), st.just((None, 4, 1))),
)
SIGNATURES = st.builds(
    Signature,
    about=st.text(),
    inputs=st.dictionaries(st.text(), TENSORS, max_size=3),
    outputs=st.dictionaries(st.text(), TENSORS, max_size=3),
)
INTERFACES = st.builds(
    Interface,
    format=st.just(FORMAT),
    task=st.text(),
    classes=st.lists(st.text()).map(tuple),
    size_multiple=st.integers(1, 64),
    scale=st.integers(1, 4),
    halo=st.one_of(st.none(), st.integers(0, 99)),
    signatures=st.dictionaries(st.text(), SIGNATURES, max_size=3),
)


class TestJSON:
    @settings(max_examples=50, deadline=None)
    @given(interface=INTERFACES)
    def test_is_read_again(self, interface):
        assert Interface.from_json(interface.to_json()) == interface
        assert list(Interface.from_json(interface.to_json()).signatures) == list(interface.signatures)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", "an interface is written as JSON; received text that is not"),
            (b"\xff", "an interface is written as JSON; received text that is not"),
            ("[]", r"a JSON object with its format, a number from 1; received \[\]"),
            ('{"task": "generate"}', "a JSON object with its format, a number from 1"),
            ('{"format": "1"}', "a JSON object with its format, a number from 1"),
            ('{"format": 0, "task": "", "signatures": {}}', "a JSON object with its format, a number from 1"),
            (f'{{"format": {FORMAT + 1}, "future": []}}', f"up to format {FORMAT}; received format {FORMAT + 1}"),
            ('{"format": 1, "task": "generate"}', "does not fit its format: signatures is required"),
            ('{"format": 1, "task": "generate", "signatures": {}, "tsak": 1}', "tsak is no field of format 1"),
            (
                '{"format": 1, "task": "generate", "signatures": {"a": {"inputs": {"z": {"role": "noize"}}}}}',
                "signatures.a.inputs.z.role: input should be 'input'",
            ),
        ],
    )
    def test_what_is_none_is_refused_in_one_line(self, text, words):
        with pytest.raises(ValueError, match=words) as error:
            Interface.from_json(text)
        assert "\n" not in str(error.value)


class TestOlder:
    @pytest.mark.parametrize("name", ["classes", "codes", "ring-to-square", "ring-restoration"])
    def test_an_older_model_is_described_by_its_signatures(self, name, tmp_path):
        """If this fails, a model that was exported before there were interfaces is served no longer."""
        config = ALL[name]
        gan = made_by("scheme", config.scheme)(config)
        saving.save(gan, tmp_path / "1")
        own = read_interface(str(tmp_path / "1"))
        (tmp_path / "1" / saved.INTERFACE).unlink()
        older = read_interface(str(tmp_path / "1"))
        assert older.format == OLDER
        assert (older.drawing(), older.drawing(truncated=True)) == (own.drawing(), own.drawing(truncated=True))
        if own.task == "generate":
            assert older.task == own.task
        for key in own.signatures.keys() - {"interface"}:
            for ours, theirs in (
                (own.signatures[key].inputs, older.signatures[key].inputs),
                (own.signatures[key].outputs, older.signatures[key].outputs),
            ):
                assert told(ours) == told(theirs)
                assert {each: ours[each].role for each in ours} == {each: theirs[each].role for each in theirs}, key
                assert {each: ours[each].kind for each in ours} == {each: theirs[each].kind for each in theirs}, key
                assert {each: ours[each].range for each in ours} == {each: theirs[each].range for each in theirs}, key

    def test_a_model_of_others_has_roles_that_nobody_knows(self):
        plain = {"x": TensorInfo("float32", (None, 1))}
        found = derived({"half": (plain, {"y": TensorInfo("string", (None,))})})
        assert found.signatures["half"].inputs["x"].role == "other"
        assert found.signatures["half"].outputs["y"].kind == "text"
        assert found.drawing() is None
        assert found.inputs == {}

    def test_a_spoilt_or_newer_file_is_named(self, tmp_path):
        config = ALL["ring-restoration"]
        saving.save(made_by("scheme", config.scheme)(config), tmp_path / "1")
        file = tmp_path / "1" / saved.INTERFACE
        file.write_text(json.dumps(json.loads(file.read_text()) | {"format": FORMAT + 1}))
        with pytest.raises(
            ValueError, match=re.escape(f"{file}: this ganworks reads interfaces up to format {FORMAT}")
        ):
            read_interface(str(tmp_path / "1"))
        shutil.rmtree(tmp_path / "1")
        with pytest.raises(ValueError, match=r"a model is a folder with saved_model\.pb"):
            read_interface(str(tmp_path / "1"))


class TestNames:
    def named(self, *names):
        config = ALL["classes"]
        gan = made_by("scheme", config.scheme)(config)
        return Sampler(gan.samplers(), config, gan.judges(), names)

    def test_the_signature_and_the_file_know_them(self):
        exported = self.named("ant", "bee", "cat")
        assert exported.interface.classes == ("ant", "bee", "cat")
        answer = exported.signatures()["interface"](row=tf.constant([0], tf.int64))["interface"].numpy()[0]
        assert Interface.from_json(answer).classes == ("ant", "bee", "cat")

    def test_a_name_for_each_class(self):
        with pytest.raises(ValueError, match="each of the 3 classes has a name; received 2 names"):
            self.named("ant", "bee")

    @pytest.mark.parametrize(
        ("classes", "text", "number"),
        [
            (("ant", "bee", "cat"), "bee", 1),
            (("ant", "bee", "cat"), "2", 2),
            (("3", "7"), "7", 1),
            (("0", "1", "2"), "2", 2),
            ((), "5", 5),
        ],
    )
    def test_a_class_is_found_by_name_or_number(self, classes, text, number):
        assert Interface(task="generate", classes=classes, signatures={}).label(text) == number

    @pytest.mark.parametrize(
        ("classes", "text", "message"),
        [
            (("ant", "bee"), "bea", r"by a name or a number from 0 to 1; received bea; did you mean bee\?"),
            (("ant", "bee"), "2", "by a name or a number from 0 to 1; received 2; choose from ant, bee"),
            (("ant", "bee"), "-1", "from 0 to 1; received -1"),
            ((), "bee", "a class is given by a number; received bee"),
        ],
    )
    def test_another_is_refused(self, classes, text, message):
        with pytest.raises(ValueError, match=message):
            Interface(task="generate", classes=classes, signatures={}).label(text)


class TestFiles:
    """`from_bytes`: files in, files out."""

    PIXELS = np.random.default_rng(0).integers(0, 256, (20, 24, 4), np.uint8)

    def ask(self, config, *files):
        function = sampler(config).signatures()["from_bytes"]
        made = function(image_bytes=tf.constant(list(files)))["image_bytes"].numpy()
        return [tf.io.decode_png(each).numpy().astype(int) for each in made]

    def test_any_size_comes_back_as_it_is_each_alone(self):
        pixels = self.PIXELS[..., :3]
        files = [tf.io.encode_png(pixels).numpy(), tf.io.encode_png(pixels[:7, :5]).numpy()]
        first, second = self.ask(ALL["restores any size"], *files)
        np.testing.assert_array_equal(first, 255 - pixels.astype(int))
        np.testing.assert_array_equal(second, first[:7, :5])

    def test_scaled(self):
        (made,) = self.ask(ALL["doubles any size"], tf.io.encode_png(self.PIXELS[..., :3]).numpy())
        np.testing.assert_array_equal(made[::2, ::2], 255 - self.PIXELS[..., :3].astype(int))

    def test_one_size_is_fitted_and_answers_as_pixels_do(self):
        square = self.PIXELS[2:18, 3:19, :1]
        exported = sampler(ALL["restores"]).signatures()
        (made,) = self.ask(ALL["restores"], tf.io.encode_png(square).numpy())
        pixels = exported["serving_default"](image=tf.constant(square[None] / 255, tf.float32))["image"].numpy()
        np.testing.assert_allclose(made[None], pixels * 255, atol=0.51)
        assert self.ask(ALL["restores"], tf.io.encode_png(self.PIXELS).numpy())[0].shape == (16, 16, 1)

    def test_channels_are_converted_and_what_is_transparent_lies_on_white(self):
        """If this fails, a logo with a transparent ground comes back as noise."""
        grey, clear = self.PIXELS[..., :1], self.PIXELS.copy()
        clear[..., 3] = 0
        made = self.ask(ALL["restores any size"], *(tf.io.encode_png(each).numpy() for each in (grey, clear)))
        np.testing.assert_array_equal(made[0], np.repeat(255 - grey.astype(int), 3, axis=-1))
        np.testing.assert_array_equal(made[1], np.zeros([20, 24, 3]))
        jpeg = tf.io.encode_jpeg(np.full([9, 9, 3], 200, np.uint8)).numpy()
        assert np.abs(self.ask(ALL["restores any size"], jpeg)[0] - 55).max() <= 2

    @pytest.mark.parametrize(("name", "limit"), [("restores", 64_000_000), ("restores any size", 2**22)])
    def test_what_claims_more_pixels_than_the_limit_is_refused_before_it_is_decoded(self, name, limit):
        """If this fails, a file of 100 bytes takes the server's memory."""
        png, jpeg = (write(self.PIXELS[..., :3]).numpy() for write in (tf.io.encode_png, tf.io.encode_jpeg))
        # PNG, sections 5.3 and 11.2.2: the sizes and their CRC; JPEG, B.2.2: height and width of the frame
        header = b"IHDR" + struct.pack(">II", 50_000, 50_000) + png[24:29]
        of_png = png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
        frame = jpeg.index(b"\xff\xc0") + 5
        of_jpeg = jpeg[:frame] + struct.pack(">HH", 50_000, 50_000) + jpeg[frame + 4 :]
        serve = sampler(ALL[name]).signatures()["from_bytes"]
        for file in (of_png, of_jpeg):
            assert len(file) < 3_000
            with pytest.raises(tf.errors.InvalidArgumentError, match=rf"at most {limit} pixels; .*50000 x 50000"):
                serve(image_bytes=tf.constant([file]))

    def test_the_limit_is_that_of_the_data(self):
        config = ALL["restores any size"]
        small = config.override([f"data.pixel_limit={20 * 24 - 1}"])
        file = tf.io.encode_png(self.PIXELS[..., :3]).numpy()
        assert self.ask(config.override([f"data.pixel_limit={20 * 24}"]), file)[0].shape == (20, 24, 3)
        with pytest.raises(tf.errors.InvalidArgumentError, match="at most 479 pixels"):
            self.ask(small, file)

    def test_what_is_no_whole_image_is_an_error_of_the_request(self):
        png, jpeg = (write(self.PIXELS[..., :3]).numpy() for write in (tf.io.encode_png, tf.io.encode_jpeg))
        serve = sampler(ALL["restores any size"]).signatures()["from_bytes"]
        for file in (b"", b"no image", b"GIF89a" + bytes(30), png[:20]):
            with pytest.raises(tf.errors.InvalidArgumentError, match="an image is a whole PNG or JPEG file"):
                serve(image_bytes=tf.constant([file]))
        for file in (png[: len(png) // 2], jpeg[: len(jpeg) // 2], jpeg[:10]):
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"Invalid (PNG|JPEG) data"):
                serve(image_bytes=tf.constant([file]))
