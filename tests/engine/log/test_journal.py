"""The journal on the disk: lines from many threads, torn lines, lines that could not be written."""

import errno
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.journal import (
    Journal,
    JournalState,
    check_journal,
    is_settled,
    parse_journal,
    read_journal,
)
from seatwarden.engine.log.journal_lines import JOURNAL_READER, ApplyHeader, Resume
from seatwarden.engine.log.results import RESULTS, OutcomeKind
from seatwarden.engine.plan.circumstances import Clocks
from tests.engine.log.golden_site import golden_log
from tests.engine.support import SEED

AT = "2026-11-21T03:00:00.000Z"
CHOSEN = [10, 11, 12, 13]
"""Lines of a plan; each decides on the license of its number."""


def _header(chosen: list[int] = CHOSEN, root: str = "s") -> ApplyHeader:
    clocks = Clocks(AT)
    return ApplyHeader(
        run_id="r", tool="t", plan_root=root, site="test", limits=[], chosen=chosen, at=AT, clocks=clocks
    )


def _create(path: Path, chosen: list[int] = CHOSEN) -> Journal:
    journal = Journal.create(path, SEED)
    with journal.closed_on_failure():
        journal.append(_header(chosen))
    return journal


def _intend(journal: Journal, n: int) -> None:
    journal.intend(n, ("analyzer", f"l{n}"), "u", AT)


def _note(journal: Journal, n: int, result: OutcomeKind = "released") -> None:
    journal.note(n, ("analyzer", f"l{n}"), "u", result, "", AT)


