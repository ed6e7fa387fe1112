"""The house is in order: a name stands for one thing, and no function or file has grown beyond one idea."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.paths import ROOT

LONGEST_FUNCTION = 50
LONGEST_FILE = 450

_FILES = [
    path
    for floor in ("grammar", "policy", "engine", "seatwarden")
    for path in (ROOT / floor).rglob("*.py")
    if path.resolve() == path  # `seatwarden` has links to the floors
]
_TREES = {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in _FILES}


def test_no_public_class_or_type_has_a_name_twice() -> None:
    places = defaultdict(list)
    for path, tree in _TREES.items():
        for name in _types(tree):
            places[name].append(str(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_function_is_long() -> None:
    functions = [
        (f"{path}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for path, tree in _TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [function for function, lines in functions if lines > LONGEST_FUNCTION] == []


def test_no_file_is_long() -> None:
    assert [str(path) for path in _FILES if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE] == []


def test_every_module_can_be_imported_on_windows() -> None:
    """What only POSIX has is imported where it is used: otherwise pytest collects nothing there."""
    modules = [path for room in ("bench", "tests") for path in (ROOT / room).rglob("*.py")]
    trees = _TREES | {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in modules}
    found = {str(path): _POSIX_ONLY & set(_imported(tree)) for path, tree in trees.items()}
    assert {path: names for path, names in found.items() if names} == {}


_POSIX_ONLY = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
_POSIX_ONLY |= {"ForkContext", "ForkServerContext"}


def _imported(tree: ast.Module) -> Iterator[str]:
    """The modules and names that a module imports as soon as it is imported."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (alias.name for alias in node.names)


def _types(tree: ast.Module) -> Iterator[str]:
    """The public classes and type aliases of a module; a type variable and a constant are none."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.BinOp()) if not name.isupper():
                pass
            case _:
                continue
        if name[0].isupper():
            yield name
