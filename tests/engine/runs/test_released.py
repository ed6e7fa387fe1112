"""Who finds a license gone is told which run beside this one has released it."""

from pathlib import Path

import pytest

from seatwarden.engine.runs.released import ReleasedBeside
from tests.engine.apply.applying import MemoryQrs, idle, keys, prepare, utc


def _apply(folder: Path, qrs: MemoryQrs, released_by: ReleasedBeside | None = None) -> dict[str, str]:
    prepared = prepare(folder, idle(2))
    prepared.apply(qrs, released_by=(released_by or ReleasedBeside([])).run_of)
    return prepared.journal.details


def test_a_run_beside_has_released_it(tmp_path: Path) -> None:
    qrs, beside = MemoryQrs(idle(2)), ReleasedBeside([tmp_path / "none", tmp_path])
    qrs.remove("l2")
    first = prepare(tmp_path / "one", idle(1))
    first.apply(qrs)
    details = _apply(tmp_path / "two", qrs, beside)
    assert details == {
        "l1": f"the license is gone: run {first.plan.header.run_id} has released it",
        "l2": "the license is gone: somebody else has released it",
    }


def test_only_what_it_has_released(tmp_path: Path) -> None:
    """Skipped and failed is not released; a journal that is damaged or torn tells nothing."""
    qrs = MemoryQrs(idle(2))
    qrs.on_delete = lambda license_id: (403, "no") if license_id == "l1" else None
    prepare(tmp_path / "one", idle(2), applied=utc(2026, 11, 21, 3)).apply(qrs)
    beside = ReleasedBeside([tmp_path])
    assert [beside.run_of(key) is not None for key in keys("l1", "l2", "l3")] == [False, True, False]
    for damaged in (b"{}\n", b"", b"\x00"):
        (tmp_path / "one" / "outcomes.jsonl").write_bytes(damaged)
        assert ReleasedBeside([tmp_path]).run_of(keys("l2")[0]) is None


def test_nobody_asks_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path / "one", idle(1)).apply(MemoryQrs(idle(1)))
    monkeypatch.setattr(Path, "glob", lambda *_: pytest.fail("a folder was read"))
    ReleasedBeside([tmp_path])
