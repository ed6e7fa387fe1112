"""A site's events, and no waiting between attempts."""

import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from seatwarden.engine.notify.events import Event, releases_done

NOW = datetime(2026, 11, 21, 2, 0, 5, tzinfo=UTC)
SITE = "https://qlik.example.com:4242"


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited between attempts."""
    waited: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=waited.append, time=time.time))
    return waited


@pytest.fixture
def event() -> Event:
    """Two licenses released, one failed."""
    counts = {"released": 2, "gone": 0, "skipped": 1, "failed": 1, "unknown": 0}
    people = [("CORP\\anna", "analyzer"), ("CORP\\jörg", "professional")]
    return releases_done(SITE, NOW, "20261121T020000Z-abc", counts, people, Path("runs/1"))  # type: ignore[arg-type]
