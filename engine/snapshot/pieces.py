"""A large snapshot that seatwarden has written, decoded piece by piece: it is never in memory as a whole.

Where the last row of a piece ends is guessed, by brackets, and proved by the decoder: `[`, some rows and `]` are JSON
only where a row ends there. Where a guess is wrong, or anything else is not as `seatwarden snapshot` writes it, nothing
comes of it, and the whole is to be read with more patience.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.snapshot.doubled import MOST_CHECKED, OWN_FORM, keys_of
from seatwarden.engine.snapshot.model import LicenseOfKnown, SnapshotFile, UserReference, with_rows
from seatwarden.engine.snapshot.packed import Source
from seatwarden.grammar.ast import LICENSE_TYPES

PIECE = 1 << 20
"""Bytes that are read at a time: enough for the calls not to count, few enough to stay in the processor's cache."""
MOST_AHEAD = 8 * PIECE
"""Most bytes that are read for one row, or between rows."""
_LOOKED_AT, MOST_LOOKED_AT = 1 << 14, 1 << 22
"""Bytes at the end of what was read among which the end of a row is looked for; rows of users in very many groups have
tens of thousands, or more."""
_MOST_TRIED = 3
"""Ends of all rows that are tried before it is given up."""

_ROOM = 1
"""Bytes before what is decoded, for the bracket of a list."""
_ROWS = re.compile(rb'"(users|%b)":\[' % "|".join(LICENSE_TYPES).encode())
_END = re.compile(rb'\](?=,"(?:licenses":\{|(?:%b)":\[)|\}[,}])' % "|".join(LICENSE_TYPES).encode())
"""What stands behind rows, and seldom within."""
_NEXT_ROW = b"},{"

_Decode: TypeAlias = Callable[[memoryview], list[Any]]


class _NotAsWritten(Exception):
    """It is not as `seatwarden snapshot` writes it."""


def decode_in_pieces(source: Source, kinds: Mapping[str, Any], least: int = MOST_CHECKED) -> SnapshotFile | None:
    """The snapshot that comes from a source; `kinds` has the types of the lists of users, and of licenses by type.

    None where it has not more than the `least` bytes, is not written by seatwarden, or not whole and well: that is for
    who reads it as a whole, and looks through a small one for keys that stand twice.
    """
    try:
        file, size = _Pieces(source, kinds).decode()
        return file if size > least else None
    except (_NotAsWritten, EOFError, *UNREADABLE):
        return None


