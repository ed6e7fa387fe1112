"""The day on which a kept license becomes due, if it stays unused and nothing else changes.

The day is computed: the rules decide again on the changed facts, of each later day. What makes it quick for a whole
site is that rules which read no day are decided once, that the days of a season are decided together, as licenses are,
and that decisions which agree in every fact the other rules read share one search.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from seatwarden.engine.decide.column_tests import FactBatch
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import known_facts
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.explain.days_ahead import DaysAhead
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.facts.standing import NO_STANDING
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Rule
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Truth

HORIZON_DAYS = 1100
"""Days ahead in which the day is looked for on which a license becomes due: three years."""

_TOGETHER = 100
"""Days that are decided together: most licenses that become due at all do so within a few months."""

_Case: TypeAlias = tuple[LicenseType, "_Waiting", tuple[Fact | None, ...]]


class DueDays:
    """The days on which licenses become due under one policy. Remembers what it has found."""

    def __init__(self, policy: CheckedPolicy, day: Day) -> None:
        self._day = day
        self._ahead = {license_type: DaysAhead(policy, license_type, day) for license_type in LICENSE_TYPES}
        self._found: dict[_Case, date | None] = {}

    def of(self, decision: Decision) -> date | None:
        """The first day on which the license would be released; None within the horizon, or if it is released now.

        A hold is over first, the rest behind a downgrade, and a notice has run: its user is told on the day on which a
        rule with one first matches. No day is known of a hold or a notice whose end a plan with pseudonyms does not
        say, nor of what else is in the way of a downgrade.
        """
        if _is_settled(decision):
            return None
        if decision.because == "notice" and decision.standing != NO_STANDING:
            return self._announced(decision)
        hold, rest = decision.hold_on(self._day.today), decision.standing.downgrade
        if (hold is not None and not hold.by) or (rest is not None and (rest.why or rest.open_in)):
            return None
        ends = [date.fromisoformat(hold.until)] if hold is not None else []
        if rest is not None and (rested := rest.rests_until(decision.rule)) is not None:
            ends.append(rested - timedelta(days=1))
        held = max([(end - self._day.today).days for end in ends], default=0)
        ahead, still = self._ahead[decision.license_type], self._still(decision)
        if _keeps(still):
            return None
        waiting = _Waiting(_already(still), 0 if decision.because == "notice" else None, max(held, 0))
        facts = known_facts(decision)
        case = (decision.license_type, waiting, tuple(facts.get(name) for name in ahead.reads))
        if case not in self._found:
            later = _first(ahead, facts, waiting)
            self._found[case] = None if later is None else self._day.today + timedelta(days=later)
        return self._found[case]

    def _announced(self, decision: Decision) -> date | None:
        """The day of release of a license that is due and kept for a notice, as far as the register tells it."""
        clause, standing, today = decision.rule.notice if decision.rule else None, decision.standing, self._day.today
        notice = standing.notice
        if clause is None or notice is None:
            return date.fromisoformat(standing.not_before) if standing.not_before else None
        if notice.state == "told" and not notice.why:  # a reminder that is refused keeps, whatever the day
            return max(notice.release_day(clause, today), today + timedelta(days=1))
        return date.fromisoformat(notice.announced) if notice.state == "untold" else None

    def is_never(self, decision: Decision) -> bool:
        """Whether no day is looked for: it is released now, or kept by what no day changes."""
        return _is_settled(decision) or _keeps(self._still(decision))

    def moving_rules(self, license_type: LicenseType) -> tuple[Rule, ...]:
        """The rules whose truth may change with the day."""
        return self._ahead[license_type].moving

    def _still(self, decision: Decision) -> list[RuleOutcome]:
        """The outcomes that no day changes while the license stays unused."""
        moving = self.moving_rules(decision.license_type)
        return [outcome for outcome in decision.outcomes if outcome.rule not in moving]


class _Waiting(Struct, frozen=True):
    """What a license waits for beside the rules that change with the day.

    `already`: what the rules say that no day changes. `told`: in how many days its user is told, where that is known.
    `held`: for how many days it is held, or rests.
    """

    already: "_Taking"
    told: int | None
    held: int


def _first(ahead: DaysAhead, facts: Mapping[str, Fact], waiting: _Waiting) -> int | None:
    """In how many days the license is released."""
    now, horizon, told = ahead.facts_now(facts), min(HORIZON_DAYS, ahead.last), waiting.told
    # Every day: `month`, `weekday` and `until` turn verdicts back and forth, so halving could miss the first one.
    for start in range(waiting.held + 1, horizon + 1, _TOGETHER):
        days = range(start, min(start + _TOGETHER, horizon + 1))
        for day, notice in zip(days, _notices(ahead, days, ahead.facts_on(days, now), waiting.already), strict=True):
            if notice is None:
                continue
            told = day if told is None else told
            if notice == 0 or day >= told + notice:
                return day
    return None


class _Taking(Struct, frozen=True):
    """What some rules that take say of a license: after so many days of notice (0: at once) it is downgraded, or
    released; None where none of them does. `doubtful`: whether it is unknown that one downgrades it."""

    downgraded: int | None = None
    released: int | None = None
    doubtful: bool = False

    def beside(self, rule: Rule, truth: Truth) -> "_Taking":
        """The same with one rule more."""
        days = _days_of_notice(rule)
        if truth is None:
            return replace(self, doubtful=True) if rule.kind == "downgrade" else self
        if truth is False:
            return self
        if rule.kind == "downgrade":
            return replace(self, downgraded=_shorter(self.downgraded, days))
        return replace(self, released=_shorter(self.released, days))

    @property
    def days(self) -> int | None:
        """The days of notice after which it is taken; None where it is not."""
        if self.downgraded is not None:
            return self.downgraded
        return None if self.doubtful else self.released


def _already(outcomes: Iterable[RuleOutcome]) -> _Taking:
    found = _Taking()
    for outcome in outcomes:
        found = found.beside(outcome.rule, outcome.truth) if outcome.rule.takes else found
    return found


def _notices(ahead: DaysAhead, days: Sequence[int], facts: FactBatch, already: _Taking) -> Iterator[int | None]:
    """For each day the days of notice that it takes on it; None where the license is kept."""
    free, taken = [True] * facts.size, [already] * facts.size
    for rule, truths in ahead.truths(days, facts, ahead.moving):
        if rule.takes:
            taken = [before.beside(rule, truth) for before, truth in zip(taken, truths, strict=True)]
        else:
            free = [before and truth is False for before, truth in zip(free, truths, strict=True)]
    return (found.days if is_free else None for is_free, found in zip(free, taken, strict=True))


def _days_of_notice(rule: Rule) -> int:
    return rule.notice.days if rule.notice is not None else 0


def _shorter(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)


def _is_settled(decision: Decision) -> bool:
    return decision.takes or decision.because == "guard"


def _keeps(outcomes: Iterable[RuleOutcome]) -> bool:
    return any(outcome.rule.kind == "keep" and outcome.truth is not False for outcome in outcomes)
