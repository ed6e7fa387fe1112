"""A backtest as one page to look at and to print: no script, no network, nothing but this file.

The names of policies, groups and sites come from outside: they are escaped by the template engine, always.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from seatwarden.engine.analysis.hindsight import Hindsight, SaidChance
from seatwarden.engine.analysis.hindsight_words import (
    LEAST_OF_100,
    average_seats,
    row_words,
    within,
)
from seatwarden.engine.analysis.regret import WITHIN, BacktestRow, BackWithin, RegretDifference
from seatwarden.engine.common.way_out import REPORT, check_way_out, write_out
from seatwarden.engine.report.axis import axis_end
from seatwarden.engine.report.backtest.curve import BOTTOM, RIGHT, BacktestPart, Curve, counts_of, curve_of
from seatwarden.engine.report.backtest.interval import Whisker, whisker
from seatwarden.engine.report.render import page_style, page_template, still_security
from seatwarden.engine.version import VERSION
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType

MOST_GROUPS = 300
"""Most lines of groups on the page; JSON and CSV have them all."""
_MOST_TOLD = 3
"""Most policies that sentences tell of."""
_PARTS: tuple[tuple[BacktestPart, str, str], ...] = (
    ("later", "Released later, day by day", "What a policy frees and costs from its second day on."),
    ("backlog", "Released on the first day", "The backlog: what had come together before anybody looked."),
)


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A line of a table: a policy, what it would have released of one part, who was back, and of those within 30 days
    the picture. `is_own`: the policy has this threshold as it is."""

    name: str
    is_own: bool
    group: str
    first_day: int
    releases: int
    people: int
    repeats: int
    seats: str
    back: tuple[BackWithin, ...]
    picture: Whisker | None


@dataclass(frozen=True, slots=True)
class ReleasedTable:
    """The table of what was released later, or of the backlog."""

    head: str
    note: str
    rows: tuple[ShownRow, ...]


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A difference of two policies, and its picture."""

    of: RegretDifference
    picture: Whisker


@dataclass(frozen=True, slots=True)
class TypeSection:
    """What the page says of one license type. `told` are its first sentences, `more` the chances of all thresholds."""

    license_type: LicenseType
    told: tuple[str, ...]
    more: tuple[SaidChance, ...]
    curve: Curve | None
    tables: tuple[ReleasedTable, ...]
    differences: tuple[ShownDifference, ...]
    groups: tuple[ShownRow, ...]
    groups_left_out: int


def write_backtest(
    found: Hindsight, path: Path, made: str, grouped_by: str | None = None, *, force: bool = False
) -> None:
    """Writes the page to a file, whole or not at all; `made` is the moment that it names. Raises InputError."""
    check_way_out(path, REPORT, force=force)
    write_out(path, backtest_page(found, made, grouped_by), REPORT, force=force)


def backtest_page(found: Hindsight, made: str, grouped_by: str | None = None) -> bytes:
    """The page, UTF-8. The same arguments give the same bytes."""
    style = page_style() + _text("page.css")
    page = page_template(_text("page.html.j2")).render(
        found=found,
        least=LEAST_OF_100,
        bottom=BOTTOM,
        right=RIGHT,
        title=_title(found),
        sections=[section_of(found, kind) for kind in LICENSE_TYPES if _rows(found, kind)],
        made=made,
        tool=f"seatwarden {VERSION}",
        grouped_by=grouped_by,
        files=list(dict.fromkeys(row.file for row in found.rows)),
        security=still_security(style),
        style=Markup(style),  # noqa: S704 - our own file: a style block takes its text as it is
    )
    return page.encode()


def _title(found: Hindsight) -> str:
    thresholds = {row.threshold for row in found.rows} - {None}
    what = "other thresholds" if thresholds else "these policies" if len(found.policies) > 1 else "this policy"
    return f"What {what} would have released, and who came back"


def _rows(found: Hindsight, kind: LicenseType) -> list[BacktestRow]:
    return [row for row in found.rows if row.license_type == kind and not row.group]


def section_of(found: Hindsight, kind: LicenseType) -> TypeSection:
    """The section of one license type."""
    rows = _rows(found, kind)
    own = found.own_thresholds.get(kind, [])
    grouped = [row for row in found.rows if row.license_type == kind and row.group]
    chances = [one for one in found.chances if one.license_type == kind]
    first = _first(rows, own)
    told = sorted((one for one in chances if one.days in own), key=lambda one: one.share is None) or chances[:1]
    groups = sorted(_first(grouped, own), key=lambda row: (row.group, found.policies.index(row.policy)))
    return TypeSection(
        kind,
        (*(one.words for one in told), *(row_words(row, found.days) for row in first[:_MOST_TOLD])),
        tuple(chances),
        curve_of(rows, chances, own, found.days),
        tuple(_parts(rows, own, found.days)),
        _differences([one for one in found.differences if one.license_type == kind]),
        _shown(groups[:MOST_GROUPS], "later", own, found.days),
        len(grouped) - len(groups[:MOST_GROUPS]),
    )


def _first(rows: Sequence[BacktestRow], own: Sequence[int]) -> list[BacktestRow]:
    """The rows that one looks at first: policies as they are, or else those of the first threshold."""
    as_they_are = [row for row in rows if row.threshold is None or row.threshold in own]
    return as_they_are or [row for row in rows if row.threshold == rows[0].threshold]


def _parts(rows: Sequence[BacktestRow], own: Sequence[int], days: int) -> Iterator[ReleasedTable]:
    for part, head, note in _PARTS:
        yield ReleasedTable(head, note, _shown(rows, part, own, days))


def _shown(rows: Sequence[BacktestRow], part: BacktestPart, own: Sequence[int], days: int) -> tuple[ShownRow, ...]:
    """The lines of a table; their pictures share an axis."""
    counts = [counts_of(row, part) for row in rows]
    most = axis_end(100 * max((within(one.back, WITHIN).high or 0 for one in counts), default=0))
    return tuple(
        ShownRow(
            row.policy,
            row.threshold in own,
            row.group,
            row.backlog.releases,
            one.releases,
            one.people,
            one.repeats,
            average_seats(one.seat_days, days),
            tuple(one.back),
            _picture(within(one.back, WITHIN), most),
        )
        for row, one in zip(rows, counts, strict=True)
    )


def _picture(back: BackWithin, most: int) -> Whisker | None:
    if back.share is None or back.low is None or back.high is None:
        return None
    return whisker(100 * back.share, 100 * back.low, 100 * back.high, 0, most)


def _differences(found: Sequence[RegretDifference]) -> tuple[ShownDifference, ...]:
    most = axis_end(max((max(abs(one.low), abs(one.high)) for one in found), default=0))
    return tuple(ShownDifference(one, whisker(one.points, one.low, one.high, -most, most)) for one in found)


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.report.backtest").joinpath(name).read_text(encoding="utf-8")
