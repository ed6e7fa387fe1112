"""On the disk before it is deleted: the order of writing, flushing and sending, and disks that fail in the middle."""

import errno
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import pytest

from seatwarden.engine.log import growing
from seatwarden.engine.log.growing import whole_lines
from tests.engine.apply.applying import MemoryQrs, Prepared, idle, prepare, without

posix = pytest.mark.skipif(os.name == "nt", reason="folders are flushed, and files have modes, on POSIX")

FaultOfDisk: TypeAlias = Literal["full", "half", "half and full", "no line break", "not flushed"]
JOURNAL = "outcomes.jsonl"


class Disk:
    """Notes what is asked of the disk for the files of a folder, in order; the `failing`-th line meets `fault`.

    Nothing is flushed in truth: a flush takes a while, and no power goes off here.
    """

    def __init__(self, folder: Path, events: list[str], failing: int = 0, fault: FaultOfDisk = "full") -> None:
        self._folder, self._events = folder, events
        self._names: dict[int, str] = {}
        self._lines, self._failing, self._fault = 0, failing, fault
        self._open, self._write, self._ftruncate = os.open, os.write, os.ftruncate
        self.failed = threading.Event()

    def install(self, patch: pytest.MonkeyPatch) -> "Disk":
        for name in ("open", "write", "fsync", "ftruncate"):
            patch.setattr(os, name, getattr(self, name))
        patch.setattr(growing, "open_for_us", os.open)  # Windows opens in another way, for the rights
        return self

    def open(self, path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        descriptor = self._open(path, flags, mode, **options)
        self._names.pop(descriptor, None)
        if isinstance(path, Path) and (path == self._folder or path.parent == self._folder):
            self._names[descriptor] = path.name
            if path != self._folder:
                made = " exclusively" if flags & os.O_EXCL else ""
                self._events.append(f"open {path.name}{made}")
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        if descriptor not in self._names:
            return self._write(descriptor, data)
        self._lines += 1
        line = msgspec.json.decode(data)
        license_id = line.get("person", {}).get("licenseId")
        self._events.append(" ".join(["write", line["kind"], *([license_id] if license_id else [])]))
        if self._lines != self._failing or self._fault == "not flushed":
            return self._write(descriptor, data)
        self._fail()
        if self._fault != "full":
            data = data[:-1] if self._fault == "no line break" else data[: len(data) // 2]
            self._write(descriptor, data)
        if self._fault.endswith("full"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(data)

    def fsync(self, descriptor: int) -> None:
        if descriptor in self._names:
            self._events.append(f"flush {self._names[descriptor]}")
            if self._lines == self._failing and self._fault == "not flushed" and not self.failed.is_set():
                self._fail()
                raise OSError(errno.EIO, "Input/output error")

    def ftruncate(self, descriptor: int, length: int) -> None:
        self._events.append(f"cut {self._names[descriptor]}")
        self._ftruncate(descriptor, length)

    def _fail(self) -> None:
        self._events.append("the disk fails")
        self.failed.set()


def _on_record(events: list[str]) -> list[str]:
    """What was written and sent: the looks do not matter here."""
    return without(events, "look", "user")


FLUSHED = f"flush {JOURNAL}"
ENDED = ["write closed", FLUSHED, "write seal", FLUSHED]


def _license(license_id: str) -> list[str]:
    return [
        *(f"write intent {license_id}", FLUSHED),
        f"DELETE {license_id}",
        *(f"write outcome {license_id}", FLUSHED),
    ]


@posix
def test_the_order_of_a_first_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File and folder are flushed before the first DELETE, each intent before its own."""
    folder = tmp_path / "run"
    prepared, qrs = prepare(folder, idle(3)), MemoryQrs(idle(3))
    Disk(folder, qrs.events).install(monkeypatch)
    prepared.apply(qrs)
    start = ["flush run", f"open {JOURNAL} exclusively", "flush run", "write apply", FLUSHED]
    assert _on_record(qrs.events) == [
        *start, *_license("l1"), *_license("l2"), *_license("l3"), *ENDED
    ]  # fmt: skip


@posix
@pytest.mark.parametrize("torn", [b"", b'{"n":4,"ki'])
def test_the_order_of_an_apply_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: bytes) -> None:
    """That it goes on is on record before anything is sent."""
    folder, stop = tmp_path / "run", threading.Event()
    prepared, qrs = prepare(folder, idle(2)), MemoryQrs(idle(2), lambda license_id: stop.set())
    prepared.apply(qrs, stop=stop)
    prepared.path.write_bytes(prepared.path.read_bytes() + torn)
    qrs.events.clear()
    Disk(folder, qrs.events).install(monkeypatch)
    prepared.apply(qrs)
    cut = [f"cut {JOURNAL}", FLUSHED] if torn else []
    assert _on_record(qrs.events) == [
        f"open {JOURNAL}", *cut, "write resume", FLUSHED, *_license("l2"), *ENDED
    ]  # fmt: skip


def test_the_order_with_several_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"l{n}" for n in range(1, 13)]
    prepared = prepare(tmp_path, idle(12))
    qrs = MemoryQrs(idle(12), lambda license_id: time.sleep(0.002))
    Disk(tmp_path, qrs.events).install(monkeypatch)
    prepared.apply(qrs, parallel=4)
    assert sorted(qrs.deletes) == sorted(ids)
    for license_id in ids:
        intent, delete = qrs.events.index(f"write intent {license_id}"), qrs.events.index(f"DELETE {license_id}")
        assert FLUSHED in qrs.events[intent:delete], license_id


def test_nothing_is_written_for_what_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, qrs = prepare(tmp_path, idle()), MemoryQrs(idle())
    qrs.remove("l1")
    Disk(tmp_path, qrs.events).install(monkeypatch)
    prepared.apply(qrs)
    assert without(_on_record(qrs.events), "flush", "open") == [
        "write apply",
        "write outcome l1",
        "write closed",
        "write seal",
    ]


@posix
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        prepared = prepare(tmp_path / "run", idle())
        prepared.apply(MemoryQrs(idle()))
    finally:
        os.umask(former)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (prepared.folder, *prepared.folder.iterdir())}
    assert modes.pop("run") == 0o700
    assert modes.pop("policy") == 0o700
    assert set(modes.values()) == {0o600}
    assert JOURNAL in modes


# Disks that fail, and then do not ------------------------------------------------------------------------

LICENSES = 3
LINES = 3 + 2 * LICENSES
"""Of a whole journal: the header, intent and outcome of each license, its end and the seal."""
FAULTS: tuple[FaultOfDisk, ...] = ("full", "half", "half and full", "no line break", "not flushed")


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("failing", range(1, LINES + 1))
def test_a_disk_that_fails_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, fault: FaultOfDisk, parallel: int
) -> None:
    """No further DELETE is sent though the disk works again, and a later apply brings everything to its end."""
    prepared = prepare(tmp_path, idle(LICENSES))
    qrs = MemoryQrs(idle(LICENSES), lambda license_id: time.sleep(0.001))
    with monkeypatch.context() as patch:
        Disk(tmp_path, qrs.events, failing, fault).install(patch)
        with pytest.raises(OSError, match=r"No space left|bytes of a line|Input/output error"):
            prepared.apply(qrs, parallel=parallel)
        _check(qrs.events, prepared)
        done = prepared.apply(qrs, parallel=parallel)
    assert done.settled
    assert sorted(qrs.deletes) == ["l1", "l2", "l3"], "each once"
    journal = prepared.journal
    assert (journal.results, journal.sealed) == (dict.fromkeys(("l1", "l2", "l3"), "released"), True)


def _check(events: list[str], prepared: Prepared) -> None:
    """Right after the failure: what was sent is on the disk, and nothing was written behind what is not whole."""
    failure = events.index("the disk fails")
    on_disk = [msgspec.json.decode(line) for line in whole_lines(prepared.path.read_bytes()).splitlines()]
    intents = {line["person"]["licenseId"] for line in on_disk if line["kind"] == "intent"}
    for n, event in enumerate(events):
        kind, _, license_id = event.partition(" ")
        if kind == "DELETE":
            assert license_id in intents
            assert n < failure or f"write intent {license_id}" in events[: failure - 1], event
    assert without(events[failure + 1 :], "DELETE", "look", "user") == []


def test_what_cannot_be_journalled_begins_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though another license is under way: it is finished, and none is looked at any more."""
    prepared = prepare(tmp_path, idle(8))
    sent = threading.Barrier(2)

    def on_delete(license_id: str) -> None:
        sent.wait(5)
        if license_id == "l2":
            disk.failed.wait(5)
            time.sleep(0.3)

    qrs = MemoryQrs(idle(8), on_delete)
    disk = Disk(tmp_path, qrs.events, failing=4)  # the header, two intents, then the outcome of l1
    with monkeypatch.context() as patch:
        disk.install(patch)
        with pytest.raises(OSError, match="No space left"):
            prepared.apply(qrs, parallel=2)
    assert sorted(qrs.deletes) == ["l1", "l2"]
    assert {event for event in qrs.events if event.startswith("look")} == {"look l1", "look l2"}
    qrs.on_delete = lambda license_id: None
    assert prepared.apply(qrs, parallel=2).settled
    assert sorted(qrs.deletes) == sorted(f"l{n}" for n in range(1, 9))


# Torn last lines -----------------------------------------------------------------------------------------


def _until_the_outcome(prepared: Prepared, qrs: MemoryQrs) -> None:
    stop = threading.Event()
    qrs.on_delete = lambda license_id: stop.set()
    prepared.apply(qrs, stop=stop)


def _until_the_intent(prepared: Prepared, qrs: MemoryQrs) -> None:
    """Killed before the DELETE has reached QRS."""

    def crash(license_id: str) -> None:
        raise MemoryError

    qrs.on_delete = crash
    with pytest.raises(MemoryError):
        prepared.apply(qrs)


def _until_the_header(prepared: Prepared, qrs: MemoryQrs) -> None:
    stop = threading.Event()
    stop.set()
    prepared.apply(qrs, stop=stop)


UNTIL: dict[Callable[[Prepared, MemoryQrs], None], str] = {
    _until_the_header: "apply",
    _until_the_intent: "intent",
    _until_the_outcome: "outcome",
}
"""Ways to break off, with the kind of the last line."""


@pytest.mark.parametrize(
    "behind", [b"", b"\n", b"\0\0\0", b"\0\0\0\n"], ids=["", "line-break", "zeros", "zeros-line-break"]
)
@pytest.mark.parametrize("until", UNTIL)
def test_a_torn_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Callable[[Prepared, MemoryQrs], None], behind: bytes
) -> None:
    """Wherever it is torn, what stood there is as if it had not been written; nothing is deleted twice."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    plan = prepare(tmp_path / "plan", idle(2))
    for cut in range(1, 400, 41):
        folder = tmp_path / str(cut)
        folder.mkdir()
        prepared, qrs = Prepared(folder, plan.plan, plan.now), MemoryQrs(idle(2))
        until(prepared, qrs)
        whole = prepared.path.read_bytes()
        start = whole.rfind(b"\n", 0, -1) + 1
        assert msgspec.json.decode(whole[start:])["kind"] == UNTIL[until]
        prepared.path.write_bytes(whole[: min(start + cut, len(whole) - 2)] + behind)
        deleted = [license_id for license_id in ("l1", "l2") if license_id in qrs.deletes]
        qrs.on_delete = lambda license_id: None
        if until is _until_the_intent:
            qrs.events.clear()
            deleted = []
        assert prepared.apply(qrs).settled
        assert qrs.deletes == ["l1", "l2"]
        journal = prepared.journal
        assert journal.results == {"l1": "released", "l2": "released"}
        assert ("looked up" in journal.details["l1"]) is bool(deleted), "its outcome was lost, and is found out"
        assert journal.sealed
