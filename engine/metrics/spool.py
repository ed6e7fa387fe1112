"""The spool: lines that wait for the database, in files that are whole or not there, numbered in order.

A batch `000000000012-0031.lines` has the number 12 and 31 lines; its first line is a comment with their digest. What
is not whole, or not ours, is moved aside and never stands in the way. The spool is bounded: when it is full the
oldest lines stay and new ones are not taken, so that the time an outage began is told without gaps.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from seatwarden.engine.common.files import (
    make_private_folder,
    move_file,
    read_file,
    remove_file,
    replace_file,
    sync_folder,
    write_atomically,
)
from seatwarden.engine.common.rights import give_rights, rights_of

SPOOL_FOLDER = "influxdb-spool"
"""The spool's folder below a site's state."""

BATCH_LINES = 1_000
"""Most lines in a batch, and in a request."""
MAX_REJECTED = 100
"""Most files of rejected lines that are kept, the newest."""
_WAIT_SECONDS = 10
"""For another process that is just adding a batch."""

_NAME = re.compile(r"(\d{12})-(\d{1,6})\.lines")
_HEAD = "# seatwarden 1 sha256="


@dataclass(frozen=True, slots=True)
class SpoolBounds:
    """The most that may wait: about a year of monitoring every 6 hours, and of daily runs."""

    lines: int = 100_000
    bytes: int = 50_000_000


@dataclass(frozen=True, slots=True, order=True)
class PointBatch:
    """A batch on disk."""

    number: int
    lines: int
    path: Path


class Spool:
    """The spool in a folder, which is created. Usable from several processes; all methods raise OSError."""

    def __init__(self, folder: Path, bounds: SpoolBounds | None = None) -> None:
        self._folder = folder
        self._bounds = bounds or SpoolBounds()

    @property
    def rejected_folder(self) -> Path:
        """The folder for lines that the database will never take."""
        return self._folder / "rejected"

    @property
    def aside_folder(self) -> Path:
        """The folder for files that are no batches."""
        return self._folder / "aside"

    def delivery_lock(self) -> FileLock:
        """The lock of the one who delivers."""
        make_private_folder(self._folder)
        return FileLock(self._folder / "delivery.lock")

    def batches(self) -> list[PointBatch]:
        """The batches that wait, oldest first."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        found = ((name, _NAME.fullmatch(name)) for name in names)
        return sorted(PointBatch(int(m[1]), int(m[2]), self._folder / name) for name, m in found if m)

    def waiting(self) -> int:
        """The number of lines that wait."""
        return sum(batch.lines for batch in self.batches())

    def add(self, lines: Sequence[str]) -> int:
        """Adds lines at the end, in batches; returns how many found no room. Raises OSError, also a TimeoutError."""
        make_private_folder(self._folder)
        with self._adding():
            for torn in self._folder.glob(".*.part"):  # of a process that was killed while it wrote
                remove_file(torn)
            batches = self.batches()
            room = self._bounds.lines - sum(batch.lines for batch in batches)
            free = self._bounds.bytes - sum(_size(batch.path) for batch in batches)
            taken = _fitting(lines, room, free)
            number = max([batch.number for batch in batches] + [self._last_rejected()])
            for start in range(0, taken, BATCH_LINES):
                number += 1
                part = lines[start : min(start + BATCH_LINES, taken)]
                write_atomically(self._folder / f"{number:012}-{len(part):04}.lines", _encoded(part))
        return len(lines) - taken

    def read(self, batch: PointBatch) -> list[str] | None:
        """The lines of a batch, or None when it is not whole."""
        if not batch.path.is_file():
            return None
        try:
            head, *lines = read_file(batch.path).decode().removesuffix("\n").split("\n")
        except UnicodeDecodeError:
            return None
        whole = head == _HEAD + _digest(lines) and len(lines) == batch.lines
        return lines if whole else None

    def remove(self, batch: PointBatch) -> bool:
        """Forgets a batch that was delivered; says whether its name is free again. Nobody adds one meanwhile."""
        with self._adding():
            remove_file(batch.path)
            return batch not in self.batches()

    def put_aside(self, batch: PointBatch) -> Path:
        """Moves a file that is no whole batch out of the way; returns its new place."""
        make_private_folder(self.aside_folder)
        place = self.aside_folder / batch.path.name
        move_file(batch.path, place)
        return place

    def keep_rejected(self, batch: PointBatch, rejected: Sequence[tuple[str, str]]) -> None:
        """Writes lines that will never be taken, each with the reason before it; the oldest such files make room."""
        make_private_folder(self.rejected_folder)
        text = "".join(f"# {reason}\n{line}\n" for line, reason in rejected)
        write_atomically(self.rejected_folder / batch.path.name, text.encode())
        kept = sorted(path for path in self.rejected_folder.iterdir() if _NAME.fullmatch(path.name))
        for path in kept[:-MAX_REJECTED]:
            remove_file(path)

    def lines_on(self, user: str) -> dict[str, list[int]]:
        """The numbers of the lines on a user, by the name of the file below the spool's folder: points that wait,
        points that were rejected, files that were moved aside. Raises OSError."""
        found: dict[str, list[int]] = {}
        for path in self._kept():
            lines = read_file(path).decode(errors="replace").split("\n")
            numbers = [n for n, line in enumerate(lines, 1) if tagged_user(line).casefold() == user.casefold()]
            if numbers:
                found[path.relative_to(self._folder).as_posix()] = numbers
        return found

    def forget(self, name: str, numbers: Collection[int]) -> None:
        """Takes lines out of a file of the spool. Done again after a kill, it is brought to its end. Raises OSError.

        A batch that waits gets another name, with the lines that are left; elsewhere a comment takes a line's place.
        """
        path = self._folder / name
        with self.delivery_lock().acquire(timeout=_WAIT_SECONDS):
            if not path.is_file():
                return
            if path.parent == self._folder:
                self._thin_out(path, frozenset(numbers))
                return
            lines = read_file(path).split(b"\n")
            for n in numbers:
                lines[n - 1 : n] = [b"# forgotten"]
            replace_file(path, b"\n".join(lines))

    def _adding(self) -> FileLock:
        """The lock of the one who gives names to batches, or takes them away."""
        return FileLock(self._folder / "spool.lock", timeout=_WAIT_SECONDS)

    def _thin_out(self, path: Path, gone: Collection[int]) -> None:
        head, *lines = read_file(path).decode().removesuffix("\n").split("\n")
        left = [line for n, line in enumerate(lines, 2) if n not in gone]
        if left and head.startswith(_HEAD):
            fewer = path.with_name(f"{path.name.partition('-')[0]}-{len(left):04}.lines")
            write_atomically(fewer, _encoded(left))
            give_rights(fewer, rights_of(path))  # whoever delivers need not be who forgets
        remove_file(path)
        sync_folder(self._folder)

    def _kept(self) -> Iterator[Path]:
        """All files with lines, where there is a spool at all."""
        for folder in (self._folder, self.rejected_folder, self.aside_folder):
            if folder.is_dir():
                yield from sorted(path for path in folder.iterdir() if path.suffix == ".lines")

    def _last_rejected(self) -> int:
        """The highest number among rejected batches: numbers go on after it, so that no file is written over."""
        try:
            names = os.listdir(self.rejected_folder)
        except FileNotFoundError:
            return 0
        return max((int(m[1]) for m in map(_NAME.fullmatch, names) if m), default=0)


_USER_TAG = re.compile(r",user=((?:\\[,= ]|[^, ])*)")


def tagged_user(line: str) -> str:
    """The `user` tag of a line in line protocol; empty where it has none."""
    found = _USER_TAG.search(line)
    return re.sub(r"\\([,= ])", r"\1", found[1]).removesuffix("\u200b") if found else ""


def _fitting(lines: Sequence[str], room: int, free: int) -> int:
    """The number of lines, from the first on, for which there is room."""
    taken = 0
    for line in lines[: max(room, 0)]:
        free -= len(line.encode()) + 1
        if free < 0:
            break
        taken += 1
    return taken


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # delivered this moment
        return 0


def _encoded(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in (_HEAD + _digest(lines), *lines)).encode()


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
