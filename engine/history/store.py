"""The history of a site: every snapshot that was seen, each row stored once for as long as it does not change.

A snapshot is what it has beyond another one, its parent; after a few of them one stands alone, so that any comes back
quickly. All of one snapshot is written in one transaction: a process that is killed leaves it whole, or not at all.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import zstandard
from msgspec import Struct

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.history.cut import cut_snapshot, put_together, row_of, unpacked_row
from seatwarden.engine.history.database import connect, damaged, said_of, writing
from seatwarden.engine.history.packing import (
    pack_changes,
    pack_order,
    pack_rows,
    pack_text,
    unpack_changes,
    unpack_order,
    unpack_rows,
    unpack_text,
)
from seatwarden.engine.history.rows import PLAIN, SiteRows, difference, keys_of_rows
from seatwarden.engine.snapshot.packed import decompressed
from seatwarden.engine.snapshot.reader import SECRET_LICENSE_FIELDS, site_license_fields
from seatwarden.policy.errors import InputError
from seatwarden.policy.files import decode_json_bytes

MOST_STEPS = 5
"""Most changes that lie between a snapshot and the rows as they first came."""
_PACK = 256
_NOT_AS_WRITTEN = (
    sqlite3.DatabaseError,
    zstandard.ZstdError,
    msgspec.DecodeError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
)
"""What a damaged file can end in, wherever it is read."""
_OTHER_SOURCE = "with --other-source it is added nevertheless, where a site has another name now"
_COLUMNS = "number, at, digest, source, parent, counts, without"


RowFilter: TypeAlias = Callable[[int, bytes], bytes]
"""What is left of a packed row, by its number; empty: it is erased."""


class KeptSnapshot(Struct, frozen=True):
    """A snapshot of the history: when it was taken, its SHA-256 as JSON, where it came from, the rows of each list, and
    how many people were forgotten since."""

    number: int
    at: datetime
    digest: str
    source: str | None
    parent: int | None
    counts: dict[str, int]
    without: int

    @property
    def taken_at(self) -> str:
        """The moment as QRS writes it."""
        return format_instant(self.at)


class _About(Struct, rename="camel"):
    taken_at: object = None
    source: object = None


class History:
    """An open history. Every method raises InputError where the file cannot be used, or is damaged."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        self.connection = connect(path, write=write)

    def __enter__(self) -> "History":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A context in which what cannot be read is said of the file."""
        with said_of(self.path):
            try:
                yield
            except _NOT_AS_WRITTEN as error:
                if isinstance(error, sqlite3.DatabaseError):
                    raise
                raise damaged(self.path, "what is packed in it cannot be read") from None

    def moments(self) -> list[KeptSnapshot]:
        """All snapshots, oldest first."""
        with self.reading():
            found = self.connection.execute(f"SELECT {_COLUMNS} FROM snapshots ORDER BY at")  # noqa: S608 - our names
            return [_moment(row) for row in found]

    def moment_at(self, when: datetime) -> KeptSnapshot:
        """The last snapshot that was taken at or before a moment. Raises InputError where there is none."""
        found = [moment for moment in self.moments() if moment.at <= when]
        if not found:
            raise InputError(
                f"the history `{self.path}` has no snapshot of {format_instant(when)} or before",
                "`seatwarden history list` shows what it has",
            )
        return found[-1]

    def snapshot_json(self, moment: KeptSnapshot) -> bytes:
        """A snapshot as it was added, byte for byte unless somebody in it was forgotten."""
        with self.reading():
            envelope, lists, whole = self.connection.execute(
                "SELECT envelope, lists, whole FROM snapshots WHERE number = ?", (moment.number,)
            ).fetchone()
            if whole is not None:
                data = unpack_text(whole)
            else:
                with collector_off():
                    rows = self.rows_at(moment.number)
                order = unpack_order(lists)
                data = put_together(unpack_text(envelope), {name: rows.texts(order[name]) for name in order})
        if not moment.without and hashlib.sha256(data).hexdigest() != moment.digest:
            raise damaged(self.path, f"the snapshot of {moment.taken_at} is not as it was added")
        return data

    def order(self, number: int) -> dict[str, list[int]]:
        """The numbers of a snapshot's rows, list by list."""
        (lists,) = self.connection.execute("SELECT lists FROM snapshots WHERE number = ?", (number,)).fetchone()
        return unpack_order(lists)

    def first_rows(self) -> SiteRows:
        """All rows as they first came."""
        first: list[bytes] = []
        for (packed,) in self.connection.execute("SELECT rows FROM packs ORDER BY first"):
            first += unpack_rows(packed)
        return SiteRows(first)

    def rows_at(self, number: int | None, first: SiteRows | None = None) -> SiteRows:
        """The rows of a snapshot; `first` are those as they first came, where they are known already."""
        rows = SiteRows((first or self.first_rows()).first)
        steps = []
        while number is not None:
            packed, number = self.connection.execute(
                "SELECT changes, parent FROM snapshots WHERE number = ?", (number,)
            ).fetchone()
            steps.append(packed)
        for packed in reversed(steps):
            rows.changes.add(unpack_changes(packed))
        return rows

    # Writing -------------------------------------------------------------------------------------------------

    def add(self, data: bytes, what: str, *, other_source: bool = False) -> KeptSnapshot | None:
        """Adds a snapshot, packed or not; None where it is there already. `what` names it in messages.

        It must say when it was taken, and come from where the others do, unless `other_source`. Raises InputError.
        """
        text = decode_json_bytes(decompressed(data, what), what)
        cut = cut_snapshot(text, what)
        about = msgspec.json.decode(text, type=_About)
        at = parse_timestamp(about.taken_at) if isinstance(about.taken_at, str) else None
        if at is None:
            raise InputError(f"{what} does not say when it was taken", "write it as `takenAt` into it")
        if secret := site_license_fields(text) & set(SECRET_LICENSE_FIELDS):
            named = ", ".join(f"`license.{name}`" for name in sorted(secret))
            raise InputError(f"{what} is not kept: it has {named}", "`seatwarden snapshot` takes one without them")
        digest = hashlib.sha256(text).hexdigest()
        source = about.source if isinstance(about.source, str) else None
        with self.reading(), writing(self.connection), collector_off():
            if self._is_there(at, digest, what):
                return None
            if source is not None and not other_source:
                self.check_source(source, what, _OTHER_SOURCE)
            parent = self.connection.execute(
                "SELECT number, depth FROM snapshots WHERE at < ? ORDER BY at DESC LIMIT 1", (_milliseconds(at),)
            ).fetchone()
            number, depth = (parent[0], parent[1] + 1) if parent and parent[1] < MOST_STEPS else (None, 0)
            rows = self.rows_at(number)
            order, changes = self._numbered(cut.rows, rows)
            values = (
                *(_milliseconds(at), digest, source, number, depth),
                msgspec.json.encode({name: len(texts) for name, texts in cut.rows.items()}).decode(),
                *(pack_text(cut.envelope), pack_order(order), changes, pack_text(cut.whole) if cut.whole else None),
            )
            made = self.connection.execute(
                "INSERT INTO snapshots(at, digest, source, parent, depth, counts, envelope, lists, changes, whole)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            return self._moment(made.lastrowid)

    def note_releases(self, releases: Sequence[tuple[str, str, datetime]]) -> None:
        """Notes licenses that we have released: type, id of QRS, moment. Those that are known are left."""
        with self.reading(), writing(self.connection):
            # An id is given once: a license that is told of again, later, is the same release.
            self.connection.executemany(
                "INSERT INTO releases SELECT ?1, ?2, ?3"
                " WHERE NOT EXISTS (SELECT 1 FROM releases WHERE type = ?1 AND license = ?2)",
                [(type_, license_, _milliseconds(at)) for type_, license_, at in releases],
            )

    def releases(self) -> list[tuple[str, str, datetime]]:
        """Our own releases: type, id of the license, moment."""
        with self.reading():
            found = self.connection.execute("SELECT type, license, at FROM releases ORDER BY at")
            return [(type_, license_, _instant(at)) for type_, license_, at in found]

    def prune(self, before: datetime) -> int:
        """Deletes the snapshots taken before a moment, and rows that no other has; returns how many there were."""
        cut = _milliseconds(before)
        with self.reading(), writing(self.connection):
            (old,) = self.connection.execute("SELECT count(*) FROM snapshots WHERE at < ?", (cut,)).fetchone()
            if not old:
                return 0
            used = self._rows_since(cut)
            self._let_stand_alone(cut, used)
            self.connection.execute("DELETE FROM snapshots WHERE at < ?", (cut,))
            self.connection.execute("DELETE FROM releases WHERE at < ?", (cut,))
            # The first form of rows that no snapshot has any more.
            self.rewrite_packs(lambda number, row: row if number in used else b"")
        self.shrink()
        return int(old)

    def shrink(self) -> None:
        """Gives the room of what was deleted back to the disk; nothing of it is left in the file or beside it."""
        with self.reading():
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _is_there(self, at: datetime, digest: str, what: str) -> bool:
        found = self.connection.execute("SELECT digest FROM snapshots WHERE at = ?", (_milliseconds(at),)).fetchone()
        if found and found[0] != digest:
            raise InputError(f"{what} is not added: the history has another snapshot of {format_instant(at)}")
        return found is not None

    def check_source(self, source: str, what: str, help_: str) -> None:
        """Raises InputError where what comes from there is of another site than all snapshots that say theirs."""
        with self.reading():
            found = self.connection.execute("SELECT DISTINCT source FROM snapshots WHERE source NOT NULL").fetchall()
        known = [source for (source,) in found]
        if known and source not in known:
            raise InputError(f"{what} is of another site: {source}; the history is of {', '.join(known)}", help_)

    def _numbered(self, lists: Mapping[str, Sequence[bytes]], rows: SiteRows) -> tuple[dict[str, list[int]], bytes]:
        """The numbers of all rows, new ones packed, and the changes of those that are known."""
        known = self._known_rows(rows)
        order: dict[str, list[int]] = {}
        old: dict[int, bytes] = {}
        free = len(rows.first)
        for name, texts in lists.items():
            new: list[bytes] = []
            numbers = order[name] = []
            for key, text in zip(keys_of_rows(name, texts), texts, strict=True):
                number = known.get(key)
                if number is None:
                    number = free + len(new)
                    new.append(row_of(text).packed)
                else:
                    old[number] = text
                numbers.append(number)
            self._pack(name, free, new)
            free += len(new)
        return order, pack_changes(difference(rows, old))

    def _known_rows(self, rows: SiteRows) -> dict[tuple[str, bytes, int], int]:
        """The numbers of all rows by what tells them apart."""
        texts: dict[str, list[bytes]] = {}
        numbers: dict[str, list[int]] = {}
        for first, name, count in self.connection.execute("SELECT first, list, count FROM packs ORDER BY first"):
            for number in range(first, first + count):
                if packed := rows.first[number]:
                    texts.setdefault(name, []).append(packed if packed.startswith(PLAIN) else unpacked_row(packed).text)
                    numbers.setdefault(name, []).append(number)
        return {
            key: number
            for name in texts
            for key, number in zip(keys_of_rows(name, texts[name]), numbers[name], strict=True)
        }

    def _pack(self, name: str, first: int, rows: Sequence[bytes]) -> None:
        for start in range(0, len(rows), _PACK):
            some = rows[start : start + _PACK]
            self.connection.execute(
                "INSERT INTO packs VALUES (?, ?, ?, ?)", (first + start, name, len(some), pack_rows(some))
            )

    def _rows_since(self, cut: int) -> set[int]:
        """The numbers of all rows that a snapshot has which stays."""
        found = self.connection.execute("SELECT lists FROM snapshots WHERE at >= ?", (cut,))
        return {n for (lists,) in found for numbers in unpack_order(lists).values() for n in numbers}

    def _let_stand_alone(self, cut: int, used: set[int]) -> None:
        """Gives the snapshots that stay, and whose parent goes, changes of their own.

        Also changes of rows that it does not have itself: somebody who was away for a night and came back as before is
        told by those behind it as no change at all.
        """
        going = {n for (n,) in self.connection.execute("SELECT number FROM snapshots WHERE at < ?", (cut,))}
        staying = self.connection.execute("SELECT number, parent FROM snapshots WHERE at >= ?", (cut,)).fetchall()
        for number in [number for number, parent in staying if parent in going]:
            rows = self.rows_at(number)
            numbers = sorted(n for n in used & rows.changes.numbers() if rows.first[n])
            changes = difference(SiteRows(rows.first), dict(zip(numbers, rows.texts(numbers), strict=True)))
            self.connection.execute(
                "UPDATE snapshots SET parent = NULL, depth = 0, changes = ? WHERE number = ?",
                (pack_changes(changes), number),
            )

    def rewrite_packs(self, left: RowFilter) -> None:
        """Packs all rows anew, as far as they are left; within a transaction."""
        for first, packed in self.connection.execute("SELECT first, rows FROM packs").fetchall():
            rows = unpack_rows(packed)
            kept = [left(first + i, row) if row else row for i, row in enumerate(rows)]
            if kept != rows:
                self.connection.execute("UPDATE packs SET rows = ? WHERE first = ?", (pack_rows(kept), first))

    def _moment(self, number: int | None) -> KeptSnapshot:
        return _moment(
            self.connection.execute(f"SELECT {_COLUMNS} FROM snapshots WHERE number = ?", (number,)).fetchone()  # noqa: S608
        )


def _moment(row: tuple[Any, ...]) -> KeptSnapshot:
    number, at, digest, source, parent, counts, without = row
    found = msgspec.json.decode(counts, type=dict[str, int])
    return KeptSnapshot(number, _instant(at), digest, source, parent, found, without)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
