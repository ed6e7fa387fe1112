"""What `backtest` shows: a table, sentences, and rows for programs."""

from collections.abc import Iterator
from typing import Any

from seatwarden.engine.analysis.hindsight import Hindsight
from seatwarden.engine.analysis.hindsight_words import difference_words, row_words, within
from seatwarden.engine.analysis.regret import WINDOWS, WITHIN, BackWithin
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.common.timestamps import to_the_minute

MOST_TOLD = 6
"""Most rows of which sentences say what the table has."""
COLUMNS = [
    Column("Policy", least=10),
    Column("License", least=8),
    Column("Group", least=8),
    Column("First day", right=True),
    Column("Back in 30", right=True, leaves=2),
    Column("Later", right=True),
    Column("Back in 7", right=True, leaves=4),
    Column("Back in 30", right=True),
    Column("Back in 90", right=True, leaves=1),
    Column("People", right=True, leaves=3),
    Column("Again", right=True, leaves=5),
    Column("Seat-days", right=True),
]
CSV_COLUMNS = [
    *("policy", "file", "threshold", "licenseType", "group", "part", "releases", "people", "repeats", "seatDays"),
    *(f"{name}{days}" for days in WINDOWS for name in ("followed", "back", "share", "low", "high")),
]


def table_rows(found: Hindsight) -> list[list[str]]:
    """A line for each policy, type and group, by `columns`."""
    return [
        [
            printable(row.policy),
            *([row.license_type] if _has_types(found) else []),
            *([printable(row.group) or "all"] if _has_groups(found) else []),
            f"{row.backlog.releases:,}",
            _share(within(row.backlog.back, WITHIN)),
            f"{row.later.releases:,}",
            *map(_share, row.later.back),
            f"{row.all.people:,}",
            f"{row.all.repeats:,}",
            f"{row.all.seat_days:,}",
        ]
        for row in found.rows
    ]


def columns(found: Hindsight) -> list[Column]:
    """The columns of the table: that of the type where no name says it, that of the groups where there are any."""
    shown = {"License": _has_types(found), "Group": _has_groups(found)}
    return [column for column in COLUMNS if shown.get(column.head, True)]


def _has_types(found: Hindsight) -> bool:
    return any(row.threshold is None for row in found.rows)


def _has_groups(found: Hindsight) -> bool:
    return any(row.group for row in found.rows)


def _share(back: BackWithin) -> str:
    return "" if back.share is None else f"{100 * back.share:.0f} %"


def lines_before(found: Hindsight) -> Iterator[str]:
    """What was looked at."""
    span = f"{to_the_minute(found.since)} to {to_the_minute(found.until)}"
    yield f"{plural(found.snapshots, 'snapshot')}, {span}"


def lines_behind(found: Hindsight) -> Iterator[str]:
    """What the numbers mean, in sentences."""
    rows = [row for row in found.rows if not row.group]
    if len(rows) <= MOST_TOLD:
        yield from (printable(row_words(row, found.days)) for row in rows)
    yield from (printable(difference_words(one)) for one in found.differences)
    yield from (chance.words for chance in found.chances)


def csv_rows(found: Hindsight) -> Iterator[dict[str, Any]]:
    """Three lines for each policy, type and group: all, first day, later."""
    for row in found.rows:
        for part, released in (("all", row.all), ("backlog", row.backlog), ("later", row.later)):
            cells: dict[str, Any] = {
                "policy": row.policy,
                "file": row.file,
                "threshold": row.threshold,
                "licenseType": row.license_type,
                "group": row.group,
                "part": part,
                "releases": released.releases,
                "people": released.people,
                "repeats": released.repeats,
                "seatDays": released.seat_days,
            }
            for back in released.back:
                named = {"followed": back.followed, "back": back.back, "share": back.share}
                cells |= {f"{name}{back.days}": value for name, value in named.items()}
                cells |= {f"low{back.days}": back.low, f"high{back.days}": back.high}
            yield cells
