import json
import sys

import pytest

from models.config import Experiment
from models.config.variants import made_by, own_parts
from tests.models.config.small import IMAGES, refused

OWN = '''
from typing import ClassVar

from models.config import DCGANDiscriminator, NoiseGenerator


class Wide(NoiseGenerator):
    """A generator of one's own."""

    implementation: ClassVar[str] = "my_networks:make"
    breadth: int = 3


class Silent(NoiseGenerator):
    """It does not say what makes it."""


def make(variant, data):
    """What makes it."""
    return variant.breadth
'''


class TestOwnParts:
    @pytest.fixture(autouse=True)
    def module(self, tmp_path, monkeypatch):
        (tmp_path / "my_networks.py").write_text(OWN)
        (tmp_path / "my_broken.py").write_text("raise RuntimeError('not today')\n")
        monkeypatch.syspath_prepend(tmp_path)
        yield
        sys.modules.pop("my_networks", None)

    def test_is_named_by_where_it_lies_and_has_fields_of_its_own(self):
        experiment = IMAGES.override(["scheme.generator.name=my_networks:Wide", "scheme.generator.breadth=5"])
        generator = experiment.scheme.generator
        assert (type(generator).__name__, generator.breadth, generator.width) == ("Wide", 5, 64)
        assert made_by("generator", generator)(generator, experiment.data) == 5
        assert own_parts(experiment) == ["my_networks:Wide"]
        assert own_parts(IMAGES) == []

    def test_survives_json_and_key(self):
        experiment = IMAGES.override(["scheme.generator.name=my_networks:Wide", "scheme.generator.breadth=5"])
        assert Experiment.from_json(experiment.to_json()) == experiment
        assert Experiment.from_json(experiment.key()) == experiment
        assert json.loads(experiment.key())["scheme"]["generator"] == {"name": "my_networks:Wide", "breadth": 5}

    def test_its_fields_are_changed_and_dropped_like_those_of_the_catalog(self):
        experiment = IMAGES.override(["scheme.generator=my_networks:Wide"]).override(["scheme.generator.breadth=7"])
        assert experiment.scheme.generator.breadth == 7
        assert experiment.override(["scheme.generator.name=dcgan"]).scheme == IMAGES.scheme

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("my_nowhere:Wide", "my_nowhere:Wide cannot be imported as a generator: ModuleNotFoundError: No module"),
            ("my_networks:Wid", "my_networks:Wid cannot be imported as a generator: AttributeError: .*no attribute"),
            ("my_broken:Wide", "my_broken:Wide cannot be imported as a generator: RuntimeError: not today$"),
            ("my_networks:make", "a generator of your own is a class below .*NoiseGenerator; my_networks:make is none"),
            ("my_networks:DCGANDiscriminator", "below .*NoiseGenerator; my_networks:DCGANDiscriminator is none"),
            ("my_networks:Silent", "says in `implementation` what makes it; my_networks:Silent says nothing"),
            ("models.config:DCGANGenerator", "models is a package of ganworks, and hides one of your own"),
        ],
    )
    def test_what_is_no_variant_is_refused_in_one_line(self, name, message):
        refused(IMAGES, [f"scheme.generator.name={name}"], f"^scheme.generator: .*{message}")

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("breadh=5", r"breadh is no field.*; did you mean .*breadth\?"),
            ("breadth=wide", "breadth: .*integer.*; received 'wide'"),
        ],
    )
    def test_its_fields_are_refused_in_one_line(self, setting, message):
        settings = ["scheme.generator.name=my_networks:Wide", f"scheme.generator.{setting}"]
        refused(IMAGES, settings, f"^scheme.generator: {message}")

    def test_fits_the_data_and_the_other_player_like_those_of_the_catalog(self):
        own = "scheme.generator.name=my_networks:Wide"
        refused(IMAGES, [own, "scheme.generator.condition=embedding"], "needs data.classes of at least 2; received 0")
        refused(IMAGES, [own, "scheme.generator.condition=embedding", "data.classes=3"], "both players read the label")
