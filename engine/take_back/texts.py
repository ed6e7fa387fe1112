"""How a license rule compares texts, and where nobody can say: regular expressions that all dialects read alike.

Qlik's help calls `like` and `matches` regular expressions of JavaScript. Those with parts of which JavaScript, .NET and
Python think differently are not judged. A match is looked for in time that grows with the length of the text, whatever
the expression is: it comes from the site.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from seatwarden.policy.operators import matches_exactly

Fold: TypeAlias = Callable[[str], str]
"""A way to leave the case of letters out of account."""
_Places: TypeAlias = frozenset[int]
_Node: TypeAlias = Callable[[str, _Places], _Places]
"""From the places where a part may begin in a text to those where it may end."""

MAX_TEXT = 500
"""Longest text, and expression, that is looked at."""
MAX_REPEAT = 50
MAX_DEPTH = 20


class NoExpressionError(ValueError):
    """The text is no regular expression, in any dialect."""


class DialectError(ValueError):
    """Dialects differ on it, or it is beyond what is looked at."""


def _loose(text: str) -> str:
    return text.casefold().replace("\u0307", "").replace("\u0131", "i")


FOLDS: tuple[Fold, ...] = (str.lower, str.casefold, _loose)
"""Ways to ignore case; of texts in ASCII they say the same."""


def _agreed(test: Callable[[Fold], bool], *texts: str) -> bool | None:
    """The answer of all ways to ignore case in these texts; None where they differ."""
    answers = {test(fold) for fold in (FOLDS[:1] if all(map(str.isascii, texts)) else FOLDS)}
    return answers.pop() if len(answers) == 1 else None


def equal_in_any_case(one: str, other: str) -> bool | None:
    """Whether two texts are equal but for the case of letters; None where that depends on the language."""
    return _agreed(lambda fold: fold(one) == fold(other), one, other)


def fits_pattern(text: str, pattern: str) -> bool | None:
    """Whether a text fits a pattern with `*`, in any case; None where that depends on the language."""
    return _agreed(lambda fold: matches_exactly(fold(text), fold(pattern)), text, pattern)


@lru_cache(maxsize=65_536)
def fits_expression(text: str, expression: str, *, anchored: bool, any_case: bool) -> bool:
    """Whether a regular expression matches a text: all of it when `anchored`, else anywhere in it.

    Raises NoExpressionError, DialectError.
    """
    if not any_case:
        return _found(text, expression, anchored)
    folds = FOLDS[:1] if text.isascii() and expression.isascii() else FOLDS
    answers = {_found(fold(text), expression, anchored, fold) for fold in folds}
    if len(answers) > 1:
        raise DialectError("how it ignores the case of letters depends on the language")
    return answers.pop()


def _found(text: str, expression: str, anchored: bool, fold: Fold | None = None) -> bool:
    compiled = _compiled(expression, fold)
    if len(text) > MAX_TEXT or "\n" in text or "\r" in text:
        raise DialectError("the text is long or has several lines")
    if compiled.classes and not text.isascii():
        raise DialectError("which letters a class has depends on the dialect")
    every = frozenset(range(len(text) + 1))
    ends = compiled.node(text, frozenset((0,)) if anchored else every)
    return len(text) in ends if anchored else bool(ends)


@lru_cache(maxsize=1_024)
def _compiled(expression: str, fold: Fold | None) -> "_Compiled":
    return _Compiled(expression, fold)


_QUANTIFIER = re.compile(r"[*+?]|\{(\d+)(,?)(\d*)\}", re.ASCII)
_CLASSES = {
    "d": re.compile(r"[0-9]"),
    "w": re.compile(r"[A-Za-z0-9_]"),
    "s": re.compile(r"[ \t\f\v\xa0]"),
    "D": re.compile(r"[^0-9]"),
    "W": re.compile(r"[^A-Za-z0-9_]"),
    "S": re.compile(r"[^ \t\f\v\xa0]"),
}
_CLASS = re.compile(r"\[\^?(?:[A-Za-z0-9_ .@%$:;,=]-[A-Za-z0-9]|[A-Za-z0-9_ .@%$:;,=])+\]|\[.?")
"""A class that all dialects read alike, or the beginning of another one."""
_PLAIN_ESCAPES = frozenset("\\.*+?()[]{}|^$/-@ ")


class _Compiled:
    """A regular expression, read from left to right. `classes` says whether it asks what kind a character is."""

    def __init__(self, expression: str, fold: Fold | None) -> None:
        if len(expression) > MAX_TEXT:
            raise DialectError("the expression is long")
        self._text, self._fold, self._at, self._depth = expression, fold, 0, 0
        self.classes = False
        self.node = self._alternatives()
        if self._at < len(expression):
            raise NoExpressionError("a parenthesis closes nothing")

    def _alternatives(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DialectError("the expression is nested")
        found = [self._sequence()]
        while self._next("|"):
            found.append(self._sequence())
        self._depth -= 1
        return found[0] if len(found) == 1 else _any_of(found)

    def _next(self, character: str) -> bool:
        if not self._text.startswith(character, self._at):
            return False
        self._at += len(character)
        return True

    def _sequence(self) -> _Node:
        nodes: list[_Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            nodes.append(self._repeated())
        return _in_turn(nodes)

    def _repeated(self) -> _Node:
        if _QUANTIFIER.match(self._text, self._at):
            raise NoExpressionError("nothing to repeat")
        assertion = self._text[self._at] in "^$"
        node = self._atom()
        found = _QUANTIFIER.match(self._text, self._at)
        if found is None:
            return node
        if assertion:
            raise DialectError("a place cannot be repeated")
        self._at = found.end()
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(found[0]) or _bounds(found)
        self._next("?")  # a match is the same, found in another order
        if _QUANTIFIER.match(self._text, self._at):
            raise DialectError("a repetition is repeated")
        return _repeating(node, low, high)

    def _atom(self) -> _Node:
        character = self._text[self._at]
        self._at += 1
        match character:
            case "(":
                if self._next("?") and not self._next(":"):
                    raise DialectError("a group that begins with `?`")
                inner = self._alternatives()
                if not self._next(")"):
                    raise NoExpressionError("a parenthesis is not closed")
                return inner
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case "{" | "}" | "]":
                raise DialectError(f"`{character}` that stands alone")
            case ".":
                return _one(lambda _: True)
            case "^":
                return lambda _, places: places & {0}
            case "$":
                return lambda text, places: places & {len(text)}
        return self._literal(character)

    def _literal(self, character: str) -> _Node:
        folded = self._fold(character) if self._fold else character
        return lambda text, places: frozenset(at + len(folded) for at in places if text.startswith(folded, at))

    def _class(self) -> _Node:
        found = _CLASS.match(self._text, self._at - 1)
        if found is None or not found[0].endswith("]") or len(found[0]) < 3:
            raise DialectError("a class that dialects may read otherwise")
        self._at = found.end()
        self.classes = True
        try:
            one = re.compile(found[0], re.IGNORECASE | re.ASCII if self._fold else re.ASCII)
        except re.error:
            raise NoExpressionError("a range runs backwards") from None
        return _one(lambda character: one.match(character) is not None)

    def _escape(self) -> _Node:
        if self._at == len(self._text):
            raise NoExpressionError("a backslash escapes nothing")
        character = self._text[self._at]
        self._at += 1
        if character in _CLASSES:
            self.classes = True
            return _one(lambda one: _CLASSES[character].match(one) is not None)
        if character not in _PLAIN_ESCAPES:
            raise DialectError(f"`\\{character}`")
        return self._literal(character)


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    low = int(found[1])
    high = (int(found[3]) if found[3] else None) if found[2] else low
    if max(low, high or 0) > MAX_REPEAT:
        raise DialectError("a part is repeated often")
    if high is not None and high < low:
        raise NoExpressionError("a repetition runs backwards")
    return low, high


def _one(fits: Callable[[str], bool]) -> _Node:
    return lambda text, places: frozenset(at + 1 for at in places if at < len(text) and fits(text[at]))


def _in_turn(nodes: list[_Node]) -> _Node:
    def ends(text: str, places: _Places) -> _Places:
        for node in nodes:
            if not places:
                break
            places = node(text, places)
        return places

    return ends


def _any_of(nodes: list[_Node]) -> _Node:
    return lambda text, places: frozenset().union(*(node(text, places) for node in nodes))


def _repeating(node: _Node, low: int, high: int | None) -> _Node:
    def ends(text: str, places: _Places) -> _Places:
        for _ in range(low):
            places = node(text, places)
        found = new = places
        count = low
        while new and (high is None or count < high):
            new = node(text, new) - found
            found |= new
            count += 1
        return found

    return ends
