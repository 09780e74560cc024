"""Every scheme of the catalog, and one of the user's own, passes `check_scheme`."""

import pytest

from models.catalog import SCHEMES
from tests.harness import experiment as of_images
from tests.harness.schemes import check_scheme
from tests.models.gans.test_lapgan import pyramid
from tests.models.gans.tiny import experiment
from tests.translators import deblurrer, enlarger, paired, told_deblurrer

LEVELS = "tests.models.gans.levels:TwoLevels"
SHORT = {"steps": 4, "steps_per_call": 2, "health": {"check_every_steps": 2}}
EVERY = {
    "adversarial": of_images(training=SHORT),
    "several updates": experiment(training=SHORT, discriminator_steps=2, generator_steps=3),
    "cycle": experiment("cycle", training=SHORT, pool_size=12),
    "restoration": experiment(
        "restoration", training=SHORT, degradations={"noise": 0.4}, pretraining={"steps": 3, "batch_size": 4}
    ),
    "pix2pix": paired(training=SHORT, norm="batch"),
    "super-resolution": enlarger(2, training=SHORT),
    "supervised": enlarger(2, training=SHORT, adversarial_weight=0),
    "deconvolution": deblurrer(training=SHORT),
    "deconvolution, kernels given": told_deblurrer(training=SHORT),
    "lapgan": pyramid(training=SHORT),
    "lapgan in turn": pyramid(training=SHORT, coarse_steps=3),
    "levels": experiment(LEVELS, training=SHORT | {"generator_optimizer": {"name": "adam"}}),
}
DEFAULT = ("restoration", "supervised")
"""Those that run among the default tests."""


@pytest.mark.parametrize(
    "name", [name if name in DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in EVERY]
)
def test_passes_all_checks_of_a_scheme(name, tmp_path):
    # tests/models/training/test_parity.py trains every scheme of the catalog on two devices, and by two processes
    check_scheme(EVERY[name], tmp_path, processes=EVERY[name].scheme.name not in SCHEMES)


def test_covers_the_catalog():
    assert set(SCHEMES) <= {each.scheme.name for each in EVERY.values()}
