"""A license rule asked about one user, in every way that Qlik's help leaves open: yes or no only where all agree.

Open are: which of `and` and `or` comes first where no parentheses say it, whether a backslash in a text escapes, what
`!=` means for several values, whether `like` is a pattern with `*` or a regular expression that is looked for anywhere
(its own page has it as both), and whether `matches` must match the whole text. Three-valued as policies are: a part of
which nothing is known is unknown, and spoils the rule only where the truth hangs on it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Literal, TypeAlias

from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.engine.take_back.texts import (
    DialectError,
    NoExpressionError,
    equal_in_any_case,
    fits_expression,
    fits_pattern,
)
from seatwarden.grammar.errors import shown
from seatwarden.grammar.license_rule.ast import (
    NotUnderstood,
    RuleCall,
    RuleChain,
    RuleNot,
    RuleOperand,
    RulePart,
    RuleTest,
    RuleText,
    RuleTruth,
    Unquoted,
    leaves,
)
from seatwarden.policy.operators import Truth, all_true, any_true, opposite

KnownTexts: TypeAlias = tuple[str, ...] | Unknown
PropertyReader: TypeAlias = Callable[[str], KnownTexts]
"""From the path of a property to the values that the user has of it, or why they are not known."""
OpenQuestion: TypeAlias = Literal["joins", "backslash", "unequal", "like", "matches"]

_QUESTIONS: dict[OpenQuestion, str] = {
    "joins": "which of `and` and `or` comes first is not documented: parentheses would say it",
    "backslash": "whether a backslash in a text escapes what follows is not documented",
    "unequal": "what `!=` means for none or several values is not documented",
    "like": "whether `like` takes a pattern or a regular expression is not documented",
    "matches": "whether `matches` must match the whole text is not documented",
}
"""Why two readings may differ."""


@dataclass(frozen=True, slots=True)
class RuleReading:
    """One way to read a rule. All False is the usual one: `and` first, no escapes, no value equal, patterns, whole."""

    joins: bool = False
    backslash: bool = False
    unequal: bool = False
    like: bool = False
    matches: bool = False


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """Whether a rule holds for a user; where nobody can say, `reason` says why."""

    truth: Truth
    reason: str | None = None


USUAL = RuleReading()
_Compared: TypeAlias = dict[tuple[int, bool, bool, bool], tuple[Truth, str | None, str | None]]
"""What came of a comparison, by what it asks of a reading: its truth, why it is unknown, why it may fail."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


def readings_of(part: RulePart) -> list[RuleReading]:
    """The ways to read a condition that may differ, the usual one first."""
    asked = tuple(dict.fromkeys(_open_in(part)))
    choices = product((False, True), repeat=len(asked))
    return [replace(USUAL, **dict(zip(asked, choice, strict=True))) for choice in choices]


def _open_in(part: RulePart) -> Iterator[OpenQuestion]:
    if any(chain.mixed for chain in _chains(part)):
        yield "joins"
    for leaf in leaves(part):
        if isinstance(leaf, RuleTest):
            if any(isinstance(side, RuleText) and "\\" in side.raw for side in (leaf.left, leaf.right)):
                yield "backslash"
            match leaf.operator:
                case "!=" | "!==":
                    yield "unequal"
                case "like" | "matches" as operator:
                    yield operator


def _chains(part: RulePart) -> Iterator[RuleChain]:
    match part:
        case RuleNot(inner):
            yield from _chains(inner)
        case RuleChain(parts):
            yield part
            for one in parts:
                yield from _chains(one)


def ask_rule(part: RulePart, readings: Sequence[RuleReading], read: PropertyReader) -> RuleAnswer:
    """Whether a condition holds for a user, in all these readings of it, of which the first is the usual one."""
    compared: _Compared = {}
    answers = [(reading, _Asking(reading, read, compared)) for reading in readings]
    truths = [asking.holds(part) for _, asking in answers]
    fails = next((asking.fails for _, asking in answers if asking.fails), None)
    if set(truths) == {True}:
        # A site that cannot read a part of a rule, as we cannot, takes the whole rule for broken, and gives nothing.
        return RuleAnswer(None, fails) if fails else RuleAnswer(True)
    if set(truths) == {False}:
        return RuleAnswer(False)
    unknown = next((asking.reason for truth, (_, asking) in zip(truths, answers, strict=True) if truth is None), None)
    return RuleAnswer(None, unknown or _difference(truths, readings))


def _difference(truths: Sequence[Truth], readings: Sequence[RuleReading]) -> str:
    """The question on which the answer hangs: the first that alone turns it, or else one of those that together do."""
    turned = [reading for reading, truth in zip(readings, truths, strict=True) if truth is not truths[0]]
    fewest = min(turned, key=lambda reading: sum(getattr(reading, question) for question in _QUESTIONS))
    return next(words for question, words in _QUESTIONS.items() if getattr(fewest, question))


