"""The experiment as a YAML file, each setting with its reason as a comment above it."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from pipeline.new.choosing import Choice, tree

WIDTH = 100


def to_yaml(choices: Sequence[Choice], head: Iterable[str]) -> str:
    """Writes settings as YAML.

    Args:
        choices: those without a value stand as a comment alone, where they would be.
        head: lines of the comment at the top.
    """
    fields = tree(list(choices))
    notes = _Notes(
        {choice.path: choice.reason for choice in choices if choice.value is not None},
        [(_place(choice.path, fields), choice.reason) for choice in choices if choice.value is None],
    )
    lines = [f"# {printable(line)}".rstrip() for line in head]
    for name, value in fields.items():
        if isinstance(value, dict):
            lines.append("")
        lines += _field(name, value, name, notes, "")
    return "\n".join(lines) + "\n"


class _Notes(NamedTuple):
    """What is said of settings: of those that are there by path, of others with the section they would be in."""

    reasons: Mapping[str, str]
    left_out: Sequence[tuple[str, str]]


def _place(path: str, fields: Mapping[str, Any]) -> str:
    """The innermost section that is there, of those that a setting would be in."""
    found, node = [], fields
    for name in path.split(".")[:-1]:
        if name not in node:
            break
        found.append(name)
        node = node[name]
    return ".".join(found)


def printable(text: str) -> str:
    """A text in one line: what would end a comment, or cannot be shown, is written as Python writes it."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _field(name: str, value: Any, path: str, notes: _Notes, indent: str) -> Iterator[str]:
    """The lines of a field and of those in it."""
    yield from _comment(notes.reasons.get(path, ""), indent)
    # a mapping that was chosen whole, such as a threshold, stands in one line
    if not isinstance(value, dict) or path in notes.reasons:
        yield f"{indent}{name}: {plain(value)}"
        return
    yield f"{indent}{name}:"
    inner = indent + "  "
    for key, each in value.items():
        yield from _field(key, each, f"{path}.{key}", notes, inner)
    for place, reason in notes.left_out:
        if place == path:
            yield from _comment(reason, inner)


def _comment(reason: str, indent: str) -> list[str]:
    if not reason:
        return []
    prefix = f"{indent}# "
    return textwrap.wrap(
        printable(reason),
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )


def plain(value: Any) -> str:
    """A value in one line."""
    # in double quotes, what is not printable is escaped instead of written as it is
    quoted = '"' if isinstance(value, str) and not value.isprintable() else None
    text = yaml.safe_dump(
        value, default_flow_style=True, default_style=quoted, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()
