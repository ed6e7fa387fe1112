"""The day on which a kept license becomes due, if it stays unused and nothing else changes.

The day is computed: the rules decide again on the changed facts, of each later day. What makes it quick for a whole
site is that rules which read no day are decided once, that the days of a season are decided together, as licenses are,
and that decisions which agree in every fact the other rules read share one search.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from operator import and_
from typing import TypeAlias

from seatwarden.engine.decide.column_tests import FactBatch
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import known_facts
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.explain.days_ahead import DaysAhead
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Rule
from seatwarden.policy.loading import CheckedPolicy

HORIZON_DAYS = 1100
"""Days ahead in which the day is looked for on which a license becomes due: three years."""

_TOGETHER = 100
"""Days that are decided together: most licenses that become due at all do so within a few months."""

_Case: TypeAlias = tuple[LicenseType, bool, int, tuple[Fact | None, ...]]


class DueDays:
    """The days on which licenses become due under one policy. Remembers what it has found."""

    def __init__(self, policy: CheckedPolicy, day: Day) -> None:
        self._day = day
        self._ahead = {license_type: DaysAhead(policy, license_type, day) for license_type in LICENSE_TYPES}
        self._found: dict[_Case, date | None] = {}

    def of(self, decision: Decision) -> date | None:
        """The first day on which the license would be released; None within the horizon, or if it is released now.

        A hold is over first. Of one whose end a plan with pseudonyms does not say, no day is known.
        """
        if _is_settled(decision):
            return None
        hold = decision.hold_on(self._day.today)
        if hold is not None and not hold.by:
            return None
        held = (date.fromisoformat(hold.until) - self._day.today).days if hold is not None else 0
        ahead, still = self._ahead[decision.license_type], self._still(decision)
        if _keeps(still):
            return None
        due_already = any(o.rule.kind == "release" and o.truth is True for o in still)
        facts = known_facts(decision)
        case = (decision.license_type, due_already, held, tuple(facts.get(name) for name in ahead.reads))
        if case not in self._found:
            later = _first(ahead, facts, due_already=due_already, behind=held)
            self._found[case] = None if later is None else self._day.today + timedelta(days=later)
        return self._found[case]

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


def _first(ahead: DaysAhead, facts: Mapping[str, Fact], *, due_already: bool, behind: int) -> int | None:
    """In how many days the license is released, if that is `behind` so many; `due_already`: but for the moving rules it
    would be."""
    now, horizon = ahead.facts_now(facts), min(HORIZON_DAYS, ahead.last)
    # Every day: `month`, `weekday` and `until` turn verdicts back and forth, so halving could miss the first one.
    for start in range(behind + 1, horizon + 1, _TOGETHER):
        days = range(start, min(start + _TOGETHER, horizon + 1))
        released = _released(ahead, days, ahead.facts_on(days, now), due_already)
        if True in released:
            return days[released.index(True)]
    return None


def _released(ahead: DaysAhead, days: Sequence[int], facts: FactBatch, due_already: bool) -> list[bool]:
    """On which days: every keep rule certainly false, and a release rule certainly true."""
    free, due = [True] * facts.size, [due_already] * facts.size
    for rule, truths in ahead.truths(days, facts, ahead.moving):
        if rule.kind == "keep":
            free = [before and truth is False for before, truth in zip(free, truths, strict=True)]
        else:
            due = [before or truth is True for before, truth in zip(due, truths, strict=True)]
    return list(map(and_, free, due))


def _is_settled(decision: Decision) -> bool:
    return decision.verdict == "release" or decision.because == "guard"


def _keeps(outcomes: Iterable[RuleOutcome]) -> bool:
    return any(outcome.rule.kind == "keep" and outcome.truth is not False for outcome in outcomes)
