"""What every part of a configuration is made of: frozen models that refuse unknown keys in one line."""

from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from models import catalog


class Frozen(BaseModel):
    """A part of the configuration: cannot change, refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        """`network="dcgan"` is short for `network=Network(name="dcgan")`."""
        return {"name": value} if isinstance(value, str) and "name" in cls.model_fields else value


def set_path(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Puts `value` at `path`; a missing or plain inner node becomes a tree, which validation then judges."""
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = value


def one_line(model: type[BaseModel], error: ValidationError) -> str:
    """The first fault in words: the field's path, what is wrong, what was received."""
    fault = error.errors()[0]
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        near = catalog.near_misses(path, paths(model))
        return f"{path} is no field of {fault['loc'][0] if len(fault['loc']) > 1 else 'an experiment'}{near}"
    if fault["type"] == "missing":
        return f"{path} is required"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return f"{path}: {message}" if path else message
    return f"{path}: {message[0].lower() + message[1:]}; received {fault['input']!r}"


def paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    """The dotted paths of all fields, for naming near misses."""
    found = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        inner = field.annotation
        if get_origin(inner) is None and isinstance(inner, type) and issubclass(inner, BaseModel):
            found += paths(inner, f"{prefix}{name}.")
        elif get_origin(inner) is dict and issubclass(get_args(inner)[1], BaseModel):
            continue
    return found
