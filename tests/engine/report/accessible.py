"""What a screen reader is told of the page that a browser shows."""

from collections.abc import Iterable

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
    missing = set(wanted)
    nodes: list[tuple[str, str]] = []

    def whole(of: Chrome) -> bool:
        nodes[:] = _told(of)
        return missing <= {role for role, _ in nodes}

    WebDriverWait(browser, WAIT).until(whole, f"no {sorted(missing)} among the roles")
    return nodes
