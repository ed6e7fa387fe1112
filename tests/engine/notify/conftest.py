"""A site's events, and no waiting between attempts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.notify.events import Event, releases_done

NOW = datetime(2026, 11, 21, 2, 0, 5, tzinfo=UTC)
SITE = "https://qlik.example.com:4242"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)


@pytest.fixture
def event() -> Event:
    """Two licenses released, one failed."""
    counts = {"released": 2, "gone": 0, "skipped": 1, "failed": 1, "unknown": 0}
    people = [("CORP\\anna", "analyzer"), ("CORP\\jörg", "professional")]
    return releases_done(SITE, NOW, "20261121T020000Z-abc", counts, people, Path("runs/1"))  # type: ignore[arg-type]
