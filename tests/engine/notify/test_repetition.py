"""Nobody is told the same again too soon, by whichever process; and nobody is left untold."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.notify.repetition import FILE, Repetition

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


def test_once_within_its_seconds(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    told = [Repetition(folder).is_due("alert", NOW + timedelta(seconds=second), 300) for second in (0, 1, 299, 300)]
    assert told == [True, False, False, True]
    assert Repetition(folder).is_due("status", NOW, 300), "each kind for itself"


def test_a_clock_that_was_set_back_silences_nobody(tmp_path: Path) -> None:
    assert Repetition(tmp_path).is_due("alert", NOW, 300)
    assert Repetition(tmp_path).is_due("alert", NOW - timedelta(hours=1), 300)


def test_once_a_day(tmp_path: Path) -> None:
    days = [date(2026, 11, 21), date(2026, 11, 21), date(2026, 11, 22)]
    assert [Repetition(tmp_path).is_news("certificate", day) for day in days] == [True, False, True]
    assert Repetition(tmp_path).is_news("another", days[0])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"alert": 5}', b'{"alert": "yesterday"}', b"[" * 100_000])
def test_a_file_that_is_damaged_silences_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert Repetition(tmp_path).is_due("alert", NOW, 300)
    assert not Repetition(tmp_path).is_due("alert", NOW, 300)


def test_a_folder_that_cannot_be_written_silences_nobody(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    assert [Repetition(taken).is_due("alert", NOW, 300), Repetition(taken).is_news("x", NOW.date())] == [True, True]


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    old = {f"thing {number}": "2020-01-01" for number in range(5_000)}
    (tmp_path / FILE).write_text(json.dumps(old), encoding="utf-8")
    Repetition(tmp_path).is_news("new", NOW.date())
    left = json.loads((tmp_path / FILE).read_bytes())
    assert len(left) == 1_000
    assert left["new"] == "2026-11-21"
