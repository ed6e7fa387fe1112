"""What checkers find on the page in each of its states, which is nothing: axe, html-validate, vnu.

They come from npm (`npm ci --prefix tests/web`), and vnu needs Java. axe looks at the page as a browser shows it, with
a row opened. A machine finds a part of what is wrong only; docs/accessibility.md says what else is looked at.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.engine.report.backtest.backtests import BACKTESTS
from tests.engine.report.checkers import CHECKERS, needs_checkers, violations
from tests.engine.report.conftest import complaints_of
from tests.engine.report.pictures import Look, take_on
from tests.engine.report.states import STATES, pages

_LIGHT, _DARK, _FORCED = (
    {"prefers-color-scheme": "light"},
    {"prefers-color-scheme": "dark"},
    {"forced-colors": "active"},
)
_LOOKED_AT = [
    ("to be approved", Look(1400, _LIGHT)),
    ("to be approved", Look(390, _DARK)),
    ("over the limit", Look(390, _LIGHT)),
    ("stopped", Look(1400, _DARK)),
    ("what-if", Look(768, _LIGHT)),
    ("waiting for notice", Look(1280, _LIGHT)),
    ("nothing is due", Look(1024, _DARK)),
    ("applied", Look(390, _FORCED)),
    ("applied in part", Look(1280, _FORCED)),
    ("applied in part", Look(640, _LIGHT)),
    ("damaged", Look(390, _DARK)),
    ("thresholds", Look(1400, _DARK)),
    ("thresholds", Look(390, _LIGHT)),
    ("policies", Look(640, _FORCED)),
    ("both", Look(1280, _LIGHT)),
]
"""Each state in some look, each look in some state: axe takes a second for each."""
_LICENSES = 16
"""Enough for each kind of row."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of all states."""
    return pages(tmp_path_factory.mktemp("states"), _LICENSES)


@pytest.mark.long
@needs_checkers
def test_axe_finds_nothing(chromium: Chrome, made: dict[str, Path]) -> None:
    found = {}
    for state, look in _LOOKED_AT:
        take_on(chromium, look)
        chromium.get(made[state].as_uri())
        chromium.execute_script("document.querySelector('tr.row button')?.click()")
        found[state, look.width] = violations(chromium)
    chromium.execute_script("document.title = ''")
    assert [rule for rule, _, _ in violations(chromium)] == ["document-title"], "it would find something"
    take_on(chromium, Look(1280, {}))
    assert {where: what for where, what in found.items() if what} == {}
    assert {state for state, _ in _LOOKED_AT} == set(made)
    assert complaints_of(chromium) == []


@needs_checkers
def test_html_validate_finds_nothing(made: dict[str, Path]) -> None:
    config = CHECKERS.parent / ".htmlvalidate.json"
    command: list[str | Path] = [
        CHECKERS / ".bin" / "html-validate",
        "--config",
        config,
        "--formatter",
        "json",
        *made.values(),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [(m["ruleId"], m["message"], m["line"]) for one in json.loads(ran.stdout) for m in one["messages"]]
    assert (ran.returncode, found) == (0, [])
    assert set(made) == {*STATES, *BACKTESTS}


@needs_checkers
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java: apt install default-jre-headless")
@pytest.mark.long
def test_vnu_finds_nothing(made: dict[str, Path]) -> None:
    # It does not know the two newest words of a content security policy.
    known = ".*(trusted-types|require-trusted-types-for).*"
    jar = CHECKERS / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command: list[str | Path] = [
        "java",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-jar",
        jar,
        "--format",
        "gnu",
        "--stdout",
        "--filterpattern",
        known,
        *made.values(),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("", 0)
