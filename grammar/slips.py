"""Slips: what people write, brought along from other languages or half remembered, and the help for it."""

import re
from collections.abc import Set

from seatwarden.grammar.errors import shown
from seatwarden.grammar.slip_helps import Match, Slip, whose, with_commas
from seatwarden.grammar.slip_table import SLIPS

MOST = 200
"""Most characters before and behind the place that are looked at."""


def slip_help(text: str, offset: int, expected: Set[str]) -> str | None:
    """The help for the slip at that place, where the terminals `expected` could stand, if it is one that is known."""
    found = find_slip(text, offset, expected)
    if found is None:
        return None
    slip, before, at = found
    if callable(slip.help):
        return slip.help(before, at)
    groups = {f"b{n}": shown(with_commas(group or "")) for n, group in enumerate(before.groups(), 1)}
    groups |= {f"a{n}": shown(with_commas(group or "")) for n, group in enumerate(at.groups(), 1)}
    user = whose(before, at)
    groups |= {"user": user, "whose": user.strip() or "license"}
    return slip.help.format_map(groups)


def find_slip(text: str, offset: int, expected: Set[str]) -> tuple[Slip, Match, Match] | None:
    """The first slip of the table that fits, with what stands before the place and what stands there."""
    before, behind = text[max(0, offset - MOST) : offset], text[offset : offset + MOST]
    for slip in SLIPS:
        if slip.where and slip.where not in expected:
            continue
        at = re.match(slip.at, behind, re.IGNORECASE)
        stands = re.search(rf"(?:{slip.before})\Z", before, re.IGNORECASE) if at else None
        if at is not None and stands is not None:
            return slip, stands, at
    return None
