"""A model that is given the kernel of each picture, exported untrained: it is then Wiener's filter of that kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.config import DeconvolutionTranslator
from models.config.variants import made_by
from models.degradations import degrade, kernels_of
from models.export import saving
from models.export.card import card
from models.export.interface import FORMAT, MAIN, Interface
from models.export.reading import read_interface
from models.randomness import key
from tests.translators import told_deblurrer

SIDE, REACH = 9, 4
BLUR = {"motion_blur": float(SIDE), "noise": 0.02}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    keras.utils.set_random_seed(0)
    network = DeconvolutionTranslator(kernel="given", side=SIDE, support=21, width=2, blocks=1)
    config = told_deblurrer(generator=network, degradations=BLUR, margin=REACH)
    saving.save(made_by("scheme", config.scheme)(config), folder := tmp_path_factory.mktemp("model") / "1")
    return str(folder)


@pytest.fixture(scope="module")
def model(directory):
    return tf.saved_model.load(directory)


@pytest.fixture(scope="module")
def scene():
    """Patches of flat colours, blurred each by a kernel of its own, as served; the truth, and the kernels."""
    random = np.random.default_rng(0)
    truth = np.full([4, 64, 64, 3], 0.0, np.float32)
    for picture in truth:
        for _ in range(30):
            top, left = random.integers(0, 60, 2)
            picture[top : top + random.integers(4, 24), left : left + random.integers(4, 24)] = random.uniform(-1, 1, 3)
    within = key(0, 0, "test")
    soft = degrade(tf.constant(truth), BLUR, within, judged=True).numpy().clip(-1, 1)
    kernels = kernels_of(BLUR, within, 4, judged=True).numpy()
    return (soft + 1) / 2, (truth[:, REACH:-REACH, REACH:-REACH] + 1) / 2, kernels


def psnr(found, truth):
    inside = slice(REACH, -REACH)
    return -10 * np.log10(((found - truth)[:, inside, inside] ** 2).mean(axis=(1, 2, 3)))


def of_pixels(model, soft, kernels):
    return model.signatures[MAIN](image=tf.constant(soft), kernel=tf.constant(kernels))["image"].numpy()


def of_files(model, soft, kernels):
    files = [tf.io.encode_png(np.rint(255 * each).astype(np.uint8)) for each in soft]
    made = model.signatures["from_bytes"](image_bytes=tf.stack(files), kernel=tf.constant(kernels))["image_bytes"]
    return np.stack([tf.io.decode_png(each).numpy() / 255 for each in made.numpy()])


@pytest.mark.parametrize("ask", [of_pixels, of_files])
def test_the_right_kernel_sharpens_and_another_one_does_worse(ask, model, scene):
    """If this fails, a served restorer does not look at the kernel, or at that of another picture."""
    soft, truth, kernels = scene
    before, right = psnr(soft, truth), psnr(ask(model, soft, kernels), truth)
    assert (right > before + 2).all()
    for wrong in (kernels[[1, 2, 3, 0]], np.rot90(kernels, axes=(1, 2)).copy()):
        assert (right > psnr(ask(model, soft, wrong), truth) + 1).all()


def test_a_picture_is_restored_by_its_own_kernel_whatever_is_beside_it(model, scene):
    soft, _, kernels = scene
    together = of_pixels(model, soft, kernels)
    for row in range(len(soft)):
        one = slice(row, row + 1)
        np.testing.assert_allclose(of_pixels(model, soft[one], kernels[one]), together[one], atol=1e-4)


@pytest.mark.parametrize("ask", [of_pixels, of_files])
@pytest.mark.parametrize("spoil", [lambda k: -k, lambda k: 2 * k, lambda k: k * np.nan, lambda k: 0 * k])
def test_what_is_no_kernel_is_refused_in_one_line(ask, spoil, model, scene):
    """If this fails, a client that forgot to divide by the sum is answered with a wrong picture."""
    soft, _, kernels = scene
    spoilt = np.concatenate([kernels[:1], spoil(kernels[1:2])])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a kernel has values of at least 0, whose sum is 1; r"):
        ask(model, soft[:2], spoilt)


def test_the_interface_says_what_the_kernel_is(directory):
    told = read_interface(directory)
    assert told.format == FORMAT == 2
    for name in (MAIN, "from_bytes"):
        kernel = told.signatures[name].inputs["kernel"]
        assert (kernel.role, kernel.kind, kernel.dtype) == ("kernel", "number", "float32")
        assert kernel.shape == (None, SIDE, SIDE)
        assert kernel.range == (0, 1)
    assert told.halo == 2 * 1 + 9 + 10
    assert "kernel" not in told.signatures["interface"].inputs


def test_the_card_says_what_the_kernel_is(directory):
    text = card(directory)
    assert "image float32 [batch, any, any, 3], kernel float32 [batch, 9, 9]" in text
    assert "| `kernel` | what the example was blurred by: what a point of light becomes; at least 0, of sum 1 |" in text


def test_an_interface_of_the_first_format_is_read():
    """If this fails, models that stand at users' are served no longer. Written by hand, as format 1 was."""
    image = '"image": {"role": "%s", "kind": "image", "dtype": "float32", "shape": [null, null, null, 3]}'
    taken, given = image % "input", image % "target"
    text = (
        '{"format": 1, "task": "restore", "size_multiple": 1, "halo": 15, "signatures": {"serving_default": '
        f'{{"about": "gives", "inputs": {{{taken}}}, "outputs": {{{given}}}}}}}}}'
    )
    found = Interface.from_json(text)
    assert (found.format, found.halo, found.signatures[MAIN].roles) == (1, 15, {"input"})
    assert Interface.from_json(found.to_json()) == found
