"""The page of a backtest: one file without a script, which says what the text says, and hostile names as text."""

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs
from selenium.webdriver import Chrome

from seatwarden.engine.analysis.hindsight import Hindsight
from seatwarden.engine.analysis.hindsight_words import row_words
from seatwarden.engine.report.backtest.page import MOST_GROUPS, backtest_page, section_of, write_backtest
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import REPORT, kind_of_data
from tests.engine.report.backtest.backtests import BACKTESTS, policies, thresholds

MADE = "2026-11-21 12:00Z"


def _text(found: Hindsight) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", backtest_page(found, MADE, "user.@Department").decode()))


def test_it_is_one_file_without_a_script() -> None:
    page = backtest_page(thresholds(), MADE).decode()
    assert page == backtest_page(thresholds(), MADE).decode()
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page), "everything is in this file"
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
    assert html.unescape(policy[1]) == rules.format(digest)
    assert kind_of_data(page.encode()) is REPORT


def test_it_has_the_curve_and_says_in_words_what_it_means() -> None:
    found = thresholds()
    page = _text(found)
    (own,) = [row for row in found.rows if row.threshold == 30 and not row.group]
    assert row_words(own, found.days) in page
    for chance in found.chances:
        assert chance.words in page
    for words in (
        "What other thresholds would have released, and who came back",
        "now 30",
        "Whatever the policy: the chance",
        "Held against analyzer 14 days",
        "By user.@Department",
    ):
        assert words in page
    curves = backtest_page(found, MADE).decode().count('<svg class="curve"')
    assert curves == 4 + 3, "of the professional licenses no chance is known"


def test_policies_as_they_are_stand_side_by_side_without_a_curve() -> None:
    page = _text(policies())
    assert '<svg class="curve"' not in backtest_page(policies(), MADE).decode()
    assert "What these policies would have released" in page
    assert "no professional license would have been released" in page


def test_hostile_names_are_text() -> None:
    page = backtest_page(policies(), MADE, "user.name").decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page


def test_groups_are_those_of_the_threshold_in_use_and_not_without_end() -> None:
    found = thresholds()
    section = section_of(found, "analyzer")
    assert {row.name for row in section.groups} == {"analyzer 30 days"}
    assert section.groups_left_out == 12 * 4
    (row, *_) = [row for row in found.rows if row.group and row.threshold == 30]
    many = [structs.replace(row, group=f"g{n}") for n in range(MOST_GROUPS + 7)]
    crowded = section_of(structs.replace(found, rows=[*found.rows, *many]), "analyzer")
    assert len(crowded.groups) == MOST_GROUPS
    unused = section_of(structs.replace(found, own_thresholds={"analyzer": [31]}), "analyzer")
    assert {row.name for row in unused.groups} == {"analyzer 14 days"}, "where none is in use, the first"


def test_it_overwrites_nothing_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "backtest.html"
    write_backtest(policies(), path, MADE)
    with pytest.raises(InputError, match="exists already"):
        write_backtest(policies(), path, MADE)
    write_backtest(policies(), path, MADE, force=True)


# In a browser --------------------------------------------------------------------------------------------


@pytest.fixture(params=list(BACKTESTS))
def browser(request: pytest.FixtureRequest, chromium: Chrome, tmp_path: Path) -> Iterator[Chrome]:
    """The browser with a page; nothing on it may complain."""
    page = tmp_path / "page.html"
    page.write_bytes(backtest_page(BACKTESTS[request.param](), MADE, "user.@Department"))
    chromium.get("about:blank")
    chromium.execute("getLog", {"type": "browser"})
    chromium.get(page.as_uri())
    yield chromium
    assert chromium.execute("getLog", {"type": "browser"})["value"] == []
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


_OUTSIDE = """
return [...document.querySelectorAll('svg.curve text')].filter(text => {
  const own = text.getBoundingClientRect(), picture = text.ownerSVGElement.getBoundingClientRect();
  return own.right > picture.right + 1 || own.left < picture.left - 1 || own.bottom > picture.bottom + 1;
}).map(text => text.textContent)
"""


def test_it_fits_each_width_and_no_text_leaves_a_picture(browser: Chrome) -> None:
    for width in (320, 390, 680, 768, 1280):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.execute_script(_OUTSIDE) == [], width
    heads = browser.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert all(later - level <= 1 for level, later in pairwise(heads))
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
