"""The digest of code: it changes with what is computed, and with nothing else."""

import sys

import pytest

from models import catalog
from models.digests import closure

SOURCES = {
    "used.py": """
LIMIT = 3

def helper(x):
    return min(x, LIMIT)

def unused(x):
    return x
""",
    "again.py": "from shed.used import helper as helper\n",
    "entry.py": """
from shed import others
from shed.again import helper

def run(x):
    from shed.late import late
    return late(helper(others.first(x)))
""",
    "others.py": """
def first(x):
    return x

def second(x):
    return x
""",
    "late.py": "def late(x):\n    return x\n",
}


@pytest.fixture
def shed(tmp_path, monkeypatch):
    """A package of its own, taken for one of ours; gives a function that changes a file and digests anew."""
    folder = tmp_path / "shed"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(closure, "OURS", ("shed",))

    def digest(change=("entry.py", "", ""), entries=("shed.entry",), lines=()):
        for cached in (closure._texts, closure._module, closure._file):
            cached.cache_clear()
        name, before, after = change
        for file, text in SOURCES.items():
            assert file != name or before in text
            (folder / file).write_text(text.replace(before, after, 1) if file == name else text)
        return closure.digest(entries, lines)

    yield digest
    for cached in (closure._texts, closure._module, closure._file):
        cached.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        ("used.py", "min", "max"),
        ("used.py", "LIMIT = 3", "LIMIT = 4"),
        ("others.py", "return x", "return 2 * x"),
        ("late.py", "return x", "return 2 * x"),
        ("again.py", "helper as helper", "unused as helper"),
        ("late.py", "def late", "print('imported')\n\ndef late"),
    ],
    ids=lambda change: f"{change[0]}: {change[1]}",
)
def test_it_changes_with_what_is_computed(shed, change):
    assert shed(change) != shed()


@pytest.mark.parametrize(
    "change",
    [
        ("used.py", "LIMIT = 3", "# as many as there are\nLIMIT = 3"),
        ("used.py", "def helper(x):", 'def helper(x):\n    """Bounds it."""'),
        ("used.py", "def unused(x):\n    return x", "def unused(x):\n    return 7"),
        ("others.py", "def second", "def third(x):\n    return 3\n\ndef second"),
    ],
    ids=lambda change: f"{change[0]}: {change[2]}",
)
def test_it_does_not_change_with_what_is_not_used(shed, change):
    assert shed(change) == shed()


def test_a_line_stands_for_its_function_alone(shed):
    line = {"entries": (), "lines": ("shed.others:first",)}
    assert shed(("others.py", "def second(x):\n    return x", "def second(x):\n    return 2"), **line) == shed(**line)
    assert shed(("others.py", "return x", "return 2 * x"), **line) != shed(**line)


def test_what_is_no_module_is_named(shed):
    with pytest.raises(ModuleNotFoundError, match=r"received shed\.none"):
        shed(entries=("shed.none",))
    with pytest.raises(ModuleNotFoundError, match=r"shed\.others defines no fourth"):
        shed(entries=(), lines=("shed.others:fourth",))


def test_every_line_of_the_catalog_has_a_closure():
    lines = {line for names in catalog.KINDS.values() for line in names.values()}
    empty = {line for line in lines if not closure.closure((), (line,))}
    assert lines
    assert not empty


def test_an_objective_knows_no_other():
    found = closure.closure((), ("models.objectives:hinge",))
    assert ("models.objectives", "hinge") in found
    assert ("models.objectives", "wasserstein") not in found
    assert not [module for module, _ in found if module.startswith(("models.config", "models.catalog"))]
