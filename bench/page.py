"""The report of a large site in a real Chromium: how long somebody waits who opens, searches, sorts or prints it.

Run as a module, this measures and prints it alone:

python -m bench.page [LICENSES]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait

from bench.goals import plan
from bench.measure import seatwarden, seconds, table
from bench.sites import Site
from tests.engine.report.conftest import started_chromium

_MEASURED = "const began = performance.now(); {} document.body.offsetHeight; return (performance.now() - began) / 1000"
_SEARCH = _MEASURED.format(
    "const box = document.getElementById('search'); box.value = arguments[0]; box.dispatchEvent(new Event('input'));"
)
_SORT = _MEASURED.format("document.querySelectorAll('#table thead button')[arguments[0]].click();")
_OPENED = (
    "const [seen] = performance.getEntriesByType('navigation');"
    "return Math.max(seen.domComplete, performance.getEntriesByType('paint').at(-1)?.startTime ?? 0) / 1000"
)
_NOT_PREPARED = "globalThis.requestIdleCallback = () => {}"
"""A page that gets nothing ready: as for somebody who is quicker than the page."""
_PREPARED = "return orders.size"
_ORDERS = 7
"""Orders of a page that has got all ready: by each column, and the plan's."""


def measure(folder: Path, licenses: int, runs: int) -> str:
    """The section of the report."""
    try:
        return _measured(made(folder, licenses), folder / "chromium", licenses, runs)
    except FileNotFoundError as missing:
        return f"## The page\n\nNot measured: {missing}.\n"


def _measured(page: Path, profile: Path, licenses: int, runs: int) -> str:
    with started_chromium(profile) as browser:
        rows = [
            ("file", f"{page.stat().st_size / 1e6:.1f} MB", "", "15 MB"),
            ("open", seconds(_median(lambda: opened(browser, page), runs)), "", "1 s"),
            ("print", seconds(_median(lambda: printed(browser, page), runs)), "", "3 s"),
        ]
        asked = (
            ("first search", _SEARCH, "smith", "100 ms"),
            ("sort by user", _SORT, 0, "150 ms"),
            ("sort by days", _SORT, 4, "150 ms"),
            ("sort by reason", _SORT, 5, "150 ms"),
        )
        later = [seconds(_median(partial(_asked, browser, page, one[1], one[2], rest=True), runs)) for one in asked]
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _NOT_PREPARED})
        for (name, script, argument, goal), ready in zip(asked, later, strict=True):
            at_once = _median(partial(_asked, browser, page, script, argument, rest=False), runs)
            rows.append((name, ready, seconds(at_once), goal))
    head = ("the page", f"{licenses:,} licenses", "by who is quicker than the page", "goal")
    return (
        "## The page\n\n"
        "The report in Chromium. What a first search or sort needs, the page gets ready while nothing else is to be "
        f"done; the third column is of one that has not.\n\n{table(head, rows)}"
    )


def made(folder: Path, licenses: int) -> Path:
    """The page of a plan for a site of that size."""
    run, page = folder / "of page" / "run", folder / "page.html"
    plan(Site(licenses).in_file(folder), run)
    seatwarden("report", run, "-o", page, "--force")
    return page


def opened(browser: Chrome, page: Path) -> float:
    """Seconds from the request to the page being there and drawn."""
    browser.get("about:blank")
    browser.get(page.as_uri())
    return float(browser.execute_script(_OPENED))


def _asked(browser: Chrome, page: Path, script: str, argument: object, *, rest: bool) -> float:
    """Seconds that a script takes as the first that is asked of the page; `rest`: once it has got all ready."""
    opened(browser, page)
    if rest:
        WebDriverWait(browser, 60).until(lambda _: browser.execute_script(_PREPARED) == _ORDERS)
    return float(browser.execute_script(script, argument))


def printed(browser: Chrome, page: Path) -> float:
    """Seconds that making a PDF takes."""
    opened(browser, page)
    began = time.perf_counter()
    browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    return time.perf_counter() - began


def _median(measured: Callable[[], float], runs: int) -> float:
    return median(measured() for _ in range(runs))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(measure(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, 3))
