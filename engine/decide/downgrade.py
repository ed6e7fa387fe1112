"""What is in the way of a downgrade: asked when a plan is made, and of QRS once more before anything is sent."""

from collections.abc import Sequence

from seatwarden.engine.common.text import plural
from seatwarden.engine.snapshot.model import License, Seats
from seatwarden.grammar.ast import DOWNGRADED_TO


def why_not_to(rows: Sequence[License], held: str = DOWNGRADED_TO) -> str | None:
    """Why somebody who holds these licenses of a type cannot live by them, in words; None for one that is sound, and
    for none at all: then one is given."""
    if len(rows) > 1:
        return f"the person holds {plural(len(rows), f'{held} license')}"
    for row in rows:
        if row.quarantined is not False:
            return f"the {held} license of the person is in quarantine, or it is not known whether it is"
        if row.excess is not False:
            return f"the {held} license of the person is in excess, or it is not known whether it is"
    return None


def why_none_free(seats: Seats | None, reserved: int, given: int = 0, of_type: str = DOWNGRADED_TO) -> str | None:
    """Why no license can be given: QRS does not say how many are free, or none is left beside the `reserved` ones and
    those `given` by the same plan."""
    if seats is None or seats.available is None:
        return f"QRS does not say how many {of_type} licenses are free"
    left = seats.available - reserved - given
    if left >= 1:
        return None
    beside = f", {reserved:,} of them reserved" if reserved else ""
    chosen = f", {given:,} of them given in this plan" if given else ""
    return f"no {of_type} license is free for it ({seats.available:,} are free{beside}{chosen})"
