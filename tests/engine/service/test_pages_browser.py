"""The status page in a real Chromium: by its names and roles, in light and dark, on any width, and to its reports."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from seatwarden.engine.service.state import JobResult, ServiceState
from tests.engine.report.accessible import names_and_roles
from tests.engine.report.checkers import needs_checkers, violations
from tests.engine.report.conftest import complaints_of
from tests.engine.runs.running import Running
from tests.engine.service.past import past_site, served, state_at

SHOWN = ("well", "wrong", "stopping", "unknown")
LONG = "x" * 300
"""A word that no line has room for."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Running:
    return past_site(tmp_path_factory.mktemp("past"))


@pytest.fixture(scope="module")
def addresses(running: Running) -> Iterator[dict[str, str]]:
    """Servers whose service is in different states."""
    wrong, stopping = state_at(running.now, wrong=True), state_at(running.now)
    wrong.ended("licenseRelease", running.now, JobResult("crashed", ok=False, why=(LONG, f"{LONG}\n{LONG}")))
    stopping.stopping = True
    begun = ServiceState(running.now)
    begun.schedule({"licenseMonitor": "every 6 hours"})
    states: dict[str, ServiceState] = {"well": state_at(running.now), "wrong": wrong, "stopping": stopping}
    with (
        served(running, states["well"]) as well,
        served(running, states["wrong"], reports=False) as bad,
        served(running, states["stopping"]) as ends,
        served(running, begun) as begins,
    ):
        yield {name: f"http://127.0.0.1:{port}/" for name, port in zip(SHOWN, (well, bad, ends, begins), strict=True)}


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """The browser; whatever a test does, the pages must not complain."""
    chromium.get("about:blank")
    _complaints(chromium)
    yield chromium
    assert _complaints(chromium) == []
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def _complaints(browser: Chrome) -> list[str]:
    """What the console has said since it was last asked; a browser asks for an icon that nobody has."""
    return [message for message in complaints_of(browser) if "/favicon.ico" not in message]


def _wide(browser: Chrome, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@needs_checkers
@pytest.mark.parametrize("shown", SHOWN)
def test_axe_finds_nothing(browser: Chrome, addresses: dict[str, str], shown: str) -> None:
    browser.get(addresses[shown])
    assert violations(browser) == []


@pytest.mark.parametrize("shown", SHOWN)
def test_names_and_roles(browser: Chrome, addresses: dict[str, str], shown: str) -> None:
    browser.get(addresses[shown])
    wanted = ("banner", "main", "contentinfo", "region", "table", "columnheader", "rowheader")
    nodes = names_and_roles(browser, wanted)
    for role, name in nodes:
        if role in ("link", "region", "heading", "columnheader", "rowheader"):
            assert name.strip(), f"a {role} without a name"
    levels = browser.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(later - level <= 1 for level, later in pairwise(levels))
    scopes: list[Any] = browser.execute_script("return [...document.querySelectorAll('th')].map(h => h.scope)")
    assert set(scopes) == {"col", "row"}
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert browser.execute_script("return document.querySelectorAll('script').length") == 0
    assert browser.execute_script("return document.documentElement.lang") == "en"


@pytest.mark.parametrize("shown", SHOWN)
def test_a_word_says_it_and_a_colour_too(browser: Chrome, addresses: dict[str, str], shown: str) -> None:
    browser.get(addresses[shown])
    band = browser.find_element(By.CLASS_NAME, "band")
    said = {
        "well": "All is well",
        "wrong": "3 things are wrong",
        "stopping": "Stopping: ",
        "unknown": "Running, and not everything was looked at yet",
    }[shown]
    assert band.find_element(By.TAG_NAME, "h1").text.startswith(said)
    assert browser.title.startswith(said.strip(": "))
    assert shown in (band.get_attribute("class") or "").split()


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
@pytest.mark.parametrize("shown", SHOWN)
def test_no_sideways_scrolling(browser: Chrome, addresses: dict[str, str], shown: str, width: int) -> None:
    _wide(browser, width)
    browser.get(addresses[shown])
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_on_a_telephone_each_value_has_its_word(browser: Chrome, addresses: dict[str, str]) -> None:
    _wide(browser, 390)
    browser.get(addresses["well"])
    script = "return [...document.querySelectorAll('table.stack td')].map(d => getComputedStyle(d, '::before').content)"
    words = browser.execute_script(script)
    assert {'"Next"', '"State"', '"Last day"'} <= set(words)
    assert "none" not in words
    roles = [role for role, _ in names_and_roles(browser, ("contentinfo", "columnheader", "rowheader", "cell"))]
    assert roles.count("table") == 4, "they stay tables for a screen reader"


def test_light_and_dark(browser: Chrome, addresses: dict[str, str]) -> None:
    grounds = []
    browser.get(addresses["well"])
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        grounds.append(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(251, 250, 246)", "rgb(21, 24, 28)"]


def test_a_link_leads_to_the_report_of_its_run(browser: Chrome, addresses: dict[str, str], running: Running) -> None:
    browser.get(addresses["well"])
    browser.find_element(By.LINK_TEXT, running.runs[0].name).click()
    assert "License report" in browser.find_element(By.CLASS_NAME, "kicker").text
    assert len(browser.find_elements(By.CSS_SELECTOR, "tr.row")) == 4, "its script runs under the policy of the header"


def test_it_is_loaded_anew_by_itself(browser: Chrome, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.engine.service.status_server._RELOAD_SECONDS", 1)
    state = state_at(running.now)
    with served(running, state) as port:
        browser.get(f"http://127.0.0.1:{port}/")
        assert browser.title.startswith("All is well")
        state.stopping = True
        browser.implicitly_wait(10)
        try:
            browser.find_element(By.CSS_SELECTOR, ".band.stopping")
        finally:
            browser.implicitly_wait(0)
            browser.get("about:blank")
