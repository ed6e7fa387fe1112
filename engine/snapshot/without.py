"""A snapshot without somebody: the rows of one person taken out, everything else as QRS sent it.

Rows are numbered from 1 through the whole file, in its order: users first, then the licenses type by type. So what is
to be taken out can be noted without saying whose it is.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from seatwarden.engine.snapshot.packed import compress, decompressed

_decode = msgspec.json.Decoder().decode
_CHANGED_BY = re.compile(rb'("modifiedByUserName":\s*)"(?:[^"\\]|\\.)*"')


def people_in_rows(data: bytes, form: str) -> Iterator[tuple[str | None, str, str | None, tuple[str, ...]]]:
    """The people whose rows have a text in any case, each row anew: user directory, id, name, and the ids of QRS.

    Raises InputError, DecodeError.
    """
    for _, row in _rows_with((form,), data):
        holder = _holder(row)
        ids = tuple(str(one["id"]) for one in (row, holder) if one.get("id"))
        for directory, user_id, name in (
            (row.get("userDirectory"), row.get("userId"), row.get("name")),
            (holder.get("userDirectory"), holder.get("userId"), holder.get("name")),
            (row.get("deletedUserDirectory"), row.get("deletedUserId"), None),
        ):
            if user_id:
                yield directory or None, str(user_id), name or None, ids


def rows_of(data: bytes, user: str, ids: Collection[str] = ()) -> tuple[list[int], frozenset[str]]:
    """The numbers of the rows on a person, and the ids that QRS has for the person's user rows and licenses.

    `user` is `DIRECTORY\\id` without regard to case, `ids` are such ids that are known already. Raises InputError.
    """
    wanted, known = user.casefold(), set(ids)
    found: list[int] = []
    forms = (_written(wanted.partition("\\")[2]), *(_written(one.casefold()) for one in ids))
    for n, row in _rows_with(forms, data):
        if _is_about(row, wanted, known):
            known.add(str(row.get("id", "")))
            found.append(n)
    return found, frozenset(known - {""})


def _written(word: str) -> str:
    """A word as it stands in JSON."""
    return msgspec.json.encode(word).decode()[1:-1]


def without_rows(data: bytes, numbers: Collection[int]) -> bytes:
    """The snapshot, compressed or not as it was, without the rows of these numbers.

    Who last changed a row is taken out of all of them: that may be anybody, and nothing reads it. License rules that
    name the person go with all others: with some of them gone it would seem as if a license were not given back.
    """
    gone = frozenset(numbers)
    text = decompressed(data, "the snapshot")
    parts = msgspec.json.decode(text, type=dict[str, Raw])
    count, names = 0, set[str]()

    def left(rows: list[Raw]) -> list[Raw]:
        nonlocal count
        first, count = count + 1, count + len(rows)
        for n, row in enumerate(rows, first):
            names.update(names_in(row) if n in gone else ())
        return [row for n, row in enumerate(rows, first) if n not in gone]

    users = left(_list(parts.get("users")))
    licenses = {name: left(_list(rows)) for name, rows in _licenses(parts).items()}
    if rules_name(bytes(parts.get("licenseRules", b"")), names):
        del parts["licenseRules"]
    written = msgspec.json.encode({**parts, "users": users, "licenses": licenses})
    written = _CHANGED_BY.sub(rb'\1""', written)
    return compress(written) if text is not data else written


def rules_name(rules: bytes, names: Iterable[str]) -> bool:
    """Whether license rules, as JSON, have one of these names anywhere, but for who last changed one."""
    text = _CHANGED_BY.sub(rb'\1""', rules).decode(errors="replace").casefold()
    return any(_written(name) in text for name in names)


def names_in(raw: Raw | bytes) -> Iterator[str]:
    """What rules may call the person of a row, without regard to case."""
    row = _decode(raw)
    for one in (row, _holder(row)) if isinstance(row, dict) else ():
        found = (one.get(key) for key in ("id", "userId", "name", "deletedUserId"))
        yield from (name.casefold() for name in found if isinstance(name, str) and name)


def _rows_with(forms: Collection[str], data: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows that have one of several texts in any case, with their numbers: most have none and are not decoded."""
    text = decompressed(data, "the snapshot")
    whole = text.decode(errors="replace").casefold()
    if not any(form in whole for form in forms):
        return
    for n, raw in enumerate(_rows(text), 1):
        row_text = bytes(raw).decode(errors="replace").casefold()
        if any(form in row_text for form in forms):
            row = _decode(raw)
            if isinstance(row, dict):
                yield n, row


def _rows(text: bytes) -> Iterator[Raw]:
    parts = msgspec.json.decode(text, type=dict[str, Raw])
    yield from _list(parts.get("users"))
    for rows in _licenses(parts).values():
        yield from _list(rows)


def _licenses(parts: Mapping[str, Raw]) -> dict[str, Raw]:
    return msgspec.json.decode(parts.get("licenses", b"{}"), type=dict[str, Raw])


def _list(rows: Raw | None) -> list[Raw]:
    return msgspec.json.decode(rows, type=list[Raw] | None) or [] if rows is not None else []


def _is_about(row: Mapping[str, Any], wanted: str, known: Collection[str]) -> bool:
    """Whether a row is a person's own: a user row, or a license that is or was held."""
    holder = _holder(row)
    named = (
        (row.get("userDirectory"), row.get("userId")),
        (holder.get("userDirectory"), holder.get("userId")),
        (row.get("deletedUserDirectory"), row.get("deletedUserId")),
    )
    if any(user_id and f"{directory or '?'}\\{user_id}".casefold() == wanted for directory, user_id in named):
        return True
    return row.get("id") in known or holder.get("id") in known


def _holder(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user as a license row names it."""
    user = row.get("user")
    return user if isinstance(user, dict) else {}
