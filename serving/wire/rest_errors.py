"""JSON that cannot be read, told in the words of the parser that TF Serving uses."""

import json
import re
from typing import Any

from serving.wire.errors import ServingError, invalid

MAX_DESCRIBED = 256
"""Characters after which a value in an error text is cut."""

_WORDS = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Illegal trailing comma before end of object": "Missing a name for object member.",
    "Illegal trailing comma before end of array": "Invalid value.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid control character at": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
}
_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def parse_error(message: str, offset: int | None = None) -> ServingError:
    """INVALID_ARGUMENT with the parser's words, and the place in bytes where it is known."""
    where = "" if offset is None else f" at offset: {offset}"
    return invalid(f"JSON Parse error: {message}{where}")


def from_decoder(error: json.JSONDecodeError) -> ServingError:
    """Translates what Python's decoder says."""
    offset = len(error.doc[: error.pos].encode("utf-8", "surrogatepass"))
    if error.msg == "Expecting ',' delimiter":
        kind = "} after an object member" if _in_object(error.doc[: error.pos]) else "] after an array element"
        return parse_error(f"Missing a comma or {kind}.", offset)
    if not error.doc[error.pos :].strip() and not error.doc.strip():
        return parse_error("The document is empty.", offset)
    return parse_error(_WORDS.get(error.msg, "Invalid value."), offset)


def _in_object(text: str) -> bool:
    """True where the end of a text is inside an object rather than an array."""
    opened = []
    for mark in _MARK.findall(text):
        if mark in "[{":
            opened.append(mark)
        elif mark in "]}" and opened:
            opened.pop()
    return bool(opened) and opened[-1] == "{"


def describe(value: Any) -> str:
    """A parsed value as JSON text, cut where it is long; for error texts."""
    parts: list[str] = []
    _describe(value, parts, indent=0)
    return "".join(parts)


def _describe(value: Any, parts: list[str], indent: int) -> None:
    if isinstance(value, dict) and value:
        parts.append("{\n")
        for place, (name, each) in enumerate(value.items()):
            if _full(parts):
                return
            parts.append(",\n" * bool(place) + " " * (indent + 4) + json.dumps(name, ensure_ascii=False) + ": ")
            _describe(each, parts, indent + 4)
        parts.append("\n" + " " * indent + "}")
    elif isinstance(value, list):
        parts.append("[")
        for place, each in enumerate(value):
            if _full(parts):
                return
            parts.append(", " * bool(place))
            _describe(each, parts, indent)
        parts.append("]")
    else:
        text = json.dumps(value, ensure_ascii=False)
        parts.append(text[: MAX_DESCRIBED + 2])


def _full(parts: list[str]) -> bool:
    return sum(map(len, parts)) >= MAX_DESCRIBED


def kind(value: Any) -> str:
    """The name of a parsed value's JSON type, as TF Serving's parser calls it."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return str(value)
    kinds = {"dict": "Object", "list": "Array", "str": "String"}
    return kinds.get(type(value).__name__, "Number")
