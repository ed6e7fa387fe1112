"""Facts that may be unknown: what can be missing by itself, and which fields are unknown then.

`policy.worlds` knows everything about its worlds. A guarantee says more: that nobody is released of whom it is not
known whether she is protected. So of each fact that a guarantee reads there is a flag *missing*, and conditions are
true, false or unknown by Kleene's rules, as in the evaluator.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol

from msgspec import Struct

from seatwarden.grammar.ast import And, Condition, Field, IsEmpty, Not, Or, ReadAs, Rule, Season, UnusedFor, walk
from seatwarden.policy.operators import Value
from seatwarden.policy.vocabulary import IN_USE
from seatwarden.policy.worlds.days import DayField
from seatwarden.policy.worlds.formula import Flag, Formula, Has, TextTest, Within, all_of, any_of, negate
from seatwarden.policy.worlds.policies import of_types
from seatwarden.policy.worlds.translate import DIRECTORY, NEVER_USED, USER_ID, USER_LAST_USED, Names, translate

LAST_USED = Field("license.lastUsed")
ALLOCATED = Field("license.createdDate")
OTHERS_ALLOCATED = Field("user.allocations")
"""When the other licenses of the user were allocated: no field, and a fact that one is made of."""
_ALWAYS_KNOWN = ("today", "month", "weekday", "license.type")


def missing(source: Field) -> Flag:
    """That a fact is missing or unreadable in QRS."""
    return Flag(Field(f"missing {source.name}", source.key))


def no_text(read: ReadAs) -> Flag:
    """That a text is there which is no date, or no number."""
    return Flag(Field(f"no {read.kind} {read.field.name}", read.field.key))


def nobody_has(field: Field) -> Flag:
    """That nobody at the site has the property: whether somebody has none is unknown then."""
    return Flag(Field(f"nobody has {field.name}", field.key))


class Seen(Protocol):
    """Facts of one license, with such flags."""

    def read(self, field: Field) -> tuple[Value, ...]: ...  # noqa: D102
    @property
    def today(self) -> date: ...  # noqa: D102
    def satisfies(self, formula: Formula) -> bool: ...  # noqa: D102


def is_known(field: Field, world: Seen) -> bool:
    """Whether a world with such flags knows a field: all that it is made of is there."""
    return not any(
        world.satisfies(missing(source)) and not any(map(world.satisfies, instead))
        for source, *instead in _sources(field)
    )


def _sources(field: Field) -> Iterator[tuple[Field, Formula] | tuple[Field]]:
    """The facts that a field is made of, each with where it is not needed."""
    match field.name:
        case name if name in _ALWAYS_KNOWN:
            pass
        case "user":
            yield from ((DIRECTORY,), (USER_ID,))
        case "license.neverUsed":
            yield (LAST_USED,)
        case "license.unusedDays":
            yield from ((LAST_USED,), (ALLOCATED, Flag(NEVER_USED, wanted=False)))
        case "user.lastUsed":
            yield from ((LAST_USED,), (USER_LAST_USED,))
        case "user.unusedDays":
            yield from ((LAST_USED,), (USER_LAST_USED,))
            yield from ((ALLOCATED, Flag(USER_LAST_USED)), (OTHERS_ALLOCATED, Flag(USER_LAST_USED)))
        case name if name in IN_USE:
            yield (Field(name),)  # one list has all of them
        case _:
            yield (field,)


class Doubts(Struct, frozen=True):
    """What may be unknown of a license: the facts that some conditions read. All others are known.

    More unknown never releases more, so it is enough to look at what a guarantee reads itself.
    """

    flags: frozenset[Flag]
    couplings: Formula
    """What holds of the flags: a text that is no date is a text, what nobody has this user has not."""

    @classmethod
    def of(cls, conditions: Iterable[Condition]) -> "Doubts":
        """The doubts that there can be about these conditions."""
        flags: set[Flag] = set()
        couplings: list[Formula] = []
        for condition in conditions:
            for node, _ in walk(condition):
                flags |= {missing(source) for read in _fields(node) for source, *_ in _sources(read)}
                if isinstance(node, ReadAs):
                    flags.add(no_text(node))
                    filled = Has(TextTest(node.field, filled=True, read_as=node.kind))
                    couplings.append(any_of([negate(no_text(node)), filled]))
                elif isinstance(node, IsEmpty) and node.field.name in IN_USE:
                    flags.add(nobody_has(node.field))
                    empty = Has(TextTest(node.field, filled=True), wanted=False)
                    couplings.append(any_of([negate(nobody_has(node.field)), empty]))
        return cls(frozenset(flags), all_of(couplings))

    def true(self, condition: Condition, names: Names) -> Formula:
        """The formula that a condition is certainly true."""
        match condition:
            case And(operands):
                return all_of(self.true(operand, names) for operand in operands)
            case Or(operands):
                return any_of(self.true(operand, names) for operand in operands)
            case Not(operand):
                return self.false(operand, names)
            case _:
                return all_of([translate(condition, names), *self._certain(condition, truth=True)])

    def false(self, condition: Condition, names: Names) -> Formula:
        """The formula that a condition is certainly false."""
        match condition:
            case And(operands):
                return any_of(self.false(operand, names) for operand in operands)
            case Or(operands):
                return all_of(self.false(operand, names) for operand in operands)
            case Not(operand):
                return self.true(operand, names)
            case _:
                return all_of([negate(translate(condition, names)), *self._certain(condition, truth=False)])

    def matches(self, rule: Rule, names: Names) -> Formula:
        """The formula that a rule certainly matches."""
        return all_of([*_bounds(rule), self.true(rule.condition, names)])

    def passes_by(self, rule: Rule, names: Names) -> Formula:
        """The formula that a rule certainly does not match."""
        return any_of([*map(negate, _bounds(rule)), self.false(rule.condition, names)])

    def _certain(self, leaf: Condition, *, truth: bool) -> Iterator[Formula]:
        for node, _ in walk(leaf):
            for field in _fields(node):
                for source, *instead in _sources(field):
                    if missing(source) in self.flags:
                        yield any_of([negate(missing(source)), *instead])
            doubt = no_text(node) if isinstance(node, ReadAs) else None
            if isinstance(node, IsEmpty) and truth:
                doubt = nobody_has(node.field)
            if doubt in self.flags:
                yield negate(doubt)


def _bounds(rule: Rule) -> list[Formula]:
    until = [Within(DayField.TODAY, DayField.ORIGIN, rule.until.value.toordinal())] if rule.until is not None else []
    return [of_types(rule.types), *until]


def _fields(node: Condition) -> Iterator[Field]:
    """The fields that a node reads by itself."""
    match node:
        case UnusedFor():
            yield node.field
        case Season():
            pass
        case Field():
            yield node
