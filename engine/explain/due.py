"""The day on which a kept license becomes due, if it stays unused and nothing else changes.

The day is computed: the rules decide again on the changed facts, of each later day. What makes it quick for a whole
site is that rules which read no day are decided once, that the days of a season are decided together, as licenses are,
and that decisions which agree in every fact the other rules read share one search.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import and_
from typing import TypeAlias

from seatwarden.engine.decide.column_tests import FactBatch, ReadValues
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import known_facts
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import UNUSED_DAYS, Fact, Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Condition, Field, IsEmpty, LicenseType, Rule, Season, UnusedFor, walk
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE

HORIZON_DAYS = 1100
"""Days ahead in which the day is looked for on which a license becomes due: three years."""

_MOVING = frozenset({"today", "month", "weekday", *UNUSED_DAYS})
"""Fields that change with the day while a license stays unused."""

_TOGETHER = 100
"""Days that are decided together: most licenses that become due at all do so within a few months."""

_Case: TypeAlias = tuple[LicenseType, bool, tuple[Fact | None, ...]]


@dataclass(frozen=True, slots=True)
class LaterFacts:
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


class DueDays:
    """The days on which licenses become due under one policy. Remembers what it has found."""

    def __init__(self, policy: CheckedPolicy, day: Day) -> None:
        self._day = day
        self._searches = {license_type: _Search(policy, license_type, day) for license_type in LICENSE_TYPES}
        self._found: dict[_Case, date | None] = {}

    def of(self, decision: Decision) -> date | None:
        """The first day on which the license would be released; None within the horizon, or if it is released now."""
        if _is_settled(decision):
            return None
        search, still = self._searches[decision.license_type], self._still(decision)
        if _keeps(still):
            return None
        due_already = any(o.rule.kind == "release" and o.truth is True for o in still)
        facts = known_facts(decision)
        case = (decision.license_type, due_already, tuple(facts.get(name) for name in search.reads))
        if case not in self._found:
            later = search.first(facts, due_already=due_already)
            self._found[case] = None if later is None else self._day.today + timedelta(days=later)
        return self._found[case]

    def is_never(self, decision: Decision) -> bool:
        """Whether no day is looked for: it is released now, or kept by what no day changes."""
        return _is_settled(decision) or _keeps(self._still(decision))

    def moving_rules(self, license_type: LicenseType) -> tuple[Rule, ...]:
        """The rules whose truth may change with the day."""
        return self._searches[license_type].moving

    def _still(self, decision: Decision) -> list[RuleOutcome]:
        """The outcomes that no day changes while the license stays unused."""
        moving = self.moving_rules(decision.license_type)
        return [outcome for outcome in decision.outcomes if outcome.rule not in moving]


class _Search:
    """The search among the days ahead, for the licenses of one type.

    `moving` are the rules whose truth may change with the day, `reads` the names of the facts they read.
    """

    def __init__(self, policy: CheckedPolicy, license_type: LicenseType, day: Day) -> None:
        self._rules = CompiledRules(policy, license_type, day)
        self._day = day
        self._horizon = min(HORIZON_DAYS, (date.max - day.today).days - 1)
        self.moving = tuple(rule for rule in self._rules.rules if _moves(rule))
        fields = dict.fromkeys(field for rule in self.moving for field in fields_of(rule.condition))
        self.reads = tuple(map(print_field, fields))
        self._fields = tuple(field for field in fields if field.name in _MOVING)
        self._ahead: dict[int, tuple[date, ReadValues]] = {}

    def first(self, facts: Mapping[str, Fact], *, due_already: bool) -> int | None:
        """In how many days the license is released; `due_already`: but for the moving rules it would be."""
        now = self._rules.read_again([LaterFacts(facts, self._day)])
        # Every day: `month`, `weekday` and `until` turn verdicts back and forth, so halving could miss the first one.
        for start in range(1, self._horizon + 1, _TOGETHER):
            days = range(start, min(start + _TOGETHER, self._horizon + 1))
            released = self._released(days, self._facts_on(days, now), due_already)
            if True in released:
                return days[released.index(True)]
        return None

    def _released(self, days: Sequence[int], facts: FactBatch, due_already: bool) -> list[bool]:
        """On which days: every keep rule certainly false, and a release rule certainly true."""
        free, due = [True] * facts.size, [due_already] * facts.size
        for rule, condition in zip(self._rules.rules, self._rules.conditions, strict=True):
            if rule not in self.moving:
                continue
            truths = condition.test(facts)
            if rule.until is not None:
                ends = rule.until.value
                truths = [False if ends < self._on(n)[0] else t for n, t in zip(days, truths, strict=True)]
            if rule.kind == "keep":
                free = [before and truth is False for before, truth in zip(free, truths, strict=True)]
            else:
                due = [before or truth is True for before, truth in zip(due, truths, strict=True)]
        return list(map(and_, free, due))

    def _facts_on(self, days: Sequence[int], now: FactBatch) -> FactBatch:
        """The facts of these days, the license unused in between; `now` are those of today."""
        columns = [column * len(days) for column in now.columns]
        for field in self._fields:
            place = self._rules.place_of(field)
            if field.name in UNUSED_DAYS:
                unused = columns[place][0]
                columns[place] = [unused if isinstance(unused, Unknown) else unused + later for later in days]
            else:
                columns[place] = [self._on(n)[1][place] for n in days]
        return FactBatch(len(days), columns)

    def _on(self, later: int) -> tuple[date, ReadValues]:
        """A later day and its facts, which are the same for all licenses: found once."""
        if later not in self._ahead:
            (facts,) = self._rules.read_again([LaterFacts({}, self._day, later)]).rows()
            self._ahead[later] = self._day.later_by(later).today, facts
        return self._ahead[later]


def _is_settled(decision: Decision) -> bool:
    return decision.verdict == "release" or decision.because == "guard"


def _keeps(outcomes: Iterable[RuleOutcome]) -> bool:
    return any(outcome.rule.kind == "keep" and outcome.truth is not False for outcome in outcomes)


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
