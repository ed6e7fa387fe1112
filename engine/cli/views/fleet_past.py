"""What `fleet history` and `fleet backtest` show."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seatwarden.engine.cli.views.fleet import code_of
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.common.timestamps import to_the_minute

if TYPE_CHECKING:
    from seatwarden.engine.analysis.regret import BacktestRow
    from seatwarden.engine.fleet.past import FleetHindsight, FleetHistory
    from seatwarden.engine.fleet.result import SiteResult

ALL_SITES = "all sites"
HISTORY_COLUMNS = [
    Column("Site", least=12),
    Column("Code", right=True),
    Column("Snapshots", right=True),
    Column("From"),
    Column("To"),
    Column("MB", right=True, leaves=1),
    Column("Outcome", leaves=2),
]
BACKTEST_COLUMNS = [
    Column("Site", least=10),
    Column("Policy", least=10),
    Column("License", least=8),
    Column("First day", right=True),
    Column("Later", right=True),
    Column("Back in 30", right=True),
    Column("People", right=True, leaves=2),
    Column("Seat-days", right=True, leaves=1),
]
_WINDOW = 30
"""The days within which it is said who was back."""


def history_rows(past: "FleetHistory") -> list[list[str]]:
    """A line a site, by `HISTORY_COLUMNS`."""
    rows = []
    for result in past.report.results:
        kept = past.kept.get(result.site)
        head = [result.site, _code(result)]
        if kept is None:
            rows.append([*head, "", "", "", "", result.words])
            continue
        since, until = (to_the_minute(at) if at else "" for at in (kept.since, kept.until))
        rows.append([*head, f"{kept.snapshots:,}", since, until, f"{kept.bytes / 1e6:.1f}", result.words])
    return rows


def history_line(past: "FleetHistory") -> str:
    """The sum of it, in a sentence."""
    total = sum(one.snapshots for one in past.kept.values())
    size = sum(one.bytes for one in past.kept.values()) / 1e6
    return f"{plural(total, 'snapshot')} of {plural(len(past.kept), 'site')}, {size:.1f} MB"


def backtest_rows(past: "FleetHindsight") -> list[list[str]]:
    """A line for each site, policy and type, by `BACKTEST_COLUMNS`; the sum of several sites stands below."""
    rows = [row for result in past.report.results for row in _rows_of(result, past)]
    if len(past.sites) > 1:
        rows += [_row(ALL_SITES, row) for row in past.total]
    return rows


def _rows_of(result: "SiteResult", past: "FleetHindsight") -> Iterator[list[str]]:
    found = past.sites.get(result.site)
    if found is None:
        yield [result.site, result.words, *[""] * (len(BACKTEST_COLUMNS) - 2)]
        return
    for row in found.rows:
        yield _row(result.site, row)


def _row(site: str, row: "BacktestRow") -> list[str]:
    back = next(one for one in row.later.back if one.days == _WINDOW)
    return [
        site,
        printable(row.policy),
        row.license_type,
        f"{row.backlog.releases:,}",
        f"{row.later.releases:,}",
        "" if back.share is None else f"{100 * back.share:.0f} %",
        f"{row.all.people:,}",
        f"{row.all.seat_days:,}",
    ]


def _code(result: "SiteResult") -> str:
    return str(int(code_of(result, "report")))
