"""The truth of conditions in a world in which facts may be unknown: what an example is confirmed by before it is shown.

Formulas leave some things open, such as whether two texts are equal; here the texts of the world are compared. It says
the same as the reference evaluator, which stands on the floor above; the tests hold both together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    IsEmpty,
    ListOf,
    Name,
    Not,
    Operand,
    Or,
    ReadAs,
    Rule,
    Season,
    Shifted,
    UnusedFor,
)
from seatwarden.policy.guarantees.unknowns import Seen, is_known, no_text, nobody_has
from seatwarden.policy.operators import HOLDS, POSITIVE, Value, in_season, moved, opposite, read_text
from seatwarden.policy.vocabulary import IN_USE
from seatwarden.policy.worlds.translate import LICENSE_TYPE, Names

Kleene: TypeAlias = bool | None
"""None is unknown."""
KnownValues: TypeAlias = tuple[Value, ...] | None
"""The values of a field; None where they are unknown."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A world in which some facts are unknown, by the flags of `Doubts`."""

    world: Seen
    names: Names
    _known: dict[Field, KnownValues] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was read: all rules of a policy ask for the same few fields."""

    def read(self, asked: Field) -> KnownValues:
        """The values of a field."""
        if asked not in self._known:
            self._known[asked] = self.world.read(asked) if is_known(asked, self.world) else None
        return self._known[asked]

    def matches(self, rule: Rule) -> Kleene:
        """Whether a rule matches."""
        expired = rule.until is not None and rule.until.value < self.world.today
        if expired or not any(rule.applies_to(own) for own in self.world.read(LICENSE_TYPE)):  # type: ignore[arg-type]
            return False
        return self.truth(rule.condition)

    def truth(self, condition: Condition) -> Kleene:
        """Whether a condition holds."""
        match condition:
            case And(operands):
                return self._joined(operands, settles=False)
            case Or(operands):
                return self._joined(operands, settles=True)
            case Not(operand):
                return opposite(self.truth(operand))
            case IsEmpty(of):
                return self._is_empty(of)
            case Season():
                return in_season(condition, self.world.today)
            case UnusedFor():
                unused = self.read(condition.field)
                return None if unused is None else any(isinstance(n, int) and n >= condition.days for n in unused)
            case Comparison(operator, left, right):
                equal = self._compare(POSITIVE.get(operator, operator), left, right)
                return not equal if equal is not None and operator in POSITIVE else equal
            case _:
                values = self._values(condition)
                return None if values is None else True in values

    def _joined(self, operands: Iterable[Condition], *, settles: bool) -> Kleene:
        """What `and` or `or` says: one part that `settles` it is enough."""
        doubt = False
        for operand in operands:
            truth = self.truth(operand)
            if truth is settles:
                return settles
            doubt = doubt or truth is None
        return None if doubt else not settles

    def _is_empty(self, of: Field) -> Kleene:
        values = self.read(of)
        if values is None:
            return None
        if any(not isinstance(value, str) or value.strip() for value in values):
            return False
        return None if of.name in IN_USE and self.world.satisfies(nobody_has(of)) else True

    def _compare(self, operator: str, left: Operand, right: Operand) -> Kleene:
        one, other = self._values(left), self._values(right)
        if one is None or other is None:
            return None
        return any(HOLDS[operator](value, beside) for value in one for beside in other)  # type: ignore[index]

    def _values(self, operand: Operand) -> KnownValues:
        match operand:
            case Field():
                return self.read(operand)
            case ListOf(items):
                return tuple(item.value for item in items)
            case Name(name):
                return self._values(self.names[name])
            case ReadAs(kind, of):
                texts = self.read(of) if not self.world.satisfies(no_text(operand)) else None
                return _said(read_text(kind, str(text)) for text in texts) if texts is not None else None
            case Shifted(base):
                values = self._values(base)
                return None if values is None else tuple(moved(value, operand.days) for value in values)
            case _:
                return (operand.value,)


def _said(values: Iterable[Value | None]) -> KnownValues:
    """What texts say; unknown where one says nothing."""
    found = tuple(values)
    return None if None in found else found  # type: ignore[return-value]
