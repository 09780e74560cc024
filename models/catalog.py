"""The parts that an experiment can name: one line each, `name: "module:function"`.

A line is plain text so that names can be checked without importing TensorFlow; `lookup` imports what it names.
To add a part, write its function and add its line: tests/test_catalog.py tests every line.
"""

import difflib
import importlib
from typing import Any

OBJECTIVES = {
    "non_saturating": "models.objectives:non_saturating",
}

PENALTIES = {
    "r1": "models.penalties:r1",
}

NETWORKS = {
    "dcgan": "models.networks.dcgan:DCGAN",
}

GANS = {
    "adversarial": "models.gans.adversarial:AdversarialGAN",
}

KINDS = {"objective": OBJECTIVES, "penalty": PENALTIES, "network": NETWORKS, "gan": GANS}


def require(kind: str, name: str) -> str:
    """The catalog's line of this name.

    Raises:
        ValueError: there is no such name; the message names the near miss and the choices.
    """
    names = KINDS[kind]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(sorted(names))}"
        raise ValueError(f"{name} is no {kind} of the catalog; {hint}")
    return names[name]


def lookup(kind: str, name: str) -> Any:
    """Imports and returns what the catalog names. Raises ValueError like `require`."""
    module, _, attribute = require(kind, name).partition(":")
    return getattr(importlib.import_module(module), attribute)
