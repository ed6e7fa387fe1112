"""The checkers of our pages, which come from npm: `npm ci --prefix tests/web`."""

from typing import Any

import pytest
from selenium.webdriver import Chrome

from tests.paths import ROOT

CHECKERS = ROOT / "tests" / "web" / "node_modules"
needs_checkers = pytest.mark.skipif(not CHECKERS.is_dir(), reason="needs npm ci --prefix tests/web")

_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
"""All that WCAG 2.2 asks for at level AA, and what axe thinks is better."""


def violations(browser: Chrome) -> list[tuple[str, str, str]]:
    """What axe finds on the page that the browser shows: the rule, the place, and what to do about it."""
    browser.execute_script((CHECKERS / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    run = "axe.run(document, arguments[0]).then(arguments[1])"
    answer: dict[str, Any] = browser.execute_async_script(run, _RULES)
    assert len(answer["passes"]) > 15, "it has looked at something"
    return [
        (one["id"], str(node["target"]), node["failureSummary"])
        for one in answer["violations"]
        for node in one["nodes"]
    ]
