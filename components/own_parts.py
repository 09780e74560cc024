"""The parts of a user's own, looked at before anything runs: by their source, as nothing heavy is imported yet."""

import ast
import inspect
from collections.abc import Iterator

from models.config import Experiment, Scheme, Translator
from models.digests import closure

TAKES = {
    "generator": inspect.signature(lambda variant, data: None),
    "translator": inspect.signature(lambda variant, data: None),
    "discriminator": inspect.signature(lambda variant, data, *, codes: None),
}
"""What a function that makes a network is called with: by place, and behind the star by name."""


def check_own_parts(experiment: Experiment) -> None:
    """Refuses a part of the user's own that could not be made.

    Raises:
        ValueError: what makes it is in no module that is there, or takes other arguments. One line.
    """
    for kind, name, line in _lines(experiment):
        module, _, attribute = line.partition(":")
        try:
            found = closure.definition(module, attribute)
        except (LookupError, SyntaxError) as error:
            what = error.args[0] if isinstance(error, LookupError) else f"{module} is no Python: {error}"
            raise ValueError(f"what makes the {kind} {name} is {line}, and {what}") from None
        wanted = TAKES.get(kind)
        if wanted and isinstance(found, ast.FunctionDef) and not found.decorator_list and not _takes(found, wanted):
            raise ValueError(f"what makes a {kind} is called with {wanted}; {line} takes ({ast.unparse(found.args)})")


def _lines(experiment: Experiment) -> Iterator[tuple[str, str, str]]:
    """Kind, name and `module:attribute` of what makes each part of the user's own."""
    scheme = experiment.scheme
    of_network = "translator" if isinstance(scheme.generator, Translator) else "generator"
    variants = [
        ("scheme", scheme),
        (of_network, scheme.generator),
        ("discriminator", scheme.discriminator),
        ("objective", scheme.objective),
        *(("source", domain) for domain in experiment.data.domains),
    ]
    yield from ((kind, each.name, each.implementation) for kind, each in variants if each.implementation)
    yield from _of_classes(scheme, experiment)


def _of_classes(scheme: Scheme, experiment: Experiment) -> Iterator[tuple[str, str, str]]:
    """The task and the kinds of columns, which are named by what makes them."""
    named = [("task", scheme.task), *(("column kind", column.kind) for column in experiment.data.columns)]
    yield from ((kind, name, name) for kind, name in named if ":" in name)


def _takes(function: ast.FunctionDef, wanted: inspect.Signature) -> bool:
    """True where a function can be called as is wanted."""
    by_name = [name for name, each in wanted.parameters.items() if each.kind is each.KEYWORD_ONLY]
    try:
        inspect.Signature(list(_parameters(function.args))).bind(
            *[None] * (len(wanted.parameters) - len(by_name)), **dict.fromkeys(by_name)
        )
    except TypeError:
        return False
    return True


def _parameters(told: ast.arguments) -> Iterator[inspect.Parameter]:
    """The parameters of a function; of their defaults nothing is told but that there is one."""
    kinds = inspect.Parameter
    places = [*told.posonlyargs, *told.args]
    needed = len(places) - len(told.defaults)
    for number, each in enumerate(places):
        kind = kinds.POSITIONAL_ONLY if number < len(told.posonlyargs) else kinds.POSITIONAL_OR_KEYWORD
        yield kinds(each.arg, kind, default=kinds.empty if number < needed else None)
    if told.vararg:
        yield kinds(told.vararg.arg, kinds.VAR_POSITIONAL)
    for each, default in zip(told.kwonlyargs, told.kw_defaults, strict=True):
        yield kinds(each.arg, kinds.KEYWORD_ONLY, default=kinds.empty if default is None else None)
    if told.kwarg:
        yield kinds(told.kwarg.arg, kinds.VAR_KEYWORD)
