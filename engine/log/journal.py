"""The journal of an apply: what was about to be done, and what became of it, on disk before and after each step.

`outcomes.jsonl` stands beside `plan.jsonl` and is a hash chain like it; every line carries its own digest too. Its
lines are `apply` (which plan, which licenses were chosen), then for each license an `intent`, flushed to the disk
before anything is sent to QRS, and an `outcome`; `resume` where a later apply went on; and a seal when all is done.
A license that is skipped has an outcome without intent: nothing was sent.
"""

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from seatwarden.engine.common.files import sync_folder
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.log.chain import SEAL, SUM, ChainEnd, read_chain
from seatwarden.grammar.ast import LicenseType

JOURNAL_FILE = "outcomes.jsonl"

Result: TypeAlias = Literal["released", "gone", "skipped", "failed", "unknown"]
"""`gone`: QRS had no such license any more when we came to delete it. `unknown`: it could not be found out."""

RESULTS: tuple[Result, ...] = get_args(Result)

Key: TypeAlias = tuple[LicenseType, str]
"""Type and id of a license."""


@dataclass(slots=True)
class JournalState:
    """What a journal says so far: the licenses chosen, those with an intent but no outcome, and all outcomes."""

    header: dict[str, Any]
    outcomes: dict[Key, dict[str, Any]] = field(default_factory=dict)
    open_intents: list[Key] = field(default_factory=list)
    sealed: bool = False

    @property
    def chosen(self) -> list[Key]:
        """The licenses that the apply set out to release."""
        return [(license_type, license_id) for license_type, license_id in self.header["chosen"]]


class Journal:
    """An open journal. Appending is safe from several threads; a line is on the disk when `append` returns."""

    def __init__(self, path: Path, descriptor: int, end: ChainEnd) -> None:
        self._path = path
        self._descriptor = descriptor
        self._end = end
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> "Journal":
        """A new journal with its first line. Raises OSError (FileExistsError when there is one)."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        journal = cls(path, descriptor, ChainEnd())
        journal.append("apply", header)
        sync_folder(path.parent)
        return journal

    @classmethod
    def reopen(cls, path: Path, data: bytes) -> "Journal":
        """A journal to go on with; `data` is its content, whose torn last line (if any) is cut off."""
        whole = whole_lines(data)
        descriptor = os.open(path, os.O_WRONLY | _BINARY)
        if len(whole) != len(data):
            os.ftruncate(descriptor, len(whole))
            os.fsync(descriptor)
        os.lseek(descriptor, 0, os.SEEK_END)
        return cls(path, descriptor, ChainEnd.after(whole))

    def append(self, kind: str, record: dict[str, Any]) -> None:
        """Adds a line and flushes it to the disk. Raises OSError; the journal must not be used after that."""
        self._write(kind, record, SUM)

    def seal(self, summary: dict[str, Any]) -> None:
        """Closes the chain: every license chosen has an outcome. Raises OSError."""
        self._write("seal", {"summary": summary}, SEAL)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)

    def _write(self, kind: str, record: dict[str, Any], witness: str) -> None:
        with self._lock:
            line = self._end.link({"kind": kind, **record}, witness)
            # One write a line: a crash tears the last line at most.
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(f"only {written} of {len(line)} bytes of a journal line could be written")
            os.fsync(self._descriptor)


_BINARY = getattr(os, "O_BINARY", 0)


def whole_lines(data: bytes) -> bytes:
    """The journal without a last line that a crash has torn (no line break, or not decodable)."""
    whole = data[: data.rfind(b"\n") + 1]
    last = whole[whole.rfind(b"\n", 0, -1) + 1 :]
    try:
        msgspec.json.decode(last or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return whole[: len(whole) - len(last)]
    return whole


def read_journal(path: Path) -> JournalState | None:
    """What a journal says; None when a crash came before its first line was whole. Raises DamagedLog, OSError."""
    return parse_journal(path, path.read_bytes())


def parse_journal(path: Path, data: bytes) -> JournalState | None:
    """The same of a journal's content; `path` names it. Raises DamagedLog."""
    state, damage = verified_journal(data)
    if damage:
        raise DamagedLog(path, damage)
    return state


def verified_journal(data: bytes) -> tuple[JournalState | None, list[Damage]]:
    """What a journal says (None: nothing whole yet), or all damage that was found in it."""
    whole = whole_lines(data)
    if not whole:
        return None, []
    records, damage = read_chain(whole, sealed=False)
    return (None if damage else journal_state(records)), damage


def journal_state(records: Iterable[dict[str, Any]]) -> JournalState:
    """What the records of a verified journal say."""
    header, *lines = records
    state = JournalState(header)
    waiting: dict[Key, None] = {}
    for line in lines:
        match line["kind"]:
            case "intent":
                waiting[_key(line)] = None
            case "outcome":
                waiting.pop(_key(line), None)
                state.outcomes[_key(line)] = line
            case "seal":
                state.sealed = True
    state.open_intents = list(waiting)
    return state


def is_settled(result: str) -> bool:
    """Whether nothing is left to do for a license with this result; what failed or is unknown is tried again."""
    return result in ("released", "gone", "skipped")


def _key(line: dict[str, Any]) -> Key:
    return line["licenseType"], line["licenseId"]
