"""The stage behind the rules: a license that is due, and is kept all the same by what a register says of it.

It only ever turns a release into a keep. What the rules say stays to be seen: the ruling has the rule that was due.
"""

from msgspec import structs

from seatwarden.engine.decide.decision import Ruling
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.standing import Standing


def ruled(ruling: Ruling, reason: str, standing: Standing, day: Day) -> tuple[Ruling, str]:
    """The ruling and its reason, once the registers have been heard; any ruling but a release stays as it is."""
    hold = standing.hold
    if ruling.verdict != "release" or hold is None or not hold.holds_on(day.today.isoformat()):
        return ruling, reason
    return structs.replace(ruling, verdict="keep", because="hold"), f"{hold.sentence}; due: {reason}"
