"""Parts of a user's own that could not be made are refused before anything is imported that takes long."""

import sys

import pytest

from components.own_parts import check_own_parts
from models.config import Experiment

PARTS = """
from typing import ClassVar
from models.config import DCGANDiscriminator, DCGANGenerator

class Mine(DCGANGenerator):
    implementation: ClassVar[str] = "{package}.made:{name}"
    name: str

class Judge(DCGANDiscriminator):
    implementation: ClassVar[str] = "{package}.made:{name}"
    name: str
"""
MADE = """
import nothing_that_is_installed
from elsewhere import borrowed

def build(variant, data): ...
def more(variant, data, extra=1, *, option=2, **others): ...
def none(): ...
def demanding(variant, data, codes): ...
def other(variant, data, number): ...
def named(variant, data, *, codes=0): ...
def needs(variant, data, *, option): ...
@borrowed
def changed(): ...
class Player: ...
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Makes an experiment with a player of a package of its own, which is made by what is named."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    def make(player, name, made=MADE):
        package = f"shop{len(list(tmp_path.iterdir()))}_{tmp_path.name}".replace("-", "_")
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "parts.py").write_text(PARTS.format(package=package, name=name))
        if made is not None:
            (tmp_path / package / "made.py").write_text(made)
        part = f"{package}.parts:{'Mine' if player == 'generator' else 'Judge'}"
        tree = {"name": "own", "data": {"resolution": 16}, "scheme": {player: part}, "training": {"steps": 1}}
        return Experiment.parse(tree)

    return make


@pytest.mark.parametrize(
    ("player", "name"),
    [
        *(("generator", name) for name in ("build", "more", "changed", "Player", "borrowed")),
        *(("discriminator", name) for name in ("more", "demanding", "named", "changed")),
    ],
)
def test_what_can_be_called_passes(own, player, name):
    """What a module has from elsewhere, or changes by a decorator, is known once it is imported."""
    check_own_parts(own(player, name))


@pytest.mark.parametrize(
    ("player", "name", "message"),
    [
        ("generator", "none", r"a generator is called with \(variant, data\); shop.*made:none takes \(\)$"),
        ("generator", "demanding", r"called with \(variant, data\); .* takes \(variant, data, codes\)$"),
        ("generator", "needs", r"takes \(variant, data, \*, option\)$"),
        ("discriminator", "build", r"called with \(variant, data, \*, codes\); .* takes \(variant, data\)$"),
        ("discriminator", "other", r"takes \(variant, data, number\)$"),
        ("generator", "gone", r"what makes the generator shop.*:Mine is shop.*made:gone, and shop.*made has no gone$"),
    ],
)
def test_what_cannot_is_refused_in_one_line(own, player, name, message):
    with pytest.raises(ValueError, match=message) as caught:
        check_own_parts(own(player, name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("made", "message"), [(None, r"there is no module shop.*\.made$"), ("def build(:\n", "made is no Python: invalid")]
)
def test_a_module_that_cannot_be_had(own, made, message):
    with pytest.raises(ValueError, match=message) as caught:
        check_own_parts(own("generator", "build", made))
    assert "\n" not in str(caught.value)
