"""A chain of lines that grows on the disk: each line is there, whole, when `append` returns.

The journal of a run and the register of runs are such chains. A crash tears the last line at most; who goes on cuts it
off. Before each line it is looked whether the file still ends where this process has left it: somebody else's line, or
one taken away meanwhile, ends the work.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from seatwarden.engine.common.files import patiently, read_file, replace_file, sync_folder
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.rights import open_for_us
from seatwarden.engine.log.chain import ChainEnd, ChainLine, salts


class ChangedMeanwhile(OSError):
    """The file does not end where this process has left it: another one is at work on it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"`{path}` was changed by somebody else meanwhile")


class GrowingChain:
    """An open chain. Appending is safe from several threads."""

    def __init__(self, path: Path, descriptor: int, end: ChainEnd, seed: bytes, written: bytes = b"") -> None:
        self.path = path
        self._descriptor = descriptor
        self._end = end
        self._salts = salts(seed)
        self._size = len(written)
        self._last = written[-_LAST:]
        self._lock = threading.Lock()
        self._failure: OSError | None = None

    @classmethod
    def create(cls, path: Path, seed: bytes) -> Self:
        """A new file without a line. Raises OSError (FileExistsError when there is one).

        `seed` are 32 random bytes for the salts of what this process writes.
        """
        descriptor = patiently(open_for_us, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY)
        chain = cls(path, descriptor, ChainEnd(), seed)
        with chain.closed_on_failure():
            sync_folder(path.parent)
        return chain

    @classmethod
    def reopen(cls, path: Path, data: bytes, seed: bytes) -> Self:
        """A file to go on with; `data` is its content, whose torn last line (if any) is cut off. Raises OSError."""
        whole = whole_lines(data)
        descriptor = patiently(os.open, path, os.O_WRONLY | _BINARY)
        chain = cls(path, descriptor, ChainEnd.after(whole), seed, whole)
        with chain.closed_on_failure():
            if len(whole) != len(data):
                os.ftruncate(descriptor, len(whole))
                os.fsync(descriptor)
            os.lseek(descriptor, 0, os.SEEK_END)
        return chain

    @contextmanager
    def closed_on_failure(self) -> Iterator[None]:
        """Closes the file when what is done meanwhile fails: a service meets a full disk again and again."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self._end.lines

    @property
    def leaf(self) -> str:
        """The leaf of the last line."""
        return self._end.leaf

    @property
    def root(self) -> str:
        """The root over all lines."""
        return self._end.root

    def salt(self) -> bytes:
        """A salt that nothing else has, for the personal part of one line."""
        with self._lock:
            return next(self._salts)

    def append(self, line: ChainLine) -> None:
        """Adds a line and flushes it to the disk. Raises OSError; after that, the same for every further line."""
        with self._lock:
            self._write(line)

    def check(self) -> None:
        """Raises OSError when the file on the disk does not end as this process has left it."""
        with self._lock:
            with open(self.path, "rb") as there:  # by its name: the file that is open may have been moved aside
                size = there.seek(0, os.SEEK_END)
                there.seek(max(0, size - len(self._last)))
                last = there.read()
            if size != self._size or last != self._last:
                raise ChangedMeanwhile(self.path)

    def rewrite(self, change: Callable[[bytes], bytes]) -> bytes:
        """Replaces the file by its changed content, whose leaves must be the same, and goes on behind it. Returns it.

        Raises OSError; then the file is as it was.
        """
        with self._lock:
            data = change(read_file(self.path))
            os.close(self._descriptor)  # Windows replaces no file that is open
            self._descriptor = _CLOSED
            try:
                replace_file(self.path, data)  # others who write it go on doing so
                self._size, self._last = len(data), data[-_LAST:]
            finally:
                self._descriptor = patiently(os.open, self.path, os.O_WRONLY | _BINARY)
                os.lseek(self._descriptor, 0, os.SEEK_END)
            return data

    def close(self) -> None:
        """Closes the file."""
        if self._descriptor != _CLOSED:
            os.close(self._descriptor)

    def _write(self, line: ChainLine) -> None:
        if self._failure is not None:  # another thread's line, behind half a line, would make the chain damaged
            raise self._failure
        try:
            if os.fstat(self._descriptor).st_size != self._size:
                raise ChangedMeanwhile(self.path)
            self._flush(self._end.link_own(line))
        except OSError as error:
            self._failure = error
            raise

    def _flush(self, linked: bytes) -> None:
        # One write a line: a crash tears the last line at most.
        written = os.write(self._descriptor, linked)
        if written != len(linked):
            raise OSError(f"only {written} of {len(linked)} bytes of a line could be written")
        os.fsync(self._descriptor)
        self._size += written
        self._last = linked[-_LAST:]


_BINARY = getattr(os, "O_BINARY", 0)
_LAST = 200
"""Bytes at the end by which a file is known again: a line's own leaf is among them."""
_CLOSED = -1
"""In place of a descriptor: every call on it is refused by the system."""


def whole_lines(data: bytes) -> bytes:
    """The chain without a last line that a crash has torn (no line break, or not decodable)."""
    whole = data[: data.rfind(b"\n") + 1]
    last = whole[whole.rfind(b"\n", 0, -1) + 1 :]
    try:
        msgspec.json.decode(last or b"null")
    except UNREADABLE:
        return whole[: len(whole) - len(last)]
    return whole
