"""License rules as a simulated QRS reads them: its own parser and evaluator of conditions, and the audit of them.

Written apart from what seatwarden makes of such rules, so that the one can be held against the other. What Qlik's help
leaves open is a switch (`AuditReadings`): a real site reads it in one way, which one it does not say. Source of the
facts: Qlik's help, "Operators and functions for conditions" and "License rule audit: Get audit rules".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, TypeAlias

from seatwarden.engine.simulator.filter import parse_filter

_Test: TypeAlias = Callable[["Asked"], bool]
_Values: TypeAlias = Callable[["Asked"], Sequence[str]]
_PIECE = r"""\s*(?:(?P<text>%s)|(?P<sign>!==|==|!=|=|&&|\|\||[!(),])|(?P<name>@?[\w-]+(?:\.@?[\w-]+)*))"""
_TOKENS = {
    "literal": re.compile(_PIECE % r'"[^"]*"'),
    "escape": re.compile(_PIECE % r'"(?:\\.|[^"\\])*"', re.DOTALL),
}
_JOINS = {"and": "and", "&&": "and", "or": "or", "||": "or"}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class AuditReadings:
    """How a site reads what Qlik's help leaves open."""

    joins: Literal["and first", "left to right"] = "and first"
    backslash: Literal["literal", "escape"] = "literal"
    unequal: Literal["any", "none"] = "none"
    """Whether `!=` holds for several values when any of them differs, or when none of them is equal."""
    like: Literal["pattern", "regex"] = "pattern"
    matches: Literal["anchored", "anywhere"] = "anchored"


class AuditError(ValueError):
    """A condition that cannot be parsed (state 1), or evaluated (2), at a place in its text."""

    def __init__(self, message: str, state: int, at: int) -> None:
        super().__init__(message)
        self.state, self.at = state, at


@dataclass(frozen=True)
class Asked:
    """Whom a rule is asked about: the row of a user, and what is known only of a request."""

    user: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)


def grants(rule: str, asked: Asked, readings: AuditReadings) -> bool:
    """Whether a condition holds for a user. Raises AuditError."""
    if not rule.strip():
        return True
    return _Condition(rule, readings).test()(asked)


