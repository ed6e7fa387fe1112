"""The stage behind the rules: a license that is due, and is kept all the same by what a register says of it.

It only ever keeps what would be taken. What the rules say stays to be seen: the ruling has the rule that was due.
"""

from functools import lru_cache

from msgspec import structs

from seatwarden.engine.decide.decision import STANDING, TAKING, Because, Decision, Ruling
from seatwarden.engine.decide.reasons import sentence
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.notice import NOBODY_TOLD
from seatwarden.engine.facts.standing import Standing


def ruled(ruling: Ruling, reason: str, standing: Standing, day: Day) -> tuple[Ruling, str]:
    """The ruling and its reason, once the registers have been heard; one that keeps stays as it is.

    A license that is due by a rule with a notice clause is kept until its holder was told in time.
    """
    rule = ruling.rule
    if not ruling.takes or rule is None:
        return ruling, reason
    hold, notice, today = standing.hold, standing.notice, day.today
    if hold is not None and hold.holds_on(today.isoformat()):
        return _kept(ruling, "hold"), f"{hold.sentence}; due: {reason}"
    if standing.downgrade is not None and (why := standing.downgrade.keeps(rule, today)) is not None:
        return _kept(ruling, "downgrade"), f"due; {why}"
    clause = rule.notice
    if clause is not None and (notice is None or not notice.allows(clause, today)):
        return _kept(ruling, "notice"), notice.sentence(clause, today) if notice is not None else NOBODY_TOLD
    if standing.not_before > today.isoformat():
        return _kept(ruling, "notice"), f"due; announced for {standing.not_before}: not released before"
    if clause is None and notice is not None and notice.state == "running":  # all that pseudonyms let a plan say
        return _kept(ruling, "notice"), "due; not released before the day announced"
    return ruling, f"{reason}; told on {notice.told}" if clause is not None and notice and notice.told else reason


@lru_cache(maxsize=1024)
def _kept(ruling: Ruling, because: Because) -> Ruling:
    """The ruling that keeps; licenses with the same truths share it, as they share the one by the rules."""
    return structs.replace(ruling, verdict="keep", because=because)


def is_due(decision: Decision) -> bool:
    """Whether the rules take a license, whatever the registers say."""
    return decision.because in TAKING or decision.because in STANDING


@lru_cache(maxsize=1024)
def due_ruling(ruling: Ruling) -> Ruling:
    """The ruling by the rules alone on a license that is due."""
    if ruling.rule is None:  # behind pseudonyms it may not be said which it was
        return structs.replace(ruling, verdict="release", because="release")
    kind = ruling.rule.kind
    return structs.replace(ruling, verdict=kind, because=kind)


def due_reason(decision: Decision) -> str:
    """Why a license is due, by the rules alone."""
    telling = [outcome for outcome in decision.outcomes if outcome.rule is decision.rule]
    return sentence(decision.license_type, due_ruling(decision.ruling), telling)
