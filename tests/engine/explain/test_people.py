"""Finding a user on a site: who looks only at those that are named finds the same as who looks at everyone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.explain.people import AmbiguousUser, People, people_of_snapshot
from seatwarden.policy.errors import InputError
from tests.engine.support import snapshot_of
from tests.strategies import USER_IDS, sites


def _answer(query: str, people: People[Any]) -> object:
    try:
        holder, by_part = people.find(query)
    except AmbiguousUser as error:
        return error.message, error.holders
    except InputError as error:
        return error.message, error.help
    return holder, by_part, sorted((license_type, row.id) for license_type, row in people.held_by(holder))


@given(sites(), st.data())
def test_the_named_are_found_as_among_all(site: dict[str, Any], data: st.DataObject) -> None:
    snapshot = snapshot_of(site)
    texts = [text for u in snapshot.users for text in (f"{u.user_directory}\\{u.user_id}", u.id, u.name) if text]
    texts += [row.id for rows in snapshot.licenses.values() for row in rows]
    queries = data.draw(st.lists(st.sampled_from([*USER_IDS, "Bob B.", "bo", "nobody", "?\\?", *texts]), min_size=1))
    queries = [data.draw(st.sampled_from([query, query.upper()])) for query in queries]
    named = people_of_snapshot(snapshot, queries)
    everyone = people_of_snapshot(snapshot)
    assert [_answer(query, named) for query in queries] == [_answer(query, everyone) for query in queries]