class _Condition:
    """A condition while it is read, from left to right."""

    def __init__(self, rule: str, readings: AuditReadings) -> None:
        self._readings = readings
        self._tokens = list(self._split(rule.rstrip()))
        self._at = 0

    def _split(self, rule: str) -> Iterator[tuple[str, str, int]]:
        place = 0
        while place < len(rule):
            found = _TOKENS[self._readings.backslash].match(rule, place)
            if found is None:
                raise AuditError("unexpected character", 1, place)
            kind = found.lastgroup or ""
            yield kind, found[kind], found.start(kind)
            place = found.end()

    def test(self) -> _Test:
        whole = self._joined()
        if self._at < len(self._tokens):
            raise self._unexpected()
        return whole

    def _unexpected(self) -> AuditError:
        last = self._tokens[self._at] if self._at < len(self._tokens) else ("", "the end", -1)
        return AuditError(f"unexpected {last[1]}", 1, last[2])

    def _peek(self) -> str:
        """The next token in lower case; a text is none that is looked for."""
        if self._at == len(self._tokens) or self._tokens[self._at][0] == "text":
            return ""
        return self._tokens[self._at][1].lower()

    def _take(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self._at += 1
        return True

    def _joined(self) -> _Test:
        parts: list[tuple[str, _Test]] = [("or", self._single())]
        while self._peek() in _JOINS:
            join = _JOINS[self._peek()]
            self._at += 1
            parts.append((join, self._single()))
        return _left_to_right(parts) if self._readings.joins == "left to right" else _and_first(parts)

    def _single(self) -> _Test:
        if self._take("!"):
            negated = self._single()
            return lambda asked: not negated(asked)
        if self._take("("):
            inner = self._joined()
            if not self._take(")"):
                raise self._unexpected()
            return inner
        return self._comparison()

    def _comparison(self) -> _Test:
        left = self._operand()
        if isinstance(left, bool):
            return lambda asked: left
        if not callable(left):
            return _called(*left)
        operator = self._peek()
        if operator not in ("=", "==", "!=", "!==", "like", "matches"):
            raise self._unexpected()
        self._at += 1
        right = self._operand()
        if isinstance(right, bool) or not callable(right):
            raise self._unexpected()
        return self._compared(operator, left, right)

    def _operand(self) -> _Values | bool | tuple[str, int]:
        if self._at == len(self._tokens):
            raise self._unexpected()
        kind, word, place = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            value = word[1:-1]
            if self._readings.backslash == "escape":
                value = re.sub(r"\\(.)", lambda c: _CONTROLS.get(c[1], c[1]), value, flags=re.DOTALL)
            return lambda asked: [value]
        if kind != "name":
            self._at -= 1
            raise self._unexpected()
        if self._take("("):
            if not self._take(")"):
                raise AuditError(f"{word} takes nothing", 2, place)
            return word, place
        if word.lower() in ("true", "false"):
            return word.lower() == "true"
        return lambda asked: _values_of(word, asked)

    def _compared(self, operator: str, left: _Values, right: _Values) -> _Test:
        pair = self._pair(operator)
        if operator not in ("!=", "!=="):
            return lambda asked: any(pair(one, other) for one in left(asked) for other in right(asked))
        if self._readings.unequal == "any":
            return lambda asked: any(not pair(one, other) for one in left(asked) for other in right(asked))
        return lambda asked: not any(pair(one, other) for one in left(asked) for other in right(asked))

    def _pair(self, operator: str) -> Callable[[str, str], bool]:
        match operator:
            case "=" | "!=":
                return lambda one, other: one.lower() == other.lower()
            case "==" | "!==":
                return lambda one, other: one == other
            case "like":
                return _like_pattern if self._readings.like == "pattern" else _like_regex
            case _:
                return re_fullmatch if self._readings.matches == "anchored" else re_search


def re_fullmatch(text: str, expression: str) -> bool:
    """Whether a regular expression matches all of a text."""
    return _compiled(expression).fullmatch(text) is not None


def re_search(text: str, expression: str) -> bool:
    """Whether a regular expression matches anywhere in a text."""
    return _compiled(expression).search(text) is not None


def _compiled(expression: str, flags: int = 0) -> re.Pattern[str]:
    try:
        return re.compile(expression, flags)
    except re.error as error:
        raise AuditError(f"no regular expression: {error}", 2, -1) from None


def _like_pattern(text: str, pattern: str) -> bool:
    parts = (re.escape(part) for part in re.split(r"\*+", pattern))
    return re.fullmatch(".*".join(parts), text, re.IGNORECASE | re.DOTALL) is not None


def _like_regex(text: str, expression: str) -> bool:
    """JavaScript's way: a match anywhere. `*` alone is no regular expression, and the help has it as a pattern."""
    try:
        return _compiled(expression, re.IGNORECASE).search(text) is not None
    except AuditError:
        return _like_pattern(text, expression)


def _left_to_right(parts: Sequence[tuple[str, _Test]]) -> _Test:
    def holds(asked: Asked) -> bool:
        truth = False
        for join, part in parts:
            truth = (truth and part(asked)) if join == "and" else (truth or part(asked))
        return truth

    return holds


def _and_first(parts: Sequence[tuple[str, _Test]]) -> _Test:
    groups: list[list[_Test]] = []
    for join, tests in groupby(parts, key=lambda part: part[0]):
        for _, test in tests:
            if join == "and":
                groups[-1].append(test)
            else:
                groups.append([test])
    return lambda asked: any(all(part(asked) for part in group) for group in groups)


def _called(path: str, place: int) -> _Test:
    owner, _, function = path.rpartition(".")
    match function.lower():
        case "empty":
            return lambda asked: not any(_values_of(owner, asked))
        case "isanonymous":
            return lambda asked: str(asked.user.get("userDirectory")).upper() == "NONE"
    raise AuditError(f"no such function: {function}", 2, place)


def _values_of(path: str, asked: Asked) -> list[str]:
    """The values of a property; one that nobody has has none."""
    match path.split("."):
        case ["user", "environment", *rest]:
            return _known(asked.environment, ".".join(rest))
        case ["resource", *rest]:
            return _known(asked.resource, ".".join(rest))
        case ["user", name] if name.startswith("@"):
            rows = asked.user.get("customProperties") or []
            return [row["value"] for row in rows if row["definition"]["name"] == name[1:]]
        case ["user", name]:
            direct = {"userid": "userId", "userdirectory": "userDirectory", "name": "name"}.get(name.lower())
            if direct:
                value = asked.user.get(direct)
                return [] if value is None else [value]
            if name.lower() == "roles":
                return list(asked.user.get("roles") or [])
            rows = asked.user.get("attributes") or []
            return [row["attributeValue"] for row in rows if row["attributeType"] == name]
    return []


def _known(values: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in values.items() if key.lower() == name.lower()]


def audit(rules: Sequence[Mapping[str, Any]], users: Sequence[Mapping[str, Any]], sent: Mapping[str, Any],
          readings: AuditReadings) -> dict[str, Any]:  # fmt: skip
    """The answer to an audit of license rules: which of them grant what to whom. Raises FilterError.

    Rules that are disabled are evaluated too, as the help says.
    """
    chosen = [user for user in users if not sent.get("userFilter") or parse_filter(sent["userFilter"]).matches(user)]
    first, most = int(sent.get("userSkip") or 0), int(sent.get("userTake") or len(chosen))
    chosen = chosen[first : first + most]
    pairs = (pair.partition("=") for pair in str(sent.get("environmentAttributes") or "").split(";"))
    environment = {name: value for name, _, value in pairs if name}
    applied = [
        entry
        for rule in rules
        for user in chosen
        if (entry := _applied(rule, Asked(user, environment), readings))["allowed"]
        or entry["evaluationState"]
        or sent.get("includeNonGrantingRules")
    ]
    return {
        "users": {user["id"]: {name: user.get(name) for name in _USER} for user in chosen},
        "resources": {entry["resourceID"]: {"id": entry["resourceID"]} for entry in applied},
        "rules": {rule["id"]: {name: rule.get(name) for name in _RULE} for rule in rules},
        "ruleApplication": applied,
        "schemaPath": "Audit",
    }


_USER = ("id", "userId", "userDirectory", "name")
_RULE = ("id", "name", "disabled", "actions")


def _applied(rule: Mapping[str, Any], asked: Asked, readings: AuditReadings) -> dict[str, Any]:
    resource = str(rule.get("resourceFilter"))
    entry = {
        "userID": asked.user["id"],
        "resourceID": resource.rpartition("_")[2],
        "ruleID": rule["id"],
        "allowed": False,
        "errorAt": -1,
        "errorMessage": "",
        "evaluationState": 0,
    }
    try:
        allowed = grants(str(rule.get("rule") or ""), asked, readings)
    except AuditError as error:
        return {**entry, "errorAt": error.at, "errorMessage": str(error), "evaluationState": error.state}
    return {**entry, "allowed": allowed}
