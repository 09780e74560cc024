"""A digest of the code that something depends on, found by following names: for keys of caches and checkpoints.

A node is a definition at the top of one of our modules. Its closure holds the definitions that it names, in its own
module and in those it imports from, and so on. Comments, layout and docstrings are no part of it: they change nothing
that is computed. `models.catalog` and `models.config` are left out: an experiment's JSON, and the catalog's lines that
it uses, stand for them. Nothing is imported.
"""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

OURS = ("models", "components", "pipeline", "serving")
LEFT_OUT = ("models.catalog", "models.config")
TEMPLATES = (".html", ".css", ".js", ".jinja")

Node = tuple[str, str]
"""Module and name; no name stands for all of the module."""


class Module(NamedTuple):
    """A module as its source says.

    Attributes:
        definitions: name -> the statements that bind it, functions, classes and assignments.
        imports: name -> module and attribute that it stands for; no attribute for a module.
        always: statements that bind nothing and run at import.
        folder: where it lies.
    """

    definitions: dict[str, list[ast.stmt]]
    imports: dict[str, Node]
    always: list[ast.stmt]
    folder: Path


def digest(entries: Iterable[str], lines: Iterable[str] = ()) -> str:
    """A digest of all that these depend on.

    Args:
        entries: dotted names of modules, each meant with all that it defines.
        lines: `module:name` of the catalog, each meant alone.

    Returns:
        16 hexadecimal digits.

    Raises:
        ModuleNotFoundError: a name is no module.
    """
    found = hashlib.sha256()
    for module, name, text in _texts(tuple(sorted(entries)), tuple(sorted(lines))):
        found.update(f"{module}:{name}\0{text}\0".encode())
    return found.hexdigest()[:16]


def definition(module: str, name: str) -> ast.stmt | None:
    """The statement that binds a name at the top of a module, found without importing it.

    Args:
        module: dotted, of ours or a user's own.
        name: of a function, a class or anything else.

    Returns:
        The statement; None for a name that cannot be told so, as the module has it from elsewhere or makes it up.

    Raises:
        LookupError: there is no such module, or it has no such name.
        SyntaxError: the module is no Python.
    """
    path = _file(module)
    if path is None:
        raise LookupError(f"there is no module {module}")
    statements = list(_flat(ast.parse(path.read_text(encoding="utf-8")).body))
    found = next((each for each in reversed(statements) if name in _bound(each)), None)
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for each in statements
        if isinstance(each, ast.Import | ast.ImportFrom)
        for alias in each.names
    }
    if found is None and not imported & {name, "*"} and not any("__getattr__" in _bound(each) for each in statements):
        raise LookupError(f"{module} has no {name}")
    return found


def closure(entries: Iterable[str], lines: Iterable[str] = ()) -> set[Node]:
    """The definitions that these depend on, themselves among them; see `digest`."""
    todo = [(entry, name) for entry in entries for name in _module(entry).definitions]
    todo += [_node(*line.partition(":")[::2]) for line in lines]
    seen: set[Node] = set()
    while todo:
        node = todo.pop()
        if node in seen or _left_out(node[0]):
            continue
        seen.add(node)
        todo.extend(_named(*node))
    return seen


@functools.lru_cache(maxsize=256)
def _texts(entries: tuple[str, ...], lines: tuple[str, ...]) -> list[tuple[str, str, str]]:
    nodes = closure(entries, lines)
    texts = [(module, name, _text(_module(module).definitions[name])) for module, name in nodes]
    modules = {module for module, _ in nodes} | {entry for entry in entries if not _left_out(entry)}
    texts += [(module, "", _text(_module(module).always)) for module in modules]
    for folder in {_module(module).folder for module in modules}:
        for file in folder.iterdir():
            if file.suffix in TEMPLATES:
                texts.append((folder.name, file.name, file.read_text(encoding="utf-8")))
    return sorted(texts)


def _named(module: str, name: str) -> Iterator[Node]:
    """The definitions of ours that one names, and those that run whenever its module is imported."""
    here = _module(module)
    for statement in [*here.definitions[name], *here.always]:
        yield from _uses(statement, module, here)


def _uses(statement: ast.stmt, module: str, here: Module) -> Iterator[Node]:
    inner = dict(_imported(statement))
    owners = {id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            bound = inner.get(node.id) or here.imports.get(node.id)
            if node.id in here.definitions and node.id not in inner:
                yield module, node.id
            elif bound and (bound[1] or id(node) not in owners):
                yield from _expanded(bound)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            bound = inner.get(node.value.id) or here.imports.get(node.value.id)
            if bound and not bound[1]:
                yield from _expanded((bound[0], node.attr))


def _expanded(node: Node) -> Iterator[Node]:
    """The definitions that an imported name stands for; all of a module where it is used as a whole."""
    module, name = node
    if not _is_ours(module) or _left_out(module):
        return
    if name:
        # what a module has from elsewhere is not ours
        if _defines(module, name):
            yield _node(module, name)
    else:
        yield from ((module, each) for each in _module(module).definitions)


def _defines(module: str, name: str) -> bool:
    here = _module(module)
    return name in here.definitions or (name in here.imports and _defines(*here.imports[name]))


def _node(module: str, name: str) -> Node:
    """Where a name is defined: a module may have it from another."""
    here = _module(module)
    if name in here.definitions:
        return module, name
    if name not in here.imports:
        raise ModuleNotFoundError(f"{module} defines no {name}")
    return _node(*here.imports[name])


@functools.cache
def _module(name: str) -> Module:
    path = _file(name)
    if path is None:
        raise ModuleNotFoundError(f"a closure starts at modules; received {name}")
    definitions: dict[str, list[ast.stmt]] = {}
    imports: dict[str, Node] = {}
    always: list[ast.stmt] = []
    for statement in _flat(_undocumented(ast.parse(path.read_text(encoding="utf-8"))).body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imports.update(_imported(statement))
        elif names := _bound(statement):
            for each in names:
                definitions.setdefault(each, []).append(statement)
        else:
            always.append(statement)
    return Module(definitions, imports, always, path.parent)


def _flat(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements at the top, those within conditions among them."""
    for statement in statements:
        if isinstance(statement, ast.If | ast.Try):
            yield from _flat(statement.body)
            yield from _flat(statement.orelse)
        else:
            yield statement


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return []


def _imported(statement: ast.AST) -> Iterator[tuple[str, Node]]:
    """The names that imports anywhere in a statement bind, those of ours alone."""
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                bound = (whole, "") if _file(whole) else (node.module, alias.name)
                yield alias.asname or alias.name, bound
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname and _is_ours(alias.name):
                    yield alias.asname, (alias.name, "")


def _undocumented(tree: ast.Module) -> ast.Module:
    """A tree without docstrings, those of attributes among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)] or [ast.Pass()]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _text(statements: Iterable[ast.stmt]) -> str:
    return "\n".join(map(ast.unparse, statements))


@functools.cache
def _file(name: str) -> Path | None:
    """The source of a module, found as Python finds it, but without importing the packages around it."""
    first, *rest = name.split(".")
    spec = importlib.util.find_spec(first)
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).parent.joinpath(*rest) if rest else Path(spec.origin)
    candidates = (place.with_suffix(".py"), place / "__init__.py") if rest else (place,)
    return next((each for each in candidates if each.is_file()), None)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


def _left_out(module: str) -> bool:
    return any(f"{module}.".startswith(f"{each}.") for each in LEFT_OUT)
