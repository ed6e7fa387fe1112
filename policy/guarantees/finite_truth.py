"""The truth of conditions and rules about a license of `finite_facts`: where they are true, where false."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, product
from typing import Any

import z3

from seatwarden.grammar.ast import (
    LICENSE_TYPES,
    And,
    Comparison,
    Condition,
    Date,
    Field,
    IsEmpty,
    LicenseType,
    ListOf,
    MonthDay,
    Name,
    Not,
    Operand,
    Or,
    ReadAs,
    Rule,
    Season,
    Shifted,
    UnusedFor,
    walk,
)
from seatwarden.policy.guarantees.finite_facts import LAST_DAY, AnyLicense, Valued, Z3Truth
from seatwarden.policy.names import NamedValue
from seatwarden.policy.operators import HOLDS, POSITIVE, moved
from seatwarden.policy.vocabulary import IN_USE


def folded(value: Any) -> Any:
    """A value by which `=` tells it from others."""
    return value.casefold() if isinstance(value, str) else value


_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_KEYS: Mapping[str, Callable[[Any], Any]] = {"==": lambda value: value, "=": folded, "like": folded}
"""By what two values are equal. A pattern here has no `*`."""


@dataclass
class Truths:
    """What conditions come to for one license."""

    of: AnyLicense
    names: Mapping[str, NamedValue]
    _leaves: dict[Condition, tuple[Z3Truth, Z3Truth]] = field(default_factory=dict, init=False)
    """What was asked before: rules and guarantees say the same over and over."""
    _sides: dict[tuple[str, Operand], tuple[dict[Any, list[Valued]], list[Valued]]] = field(
        default_factory=dict, init=False
    )

    def matches(self, rule: Rule) -> Z3Truth:
        """Where a rule certainly matches."""
        return self.of.logic.all([*self._bounds(rule), self.true(rule.condition)])

    def may_match(self, rule: Rule) -> Z3Truth:
        """Where it is not certain that a rule does not match."""
        return self.of.logic.all([*self._bounds(rule), self.of.logic.no(self.false(rule.condition))])

    def is_of(self, types: tuple[LicenseType, ...]) -> Z3Truth:
        """Where the license is of one of the types; of none named, everywhere."""
        return z3.Or([self.of.type == LICENSE_TYPES.index(one) for one in types or LICENSE_TYPES])

    def true(self, condition: Condition) -> Z3Truth:
        """Where a condition is certainly true."""
        return self._truth(condition)[0]

    def false(self, condition: Condition) -> Z3Truth:
        """Where a condition is certainly false."""
        return self._truth(condition)[1]

    def all_known(self, conditions: Iterable[Condition]) -> Iterator[Z3Truth]:
        """That all that conditions read is known."""
        no, person = self.of.logic.no, self.of.person
        for node in dict.fromkeys(node for condition in conditions for node, _ in walk(condition)):
            if isinstance(node, UnusedFor | Field):
                yield no(self.of.unknown(node.field if isinstance(node, UnusedFor) else node))
            if isinstance(node, ReadAs):
                yield no(person.unreadable(node))
            if isinstance(node, Field) and node.name in IN_USE:
                yield no(person.gone(IN_USE[node.name].name))
                yield no(person.nobody(node))

    def _bounds(self, rule: Rule) -> Iterator[Z3Truth]:
        yield self.is_of(rule.types)
        if rule.until is not None:
            yield self.of.person.today <= rule.until.value.toordinal()

    def _truth(self, condition: Condition) -> tuple[Z3Truth, Z3Truth]:
        """Where it is true, and where it is false; it is unknown elsewhere."""
        logic = self.of.logic
        match condition:
            case And(operands):
                truths = [self._truth(operand) for operand in operands]
                return logic.all(true for true, _ in truths), logic.any(false for _, false in truths)
            case Or(operands):
                truths = [self._truth(operand) for operand in operands]
                return logic.any(true for true, _ in truths), logic.all(false for _, false in truths)
            case Not(operand):
                true, false = self._truth(operand)
                return false, true
            case _:
                if condition not in self._leaves:
                    self._leaves[condition] = self._leaf(condition)
                return self._leaves[condition]

    def _leaf(self, condition: Comparison | IsEmpty | UnusedFor | Season | Operand) -> tuple[Z3Truth, Z3Truth]:
        logic = self.of.logic
        match condition:
            case IsEmpty(asked):
                return self._emptiness(asked)
            case UnusedFor():
                return self._known(condition, self.of.unused(of_user=condition.of_user) >= condition.days)
            case Season():
                return self._known(condition, self._season(condition))
            case Comparison(operator, left, right):
                equal = self._compare(POSITIVE.get(operator, operator), left, right)
                return self._known(condition, logic.no(equal) if operator in POSITIVE else equal)
            case _:
                return self._known(
                    condition, logic.any(here for here, value in self._values(condition) if value is True)
                )

    def _known(self, leaf: Condition, holds: Z3Truth) -> tuple[Z3Truth, Z3Truth]:
        unknown = [self.of.unknown(leaf.field)] if isinstance(leaf, UnusedFor) else []
        for node, _ in walk(leaf):
            unknown += [self.of.unknown(node)] if isinstance(node, Field) else []
            unknown += [self.of.person.unreadable(node)] if isinstance(node, ReadAs) else []
        logic = self.of.logic
        known = logic.no(logic.any(unknown))
        return logic.all([known, holds]), logic.all([known, logic.no(holds)])

    def _emptiness(self, asked: Field) -> tuple[Z3Truth, Z3Truth]:
        logic, person = self.of.logic, self.of.person
        values = list(self.of.values(asked)) if asked.name != "user" else [(logic.true, asked.name)]
        filled = [here for here, value in values if not isinstance(value, str) or value.strip()]
        if asked in person.candidates.texts:
            filled += [here for kind in ("date", "number") for here, _ in person.said(asked, kind)]
        known, is_filled = logic.no(self.of.unknown(asked)), logic.any(filled)
        doubts = [person.nobody(asked), person.gone(IN_USE[asked.name].name)] if asked.name in IN_USE else []
        return logic.all([known, logic.no(is_filled), logic.no(logic.any(doubts))]), logic.all([known, is_filled])

    def _season(self, season: Season) -> Z3Truth:
        first, last, today = season.first, season.last, self.of.person.today
        if isinstance(first, Date) and isinstance(last, Date):
            return z3.And(today >= first.value.toordinal(), today <= last.value.toordinal())
        if not isinstance(first, MonthDay) or not isinstance(last, MonthDay):
            return self.of.logic.no(self.of.logic.true)  # no such season is read
        _, month, day = self.of.person.calendar
        one, now, other = first.month * 100 + first.day, month * 100 + day, last.month * 100 + last.day
        return z3.And(now >= one, now <= other) if one <= other else z3.Or(now >= one, now <= other)

    def _values(self, operand: Operand) -> Iterator[Valued]:
        true = self.of.logic.true
        match operand:
            case Field():
                yield from self.of.values(operand)
            case ReadAs():
                yield from self.of.person.read(operand)
            case ListOf(items):
                yield from ((true, _plain(item.value)) for item in items)
            case Name(name):
                yield from self._values(self.names[name])
            case Shifted(base):
                yield from ((here, self._moved(value, operand.days)) for here, value in self._values(base))
            case _:
                yield true, _plain(operand.value)

    @staticmethod
    def _moved(value: Any, days: int) -> Any:
        """The calendar ends; no day of ours lies near where it begins."""
        if not isinstance(value, z3.ExprRef):
            return moved(date.fromordinal(value), days).toordinal()  # type: ignore[union-attr]
        return z3.If(value + days > LAST_DAY, LAST_DAY, value + days)

    def _compare(self, operator: str, left: Operand, right: Operand) -> Z3Truth:
        if operator not in _KEYS:
            return self.of.logic.any(self._pairs(operator, product(self._values(left), self._values(right))))
        # Lists and candidates may be many: of texts only those are paired that are equal.
        (ones, numbers), (others, other_numbers) = (self._by_key(operator, side) for side in (left, right))
        both = [key for key in min(ones, others, key=len) if key in ones and key in others]
        alike = chain(
            *(product(ones[key], others[key]) for key in both),
            product(numbers, chain(other_numbers, *others.values())),
            product(chain(*ones.values()), other_numbers),
        )
        return self.of.logic.any(self._pairs(operator, alike))

    def _by_key(self, operator: str, operand: Operand) -> tuple[dict[Any, list[Valued]], list[Valued]]:
        """The values of an operand by what they are equal by, and those that are numbers of Z3."""
        if (operator, operand) not in self._sides:
            by_key: dict[Any, list[Valued]] = {}
            numbers: list[Valued] = []
            for here, value in self._values(operand):
                symbolic = isinstance(value, z3.ExprRef)
                (numbers if symbolic else by_key.setdefault(_KEYS[operator](value), [])).append((here, value))
            self._sides[operator, operand] = by_key, numbers
        return self._sides[operator, operand]

    def _pairs(self, operator: str, pairs: Iterable[tuple[Valued, Valued]]) -> Iterator[Z3Truth]:
        """Where two values are both there and compare so."""
        for (here, one), (there, other) in pairs:
            holds = _holds(operator, one, other)
            if holds is not False:
                yield self.of.logic.all([here, there] if holds is True else [here, there, holds])


def _plain(value: Any) -> Any:
    return value.toordinal() if isinstance(value, date) else value


def _holds(operator: str, one: Any, other: Any) -> Z3Truth:
    if not isinstance(one, z3.ExprRef) and not isinstance(other, z3.ExprRef):
        return HOLDS[operator](one, other)  # type: ignore[index]
    return _SIGNS[operator](one, other) if operator in _SIGNS else one == other
