"""What a screen reader is told of the page that a browser shows."""

from collections.abc import Iterable
from typing import Literal

from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

WAIT = 20
"""Seconds until a page must have told all of itself, on a machine that is busy with other tests."""


def _told(browser: Chrome) -> list[tuple[str, str]]:
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]]


def names_and_roles(browser: Chrome, wanted: Iterable[str]) -> list[tuple[str, str]]:
    """The role and the name of each node, as soon as the wanted roles are among them: Chromium makes this tree beside
    the page, and the first that it gives may end before the page does. Raises TimeoutException where they never are."""
    roles = set(wanted)

    def told_whole(of: Chrome) -> list[tuple[str, str]] | Literal[False]:
        nodes = _told(of)
        return nodes if roles <= {role for role, _ in nodes} else False

    return WebDriverWait(browser, WAIT).until(told_whole, f"not all of {sorted(roles)} are among the roles")
