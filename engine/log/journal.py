"""The journal of an apply: what was about to be done, and what became of it, on disk before and after each step.

`outcomes.jsonl` stands beside `plan.jsonl` and is a hash chain like it; every line carries its own digest too. Its
lines are `apply` (which plan, which licenses were chosen), then for each license an `intent`, flushed to the disk
before anything is sent to QRS, and an `outcome`; `resume` where a later apply went on; and a seal when all is done.
A license that is skipped has an outcome without intent: nothing was sent.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from seatwarden.engine.common.files import patiently, read_file, sync_folder
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.log.chain import SEAL, SUM, ChainEnd, read_chain
from seatwarden.engine.log.lines import (
    FOREIGN,
    ApplyHeader,
    Intent,
    JournalLine,
    JournalSeal,
    Key,
    LicenseLine,
    OutcomeKind,
    OutcomeLine,
    PlanSeal,
    read_journal_lines,
)


@dataclass(slots=True)
class JournalState:
    """A journal so far: the licenses chosen, those with an intent but no outcome, and all outcomes."""

    header: ApplyHeader
    outcomes: dict[Key, OutcomeLine] = field(default_factory=dict)
    open_intents: list[Key] = field(default_factory=list)
    sealed: bool = False

    @property
    def chosen(self) -> list[Key]:
        """The licenses that the apply set out to release."""
        return self.header.chosen


class Journal:
    """An open journal. Appending is safe from several threads; a line is on the disk when `append` returns."""

    def __init__(self, path: Path, descriptor: int, end: ChainEnd) -> None:
        self._path = path
        self._descriptor = descriptor
        self._end = end
        self._lock = threading.Lock()
        self._failure: OSError | None = None

    @classmethod
    def create(cls, path: Path, header: ApplyHeader) -> "Journal":
        """A new journal with its first line. Raises OSError (FileExistsError when there is one)."""
        descriptor = patiently(os.open, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        journal = cls(path, descriptor, ChainEnd())
        with journal.closed_on_failure():
            journal.append(header)
            sync_folder(path.parent)
        return journal

    @classmethod
    def reopen(cls, path: Path, data: bytes) -> "Journal":
        """A journal to go on with; `data` is its content, whose torn last line (if any) is cut off."""
        whole = whole_lines(data)
        descriptor = patiently(os.open, path, os.O_WRONLY | _BINARY)
        journal = cls(path, descriptor, ChainEnd.after(whole))
        with journal.closed_on_failure():
            if len(whole) != len(data):
                os.ftruncate(descriptor, len(whole))
                os.fsync(descriptor)
            os.lseek(descriptor, 0, os.SEEK_END)
        return journal

    @contextmanager
    def closed_on_failure(self) -> Iterator[None]:
        """Closes the file when what is done meanwhile fails: a service meets a full disk again and again."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def append(self, line: JournalLine) -> None:
        """Adds a line and flushes it to the disk. Raises OSError; after that, the same for every further line."""
        self._write(line, SUM)

    def seal(self, summary: Mapping[str, int]) -> None:
        """Closes the chain: every license chosen has an outcome. Raises OSError."""
        self._write(JournalSeal(summary=summary), SEAL)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)

    def _write(self, line: JournalLine, witness: str) -> None:
        with self._lock:
            if self._failure is not None:  # another thread's line, behind half a line, would make the chain damaged
                raise self._failure
            try:
                self._flush(self._end.link(line, witness))
            except OSError as error:
                self._failure = error
                raise

    def _flush(self, linked: bytes) -> None:
        # One write a line: a crash tears the last line at most.
        written = os.write(self._descriptor, linked)
        if written != len(linked):
            raise OSError(f"only {written} of {len(linked)} bytes of a journal line could be written")
        os.fsync(self._descriptor)


_BINARY = getattr(os, "O_BINARY", 0)


def whole_lines(data: bytes) -> bytes:
    """The journal without a last line that a crash has torn (no line break, or not decodable)."""
    whole = data[: data.rfind(b"\n") + 1]
    last = whole[whole.rfind(b"\n", 0, -1) + 1 :]
    try:
        msgspec.json.decode(last or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return whole[: len(whole) - len(last)]
    return whole


def read_journal(path: Path) -> JournalState | None:
    """The state of a journal; None when a crash came before its first line was whole. Raises DamagedLog, OSError."""
    return parse_journal(path, read_file(path))


def parse_journal(path: Path, data: bytes) -> JournalState | None:
    """The same of a journal's content; `path` names it. Raises DamagedLog."""
    whole = whole_lines(data)
    if not whole:
        return None
    lines, damage = read_chain(whole, sealed=False)
    if damage:
        raise DamagedLog(path, damage)
    header, events = read_journal_lines(path, lines)
    if strangers := _strangers(header, events):
        raise DamagedLog(path, strangers)
    return _state(header, events)


def check_journal(path: Path, state: JournalState, seal: PlanSeal, releases: Set[Key]) -> None:
    """Raises DamagedLog where a journal is not one of the plan that has this seal and makes these releases."""
    if state.header.plan_seal != seal.digest:
        raise DamagedLog(path, [Damage(1, "belongs to another plan")])
    if not set(state.chosen) <= releases:
        raise DamagedLog(path, [Damage(1, f"{FOREIGN}: it chooses a license that the plan does not release")])


def is_settled(result: OutcomeKind) -> bool:
    """Whether nothing is left to do for a license with this result; what failed or is unknown is tried again."""
    return result in ("released", "gone", "skipped")


def _strangers(header: ApplyHeader, events: Iterable[JournalLine]) -> list[Damage]:
    """Licenses that stand where they cannot: an apply chooses each once, and touches no other."""
    chosen = set(header.chosen)
    twice = [Damage(1, f"{FOREIGN}: it chooses a license twice")] if len(chosen) != len(header.chosen) else []
    return twice + [
        Damage(n, f"{FOREIGN}: it is about a license that was not chosen")
        for n, line in enumerate(events, 2)
        if isinstance(line, LicenseLine) and line.key not in chosen
    ]


def _state(header: ApplyHeader, events: Iterable[JournalLine]) -> JournalState:
    state = JournalState(header)
    waiting: dict[Key, None] = {}
    for line in events:
        match line:
            case Intent():
                waiting[line.key] = None
            case OutcomeLine():
                waiting.pop(line.key, None)
                state.outcomes[line.key] = line
            case JournalSeal():
                state.sealed = True
    state.open_intents = list(waiting)
    return state
