"""The rules on later days: what a policy would say of today's facts then, the license unused in between."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct

from seatwarden.engine.decide.column_tests import FactBatch, ReadValues
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import UNUSED_DAYS, Fact
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Condition, Field, IsEmpty, LicenseType, Rule, Season, UnusedFor, walk
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Truth
from seatwarden.policy.vocabulary import IN_USE

_MOVING = frozenset({"today", "month", "weekday", *UNUSED_DAYS})
"""Fields that change with the day while a license stays unused."""


class LaterFacts(Struct, frozen=True):
    """The facts of a decision as they would be `later` days on, the license unused in between."""

    facts: Mapping[str, Fact]
    day: Day
    later: int = 0

    def read(self, field: Field) -> Fact:
        """The fact of that field on the later day."""
        today = self.day.today + timedelta(days=self.later)
        match field.name:
            case "today":
                return (today,)
            case "month":
                return (today.month,)
            case "weekday":
                return (self.day.later_by(self.later).weekday,)
            case name if name in UNUSED_DAYS:
                unused = self._recorded(field)
                if isinstance(unused, Unknown):
                    return unused
                return tuple(days + self.later for days in unused if isinstance(days, int))
            case _:
                return self._recorded(field)

    def _recorded(self, field: Field) -> Fact:
        return self.facts.get(print_field(field), Unknown(f"`{print_field(field)}` was not read"))


class DaysAhead:
    """The rules for licenses of one type on the days after `day`. What is the same for all licenses is found once.

    `moving` are the rules whose truth may change with the day, `reads` the names of the facts that these read.
    """

    def __init__(self, policy: CheckedPolicy, license_type: LicenseType, day: Day) -> None:
        self.rules = CompiledRules(policy, license_type, day)
        self._day = day
        self.moving = tuple(rule for rule in self.rules.rules if _moves(rule))
        fields = dict.fromkeys(field for rule in self.moving for field in fields_of(rule.condition))
        self.reads = tuple(map(print_field, fields))
        self._fields = tuple(field for field in fields if field.name in _MOVING)
        self._ahead: dict[int, tuple[date, ReadValues]] = {}

    @property
    def last(self) -> int:
        """How many days ahead the calendar goes on."""
        return (date.max - self._day.today).days - 1

    def facts_now(self, facts: Mapping[str, Fact]) -> FactBatch:
        """The facts of a decision as the rules read them."""
        return self.rules.read_again([LaterFacts(facts, self._day)])

    def facts_on(self, days: Sequence[int], now: FactBatch) -> FactBatch:
        """The facts so many days ahead, the license unused in between; `now` are those of today."""
        columns = [column * len(days) for column in now.columns]
        for field in self._fields:
            place = self.rules.place_of(field)
            if field.name in UNUSED_DAYS:
                unused = columns[place][0]
                columns[place] = [unused if isinstance(unused, Unknown) else unused + later for later in days]
            else:
                columns[place] = [self._on(n)[1][place] for n in days]
        return FactBatch(len(days), columns)

    def truths(
        self, days: Sequence[int], facts: FactBatch, rules: Collection[Rule] | None = None
    ) -> Iterator[tuple[Rule, Sequence[Truth]]]:
        """Each rule, or each of some, with its truth on each of these days; one that has ended by then is false."""
        for rule, condition in zip(self.rules.rules, self.rules.conditions, strict=True):
            if rules is not None and rule not in rules:
                continue
            truths: Sequence[Truth] = condition.test(facts)
            if rule.until is not None:
                ends = rule.until.value
                truths = [False if ends < self._on(n)[0] else t for n, t in zip(days, truths, strict=True)]
            yield rule, truths

    def _on(self, later: int) -> tuple[date, ReadValues]:
        """A later day and its facts, which are the same for all licenses: found once."""
        if later not in self._ahead:
            (facts,) = self.rules.read_again([LaterFacts({}, self._day, later)]).rows()
            self._ahead[later] = self._day.later_by(later).today, facts
        return self._ahead[later]


def _moves(rule: Rule) -> bool:
    return rule.until is not None or any(field.name in _MOVING for field in fields_of(rule.condition))


def fields_of(condition: Condition) -> list[Field]:
    """The fields whose facts a condition's truth hangs on."""
    fields: list[Field] = []
    for node, _ in walk(condition):
        match node:
            case UnusedFor():
                fields.append(node.field)
            case Season():
                fields.append(Field("today"))
            case IsEmpty(field) if field.name in IN_USE:
                fields.append(IN_USE[field.name])
            case Field():
                fields.append(node)
            case _:
                pass
    return fields
