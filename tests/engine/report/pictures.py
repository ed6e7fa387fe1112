"""Pictures of the page in each state, to be looked at: `make pictures` makes them again, in pictures/.

Run as a module, with the names of states, it makes those alone:

python -m tests.engine.report.pictures "over the limit"
"""

import base64
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver import Chrome

from tests.engine.report.conftest import started_chromium
from tests.engine.report.states import pages
from tests.paths import ROOT

FOLDER = ROOT / "pictures"
_MOST = 2_400
"""Pixels of height that a picture has at most."""


@dataclass(frozen=True)
class Look:
    """A way to look at the page: how wide the window is, and what somebody has chosen in the system."""

    width: int
    features: Mapping[str, str]
    deficiency: str = "none"


LOOKS = {
    "light": Look(1280, {"prefers-color-scheme": "light"}),
    "dark": Look(1280, {"prefers-color-scheme": "dark"}),
    "phone": Look(390, {"prefers-color-scheme": "light"}),
    "phone dark": Look(390, {"prefers-color-scheme": "dark"}),
    "enlarged": Look(320, {"prefers-color-scheme": "light"}),
    "forced colours": Look(1280, {"forced-colors": "active"}),
    "greyscale": Look(1280, {"prefers-color-scheme": "light"}, "achromatopsia"),
}


def take_on(browser: Chrome, look: Look) -> None:
    """Makes the browser show pages like that."""
    features = [{"name": name, "value": value} for name, value in look.features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.execute_cdp_cmd("Emulation.setEmulatedVisionDeficiency", {"type": look.deficiency})
    metrics = {"width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def picture(browser: Chrome) -> bytes:
    """The whole page as PNG, from its top."""
    height = min(browser.execute_script("return document.documentElement.scrollHeight"), _MOST)
    width = browser.execute_script("return innerWidth")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    return base64.b64decode(taken["data"])


def printed(browser: Chrome) -> bytes:
    """The page as PDF."""
    return base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])


def _made(folder: Path, wanted: list[str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name, started_chromium(Path(name) / "browser") as browser:
        for state, page in pages(Path(name) / "runs").items():
            if wanted and state not in wanted:
                continue
            for look_name, look in LOOKS.items():
                take_on(browser, look)
                browser.get(page.as_uri())
                # As somebody sees it who has opened the first of those that are taken.
                browser.execute_script("document.querySelector('tr.row button')?.click()")
                path = folder / f"{state}, {look_name}.png"
                path.write_bytes(picture(browser))
                yield path
            path = folder / f"{state}, paper.pdf"
            path.write_bytes(printed(browser))
            yield path


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for made in _made(FOLDER, sys.argv[1:]):
        sys.stdout.write(f"{made.relative_to(ROOT)}\n")
