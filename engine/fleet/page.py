"""The page on a fleet: a row a site, to look at and to print. No script, no network, nothing but this file.

What stands in it comes from outside: it is escaped by the template engine, always.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from seatwarden.engine.common.timestamps import format_instant, parse_timestamp, to_the_minute
from seatwarden.engine.common.way_out import REPORT, write_out
from seatwarden.engine.fleet.fleet import FleetReport
from seatwarden.engine.fleet.result import SiteResult
from seatwarden.engine.plan.limits import describe_limits
from seatwarden.engine.report.render import page_style, page_template, still_security
from seatwarden.engine.version import VERSION

OVERVIEW_FILE = "overview.html"
_OLD = timedelta(days=8)
"""From how long ago on a run is said to be old: a site whose job runs once a week has a newer one."""


def write_overview(report: FleetReport, folder: Path, pages: Mapping[str, str], *, force: bool = False) -> Path:
    """Writes the page into a folder, and returns where; `pages` are the addresses of the sites' own pages by name.

    Raises InputError.
    """
    path = folder / OVERVIEW_FILE
    write_out(path, overview_page(report, pages), REPORT, force=force)
    return path


def overview_page(report: FleetReport, pages: Mapping[str, str]) -> bytes:
    """The page, UTF-8. The same report gives the same bytes."""
    style = page_style() + _text("page.css")
    page = page_template(_text("page.html.j2")).render(
        report=report,
        made=to_the_minute(format_instant(report.ended)),
        wrong=[one for one in report.results if not one.is_well],
        old=[one for one in report.results if _is_old(one, report)],
        limits=describe_limits(report.fleet.limits),
        pages=pages,
        types=[kind for kind in ("professional", "analyzer") if any(kind in one.free for one in report.results)],
        most=max((one.due or 0 for one in report.results), default=0),
        minute=to_the_minute,
        tool=f"seatwarden {VERSION}",
        security=still_security(style),
        style=Markup(style),  # noqa: S704 - our own file: a style block takes its text as it is
    )
    return page.encode()


def _is_old(result: SiteResult, report: FleetReport) -> bool:
    at = parse_timestamp(result.at) if result.at else None
    return at is not None and report.ended - at > _OLD


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.fleet").joinpath(name).read_text(encoding="utf-8")
