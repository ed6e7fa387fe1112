"""Erasing a person from the history: the rows that are about them, in all snapshots; counts stay.

What is to go is marked first, in the file itself, so that an erasure which was killed can be brought to its end.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.history.cut import USERS, Row, license_rules_in
from seatwarden.engine.history.database import writing
from seatwarden.engine.history.packing import (
    RowChanges,
    pack_changes,
    pack_order,
    pack_text,
    unpack_changes,
    unpack_order,
    unpack_text,
)
from seatwarden.engine.history.store import History
from seatwarden.engine.snapshot.without import names_in, people_in_rows, rows_of, rules_name


class InHistory(NamedTuple):
    """What a history has on a person: the numbers of rows, the ids that QRS has for the user and the licenses, and how
    many releases it has of these; and what license rules may call the person."""

    rows: frozenset[int] = frozenset()
    ids: frozenset[str] = frozenset()
    releases: int = 0
    names: frozenset[str] = frozenset()

    @property
    def extent(self) -> int:
        """How much it is."""
        return len(self.rows) + self.releases


class _ToErase(Struct):
    user: str
    rows: list[int]
    ids: list[str]
    names: list[str] = []


def people_in_history(history: History, form: str) -> Iterator[tuple[str | None, str, str | None, tuple[str, ...]]]:
    """The people whose rows have a text, as `people_in_rows` names them."""
    data, _ = _everything(history)
    yield from people_in_rows(data, form)


def rows_on(history: History, user: str, ids: frozenset[str]) -> InHistory:
    """What there is on a person; `user` and `ids` are as `rows_of` has them."""
    data, numbers = _everything(history)
    found, known = rows_of(data, user, ids)
    if not known <= ids:
        found, known = rows_of(data, user, known | ids)
    releases = sum(license_ in known for _, license_, _ in history.releases())
    rows = frozenset(numbers[n - 1] for n in found)
    with history.reading():
        names = frozenset(name for text in history.first_rows().texts(sorted(rows)) for name in names_in(text))
    return InHistory(rows, known, releases, names)


def mark(history: History, user: str, found: InHistory) -> None:
    """Marks what is to be erased; nothing else is changed."""
    with history.reading(), writing(history.connection):
        what = msgspec.json.encode(_ToErase(user, sorted(found.rows), sorted(found.ids), sorted(found.names))).decode()
        history.connection.execute("INSERT INTO to_erase VALUES (?)", (what,))


def unmark(history: History) -> None:
    """Takes back what was marked, and not begun."""
    with history.reading():
        if history.connection.execute("SELECT count(*) FROM to_erase").fetchone()[0]:
            history.connection.execute("DELETE FROM to_erase")
            history.shrink()


def erase_marked(history: History) -> None:
    """Erases what was marked: whole, or nothing when it is killed. Of what is erased nothing is left in the file."""
    with history.reading(), writing(history.connection), collector_off():
        for (what,) in history.connection.execute("SELECT what FROM to_erase").fetchall():
            _erase(history, msgspec.json.decode(what, type=_ToErase))
        history.connection.execute("DELETE FROM to_erase")
    history.shrink()


def _erase(history: History, what: _ToErase) -> None:
    connection, user, numbers = history.connection, what.user, frozenset(what.rows)
    read = connection.execute("SELECT number, lists, changes, envelope FROM snapshots").fetchall()
    for number, lists, packed, envelope in read:
        order, changes = unpack_order(lists), unpack_changes(packed)
        left = {name: [n for n in rows if n not in numbers] for name, rows in order.items()}
        kept = _unnamed(changes.without(numbers), user)
        connection.execute(
            "UPDATE snapshots SET lists = ?, changes = ?, envelope = ?, whole = NULL, without = without + 1"
            " WHERE number = ?",
            (
                pack_order(left) if left != order else lists,
                pack_changes(kept),
                pack_text(_without_naming_rules(unpack_text(envelope), what)),
                number,
            ),
        )
    history.rewrite_packs(lambda number, row: b"" if number in numbers else _without_changer(row, user))
    connection.executemany("DELETE FROM releases WHERE license = ?", [(license_,) for license_ in what.ids])


def _without_naming_rules(envelope: bytes, what: _ToErase) -> bytes:
    """What stands around the rows, without license rules that name the person: all of them go, or it would seem as if
    a license were not given back."""
    rules = license_rules_in(envelope)
    if rules is None:
        return envelope
    changed = _without_changer(rules, what.user)
    return envelope.replace(rules, b"null" if rules_name(changed, what.names) else changed, 1)


def _unnamed(changes: RowChanges, user: str) -> RowChanges:
    rows = {n: Row(_without_changer(row.skeleton, user), row.times) for n, row in changes.rows.items()}
    return RowChanges(changes.times, rows)


def _without_changer(skeleton: bytes, user: str) -> bytes:
    """A row that does not say that it was the person who changed it last."""
    written = msgspec.json.encode(user).replace(b"%", b"%%")[1:-1]
    pattern = rb'("modifiedByUserName":\s*)"%s"' % re.escape(written)
    return re.sub(pattern, rb'\1""', skeleton, flags=re.IGNORECASE)


def _everything(history: History) -> tuple[bytes, list[int]]:
    """All that any row ever was, as one snapshot, and the numbers of its rows."""
    with history.reading(), collector_off():
        first = history.first_rows()
        packs = history.connection.execute("SELECT first, list, count FROM packs ORDER BY first").fetchall()
        list_of = {n: name for start, name, count in packs for n in range(start, start + count)}
        texts: dict[str, list[tuple[int, bytes]]] = {name: [] for _, name, _ in packs}
        numbers = [n for n, packed in enumerate(first.first) if packed]
        for n, text in zip(numbers, first.texts(numbers), strict=True):
            texts[list_of[n]].append((n, text))
        for (packed,) in history.connection.execute("SELECT changes FROM snapshots"):
            for n, row in unpack_changes(packed).rows.items():
                texts[list_of[n]].append((n, row.text))
        users, licenses = texts.pop(USERS, []), texts
    written = msgspec.json.encode(
        {
            USERS: [msgspec.Raw(text) for _, text in users],
            "licenses": {name: [msgspec.Raw(text) for _, text in rows] for name, rows in licenses.items()},
        }
    )
    return written, [n for rows in (users, *licenses.values()) for n, _ in rows]
