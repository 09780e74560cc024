"""Variants: parts of a configuration that are picked by their name, each with fields of its own."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from models import catalog
from models.config.frozen import Frozen, one_line, tag

OWN = "package.module:Variant"
"""How a part of the user's own is named."""


OURS = ("models", "components", "pipeline", "serving", "benchmarks")


class Variant(Frozen):
    """A part of the configuration that is picked by its name.

    A variant of the catalog narrows `name` to what it is called there. A user's own is called by where it lies,
    `package.module:Variant`, in a module that imports nothing heavy, and says in `implementation` what makes it.
    """

    implementation: ClassVar[str] = ""
    """`module:attribute` of what the variant describes; a variant of the catalog has a line there instead."""

    name: str

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names that the catalog's variant is picked by; none of a user's own."""
        annotation = cls.model_fields["name"].annotation
        return get_args(annotation) if get_origin(annotation) is Literal else ()


class Pick:
    """Annotates a field that takes any of several variants: `Annotated[Generator, Pick("generator", "dcgan", ...)]`.

    What is given may be a variant, its name alone, or its fields with `name`; without one it is the default variant.

    Args:
        kind: of the parts, as the catalog calls them.
        default: the name that stands where none is given.
        variants: those that may be picked by name; a user's own is picked by OWN.
    """

    def __init__(self, kind: str, default: str, *variants: type[Variant]):
        self.kind, self.default = kind, default
        self.variants = {name: each for each in variants for name in each.names()}

    def variant(self, name: str, base: type[Variant]) -> type[Variant]:
        """The class of this name. Raises ValueError where there is none, in one line."""
        if ":" in name:
            return load(name, base, self.kind)
        if name not in self.variants:
            raise ValueError(f"{name} is no {self.kind}{catalog.near_misses(name, self.variants)}")
        return self.variants[name]

    def __get_pydantic_core_schema__(self, source: type[Variant], handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {tag(name): handler.generate_schema(each) for name, each in self.variants.items()}
        own = core_schema.no_info_before_validator_function(
            lambda value: self._own(value, source),
            core_schema.is_instance_schema(source),
            json_schema_input_schema=core_schema.typed_dict_schema(
                {"name": core_schema.typed_dict_field(core_schema.str_schema(pattern=":"))}, extra_behavior="allow"
            ),
        )
        union = core_schema.tagged_union_schema(choices | {tag(OWN): own}, _tag)
        return core_schema.no_info_before_validator_function(
            lambda value: self._whole(value, source),
            union,
            serialization=core_schema.plain_serializer_function_ser_schema(_tree, info_arg=True),
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(core)
        # without a name it is the default variant, whose fields others may have as well
        found["anyOf"] = found.pop("oneOf")
        return found

    def _whole(self, value: Any, base: type[Variant]) -> Any:
        """Fields with a name, whatever was given. Raises ValueError where there is no part of this name."""
        whole = {"name": value} if isinstance(value, str) else value
        if not isinstance(whole, Mapping | Variant):
            raise ValueError(f"a {self.kind} is given by its name or its fields; received {value!r}")
        whole = {"name": self.default, **whole} if isinstance(whole, Mapping) else whole
        self.variant(str(_name(whole)), base)
        return whole

    def _own(self, value: Any, base: type[Variant]) -> Any:
        if not isinstance(value, Mapping):
            return value
        own = load(value["name"], base, self.kind)
        try:
            return own.model_validate(dict(value))
        except ValidationError as error:
            raise ValueError(one_line(own, error)) from None


def load(name: str, base: type[Variant], kind: str) -> type[Variant]:
    """The variant that a user's own name, `package.module:Variant`, stands for.

    Raises:
        ValueError: it cannot be imported, or is no variant of this kind; one line.
    """
    path, _, attribute = name.partition(":")
    if path.partition(".")[0] in OURS:
        raise ValueError(
            f"{path.partition('.')[0]} is a package of ganworks, and hides one of your own: {name} cannot be had; call "
            "yours otherwise"
        )
    try:
        found = getattr(importlib.import_module(path), attribute)
    except Exception as error:  # noqa: BLE001 - whatever a user's module raises when it is imported
        raise ValueError(f"{name} cannot be imported as a {kind}: {type(error).__name__}: {error}") from None
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(f"a {kind} of your own is a class below {base.__module__}.{base.__name__}; {name} is none")
    if not found.implementation:
        raise ValueError(f"a {kind} of your own says in `implementation` what makes it; {name} says nothing")
    return found


def own_parts(part: Frozen) -> list[str]:
    """The names of all parts of the user's own, in it and below."""
    found = [part.name] if isinstance(part, Variant) and ":" in part.name else []
    values = (getattr(part, name) for name in type(part).model_fields)
    return found + [name for value in values if isinstance(value, Frozen) for name in own_parts(value)]


def line(kind: str, variant: Variant) -> str:
    """`module:attribute` of what makes a variant: its own, or that of the catalog."""
    return variant.implementation or catalog.require(kind, variant.name)


def made_by(kind: str, variant: Variant) -> Callable[..., Any]:
    """Imports and returns what makes a variant.

    Raises:
        ValueError: it cannot be imported; one line.
    """
    path, _, attribute = line(kind, variant).partition(":")
    try:
        made: Callable[..., Any] = getattr(importlib.import_module(path), attribute)
        return made
    except (ImportError, AttributeError) as error:
        raise ValueError(f"what makes the {kind} {variant.name} cannot be imported: {error}") from error


def _name(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else getattr(value, "name", None)


def _tag(value: Any) -> str:
    name = str(_name(value))
    return tag(OWN if ":" in name else name)


def _tree(value: Variant, info: core_schema.SerializationInfo) -> dict[str, Any]:
    """A variant's own fields, whichever it is."""
    return value.model_dump(
        mode=info.mode,
        exclude_none=info.exclude_none,
        exclude_defaults=info.exclude_defaults,
        exclude_unset=info.exclude_unset,
    )
