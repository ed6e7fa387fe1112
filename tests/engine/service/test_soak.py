"""An hour of the soak test, and whether it would see what it looks for."""

import sys
from pathlib import Path

import pytest

from bench.soak import soak
from seatwarden.engine.apply.releaser import Release
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.journal_lines import Intent, JournalLine
from seatwarden.engine.metrics.delivery import Delivery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and files are counted in /proc")


@pytest.mark.long
def test_a_short_soak(tmp_path: Path) -> None:
    found = soak(tmp_path, seed=4, hours=1)
    assert found.violations == [], found
    assert found.released > 5
    assert found.points > 30
    assert found.ended["licenseRelease done"] > 1
    assert sum(found.faults.values()) > 2


@pytest.mark.long
def test_it_sees_lost_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.engine.runs.publish.send", lambda *_: Delivery())
    found = soak(tmp_path, seed=4, hours=0.5)
    assert any(violation.startswith("lost: the release of") for violation in found.violations)
    assert any(violation.startswith("lost: ('qlik_sense_license'") for violation in found.violations)


@pytest.mark.long
def test_it_sees_releases_that_should_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Journal.append

    def without_intents(self: Journal, line: JournalLine) -> None:
        if not isinstance(line, Intent):
            append(self, line)

    monkeypatch.setattr(Journal, "append", without_intents)
    monkeypatch.setattr(Release, "second_look", lambda *_: None)
    found = soak(tmp_path, seed=4, hours=1)
    assert any(violation.endswith("a DELETE without an intent on the disk") for violation in found.violations)
    assert any(violation.endswith("a DELETE of a license that must be kept") for violation in found.violations)
