"""A hash of our own source, so that a pipeline's cache knows when code has changed."""

import hashlib
import importlib.util
from pathlib import Path


def code_hash(*names: str) -> str:
    """Hashes the Python files of modules and packages, without importing them.

    TFX keys its cache by inputs and properties, not by an executor's code; a component passes this as a property.

    Args:
        names: dotted names; a package stands for every .py and template file below it.

    Returns:
        The SHA-256 of their paths and contents, 16 hexadecimal digits.

    Raises:
        ModuleNotFoundError: a name is no module.
    """
    digest = hashlib.sha256()
    for name in sorted(names):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"code_hash takes importable names; received {name}")
        origin = Path(spec.origin)
        files = [origin] if origin.name != "__init__.py" else sorted(_sources(origin.parent))
        for file in files:
            digest.update(f"{name}/{file.relative_to(origin.parent)}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _sources(package: Path) -> list[Path]:
    return [file for file in package.rglob("*") if file.suffix in {".py", ".html", ".css", ".jinja"}]
