"""The page on a fleet: one file without a script, which shows what the table says and hostile words as text."""

import re
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from selenium.webdriver import Chrome

from seatwarden.engine.fleet.fleet import FleetReport
from seatwarden.engine.fleet.page import overview_page, write_overview
from seatwarden.engine.fleet.result import SiteResult
from seatwarden.engine.fleet.settings import Fleet
from seatwarden.policy.file_kinds import REPORT, kind_of_data
from tests.engine.report.checkers import needs_checkers, violations
from tests.engine.report.conftest import complaints_of

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
WELL = SiteResult(
    site="berlin",
    site_file="berlin.yaml",
    url="https://qlik.berlin.example.com:4242",
    outcome="done",
    dry_run=False,
    licenses=1_200,
    due=80,
    this_run=50,
    undetermined=3,
    allowed=40,
    results={"released": 38, "skipped": 2},
    free={"analyzer": 21},
    at="2026-11-21T08:59:00.000Z",
)
AWAY = SiteResult(site="oslo", site_file="oslo.yaml", why=["nothing listens on oslo:4242"], help="is it running?")
OLD = SiteResult(
    site="paris", site_file="p.yaml", outcome="done", state="applied", at="2026-11-01T09:00:00.000Z", due=4
)


def _page(*results: SiteResult, **pages: str) -> str:
    return overview_page(FleetReport(Fleet(Path("fleet.yaml"), ()), NOW, NOW, results), pages).decode()


def test_a_row_a_site_and_what_is_wrong_comes_first() -> None:
    page = _page(WELL, AWAY, OLD, berlin="berlin.html")
    assert page.count('<tr id="site-') == 3
    assert "1 of 3 sites need a look" in page
    assert page.index("nothing listens") < page.index("<table")
    assert '<a href="berlin.html">berlin</a>' in page
    row = re.sub(r"<[^>]+>", " ", page[page.index('<tr id="site-berlin"') : page.index('<tr id="site-oslo"')])
    assert row.split() == [
        *("berlin", "qlik.berlin.example.com:4242", "✓", "done", "2026-11-21", "08:59Z"),
        *("1,200", "80", "40", "38", "0", "3", "21"),
    ]
    assert "more than 8 days old at paris" in page
    assert "All 2 sites are well" in _page(WELL, OLD)


@given(st.text(max_size=40))
def test_nothing_from_outside_is_markup(text: str) -> None:
    page = _page(SiteResult(site="s", site_file=text, why=[text, f"</td><script>{text}"], help=text, state=text))
    assert "<script" not in page
    assert page.count("</td>") == _page(SiteResult(site="s", site_file="x", why=["x", "y"])).count("</td>")


def test_it_is_one_file_that_another_report_may_replace(tmp_path: Path) -> None:
    report = FleetReport(Fleet(Path("fleet.yaml"), ()), NOW, NOW, (WELL,))
    path = write_overview(report, tmp_path / "pages", {})
    data = path.read_bytes()
    assert kind_of_data(data) is REPORT
    assert not re.search(rb"""(?:src|href)=["'](?!#)""", data)
    assert write_overview(report, tmp_path / "pages", {}, force=True).read_bytes() == data


@needs_checkers
def test_everybody_can_read_it(chromium: Chrome, tmp_path: Path) -> None:
    path = write_overview(FleetReport(Fleet(Path("fleet.yaml"), ()), NOW, NOW, (WELL, AWAY, OLD)), tmp_path, {})
    for width in (360, 800, 1100, 1600):
        chromium.set_window_size(width, 900)
        chromium.get(path.as_uri())
        assert violations(chromium) == []
        assert chromium.execute_script("return document.documentElement.scrollWidth <= innerWidth"), width
    assert complaints_of(chromium) == []
