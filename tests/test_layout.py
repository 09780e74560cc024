"""The house: which package may import which, and how long a file may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("models", "components", "pipeline", "serving", "benchmarks")
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
MAX_LINES = 350

ALLOWED = {
    "models": {"models"},
    "components": {"models", "components"},
    "pipeline": {"models", "components", "pipeline", "serving"},
    "serving": {"models.config", "models.catalog", "models.fit", "models.frozen", "serving"},
}
"""Our own packages or modules that a package may import."""

FORBIDDEN = {"models": {"tfx", "apache_beam", "ml_metadata", "kfp"}, "serving": {"tfx", "apache_beam"}}


def imports(file: Path) -> set[str]:
    """The dotted names that a file imports, at any depth of it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, parents: set[str]) -> bool:
    """Whether a dotted name is one of these, or below one."""
    return any(f"{name}.".startswith(f"{parent}.") for parent in parents)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
class TestFile:
    def test_imports_point_one_way(self, file):
        package = file.relative_to(ROOT).parts[0]
        if package not in ALLOWED:
            return
        ours = {name for name in imports(file) if name.split(".")[0] in PACKAGES}
        assert not {name for name in ours if not within(name, ALLOWED[package])}

    def test_the_science_knows_no_orchestrator(self, file):
        package = file.relative_to(ROOT).parts[0]
        assert not {name for name in imports(file) if within(name, FORBIDDEN.get(package, set()))}

    def test_is_short(self, file):
        assert len(file.read_text().splitlines()) <= MAX_LINES

    def test_a_package_does_nothing_when_imported(self, file):
        if file.name == "__init__.py":
            assert all(isinstance(node, ast.Expr) for node in ast.parse(file.read_text()).body)


def test_finds_what_is_forbidden(tmp_path):
    file = tmp_path / "late.py"
    file.write_text("def f():\n    from tfx.types import Channel\n    import pipeline.cli\n")
    assert imports(file) == {"tfx.types.Channel", "pipeline.cli"}
    assert within("tfx.types.Channel", FORBIDDEN["models"])
    assert not within("tfxlike", FORBIDDEN["models"])
