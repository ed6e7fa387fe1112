"""A real browser for the page: Debian's Chromium, without network, in a folder of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


def complaints_of(browser: webdriver.Chrome) -> list[str]:
    """What the console has said since it was last asked."""
    return [entry["message"] for entry in browser.execute("getLog", {"type": "browser"})["value"]]


@contextmanager
def started_chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Chromium with a folder of its own. Raises FileNotFoundError where it is not installed."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        raise FileNotFoundError("needs Chromium and its driver: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Named, so that nothing is looked for or downloaded.
    with webdriver.Chrome(options, Service(executable_path=driver)) as started:
        yield started


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium, one for all tests. Skips where it is not installed; on CI a skip fails."""
    try:
        with started_chromium(tmp_path_factory.mktemp("chromium")) as started:
            yield started
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