class _Pieces:
    """What was read of a snapshot and is not decoded yet, in one buffer: a new one for each piece, and the copies that
    it takes, cost half as long as decoding."""

    def __init__(self, source: Source, kinds: Mapping[str, Any]) -> None:
        self._source = source
        self._kinds = kinds
        self._size = 0
        self._buffer = bytearray(2 * PIECE)
        self._start = self._end = _ROOM
        """Where that begins and ends which is not decoded yet."""
        self._looked_at = _LOOKED_AT
        self._around = b""
        """What stands around the rows: a snapshot without any."""

    def decode(self) -> tuple[SnapshotFile, int]:
        """The snapshot, and how many bytes it has. Raises _NotAsWritten, and those of UNREADABLE."""
        rows: dict[str, list[Any]] = {}
        known: frozenset[str] = frozenset()
        while self._end - self._start < len(OWN_FORM) and self._read():
            pass
        if not self._buffer.startswith(OWN_FORM, self._start, self._end):
            raise _NotAsWritten
        while (name := self._next_rows()) is not None:
            if name in rows:  # of many that are one only the last would count
                raise _NotAsWritten
            decode: _Decode = msgspec.json.Decoder(self._kinds[name]).decode
            if name in LICENSE_TYPES:
                decode = _without_names(decode, known)
            rows[name] = [row for some in self._rows(decode) for row in some]
            if name == "users":
                known = frozenset([user.id for user in rows[name]])
        around = msgspec.json.decode(self._around, type=SnapshotFile)
        if keys_of(self._around).doubtful:
            raise _NotAsWritten
        types = [name for name in LICENSE_TYPES if getattr(around.licenses, name) is not UNSET]
        if not types or rows.keys() != {"users", *types}:
            raise _NotAsWritten
        return with_rows(around, rows), self._size

    def _read(self) -> bool:
        """Reads the next piece; whether there is one. Raises _NotAsWritten where too much is left of those before."""
        left = self._buffer[self._start : self._end]
        if len(left) > MOST_AHEAD:
            raise _NotAsWritten
        piece = self._source.read(PIECE)
        self._start = _ROOM
        self._buffer[_ROOM : _ROOM + len(left)] = left
        self._end = _ROOM + len(left) + len(piece)
        self._buffer[_ROOM + len(left) : self._end] = piece
        self._size += len(piece)
        return bool(piece)

    def _next_rows(self) -> str | None:
        """Goes on to the next rows; their name, or None at the end of the snapshot."""
        while (found := _ROWS.search(self._buffer, self._start, self._end)) is None:
            if not self._read():
                self._around += self._buffer[self._start : self._end]
                return None
        self._around += self._buffer[self._start : found.end()]
        self._start, name = found.end(), found[1].decode()
        if not _ends_in(self._around, ("users",) if name == "users" else ("licenses", name)):
            raise _NotAsWritten
        return name

    def _rows(self, decode: _Decode) -> Iterator[list[Any]]:
        """The rows that begin here, some at a time; goes on to the bracket behind them."""
        while True:
            rows = self._whole_rows(decode)
            if rows is None and (last := self._last_rows(decode)) is not None:
                yield last
                return
            while rows is None and self._looks_further():
                rows = self._whole_rows(decode)
            if rows is not None:
                yield rows
            if not self._read() and rows is None:  # a row may be longer than a piece
                raise _NotAsWritten

    def _whole_rows(self, decode: _Decode) -> list[Any] | None:
        """The rows that were read as a whole, but for the last one; goes on behind them. None where none is found, or
        only few: all that is left would be looked through again for as few more."""
        end = _last_row_end(self._buffer, max(self._start, self._end - self._looked_at), self._end)
        if end is None or end - self._start < (self._end - self._start) // 4:
            return None
        rows = self._rows_before(end, decode)
        if rows is not None:
            self._start = end + 1
        return rows

    def _last_rows(self, decode: _Decode) -> list[Any] | None:
        """The rows up to the bracket that ends them; goes on to that. None where it is not found."""
        for found in islice(_END.finditer(self._buffer, self._start, self._end), _MOST_TRIED):
            rows = self._rows_before(found.start(), decode)
            if rows is not None:
                self._start = found.start()
                return rows
        return None

    def _looks_further(self) -> bool:
        """From now on the end of a row is looked for among more bytes; whether that makes any difference."""
        if self._looked_at >= min(MOST_LOOKED_AT, self._end - self._start):
            return False
        self._looked_at *= 16
        return True

    def _rows_before(self, end: int, decode: _Decode) -> list[Any] | None:
        """The rows up to there; None where none ends there. Raises ValidationError where a fact is not of its type."""
        buffer, start = self._buffer, self._start - 1
        before, behind = buffer[start], buffer[end]
        buffer[start], buffer[end] = b"[]"
        try:
            return decode(memoryview(buffer)[start : end + 1])
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return None
        finally:
            buffer[start], buffer[end] = before, behind


def _without_names(decode: _Decode, known: frozenset[str]) -> _Decode:
    """Decodes licenses of known users, or of none, without what each row repeats of its user; others as ever.

    What is not read is not looked at: it may be of any type, and no text at all.
    """
    without = msgspec.json.Decoder(list[LicenseOfKnown]).decode

    def decoded(data: memoryview) -> list[Any]:
        rows = without(data)
        named = [row.user.id for row in rows if isinstance(row.user, UserReference)]
        return rows if known.issuperset(named) else decode(data)

    return decoded


def _ends_in(beginning: bytes, place: tuple[str, ...]) -> bool:
    """Whether the beginning of a snapshot ends where a list begins, at the place that these keys lead to. Raises those
    of UNREADABLE where none can begin there."""
    value = Raw(beginning + b"]" + b"}" * len(place))
    for key in place:
        found = msgspec.json.decode(value, type=dict[str, Raw])
        if list(found)[-1] != key:
            return False
        value = found[key]
    return True


def _last_row_end(data: bytearray, start: int, end: int) -> int | None:
    """Where, as it seems, the last row ends behind which another stands: the place of the comma.

    Within a row brackets are open, but for those that stand in texts: nearly always they are the fewest between rows.
    """
    # A regular expression for all three marks takes as long as decoding what it looks through.
    at, closed, fewest, found = end, 0, 0, None
    while (before := data.rfind(_NEXT_ROW, start, at)) >= 0:
        closed += data.count(b"]", before, at) - data.count(b"[", before, at)
        if found is None or closed < fewest:
            fewest, found = closed, before + 1
        at = before
    return found
