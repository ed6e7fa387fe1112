"""The first line of a plan, read while others read or write it."""

import errno
from pathlib import Path

import pytest

from seatwarden.engine.common import files
from seatwarden.engine.log.first_line import first_line


def test_a_plan_that_another_process_has_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run would be compared with an older one than the one before."""
    (tmp_path / "plan.jsonl").write_bytes(b'{"site":"qlik.example.com","now":"2026-11-21T02:00:00Z"}\n{}\n')
    whole, held = Path.open, [PermissionError(errno.EACCES, "Permission denied")]

    def opened(path: Path, mode: str) -> object:
        if held:
            raise held.pop()
        return whole(path, mode)

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(files, "_is_held", lambda error: True)
    first = first_line(tmp_path)
    assert first is not None
    assert (first.site, held) == ("qlik.example.com", [])
