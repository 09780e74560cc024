"""The house: which package may import which, and how long a file may be."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("models", "components", "pipeline", "serving", "benchmarks")
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
MAX_LINES = 350
RE_EXPORTS = ROOT / "models" / "config" / "__init__.py"
"""The one package that holds more than its docstring: the configuration is imported from one place."""

ALLOWED = {
    "models": {"models"},
    "components": {"models", "components", "serving"},
    "pipeline": {"models", "components", "pipeline", "serving"},
    "serving": {
        *("models.config", "models.catalog", "models.export.interface", "models.export.reading"),
        *("models.export.saved", "serving"),
    },
}
"""Our own packages or modules that a package may import."""

FORBIDDEN = {"models": {"tfx", "apache_beam", "ml_metadata", "kfp"}, "serving": {"tfx", "apache_beam"}}


@functools.cache
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


def package_of(file: Path) -> str:
    """The package that a file belongs to."""
    return file.relative_to(ROOT).parts[0]


def test_imports_point_one_way():
    offenders = {
        (str(file.relative_to(ROOT)), name)
        for file in FILES
        if (package := package_of(file)) in ALLOWED
        for name in imports(file)
        if name.split(".")[0] in PACKAGES and not within(name, ALLOWED[package])
    }
    assert not offenders


def test_the_science_knows_no_orchestrator():
    offenders = {
        (str(file.relative_to(ROOT)), name)
        for file in FILES
        for name in imports(file)
        if within(name, FORBIDDEN.get(package_of(file), set()))
    }
    assert not offenders


def test_files_are_short():
    files = [*FILES, *(ROOT / "tests").rglob("*.py")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert len(lengths) > 100
    # a line a part, whose number is that of the parts
    del lengths["models/catalog.py"]
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_LINES}


def test_a_package_does_nothing_when_imported():
    packages = [file for file in FILES if file.name == "__init__.py"]
    offenders = {
        str(file.relative_to(ROOT))
        for file in packages
        if not all(harmless(node, reexports=file == RE_EXPORTS) for node in ast.parse(file.read_text()).body)
    }
    assert RE_EXPORTS in packages
    assert not offenders


def harmless(node: ast.stmt, *, reexports: bool) -> bool:
    """Whether a statement of a package does nothing: a docstring, or what re-exports where that is allowed."""
    if isinstance(node, ast.Assign):
        return reexports and [ast.unparse(target) for target in node.targets] == ["__all__"]
    return isinstance(node, ast.Expr) or (reexports and isinstance(node, ast.ImportFrom))


def test_finds_what_is_forbidden(tmp_path):
    file = tmp_path / "late.py"
    file.write_text("def f():\n    from tfx.types import Channel\n    import pipeline.cli\n")
    assert imports(file) == {"tfx.types.Channel", "pipeline.cli"}
    assert within("tfx.types.Channel", FORBIDDEN["models"])
    assert not within("tfxlike", FORBIDDEN["models"])