class _Asking:
    """A condition asked about one user in one reading.

    `reason` is why the first unknown part is that; `fails` why a site may not be able to evaluate the rule at all.
    """

    def __init__(self, reading: RuleReading, read: PropertyReader, compared: "_Compared") -> None:
        self._reading, self._read, self._done = reading, read, compared
        self.reason: str | None = None
        self.fails: str | None = None

    def holds(self, part: RulePart) -> Truth:
        match part:
            case RuleTruth(value):
                return value
            case RuleNot(inner):
                return opposite(self.holds(inner))
            case RuleChain(parts, joins):
                truths = [self.holds(one) for one in parts]
                if self._reading.joins:
                    return _left_to_right(truths, joins)
                return _and_first(truths, joins)
            case RuleTest():
                return self._compared_once(part)
            case RuleCall():
                return self._called(part)
            case NotUnderstood(reason):
                return self._failing(reason)

    def _unknown(self, reason: str) -> Truth:
        self.reason = self.reason or reason
        return None

    def _failing(self, reason: str) -> Truth:
        self.fails = self.fails or reason
        return self._unknown(reason)

    def _called(self, call: RuleCall) -> Truth:
        name = f"{call.owner}.{call.function}" if call.owner else call.function
        if call.given or call.function.lower() not in ("empty", "isanonymous"):
            return self._failing(f"the function `{shown(name)}` is not one that we know")
        if call.function.lower() == "isanonymous":
            directory = self._values(call.owner, "user.userDirectory") if call.owner == "user" else None
            if directory is None or any(one.upper() == "NONE" for one in directory):
                return self._unknown(f"`{shown(name)}()` is known at log-in only")
            return False
        values = self._values(call.owner, call.owner)
        if values is None or (values and not any(one.strip() for one in values)):
            return self._unknown(f"`{shown(name)}()` of a blank value is not documented")
        return not values

    def _values(self, owner: str, path: str) -> tuple[str, ...] | None:
        """The values of a property; None, with the reason, where they are not known."""
        found = self._read(path)
        if isinstance(found, Unknown):
            self._unknown(found.reason)
            return None
        return found

    def _compared_once(self, test: RuleTest) -> Truth:
        """The same for all readings that differ in nothing which the comparison asks."""
        reading, operator = self._reading, test.operator
        asked = (reading.unequal and operator in ("!=", "!=="), getattr(reading, operator, False), reading.backslash)
        key = (id(test), *asked)
        if key not in self._done:
            reason, fails, self.reason, self.fails = self.reason, self.fails, None, None
            self._done[key] = self._compared(test), self.reason, self.fails
            self.reason, self.fails = reason, fails
        truth, why, failing = self._done[key]
        self.reason, self.fails = self.reason or why, self.fails or failing
        return truth

    def _compared(self, test: RuleTest) -> Truth:
        left, right = self._side(test.left), self._side(test.right)
        if left is None or right is None:
            return None
        pair = partial(self._pair, test.operator)
        pairs = [pair(one, other) for one in left for other in right]
        if test.operator not in ("!=", "!=="):
            return any_true(pairs)
        return any_true(map(opposite, pairs)) if self._reading.unequal else opposite(any_true(pairs))

    def _side(self, operand: RuleOperand) -> tuple[str, ...] | None:
        match operand:
            case RuleText(raw):
                return (_ESCAPE.sub(_unescaped, raw) if self._reading.backslash else raw,)
            case Unquoted(word):
                self._failing(f"what `{shown(word)}` without quotes means is not documented")
                return None
            case _:
                return self._values(operand.path, operand.path)

    def _pair(self, operator: str, one: str, other: str) -> Truth:
        match operator:
            case "==" | "!==":
                return one == other
            case "=" | "!=":
                equal = equal_in_any_case(one, other)
            case "like" if not self._reading.like:
                equal = fits_pattern(one, other)
            case _:
                return self._matched(operator, one, other)
        if equal is None:
            self._unknown("which letters are the same but for their case depends on the site's language")
        return equal

    def _matched(self, operator: str, text: str, expression: str) -> Truth:
        is_like = operator == "like"
        try:
            anchored = not is_like and not self._reading.matches
            return fits_expression(text, expression, anchored=anchored, any_case=is_like)
        except NoExpressionError as error:
            if is_like:  # `*` is what the help has patterns begin with: such a text is no expression, but a pattern
                return fits_pattern(text, expression)
            return self._failing(f"`{shown(expression)}` is no regular expression: {error}")
        except DialectError as error:
            return self._failing(f"what the regular expression `{shown(expression)}` matches is not certain: {error}")


def _unescaped(found: re.Match[str]) -> str:
    return _CONTROLS.get(found[1], found[1])


def _left_to_right(truths: Sequence[Truth], joins: Sequence[str]) -> Truth:
    truth = truths[0]
    for join, other in zip(joins, truths[1:], strict=True):
        truth = all_true((truth, other)) if join == "and" else any_true((truth, other))
    return truth


def _and_first(truths: Sequence[Truth], joins: Sequence[str]) -> Truth:
    groups = [[truths[0]]]
    for join, other in zip(joins, truths[1:], strict=True):
        if join == "and":
            groups[-1].append(other)
        else:
            groups.append([other])
    return any_true(map(all_true, groups))
