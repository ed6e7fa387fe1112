"""When a verdict can change although no row does: at which ages of disuse, and on which days.

A policy that compares days in ways that nobody writes is asked every day: slower, and right as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import inf

from seatwarden.engine.decide.reference import evaluate
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import OVER_ALL_LICENSES, READERS, RecordedFacts, Subject, as_read
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    IsEmpty,
    LicenseType,
    Number,
    Operand,
    Or,
    ReadAs,
    Rule,
    Season,
    Shifted,
    UnusedFor,
    days_moved,
    field_of,
    read_in,
    walk,
)
from seatwarden.policy.loading import CheckedPolicy

_LAST_USES = frozenset({"license.lastUsed", "user.lastUsed"})
_OF_ALL_USES = frozenset({"user.lastUsed", "user.unusedDays"})
_OF_THE_DAY = frozenset({"today", "month", "weekday"})


@dataclass(frozen=True, slots=True)
class Turns:
    """When verdicts on licenses of one type can change.

    `ages`: at these days without use; `user_ages`: at these of the user. `of_day`: what hangs on the day alone.
    `fields`: on the day in a field, moved by so many days, and on the one after it. `daily`: on any day.
    `needs_disuse`: nothing is released that was used more lately than the least of the ages.
    `by_use`: each new last use may change one, at whatever age, not only the first. `together`: so may the rows of
    other licenses of the person, `uses_together` their last uses. `site`: so may the names of properties and
    attributes in use, and the license rules.
    """

    ages: tuple[int, ...]
    user_ages: frozenset[int]
    of_day: tuple[Condition, ...]
    fields: frozenset[tuple[Field | ReadAs, int]]
    daily: bool
    needs_disuse: bool
    by_use: bool
    together: bool
    uses_together: bool
    site: bool
    policy: CheckedPolicy
    rules: tuple[Rule, ...]

    @property
    def least(self) -> float:
        """The least of the ages."""
        return min((*self.ages, *self.user_ages), default=inf)

    @property
    def has_own_days(self) -> bool:
        """Whether each license has days of its own on which it may be decided otherwise."""
        return bool(self.fields or self.user_ages)

    def places(self, days: Sequence[Day]) -> list[int]:
        """Those of the days, by their places, on which all licenses may be decided otherwise than on the one before."""
        found = [self._on(day) for day in days]
        return [
            place
            for place, (before, now) in enumerate(pairwise(found), 1)
            if before != now or (self.daily and days[place - 1].today != days[place].today)
        ]

    def _on(self, day: Day) -> list[object]:
        facts = RecordedFacts({"today": (day.today,), "month": (day.today.month,), "weekday": (day.weekday,)})
        ended: list[object] = [rule.until is not None and rule.until.value < day.today for rule in self.rules]
        return [*ended, *(evaluate(node, facts, self.policy.names).truth for node in self.of_day)]

    def own_days(self, subject: Subject) -> list[int]:
        """Days (ordinals) on which this license may be decided otherwise, by what its fields have now."""
        found: set[int] = set()
        for operand, moved in self.fields:
            field = operand.field if isinstance(operand, ReadAs) else operand
            fact = READERS[field.name](subject, field.key or "")
            read = as_read(operand, fact) if isinstance(operand, ReadAs) else fact
            values = () if isinstance(read, Unknown) else read
            found.update(day.toordinal() + moved for day in values if isinstance(day, date))
        turning = {day for first in found for day in (first, first + 1)}
        if self.user_ages:
            unused = READERS["user.unusedDays"](subject, "")
            if not isinstance(unused, Unknown):
                start = subject.day.today.toordinal() - int(str(unused[0]))
                turning |= {start + age for age in self.user_ages}
        return sorted(turning)


def turns_of(policy: CheckedPolicy, license_type: LicenseType) -> Turns:
    """The turns of a policy."""
    rules = tuple(rule for rule in policy.rules if rule.applies_to(license_type))
    found = _Found(policy)
    for rule in rules:
        for node, _ in walk(rule.condition):
            found.take(node)
    over_uses = not found.names.isdisjoint(_OF_ALL_USES)
    needs_disuse = all(_asks_for_disuse(rule.condition) for rule in rules if rule.takes)
    return Turns(
        tuple(sorted(found.ages)),
        frozenset(found.user_ages),
        tuple(found.of_day),
        frozenset(found.fields),
        found.daily,
        needs_disuse,
        # Who was at work lately has used some license no longer ago: where that is enough to know, nobody counts more.
        found.by_use or (over_uses and not needs_disuse),
        not found.names.isdisjoint(OVER_ALL_LICENSES),
        over_uses,
        found.site or "license.takenBackBy" in found.names,
        policy,
        rules,
    )


def _asks_for_disuse(node: Condition) -> bool:
    """Whether a condition can only be true of a license that has one of the ages."""
    match node:
        case And(operands):
            return any(map(_asks_for_disuse, operands))
        case Or(operands):
            return all(map(_asks_for_disuse, operands))
        case UnusedFor():
            return True
        case Comparison(operator, Field("license.unusedDays" | "user.unusedDays"), Number()):
            return operator in ("=", ">", ">=")
        case _:
            return False


class _Found:
    def __init__(self, policy: CheckedPolicy) -> None:
        self._policy = policy
        self.ages: set[int] = set()
        self.user_ages: set[int] = set()
        self.of_day: list[Condition] = []
        self.fields: set[tuple[Field | ReadAs, int]] = set()
        self.names: set[str] = set()
        self.daily = False
        self.by_use = False
        self.site = False

    def take(self, node: Condition) -> None:
        """Notes what one node of a condition hangs on."""
        match node:
            case UnusedFor():
                self.names.add(node.field.name)
                (self.user_ages if node.of_user else self.ages).add(node.days)
            case Season():
                self.of_day.append(node)
            case Field():
                self.names.add(node.name)
            case IsEmpty():
                self.site = True
            case Comparison(_, left, right):
                names = {side.name for side in map(field_of, (left, right)) if side is not None}
                if names and names <= _OF_THE_DAY:
                    self.of_day.append(node)
                else:
                    self._compare(left, right)
                    self._compare(right, left)

    def _compare(self, one: Operand, other: Operand) -> None:
        """Notes what a side of a comparison hangs on that is no constant."""
        field, beside = field_of(one), field_of(other)
        if field is None:
            return
        ages = {"license.unusedDays": self.ages, "user.unusedDays": self.user_ages}.get(field.name)
        if beside is None and ages is not None and not isinstance(one, Shifted):
            for item in self._policy.values_of(other):
                value = getattr(item, "value", None)
                if isinstance(value, int):
                    # `= 30` turns on the 30th day and on the 31st, `> 30` on the latter.
                    ages |= {value, value + 1}
        elif field.name == "today" and beside is not None:
            moved = days_moved(other) - days_moved(one)
            ages = {"license.lastUsed": self.ages, "user.lastUsed": self.user_ages}.get(beside.name)
            if ages is None:
                self.fields.add((read_in(other) or beside, moved))
            else:  # the day of the last use is so many days ago as the license lies unused
                ages |= {moved, moved + 1}
        elif field.name in _LAST_USES:
            self.by_use |= beside is None or beside.name != "today"
        elif field.name in _OF_THE_DAY or ages is not None:
            self.daily = True
            self.by_use |= ages is not None
