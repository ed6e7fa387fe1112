"""The changes since the run before: who is newly due, who no longer is, who is at work again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.history import PastRun
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import RecordedPlan

ChangeSince: TypeAlias = Literal["newly due", "no longer due", "back in use", "back after release"]
"""`back in use`: was due, has been used since. `no longer due`: was, and is kept now although it was not used.
`back after release`: the earlier run released it, and the user holds one of the type again."""

CHANGES: tuple[ChangeSince, ...] = get_args(ChangeSince)

_RELEASED = ("released", "downgraded", "gone")


@dataclass(frozen=True, slots=True)
class Changes:
    """The run before against this one.

    `of_decisions` has the change of each decision of this run, None for most. `added` and `removed` count
    licenses that only one of the runs knows; of the removed ones the earlier run released `released_then`.
    """

    previous: PastRun
    of_decisions: tuple[ChangeSince | None, ...]
    policy_changed: bool
    added: int
    removed: int
    released_then: int


def is_comparable(previous: PastRun, plan: RecordedPlan) -> bool:
    """Whether both runs have the same ids for the same licenses: pseudonyms of two periods have nothing in common."""
    then, now = previous.header, plan.header
    return then.period == now.period and (now.period is None or then.pseudonyms == now.pseudonyms)


def changes_since(previous: PastRun, plan: RecordedPlan) -> Changes:
    """The changes from the previous run to this plan. Licenses are the same when type and QRS id are."""
    then = {line.key: line for line in previous.decisions}
    now = {decision.key for decision in plan.decisions}
    outcomes = previous.journal.outcomes if previous.journal else {}
    released = {line.key for line in outcomes.values() if line.result in _RELEASED}
    same_names = previous.header.pseudonyms == plan.header.pseudonyms
    lost = {_holder(then[key]) for key in released if key in then and key not in now} if same_names else set()
    return Changes(
        previous,
        tuple(_change(decision, then, lost) for decision in plan.decisions),
        previous.header.policy.canonical_sha256 != plan.header.policy.canonical_sha256,
        added=sum(key not in then for key in now),
        removed=sum(key not in now for key in then),
        released_then=sum(key in released for key in then if key not in now),
    )


def _change(
    decision: Decision, then: Mapping[Key, RecordedDecision], lost: set[tuple[object, ...]]
) -> ChangeSince | None:
    before = then.get(decision.key)
    if before is None:
        if (decision.license_type, decision.user_directory, decision.user_id) in lost:
            return "back after release"
        return "newly due" if decision.takes else None
    if (before.verdict != "keep") is decision.takes:
        return None
    if decision.takes:
        return "newly due"
    return "back in use" if _later(decision.last_used, before.about.last_used) else "no longer due"


def _later(now: str | None, then: str | None) -> bool:
    one, other = (parse_timestamp(text) if text else None for text in (now, then))
    return one is not None and (other is None or one > other)


def _holder(line: RecordedDecision) -> tuple[object, ...]:
    return line.license_type, line.about.user_directory, line.about.user_id
