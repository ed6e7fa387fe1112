"""The page of an audit: one file without a script, which shows hostile names as text and says what the others say."""

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from seatwarden.engine.audit.answers import Audit
from seatwarden.engine.audit.audit import AuditRequest, audit
from seatwarden.engine.audit.page import audit_page, write_page
from seatwarden.engine.cli.views.audit import MOST_LISTED, audit_lines, audit_to_json
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import REPORT, kind_of_data
from tests.engine.audit.records import LONG_AGO, URL, Record, some_site
from tests.engine.report.runs import HOSTILE
from tests.engine.support import license_row, site_of, user
from tests.strategies import NOW


@pytest.fixture
def applied(tmp_path: Path) -> Audit:
    """An audit of a run that released and failed."""
    record = Record(tmp_path / "state")
    record.apply(record.plan(), {"l2": "failed"})
    return audit(AuditRequest(record.folder), NOW)


def _hostile(tmp_path: Path) -> Audit:
    users = [user(n, name=name, userId=f"{name}{n}") for n, name in enumerate(HOSTILE, 1)]
    rows = [
        license_row(n, LONG_AGO, user={key: one[key] for key in ("id", "userId", "userDirectory")})
        for n, one in enumerate(users, 1)
    ]
    site: dict[str, Any] = {**site_of(users, rows), "source": URL}
    record = Record(tmp_path / "state")
    record.apply(record.plan(site))
    return audit(AuditRequest(record.folder), NOW)


def test_it_is_one_file_without_a_script(applied: Audit) -> None:
    page = audit_page(applied).decode()
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page), "everything is in this file"
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
    assert html.unescape(policy[1]) == rules.format(digest)
    assert kind_of_data(page.encode()) is REPORT


def test_it_says_what_text_and_json_say(applied: Audit) -> None:
    page = html.unescape(re.sub(r"<[^>]+>", "", audit_page(applied).decode()))
    text = " ".join("\n".join(audit_lines(applied)).split())
    shown = audit_to_json(applied)
    assert [answer["number"] for answer in shown["answers"]] == list(range(1, 11))
    for answer in shown["answers"]:
        for sentence in (answer["question"], answer["short"], *answer["cannotSay"]):
            assert sentence.replace("`", "") in page
            assert sentence in text
        for listing in answer["listings"]:
            for entry in listing["entries"][:MOST_LISTED]:
                assert entry["words"] in page
                assert entry["words"] in text
                assert all(source in page and source in text for source in entry["sources"])


@pytest.mark.parametrize("width", [80, 120])
def test_text_fits(applied: Audit, width: int) -> None:
    lines = list(audit_lines(applied, width))
    told = [line for line in lines if not line.startswith("   $ ")]
    long = [line for line in told if len(line) > width]
    assert all(" " not in line.strip() for line in long), "only a single long word, which stays whole"


def test_hostile_names_are_text(tmp_path: Path) -> None:
    audited = _hostile(tmp_path)
    page = audit_page(audited).decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "⟨U+202E⟩gpj.exe" in page
    for line in audit_lines(audited):
        assert line.isprintable()


def test_it_overwrites_nothing_by_itself(applied: Audit, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(applied, path)
    with pytest.raises(InputError, match="exists already"):
        write_page(applied, path)
    write_page(applied, path, force=True)
    other = tmp_path / "other.policy"
    other.write_text("release when unused for 30 days", encoding="utf-8")
    with pytest.raises(InputError, match="it is not overwritten"):
        write_page(applied, other, force=True)


# In a browser --------------------------------------------------------------------------------------------


@pytest.fixture
def browser(chromium: Chrome, tmp_path: Path) -> Iterator[Chrome]:
    """The browser with the page of hostile names; nothing on it may complain."""
    page = tmp_path / "page.html"
    page.write_bytes(audit_page(_hostile(tmp_path)))
    chromium.get("about:blank")
    chromium.execute("getLog", {"type": "browser"})
    chromium.get(page.as_uri())
    yield chromium
    assert chromium.execute("getLog", {"type": "browser"})["value"] == []
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_light_dark_and_narrow(browser: Chrome) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        grounds.append(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(251, 250, 246)", "rgb(21, 24, 28)"]
    for width in (320, 400, 768, 1280):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_it_prints_on_a4(browser: Chrome) -> None:
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    assert base64.b64decode(printed).startswith(b"%PDF-")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    metrics = {"width": 680, "height": 960, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 680


def test_its_structure(browser: Chrome) -> None:
    heads = browser.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert heads[0] == 1
    assert all(later - level <= 1 for level, later in pairwise(heads))
    assert browser.execute_script("return document.querySelectorAll('main > section').length") == 11
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_some_site_is_what_it_says() -> None:
    """The helper of these tests leaves out whom it is told to."""
    assert [row["id"] for row in some_site("l1", "l11")["licenses"]["analyzer"]] == ["l2", "l3", "l4", "l5", "l6"]
