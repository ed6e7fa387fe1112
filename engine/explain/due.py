"""The day on which a kept license becomes due, if it stays unused and nothing else changes.

The day is computed: the rules decide again on the changed facts, a day later each time. What makes it quick for a
whole site is that rules which read no day are decided once, and that decisions which agree in every fact the other
rules read share one search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import known_facts
from seatwarden.engine.decide.reference import Truth, evaluate_rule
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact, Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Condition, Field, IsEmpty, LicenseType, Rule, UnusedFor, walk
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE

HORIZON_DAYS = 1100
"""Days ahead in which the day is looked for on which a license becomes due: three years."""

_MOVING = frozenset({"today", "month", "weekday", "license.unusedDays"})
"""Fields that change with the day while a license stays unused."""

_UNUSED = Field("license.unusedDays")

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
            case "license.unusedDays":
                unused = self._recorded(field)
                if isinstance(unused, Unknown):
                    return unused
                return tuple(days + self.later for days in unused if isinstance(days, int))
            case _:
                return self._recorded(field)

    def _recorded(self, field: Field) -> Fact:
        return self.facts.get(print_field(field), Unknown(f"`{print_field(field)}` was not read"))


@dataclass(frozen=True, slots=True)
class _MovingRules:
    """The rules for a license type whose truth may change with the day, and the names of the facts they read."""

    rules: tuple[Rule, ...]
    facts: tuple[str, ...]


class DueDays:
    """The days on which licenses become due under one policy. Remembers what it has found."""

    def __init__(self, policy: CheckedPolicy, day: Day) -> None:
        self._policy = policy
        self._day = day
        self._horizon = min(HORIZON_DAYS, (date.max - day.today).days - 1)
        self._moving = {license_type: _moving_rules(policy, license_type) for license_type in LICENSE_TYPES}
        self._found: dict[_Case, date | None] = {}

    def of(self, decision: Decision) -> date | None:
        """The first day on which the license would be released; None within the horizon, or if it is released now."""
        if decision.verdict == "release" or decision.because == "guard":
            return None
        moving = self._moving[decision.license_type]
        still = [outcome for outcome in decision.outcomes if outcome.rule not in moving.rules]
        if any(o.rule.kind == "keep" and o.truth is not False for o in still):
            return None
        due_already = any(o.rule.kind == "release" and o.truth is True for o in still)
        facts = known_facts(decision)
        case = (decision.license_type, due_already, tuple(facts.get(name) for name in moving.facts))
        if case not in self._found:
            self._found[case] = self._search(moving, due_already, facts)
        return self._found[case]

    def _search(self, moving: _MovingRules, due_already: bool, facts: Mapping[str, Fact]) -> date | None:
        # Day by day: `month`, `weekday` and `until` turn verdicts back and forth, so halving could miss the first day.
        for later in range(1, self._horizon + 1):
            if self._is_due(moving, due_already, LaterFacts(facts, self._day, later)):
                return self._day.today + timedelta(days=later)
        return None

    def _is_due(self, moving: _MovingRules, due_already: bool, facts: LaterFacts) -> bool:
        """Released: every keep rule certainly false, and a release rule certainly true."""
        due = due_already
        for rule in moving.rules:
            truth: Truth = evaluate_rule(rule, facts, self._policy.names, self._day.later_by(facts.later).today).truth
            if rule.kind == "keep" and truth is not False:
                return False
            due = due or (rule.kind == "release" and truth is True)
        return due


def _moving_rules(policy: CheckedPolicy, license_type: LicenseType) -> _MovingRules:
    rules = tuple(
        rule
        for rule in policy.rules
        if rule.applies_to(license_type)
        and (rule.until is not None or any(field.name in _MOVING for field in fields_of(rule.condition)))
    )
    read = dict.fromkeys(print_field(field) for rule in rules for field in fields_of(rule.condition))
    return _MovingRules(rules, tuple(read))


def fields_of(condition: Condition) -> list[Field]:
    """The fields whose facts a condition's truth hangs on."""
    fields: list[Field] = []
    for node, _ in walk(condition):
        match node:
            case UnusedFor():
                fields.append(_UNUSED)
            case IsEmpty(field) if field.name in IN_USE:
                fields.append(IN_USE[field.name])
            case Field():
                fields.append(node)
            case _:
                pass
    return fields
