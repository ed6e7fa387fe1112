"""Decisions that say no facts: behind pseudonyms those of classes so small that facts would lead to a person."""

from collections.abc import Mapping

from seatwarden.engine.decide.decision import Compact, Decision
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.snapshot.unknown import Unknown

_WITHHELD = "withheld"
"""The one fact of a line that says no facts: why, and its mark."""
_MARK = "; mark "


def facts_withheld(why: str, mark: str) -> dict[str, Fact]:
    """What stands in place of facts."""
    return {_WITHHELD: Unknown(f"{why}{_MARK}{mark}")}


def is_withheld(decision: Decision) -> bool:
    """Whether a decision of a plan with pseudonyms says no facts."""
    # What compiled rules have read is never withheld: its facts are not found again to ask them.
    return not isinstance(decision.evaluation, Compact) and says_nothing(decision.facts)


def mark_of(decision: Decision) -> str:
    """The mark of a decision that says no facts: the same while what is behind it is the same."""
    fact = decision.facts[_WITHHELD]
    return fact.reason.rpartition(_MARK)[2] if isinstance(fact, Unknown) else ""


def says_nothing(facts: Mapping[str, Fact]) -> bool:
    """The same of recorded facts."""
    return _WITHHELD in facts
