"""The HTML of messages in a real browser: readable by day and by night, on a phone too; no script, nothing fetched."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.engine.notice.people import HOSTILE, facts
from tests.engine.notice.test_texts import TEMPLATES

LANGUAGES = TEMPLATES.languages


def html(language: str, name: str = "Anna Berg", reminder: bool = False) -> str:
    found = TEMPLATES.words(facts(name=name, reminder=reminder), "own", language).html
    assert found is not None
    return found


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """The browser; nothing that it shows may complain."""
    chromium.get("about:blank")
    chromium.execute("getLog", {"type": "browser"})
    yield chromium
    assert chromium.execute("getLog", {"type": "browser"})["value"] == []
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def show(browser: Chrome, folder: Path, text: str) -> None:
    page = folder / "message.html"
    page.write_text(text, encoding="utf-8")
    browser.get(page.as_uri())


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_runs_and_nothing_is_fetched(language: str) -> None:
    found = html(language)
    assert not re.search(r"<(?:script|img|link|iframe|object|form|svg|base)|\son\w+=|url\(|@import|src=", found)
    assert re.findall(r'href="([^"]+)"', found) == ["https://qlik.example.com/hub"]
    assert f'<html lang="{language}">' in found


def test_it_fetches_nothing_in_the_browser(browser: Chrome, tmp_path: Path) -> None:
    for name in ("Anna", *HOSTILE):
        show(browser, tmp_path, html("de", name))
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert browser.execute_script("return document.querySelectorAll('script,img,iframe').length") == 0
        assert browser.execute_script("return document.body.children.length") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(browser: Chrome, tmp_path: Path, scheme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    show(browser, tmp_path, html("en"))
    pairs = browser.execute_script(_COLOURS)
    assert len(pairs) >= 10
    assert all(_contrast(*pair) >= 4.5 for pair in pairs), "WCAG 2.2, 1.4.3"
    ground = browser.execute_script("return getComputedStyle(document.querySelector('.letter')).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(30, 34, 39)"}[scheme]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_a_phone(browser: Chrome, tmp_path: Path, language: str) -> None:
    for name in ("Anna Berg", "x" * 300):
        show(browser, tmp_path, html(language, name, reminder=True))
        for width in (320, 768, 1280):
            metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width


_COLOURS = """
const ground = e => {
  for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (c !== 'rgba(0, 0, 0, 0)') return c;
  }
  return 'rgb(255, 255, 255)';
};
return [...document.querySelectorAll('p, h2, a, strong')].map(e => [getComputedStyle(e).color, ground(e)]);
"""
"""The colour of each text, and of what it stands on."""


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
