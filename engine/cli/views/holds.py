"""Holds, as `hold list` shows them."""

from datetime import date
from typing import Any

from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import printable
from seatwarden.engine.notice.holds import Hold

COLUMNS = [
    Column("User", least=14),
    Column("Licenses", least=8),
    Column("Until", least=10),
    Column("By", least=8),
    Column("Since", least=10),
    Column("Why", least=22),
]


def row_of(hold: Hold, today: date) -> list[str]:
    """The row of a hold; of one that is over it says so."""
    until = hold.until if hold.in_force(today) else f"{hold.ended or hold.until}, over"
    cells = [hold.user, hold.license_type or "all", until, hold.by, hold.since, hold.reason]
    return list(map(printable, cells))


def hold_words(hold: Hold) -> str:
    """A hold in one sentence: whose, until when, by whom, why."""
    return f"{hold.user}, {hold.what}, {hold.as_found.sentence}"


def hold_to_json(hold: Hold, today: date) -> dict[str, Any]:
    """A hold as `hold list --format json` prints it."""
    return {
        "user": hold.user,
        "licenseType": hold.license_type,
        "until": hold.until,
        "reason": hold.reason,
        "by": hold.by,
        "since": hold.since,
        "ended": hold.ended,
        "inForce": hold.in_force(today),
        "line": hold.line,
    }
