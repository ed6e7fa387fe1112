"""Drift: what has changed between a plan and the moment it is applied."""

from collections.abc import Mapping

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.phrases import show_values
from seatwarden.engine.facts.facts import UNUSED_DAYS, Fact

_TIME = ("today", "month", "weekday", *UNUSED_DAYS)
"""Facts that change by themselves as time goes by; they are decided on again, but are no change."""


def drifted_facts(planned: Decision, now: Decision, days: int) -> list[str]:
    """The facts that the plan read and that are different now, `days` later, each in words; empty when none is."""
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
    return changes or _unused_otherwise(planned.facts, now.facts, days)


def _unused_otherwise(before: Mapping[str, Fact], after: Mapping[str, Fact], days: int) -> list[str]:
    """The days of disuse, where they are not those of the plan and the days since: a policy may read nothing else."""
    found = []
    for name in UNUSED_DAYS:
        if name in before and name in after:
            is_, was = after[name], before[name]
            would_be = tuple(day + days for day in was if isinstance(day, int)) if isinstance(was, tuple) else was
            found += [f"{name} would be {show_values(would_be)}, is {show_values(is_)}"] if is_ != would_be else []
    return found


def _word(flag: bool | None) -> str:
    return "unknown" if flag is None else str(flag).lower()


def _differ(before: Fact, after: Fact) -> bool:
    """Whether two facts say something else; QRS does not keep the order of tags and the like."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        return sorted(map(str, before)) != sorted(map(str, after))
    return before != after
