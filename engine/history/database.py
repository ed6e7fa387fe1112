"""The file `history.sqlite`: its tables, how it is opened, and what is said where it cannot be used."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seatwarden.engine.common.rights import open_for_us
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import EMPTY, SNAPSHOT, kind_of

WAIT_SECONDS = 60
"""How long one writer waits for another."""
_NAME_IT = "name the `history.sqlite` of a site's state folder"
_APPLICATION = 0x53574849
_FORMAT = 1
_TABLES = """
CREATE TABLE snapshots(
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL UNIQUE, digest TEXT NOT NULL, source TEXT, parent INTEGER,
  depth INTEGER NOT NULL, counts TEXT NOT NULL, envelope BLOB NOT NULL, lists BLOB NOT NULL, changes BLOB NOT NULL,
  whole BLOB, without INTEGER NOT NULL DEFAULT 0);
CREATE TABLE packs(first INTEGER PRIMARY KEY, list TEXT NOT NULL, count INTEGER NOT NULL, rows BLOB NOT NULL);
CREATE TABLE releases(type TEXT NOT NULL, license TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(type, license, at));
CREATE TABLE to_erase(what TEXT NOT NULL);
"""
"""`snapshots`: each with its changes beyond its parent's rows, or beyond the rows in `packs` where it has none;
`without` counts people who were forgotten. `packs`: each row as it first came. `releases`: our own, by license."""


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """An open history; with `write` made where there is none. Raises InputError."""
    with said_of(path):
        _refuse_what_is_none(path)
    if not write and not path.is_file():
        raise InputError(f"there is no history `{path}`", "`run` and `snapshot --history` begin one, `history add` too")
    with said_of(path):
        if write:
            with suppress(FileExistsError):
                os.close(open_for_us(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        found = _opened(path, write)
        try:
            _check(found, path, write)
        except BaseException:
            found.close()
            raise
        return found


def _refuse_what_is_none(path: Path) -> None:
    """Raises InputError where there is a folder, or a file that is certainly of another kind: a history that is damaged
    begins as one, or as nothing that is known."""
    if path.is_dir():
        raise InputError(f"the history `{path}` is a folder, not a file", _NAME_IT)
    kind = kind_of(path)
    if kind is not None and kind is not EMPTY:
        help_ = f"`seatwarden history add {path}` adds it to one" if kind is SNAPSHOT else _NAME_IT
        raise InputError(f"`{path}` is {kind.noun}, not a history", help_)


def _opened(path: Path, write: bool) -> sqlite3.Connection:
    # Each statement is its own transaction unless one is begun: nothing is left open by a read.
    # Who only reads opens it for writing, too: only then what SQLite lays beside it is taken away at the end.
    found = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        found.execute("PRAGMA secure_delete = ON")
        found.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        found.close()
        if write or not isinstance(error, sqlite3.OperationalError):
            raise
        # From a folder that cannot be written nothing can be read beside a writer; and there is none.
        found = sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True, isolation_level=None)
    return found


def _check(found: sqlite3.Connection, path: Path, write: bool) -> None:
    """Makes the tables where there are none, and one writes. Raises InputError where it is no history."""
    if not _is_ours(found, path):
        if not write:
            raise _no_history(path)
        # What others make meanwhile is seen whole in a transaction, and not at all before it.
        with writing(found):
            if not _is_ours(found, path):
                (tables,) = found.execute("SELECT count(*) FROM sqlite_master").fetchone()
                if tables or _pragma(found, "application_id"):
                    raise _no_history(path)
                for statement in _TABLES.split(";")[:-1]:
                    found.execute(statement)
                found.execute(f"PRAGMA application_id = {_APPLICATION}")
                found.execute(f"PRAGMA user_version = {_FORMAT}")
    if write:
        # It stays so, and who reads then waits for no writer. SQLite does not wait for others with this: while they are
        # at work the file stays as it is, until it is opened again.
        with suppress(sqlite3.OperationalError):
            found.execute("PRAGMA journal_mode = WAL")


def _is_ours(found: sqlite3.Connection, path: Path) -> bool:
    application, version = (_pragma(found, name) for name in ("application_id", "user_version"))
    if application == _APPLICATION and version > _FORMAT:
        raise InputError(f"the history `{path}` is of a newer seatwarden (format {version})", "install that one")
    return (application, version) == (_APPLICATION, _FORMAT)


def _pragma(found: sqlite3.Connection, name: str) -> int:
    (value,) = found.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _no_history(path: Path) -> InputError:
    return InputError(f"`{path}` is no history", _NAME_IT)


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all that is written in it, or nothing. It waits for other writers."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def said_of(path: Path) -> Iterator[None]:
    """Turns what SQLite says into an InputError that names the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        busy = "locked" in str(error) or "busy" in str(error)
        why = f"another process has been writing it for {WAIT_SECONDS} seconds" if busy else str(error)
        raise InputError(f"the history `{path}` cannot be used: {why}") from None
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from None
    except OSError as error:
        raise InputError(f"the history `{path}` cannot be used: {error.strerror or error}") from None


def damaged(path: Path, why: str) -> InputError:
    """The error of a history that is not as it was written."""
    help_ = "move it away: the next run begins a new one, and `history add` fills it from kept snapshots"
    return InputError(f"the history `{path}` is damaged: {why}", help_)
