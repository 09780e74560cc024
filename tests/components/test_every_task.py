"""Every task of the catalog passes `check_task`, on images and on points."""

import pytest

from models.catalog import TASKS
from models.config import Separated, SRResNetTranslator
from tests.harness import experiment
from tests.harness.tasks import check_task
from tests.models.gans import tiny
from tests.translators import deblurrer, enlarger, paired, restorer, told_deblurrer, translator

SEPARATED = Separated(source="folder:pairs", resolution=16, channels=1)
EVERY = {
    "generate": experiment(),
    "generate points": tiny.experiment(),
    "translate": translator(),
    "translate points": tiny.experiment("cycle"),
    "translate pairs": paired(),
    "translate separated pairs": translator().model_copy(update={"data": SEPARATED}),
    "restore": restorer(),
    "super-resolution": enlarger(2),
    "super-resolution by 4": enlarger(4),
    "deconvolution": deblurrer(),
    "deconvolution, kernels given": told_deblurrer(),
    "deconvolution, unknown kernels": deblurrer(
        generator=SRResNetTranslator(scale=1, width=4, blocks=1), degradations={"gaussian_blur": 5, "noise": 0.02}
    ),
    "restore points": tiny.experiment("restoration", degradations={"noise": 0.4}),
}


@pytest.mark.parametrize("name", EVERY)
def test_passes_all_checks_of_a_task(name, tmp_path):
    check_task(EVERY[name], tmp_path)


def test_covers_the_catalog():
    assert set(TASKS) <= {each.scheme.task for each in EVERY.values()}
