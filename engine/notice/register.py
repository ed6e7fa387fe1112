"""The register of notices on the disk: a chain that grows, beside the register of runs, under the site's lock.

Before each line, each message and each release it is looked whether the file still ends as this process has left it.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatwarden.engine.common.files import make_private_folder, read_file
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.growing import GrowingChain, whole_lines
from seatwarden.engine.log.heads import ChainHead
from seatwarden.engine.log.start import refuse_newer
from seatwarden.engine.notice.lines import READER, NoticeLine, NoticesOpened
from seatwarden.engine.notice.notices import Notices
from seatwarden.engine.notice.order import misplaced

NOTICES_FILE = "notices.jsonl"
"""In the state folder of a site."""
ASIDE = f"{NOTICES_FILE}.damaged-"
"""How files begin there that were a register of notices and whose damage was accepted; a number follows."""


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A register of notices as it was read: its lines, their leaves, and what they say."""

    lines: Sequence[NoticeLine]
    leaves: Sequence[str]
    notices: Notices

    @property
    def opened(self) -> NoticesOpened | None:
        """Its first line."""
        return next((line for line in self.lines if isinstance(line, NoticesOpened)), None)

    @property
    def head(self) -> ChainHead | None:
        """Where it ends; None where there is no line."""
        if not self.leaves:
            return None
        return ChainHead(len(self.leaves), self.leaves[-1], self.notices.longest)


_TAIL = 256


def tail_of(path: Path) -> bytes:
    """The size of a file and how it ends: what tells whether a chain is as it was. Empty where there is none."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            return b"%d %b" % (size, file.read())
    except OSError:
        return b""


NO_NOTICES = NoticeRecord((), (), Notices())


def read_notices(path: Path) -> NoticeRecord:
    """A register of notices; an empty one where there is no file, or no whole line. Raises DamagedLog, OSError."""
    try:
        data = whole_lines(read_file(path))
    except FileNotFoundError:
        return NO_NOTICES
    return parse_notices(path, data) if data else NO_NOTICES


def parse_notices(path: Path, data: bytes) -> NoticeRecord:
    """The register that some whole lines are; `path` names it. Raises DamagedLog."""
    refuse_newer(path, data)
    read = READER.read(data)
    damage = list(read.damage) or list(misplaced(read.lines, sealed=read.seal is not None))
    if damage:
        raise DamagedLog(path, damage)
    return NoticeRecord(read.lines, read.leaves, Notices.of(read.lines))


class NoticeRegister:
    """An open register of notices. The site's lock must be held; `notices` is what it says by now."""

    def __init__(self, path: Path, chain: GrowingChain, record: NoticeRecord) -> None:
        self._path = path
        self._chain = chain
        self.notices = record.notices
        self.id = record.leaves[0] if record.leaves else ""
        """The leaf of its first line: another one begun in its place has another."""

    @classmethod
    def open(cls, path: Path, opened: NoticesOpened, seed: bytes) -> "NoticeRegister":
        """The register, begun with that line if there is none; `seed` is for the salts of what is written.

        Raises DamagedLog for one that is not as it was written, OSError where it cannot be written.
        """
        make_private_folder(path.parent)
        record = read_notices(path)
        if record.lines:
            return cls(path, GrowingChain.reopen(path, read_file(path), seed), record)
        there = read_file(path) if path.exists() else None
        chain = GrowingChain.create(path, seed) if there is None else GrowingChain.reopen(path, there, seed)
        register = cls(path, chain, NoticeRecord((), (), Notices()))
        with chain.closed_on_failure():
            register.add(opened)
        register.id = chain.leaf
        return register

    @property
    def head(self) -> ChainHead:
        """Where it ends, by what this process has read and written."""
        return ChainHead(self._chain.lines, self._chain.leaf, self.notices.longest)

    def salt(self) -> bytes:
        """A salt for the personal part of one line."""
        return self._chain.salt()

    def add(self, line: NoticeLine) -> int:
        """Adds a line, on the disk when this returns; returns its number. Raises OSError."""
        self._chain.append(line)
        self.notices.add(self._chain.lines, line)
        return self._chain.lines

    def check(self) -> None:
        """Raises ChangedMeanwhile, an OSError, when the file does not end as this process has left it."""
        self._chain.check()

    def rewrite(self, change: Callable[[bytes], bytes]) -> None:
        """Writes the whole file anew, with the same leaves: only personal parts may be gone. Raises OSError."""
        self.notices = parse_notices(self._path, self._chain.rewrite(change)).notices

    def close(self) -> None:
        """Closes the file."""
        self._chain.close()
