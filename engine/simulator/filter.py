"""QRS `filter=` expressions: parsed, and decided for one entity at a time.

The simulated QRS answers with exactly the entities a filter selects, so a client that sends a wrong filter
is found out. Source of the facts: Qlik's help, "RepositoryServiceAPI, Filtering" -

- `eq ne lt le gt ge`, `sw` (starts with), `ew` (ends with), `so` (substring of); `and`, `or`, `not`;
- strings and names of properties ignore case;
- `lt le gt ge` are for numbers and dates only, `sw ew so` for strings only.

Where the help is silent: a path through a list (`customProperties.value`) matches when any element does, as
in an SQL join, so nothing matches an empty list; null or a missing property matches `eq null` and no other.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from seatwarden.engine.common.timestamps import instant_ticks

_MAX_DEPTH = 100
"""Filters nested deeper are refused: deciding one recurses, and Python's stack is not endless."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)

_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "sw": str.startswith,
    "ew": str.endswith,
    "so": operator.contains,
}
_ORDER_TESTS: Mapping[str, Callable[[float, float], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}

_RANGE_TESTS = frozenset({"lt", "le", "gt", "ge"})


class FilterError(ValueError):
    """The text is not a QRS filter. QRS answers 400 to it.

    `text` is the filter as it was sent; `column` counts characters from 1, and is None when no single
    place is at fault.
    """

    def __init__(self, message: str, text: str, column: int | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.column = column


class Filter(Protocol):
    """A parsed filter."""

    @property
    def depth(self) -> int:
        """The levels of its nesting; a single comparison has 1."""

    def matches(self, entity: Mapping[str, object]) -> bool:
        """Say whether QRS would select `entity`, a decoded JSON object. Never raises."""


def parse_filter(text: str) -> Filter:
    """Read a filter as QRS reads it after percent-decoding; raises `FilterError`."""
    try:
        return cast(Filter, _parser().parse(text))  # Lark's types know the tree, not what it becomes
    except UnexpectedInput as error:
        column = error.column if error.column > 0 else len(text) + 1
        raise FilterError(f"malformed filter at column {column}", text, column) from None
    except _RefusedError as refusal:
        raise FilterError(str(refusal), text, refusal.column) from None


@dataclass(frozen=True)
class _Operand:
    """The right side of a comparison: its text, and what an unquoted text may mean besides."""

    text: str
    number: float | None = None
    truth: bool | None = None
    null: bool = False

    @property
    def has_order(self) -> bool:
        return self.number is not None or instant_ticks(self.text) is not None

    @property
    def is_text(self) -> bool:
        return self.truth is None and not self.null


@dataclass(frozen=True)
class _Comparison:
    path: tuple[str, ...]
    test: str
    operand: _Operand
    depth: int = 1

    def matches(self, entity: Mapping[str, object]) -> bool:
        values = list(_values(entity, self.path))
        if self.operand.null:
            filled = any(value is not None for value in values)
            return filled if self.test == "ne" else not filled
        return any(self._holds(value) for value in values)

    def _holds(self, value: object) -> bool:
        if isinstance(value, bool):
            return self._compares(value, self.operand.truth)
        if isinstance(value, int | float):
            return self._compares(value, self.operand.number)
        return isinstance(value, str) and self._holds_for_text(value)

    def _holds_for_text(self, value: str) -> bool:
        text = self.operand.text
        if self.test in _TEXT_TESTS:
            return _TEXT_TESTS[self.test](value.casefold(), text.casefold())
        instant = instant_ticks(value)
        if instant is not None and (other := instant_ticks(text)) is not None:
            return self._compares(instant, other)
        if self.test in ("eq", "ne"):
            return (value.casefold() == text.casefold()) is (self.test == "eq")
        return False

    def _compares(self, left: float, right: float | None) -> bool:
        test = _ORDER_TESTS.get(self.test)
        return test is not None and right is not None and test(left, right)


@dataclass(frozen=True)
class _Negation:
    negated: Filter
    depth: int

    def matches(self, entity: Mapping[str, object]) -> bool:
        return not self.negated.matches(entity)


@dataclass(frozen=True)
class _All:
    parts: Sequence[Filter]
    depth: int

    def matches(self, entity: Mapping[str, object]) -> bool:
        return all(part.matches(entity) for part in self.parts)


@dataclass(frozen=True)
class _Any:
    parts: Sequence[Filter]
    depth: int

    def matches(self, entity: Mapping[str, object]) -> bool:
        return any(part.matches(entity) for part in self.parts)


class _RefusedError(Exception):
    """A filter that parses and yet means nothing; becomes a `FilterError` where the text is known."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


class _Builder(Transformer[Token, Filter]):
    """Turns what the grammar found into filters, from the leaves up, while the parser runs."""

    def string(self, children: list[Token]) -> _Operand:
        return _Operand(children[0][1:-1])

    def word(self, children: list[Token]) -> _Operand:
        text = str(children[0])
        if text.casefold() in ("true", "false"):
            return _Operand(text, truth=text.casefold() == "true")
        number = float(text) if _NUMBER.fullmatch(text) else None
        return _Operand(text, number=number, null=text.casefold() == "null")

    def comparison(self, children: tuple[Token, Token, _Operand]) -> Filter:
        path, test, operand = children
        name = test.casefold()
        if name in _RANGE_TESTS and not operand.has_order:
            raise _RefusedError(f"`{name}` compares numbers and dates only", test.column)
        if name in _TEXT_TESTS and not operand.is_text:
            raise _RefusedError(f"`{name}` compares strings only", test.column)
        return _Comparison(tuple(path.casefold().split(".")), name, operand)

    def negation(self, children: list[Filter]) -> Filter:
        return _Negation(children[0], _nested(children))

    def conjunction(self, children: list[Filter]) -> Filter:
        return _All(children, _nested(children))

    def disjunction(self, children: list[Filter]) -> Filter:
        return _Any(children, _nested(children))


def _nested(children: Sequence[Filter]) -> int:
    depth = 1 + max(child.depth for child in children)
    if depth > _MAX_DEPTH:
        raise _RefusedError(f"the filter is nested more than {_MAX_DEPTH} levels deep")
    return depth


def _values(value: object, path: Sequence[str]) -> Iterator[object]:
    """Walk a path of lower-case property names; a list on the way stands for each of its elements."""
    if isinstance(value, list):
        for element in value:
            yield from _values(element, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if str(name).casefold() == path[0]:
                yield from _values(inner, path[1:])


@cache
def _parser() -> Lark:
    return Lark.open("filter.lark", rel_to=__file__, parser="lalr", transformer=_Builder())
