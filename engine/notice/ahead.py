"""Days of release: the days from today on, on which a policy releases a license that stays unused."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from seatwarden.engine.decide.column_tests import FactBatch
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.explain.days_ahead import DaysAhead
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Truth
from seatwarden.policy.vocabulary import OF_POOL

SEARCHED_DAYS = 31
"""How far behind a day another is looked for on which the policy says the same: a month of calendar rules."""

_POOL = {name: Unknown("how many licenses are free changes from day to day") for name in OF_POOL}


class ReleaseDays:
    """The days on which a policy releases licenses, asked license by license. Remembers what it has found."""

    def __init__(self, policy: CheckedPolicy, day: Day) -> None:
        self._today = day.today
        self._ahead: dict[LicenseType, DaysAhead] = {one: DaysAhead(policy, one, day) for one in LICENSE_TYPES}
        self._found: dict[tuple[object, ...], list[Truth]] = {}

    def first(self, decision: Decision, since: date) -> date | None:
        """The first day from `since` on, on which the policy releases the license by today's facts.

        None where there is none within 31 days.
        """
        days = [since + timedelta(days=n) for n in range(SEARCHED_DAYS + 1)]
        found = self._truths(decision, days, decision.facts)
        return next((day for day, truth in zip(days, found, strict=True) if truth is True), None)

    def says_release(self, decision: Decision, day: date) -> bool:
        """Whether the policy releases the license on a day, which may have passed, by today's facts."""
        return self._truths(decision, [day], decision.facts) == [True]

    def may_release(self, decision: Decision, since: date) -> bool:
        """Whether it can be that the license is released on that day or on one of the 31 days after it.

        What is unknown today, or changes with the pool, may be another way then.
        """
        days = [since + timedelta(days=n) for n in range(SEARCHED_DAYS + 1)]
        facts = {**decision.facts, **{name: fact for name, fact in _POOL.items() if name in decision.facts}}
        return any(truth is not False for truth in self._truths(decision, days, facts))

    def _truths(self, decision: Decision, days: Sequence[date], facts: Mapping[str, Fact]) -> list[Truth]:
        """For each day whether the license is released: true, false, or unknown."""
        ahead = self._ahead[decision.license_type]
        later = [(day - self._today).days for day in days if day < date.max - timedelta(days=1)]
        now = ahead.facts_now(facts)
        key = (decision.license_type, tuple(later), tuple(column[0] for column in now.columns))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = _released(ahead, later, now)
        return [*found, *[None] * (len(days) - len(later))]


def _released(ahead: DaysAhead, later: Sequence[int], now: FactBatch) -> list[Truth]:
    keeps: list[Truth] = [False] * len(later)
    releases: list[Truth] = [False] * len(later)
    for rule, truths in ahead.truths(later, ahead.facts_on(later, now)):
        into = keeps if rule.kind == "keep" else releases
        into[:] = [_either(before, truth) for before, truth in zip(into, truths, strict=True)]
    return [_released_on(keep, release) for keep, release in zip(keeps, releases, strict=True)]


def _either(one: Truth, other: Truth) -> Truth:
    if one is True or other is True:
        return True
    return None if one is None or other is None else False


def _released_on(keep: Truth, release: Truth) -> Truth:
    if keep is True or release is False:
        return False
    return True if keep is False and release is True else None