def _reopen(path: Path, data: bytes) -> Journal:
    return Journal.reopen(path, data, SEED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outcomes.jsonl"


def test_it_is_created_exclusively(path: Path) -> None:
    path.write_bytes(b"what stands there")
    with pytest.raises(FileExistsError):
        _create(path)
    assert path.read_bytes() == b"what stands there"


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_only_its_owner_can_read_it(path: Path) -> None:
    former = os.umask(0)
    try:
        _create(path).close()
    finally:
        os.umask(former)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_of_many_threads_are_one_chain(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def slow(descriptor: int, data: bytes) -> int:
        time.sleep(0.0005 * (len(data) % 3))  # whoever comes later may be faster
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slow)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    journal = _create(path)

    def add(n: int) -> None:
        for _ in range(8):
            _intend(journal, n)
            _note(journal, n)

    threads = [threading.Thread(target=add, args=(n,)) for n in CHOSEN]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.seal({}, {}, AT)
    journal.close()
    assert JOURNAL_READER.read(path.read_bytes()).damage == []
    assert path.read_bytes().count(b"\n") == 3 + 4 * 8 * 2


def test_an_intent_without_an_outcome_is_open(path: Path) -> None:
    journal = _create(path)
    for step in (_intend, _note):
        step(journal, 10)
    _intend(journal, 11)
    _intend(journal, 12)
    _note(journal, 12, "failed")
    _intend(journal, 12)
    _note(journal, 13, "skipped")
    journal.close()
    state = read_journal(path)
    assert state is not None
    assert state.open_intents == [11, 12]
    results = {n: line.result for n, line in state.outcomes.items()}
    assert (results, state.sealed) == ({10: "released", 12: "failed", 13: "skipped"}, False)
    assert state.outcomes[12].key == ("analyzer", "l12")
    assert state.chosen == CHOSEN


def test_what_is_settled() -> None:
    assert {result for result in RESULTS if is_settled(result)} == {"released", "gone", "skipped"}


@pytest.mark.parametrize(
    "torn", [b"", b'{"n":3,"ki', b'{"n":3,"ki\n', b"\xff\xfe\n", b"\0" * 512, b"[" * 100_000 + b"\n"]
)
def test_it_goes_on_behind_its_last_whole_line(path: Path, torn: bytes) -> None:
    journal = _create(path)
    _intend(journal, 10)
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert whole_lines(whole + torn) == whole
    journal = _reopen(path, path.read_bytes())
    assert path.read_bytes() == whole
    journal.append(Resume(at=AT, clocks=Clocks(AT)))
    journal.seal({}, {}, AT)
    journal.close()
    data = path.read_bytes()
    assert (JOURNAL_READER.read(data).damage, data.startswith(whole), data.count(b"\n")) == ([], True, 5)


def test_what_is_cut_off_is_flushed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line behind the torn one, which a power loss brings back, would be damage."""
    _create(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole + b"torn")
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_size))
    _reopen(path, whole + b"torn").close()
    assert flushed == [len(whole)]


def test_what_cannot_be_opened_is_closed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service on a full disk tries again and again."""
    opened, closed = [], []
    open_, close = os.open, os.close

    def opening(*given: Any) -> int:
        opened.append(open_(*given))
        return opened[-1]

    def closing(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    _create(path).close()
    whole = path.read_bytes()
    for name, function in (("open", opening), ("close", closing), ("fsync", full)):
        monkeypatch.setattr(os, name, function)
    with pytest.raises(OSError, match="No space"):
        _create(path.with_name("another"))
    with pytest.raises(OSError, match="No space"):
        _reopen(path, whole + b"torn")
    assert len(opened) == 3, "the folder, too"
    assert sorted(closed) == sorted(opened)


@pytest.mark.parametrize("failing", ["write", "half", "fsync"])
def test_after_a_failure_it_takes_no_line(path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """Though the disk works again: behind half a line every further one would be damage."""
    journal = _create(path)
    _intend(journal, 10)
    before = path.read_bytes()
    write = os.write

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if failing == "half":
            patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[: len(data) // 2]))
        else:
            patch.setattr(os, failing, full)
        with pytest.raises(OSError, match=r"No space left|bytes of a line"):
            _note(journal, 10)
    after = path.read_bytes()
    with pytest.raises(OSError, match=r"No space left|bytes of a line"):
        _note(journal, 10)
    with pytest.raises(OSError, match=r"No space left|bytes of a line"):
        journal.seal({}, {}, AT)
    journal.close()
    assert path.read_bytes() == after
    state = parse_journal(path, after)
    assert state is not None
    assert state.open_intents == ([] if failing == "fsync" else [10])
    assert whole_lines(after).startswith(before)


ROOT = golden_log().root
RELEASES = list(golden_log().releases)


@pytest.mark.parametrize(
    ("root", "chosen", "refused"),
    [
        (ROOT, RELEASES, None),
        (ROOT, RELEASES[:1], None),
        (ROOT, [], None),
        ("another", RELEASES, "belongs to another plan"),
        ("", RELEASES, "belongs to another plan"),
        (ROOT, [*RELEASES, 99], "a license that the plan does not release"),
        (ROOT, [1], "a license that the plan does not release"),
    ],
)
def test_whose_it_is(path: Path, root: str, chosen: list[int], refused: str | None) -> None:
    state = JournalState(_header(chosen, root))
    if refused is None:
        check_journal(path, state, golden_log())
    else:
        with pytest.raises(DamagedLog, match=refused):
            check_journal(path, state, golden_log())


def test_a_line_about_another_license_than_the_plan_s(path: Path) -> None:
    """The line of the plan is one that releases; the license that the journal names there is another."""
    journal = Journal.create(path, SEED)
    journal.append(_header(RELEASES, ROOT))
    journal.intend(RELEASES[0], ("analyzer", "l99"), "u", AT)
    journal.close()
    state = read_journal(path)
    assert state is not None
    with pytest.raises(DamagedLog, match=r"line 2 .* about a license that was not chosen"):
        check_journal(path, state, golden_log())


def test_a_license_that_is_chosen_twice(path: Path) -> None:
    _create(path, [*CHOSEN, CHOSEN[0]]).close()
    with pytest.raises(DamagedLog, match="chooses a license twice"):
        read_journal(path)


@pytest.mark.parametrize("foreign", [b"theirs\n", b""], ids=["added", "cut off"])
def test_a_file_that_was_changed_meanwhile_ends_the_work(path: Path, foreign: bytes) -> None:
    """Two at work on one journal would make it damaged, and neither would know."""
    journal = _create(path)
    _intend(journal, 10)
    data = path.read_bytes()
    path.write_bytes(data + foreign if foreign else data[: data.rfind(b"\n", 0, -1) + 1])
    changed = path.read_bytes()
    for _ in range(2):
        with pytest.raises(OSError, match="was changed by somebody else meanwhile"):
            _note(journal, 10)
    journal.close()
    assert path.read_bytes() == changed


def test_a_journal_that_was_killed_between_its_end_and_its_seal(path: Path) -> None:
    journal = _create(path)
    _note(journal, 10, "skipped")
    journal.seal({}, {}, AT)
    journal.close()
    *lines, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines))
    state = read_journal(path)
    assert state is not None
    assert not state.sealed
    journal = _reopen(path, path.read_bytes())
    journal.append(Resume(at=AT, clocks=Clocks(AT)))
    journal.seal({}, {}, AT)
    journal.close()
    state = read_journal(path)
    assert state is not None
    assert state.sealed


def test_a_journal_of_a_newer_version(path: Path) -> None:
    """It is not damaged, and nothing is done by what it says."""
    _create(path).close()
    path.write_bytes(path.read_bytes().replace(b'"tool":"t","format":2', b'"tool":"seatwarden 9","format":3'))
    with pytest.raises(DamagedLog, match=r"line 1 was written by a newer seatwarden \(seatwarden 9\)"):
        read_journal(path)
