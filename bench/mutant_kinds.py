"""The kinds of mutants that mutmut makes, and those that it is taught here."""

from collections.abc import Iterator
from typing import Any

import libcst as cst
from mutmut.mutation import mutators


def _statement_left_out(node: cst.Expr) -> Iterator[cst.CSTNode]:
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


def _nothing_raised(node: cst.Raise) -> Iterator[cst.CSTNode]:
    yield cst.Pass()


def _nothing_returned(node: cst.Return) -> Iterator[cst.CSTNode]:
    if node.value is not None and not (isinstance(node.value, cst.Name) and node.value.value == "None"):
        yield node.with_changes(value=cst.Name("None"))


def _least_for_most(node: cst.Call) -> Iterator[cst.CSTNode]:
    other = {"min": "max", "max": "min"}.get(node.func.value) if isinstance(node.func, cst.Name) else None
    if other:
        yield node.with_changes(func=cst.Name(other))


def _another_text(node: cst.BaseString) -> Iterator[cst.CSTNode]:
    """The first of mutmut's: the text in other capitals tells no more than the text with more around it."""
    yield from list(mutators.operator_string(node))[:1]


def teach() -> None:
    """Add our kinds to mutmut's."""
    operators: Any = mutators.mutation_operators
    operators[:] = [(kind, make) for kind, make in operators if make is not mutators.operator_string]
    operators += [
        (cst.BaseString, _another_text),
        (cst.Expr, _statement_left_out),
        (cst.Raise, _nothing_raised),
        (cst.Return, _nothing_returned),
        (cst.Call, _least_for_most),
    ]
