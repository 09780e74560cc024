"""Experiments in files: YAML or JSON, as `ganworks show` prints them; what is wrong is named with its line."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from models.config import Experiment
from models.config.frozen import one_line, path_of

SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 2**20
"""The largest file that is read, bytes: no experiment is as long."""


def is_file(name: str) -> bool:
    """True where a name of the command line is that of a file."""
    return name.endswith(SUFFIXES)


def load(path: Path) -> Experiment:
    """Reads an experiment. Parts of the user's own are looked for beside the file, too.

    Args:
        path: of a YAML or JSON file.

    Raises:
        ValueError: there is no such file, it is no YAML, or no experiment; one line with the file, and with line and
            column where these are known.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"an experiment's file has at most {MAX_BYTES:,} bytes; {path} has more")
    root, tree = _parsed(path, content)
    if not isinstance(tree, dict) or not tree.keys() & Experiment.model_fields.keys():
        raise ValueError(f"an experiment has fields, name, data and training at least; {path} has none")
    _make_importable(path.absolute().parent)
    try:
        return Experiment.model_validate(tree)
    except ValidationError as error:
        place = _place(root, path_of(error.errors()[0]))
        raise ValueError(f"{path}:{place}: {one_line(Experiment, error)}") from None


def _parsed(path: Path, content: bytes) -> tuple[yaml.Node | None, Any]:
    """The nodes of a file, which know their lines, and its plain values."""
    try:
        text = content.decode()
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError(f"{path}:{_at(event.start_mark)}: an experiment's file has no aliases; received one")
        node = yaml.compose(text, yaml.SafeLoader)
        _check_keys(path, node)
        return node, yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise ValueError(f"an experiment's file is UTF-8; {path} is not: byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        place = f":{_at(error.problem_mark)}" if error.problem_mark else ""
        raise ValueError(f"{path}{place}: an experiment is written as YAML or JSON; {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path}: an experiment is written as YAML or JSON; {reason}") from None


def _check_keys(path: Path, node: yaml.Node | None) -> None:
    """Raises ValueError for a field that stands twice, of which YAML would take the last."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise ValueError(f"{path}:{_at(key.start_mark)}: {key.value} stands here a second time")
            seen.add(key.value)
            _check_keys(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _check_keys(path, each)


def _place(node: yaml.Node | None, path: Sequence[str | int]) -> str:
    """Line and column of a field, or of the nearest field around it that is there."""
    mark = node.start_mark if node else None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        else:
            break
    return _at(mark) if mark else "1:1"


def _at(mark: yaml.Mark) -> str:
    return f"{mark.line + 1}:{mark.column + 1}"


def _make_importable(folder: Path) -> None:
    """Lets modules of a folder be imported, after all others: parts are imported when they are used."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
