"""What every part of a configuration is made of: frozen models that refuse unknown keys in one line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeGuard, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from models import catalog


class Frozen(BaseModel):
    """A part of the configuration: cannot change, refuses keys that it does not know.

    Attributes:
        revision: counted up when a default changes, as keys leave out what is at its default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    revision: ClassVar[int] = 0

    def essential(self) -> dict[str, Any]:
        """What tells it from its defaults, as plain values: a new field with a default changes it nowhere.

        The name of a variant is always there, as is a revision above 0.
        """
        found: dict[str, Any] = {"revision": self.revision} if self.revision else {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name == "name" or field.is_required() or value != field.get_default(call_default_factory=True):
                found[name] = _essential(value)
        return found


def _essential(value: Any) -> Any:
    if isinstance(value, Frozen):
        return value.essential()
    if isinstance(value, Mapping):
        return {name: _essential(each) for name, each in value.items()}
    return [_essential(each) for each in value] if isinstance(value, tuple | list) else value


def set_path(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Puts `value` at `path`; a missing or plain inner node becomes a tree, which validation then judges."""
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = value


def picks(model: type[BaseModel], tree: Mapping[str, Any], path: Sequence[str]) -> bool:
    """True where the field at a path takes one of several variants.

    Args:
        model: whose field it is.
        tree: plain values, whose names say which variants there are on the way.
        path: names of fields.
    """
    owner: type[BaseModel] = model
    pick, node = None, tree
    for name in path:
        field = owner.model_fields.get(name)
        inner = node.get(name)
        if field is None or not isinstance(inner, Mapping):
            return False
        pick, node = _pick(field), inner
        chosen = pick.variants.get(node.get("name", pick.default)) if pick else field.annotation
        owner = chosen if _is_model(chosen) else Frozen
    return pick is not None


def tag(name: str) -> str:
    """How a variant's name stands in the path of an error, where it is no field."""
    return f"<{name}>"


def path_of(fault: Mapping[str, Any]) -> tuple[str | int, ...]:
    """The path of a fault as a user writes it, without the variants on the way."""
    return tuple(part for part in fault["loc"] if not (isinstance(part, str) and part.startswith("<")))


def one_line(model: type[BaseModel], error: ValidationError) -> str:
    """The first fault in words: the field's path, what is wrong, what was received."""
    fault = error.errors()[0]
    path = ".".join(map(str, path_of(fault)))
    if fault["type"] == "extra_forbidden":
        return _unknown(model, fault["loc"], path)
    if fault["type"] == "missing":
        return f"{path} is required"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return f"{path}: {message}" if path else message
    return f"{path}: {message[0].lower() + message[1:]}; received {fault['input']!r}"


def _unknown(model: type[BaseModel], loc: Sequence[str | int], path: str) -> str:
    """Says that a field does not exist: where, the near miss, and the variants that have it."""
    *outer, name = path.split(".")
    owner, pick, variant = model, None, ""
    for part in loc[:-1]:
        if isinstance(part, str) and part.startswith("<"):
            variant = part[1:-1]
            owner = pick.variants.get(variant, owner) if pick else owner
        elif isinstance(owner, type) and str(part) in owner.model_fields:
            field = owner.model_fields[str(part)]
            pick, variant = _pick(field), ""
            owner = next((each for each in (field.annotation, *get_args(field.annotation)) if _is_model(each)), owner)
    if pick and variant:
        having = sorted(each for each, other in pick.variants.items() if name in other.model_fields)
        near = catalog.near_misses(name, owner.model_fields) if not having else ""
        others = f"; {' and '.join(having)} {'have' if len(having) > 1 else 'has'} it" if having else ""
        return f"{path} is no field of the {pick.kind} {variant}{near}{others}"
    near = catalog.near_misses(path, paths(model))
    return f"{path} is no field of {outer[0] if outer else 'an experiment'}{near}"


def paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    """The dotted paths of all fields, of all variants, for naming near misses."""
    return list(dict.fromkeys(_paths(model, prefix)))


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        pick = _pick(field)
        inner = list(pick.variants.values()) if pick else [field.annotation]
        for each in inner:
            if _is_model(each):
                yield from _paths(each, f"{prefix}{name}.")


def _pick(field: Any) -> Any:
    """The annotation that says which variants a field takes, if there is one."""
    return next((each for each in field.metadata if hasattr(each, "variants")), None)


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return get_origin(annotation) is None and isinstance(annotation, type) and issubclass(annotation, BaseModel)
