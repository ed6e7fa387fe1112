"""Drift: what has changed between a plan and the moment it is applied."""

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.phrases import show_values
from seatwarden.engine.facts.facts import Fact

_TIME = ("today", "month", "weekday", "license.unusedDays")
"""Facts that change by themselves as time goes by; they are decided on again, but are no change."""


def drifted_facts(planned: Decision, now: Decision) -> list[str]:
    """The facts that the plan read and that are different now, each in words; empty when none is."""
    changes = []
    if planned.user != now.user:
        changes.append(f"the user was {planned.user}, is {now.user}")
    if planned.row_state.quarantined != now.row_state.quarantined:
        was, is_ = _word(planned.row_state.quarantined), _word(now.row_state.quarantined)
        changes.append(f"license.quarantined was {was}, is {is_}")
    for name, before in planned.facts.items():
        after = now.facts.get(name)
        if name not in _TIME and after is not None and _differ(before, after):
            changes.append(f"{name} was {show_values(before)}, is {show_values(after)}")
    return changes


def _word(flag: bool | None) -> str:
    return "unknown" if flag is None else str(flag).lower()


def _differ(before: Fact, after: Fact) -> bool:
    """Whether two facts say something else; QRS does not keep the order of tags and the like."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        return sorted(map(str, before)) != sorted(map(str, after))
    return before != after
