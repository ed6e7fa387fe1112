"""Finding a user on a site: the shortcut for large sites names the same user as looking at everyone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.lookup import Holder, _holder_of, find, find_in_snapshot
from engine.snapshot import License, Snapshot
from grammar.ast import LicenseType
from policy.errors import InputError
from tests.engine.support import license_row, site_of, snapshot_of, user
from tests.strategies import USER_IDS, sites


def _among_all(query: str, snapshot: Snapshot) -> tuple[Holder, list[tuple[LicenseType, License]]]:
    people = [Holder(u.user_directory, u.user_id, u.name or None, (u.id,)) for u in snapshot.users]
    rows = [(_holder_of(row, snapshot), t, row) for t, listed in snapshot.licenses.items() for row in listed]
    holder = find(query, [*people, *(h for h, _, _ in rows)])
    return holder, [(t, row) for h, t, row in rows if h.user == holder.user]


def _answer(look: Any, query: str, snapshot: Snapshot) -> object:
    try:
        holder, rows = look(query, snapshot)
    except InputError as error:
        return error.message, error.help
    return holder.user, holder.name, sorted(holder.ids), sorted((t, row.id) for t, row in rows)


def test_a_backslash_in_a_user_id() -> None:
    people = [user(1, userDirectory="A", userId="B\\c"), user(2, userDirectory="A\\B", userId="c"), user(3)]
    snapshot = snapshot_of(site_of(people, [license_row(1), license_row(2), license_row(3)]))
    for query in ("A\\B\\c", "a\\b\\C", "B\\c", "u1", "l2"):
        assert _answer(find_in_snapshot, query, snapshot) == _answer(_among_all, query, snapshot)
        assert len(find_in_snapshot(query, snapshot)[1]) == 2, "QRS itself cannot tell these two apart by name"


@given(sites(), st.data())
def test_the_shortcut_finds_the_same_user(site: dict[str, Any], data: st.DataObject) -> None:
    snapshot = snapshot_of(site)
    texts = [text for u in snapshot.users for text in (f"{u.user_directory}\\{u.user_id}", u.id, u.name) if text]
    texts += [row.id for rows in snapshot.licenses.values() for row in rows]
    query = data.draw(st.sampled_from([*USER_IDS, "Bob B.", "nobody", "?\\?", *texts]))
    query = data.draw(st.sampled_from([query, query.upper()]))
    assert _answer(find_in_snapshot, query, snapshot) == _answer(_among_all, query, snapshot)
