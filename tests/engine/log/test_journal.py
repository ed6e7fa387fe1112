"""The journal on the disk: lines from many threads, torn lines, lines that could not be written."""

import errno
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import verify_chain
from seatwarden.engine.log.journal import (
    Journal,
    JournalState,
    check_journal,
    is_settled,
    parse_journal,
    read_journal,
    whole_lines,
)
from seatwarden.engine.log.lines import (
    RESULTS,
    ApplyHeader,
    Intent,
    Key,
    OutcomeKind,
    OutcomeLine,
    PlanSeal,
    Resume,
    Summary,
)
from tests.engine.log.golden_site import golden_plan

AT = "2026-11-21T03:00:00.000Z"
CHOSEN: list[Key] = [("analyzer", f"l{n}") for n in range(4)]
HEADER = ApplyHeader(run_id="r", plan_seal="s", site="test", limits=[], chosen=CHOSEN, at=AT)


def _intent(n: int) -> Intent:
    return Intent(license_type="analyzer", license_id=f"l{n}", user="u", at=AT)


def _outcome(n: int, result: OutcomeKind = "released") -> OutcomeLine:
    return OutcomeLine(license_type="analyzer", license_id=f"l{n}", user="u", result=result, detail="", at=AT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outcomes.jsonl"


def test_it_is_created_exclusively(path: Path) -> None:
    path.write_bytes(b"what stands there")
    with pytest.raises(FileExistsError):
        Journal.create(path, HEADER)
    assert path.read_bytes() == b"what stands there"


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_only_its_owner_can_read_it(path: Path) -> None:
    former = os.umask(0)
    try:
        Journal.create(path, HEADER).close()
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
    journal = Journal.create(path, HEADER)

    def add(n: int) -> None:
        for _ in range(8):
            journal.append(_intent(n))
            journal.append(_outcome(n))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.seal({})
    journal.close()
    assert verify_chain(path.read_bytes()) == []
    assert path.read_bytes().count(b"\n") == 2 + 4 * 8 * 2


def test_an_intent_without_an_outcome_is_open(path: Path) -> None:
    journal = Journal.create(path, HEADER)
    for line in (
        _intent(0),
        _outcome(0),
        _intent(1),
        _intent(2),
        _outcome(2, "failed"),
        _intent(2),
        _outcome(3, "skipped"),
    ):
        journal.append(line)
    journal.close()
    state = read_journal(path)
    assert state is not None
    assert state.open_intents == [("analyzer", "l1"), ("analyzer", "l2")]
    results = {key[1]: line.result for key, line in state.outcomes.items()}
    assert (results, state.sealed) == ({"l0": "released", "l2": "failed", "l3": "skipped"}, False)
    assert state.chosen == CHOSEN


def test_what_is_settled() -> None:
    assert {result for result in RESULTS if is_settled(result)} == {"released", "gone", "skipped"}


@pytest.mark.parametrize(
    "torn", [b"", b'{"n":3,"ki', b'{"n":3,"ki\n', b"\xff\xfe\n", b"\0" * 512, b"[" * 100_000 + b"\n"]
)
def test_it_goes_on_behind_its_last_whole_line(path: Path, torn: bytes) -> None:
    journal = Journal.create(path, HEADER)
    journal.append(_intent(0))
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert whole_lines(whole + torn) == whole
    journal = Journal.reopen(path, path.read_bytes())
    assert path.read_bytes() == whole
    journal.append(Resume(at=AT))
    journal.seal({})
    journal.close()
    data = path.read_bytes()
    assert (verify_chain(data), data.startswith(whole), data.count(b"\n")) == ([], True, 4)


def test_what_is_cut_off_is_flushed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line behind the torn one, which a power loss brings back, would be damage."""
    Journal.create(path, HEADER).close()
    whole = path.read_bytes()
    path.write_bytes(whole + b"torn")
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_size))
    Journal.reopen(path, whole + b"torn").close()
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

    Journal.create(path, HEADER).close()
    whole = path.read_bytes()
    for name, function in (("open", opening), ("close", closing), ("fsync", full)):
        monkeypatch.setattr(os, name, function)
    with pytest.raises(OSError, match="No space"):
        Journal.create(path.with_name("another"), HEADER)
    with pytest.raises(OSError, match="No space"):
        Journal.reopen(path, whole + b"torn")
    assert len(opened) == 2
    assert closed == opened


@pytest.mark.parametrize("failing", ["write", "half", "fsync"])
def test_after_a_failure_it_takes_no_line(path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """Though the disk works again: behind half a line every further one would be damage."""
    journal = Journal.create(path, HEADER)
    journal.append(_intent(0))
    before = path.read_bytes()
    write = os.write

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if failing == "half":
            patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[: len(data) // 2]))
        else:
            patch.setattr(os, failing, full)
        with pytest.raises(OSError, match=r"No space left|bytes of a journal line"):
            journal.append(_outcome(0))
    after = path.read_bytes()
    with pytest.raises(OSError, match=r"No space left|bytes of a journal line"):
        journal.append(_outcome(0))
    with pytest.raises(OSError, match=r"No space left|bytes of a journal line"):
        journal.seal({})
    journal.close()
    assert path.read_bytes() == after
    state = parse_journal(path, after)
    assert state is not None
    assert state.open_intents == ([] if failing == "fsync" else [("analyzer", "l0")])
    assert whole_lines(after).startswith(before)


@pytest.mark.parametrize(
    ("seal", "chosen", "refused"),
    [
        ("s", CHOSEN, None),
        ("s", CHOSEN[:1], None),
        ("s", [], None),
        ("another", CHOSEN, "belongs to another plan"),
        ("", CHOSEN, "belongs to another plan"),
        ("s", [*CHOSEN, ("analyzer", "l9")], "a license that the plan does not release"),
        ("s", [("professional", "l1")], "a license that the plan does not release"),
    ],
)
def test_whose_it_is(path: Path, seal: str, chosen: list[Key], refused: str | None) -> None:
    state = JournalState(structs.replace(HEADER, plan_seal=seal, chosen=chosen))
    of_plan = PlanSeal(msgspec.convert(golden_plan().summary(), Summary), "s")
    if refused is None:
        check_journal(path, state, of_plan, frozenset(CHOSEN))
    else:
        with pytest.raises(DamagedLog, match=refused):
            check_journal(path, state, of_plan, frozenset(CHOSEN))


def test_a_license_that_is_chosen_twice(path: Path) -> None:
    Journal.create(path, structs.replace(HEADER, chosen=[*CHOSEN, CHOSEN[0]])).close()
    with pytest.raises(DamagedLog, match="chooses a license twice"):
        read_journal(path)
