"""On which day people came back, where snapshots are further apart than a day."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.history.returns import by_day
from seatwarden.engine.history.spells import Spell, SpellBook

_spells = st.builds(
    lambda person, start, seen, doubt, returned: Spell(
        person, start, start + 1, start + 1 + seen + doubt, returned, doubt if returned else 0
    ),
    *(st.integers(0, 9), st.integers(0, 380), st.integers(0, 90), st.sampled_from([0, 0, 1, 6, 13]), st.booleans()),
)


@given(st.lists(_spells, max_size=40))
def test_the_days_of_a_spell_share_one_person(spells: list[Spell]) -> None:
    shares: dict[int, float] = defaultdict(float)
    for one, share in by_day([spell._replace(person=number) for number, spell in enumerate(spells)]):
        whole = spells[one.person]
        assert one.doubt == 0
        assert whole.until - whole.doubt <= one.until <= whole.until
        assert one[1:3] == whole[1:3]
        assert 0 < share <= 1
        shares[one.person] += share
    assert [shares[number] for number in range(len(spells))] == pytest.approx([1.0] * len(spells))


def test_days_on_which_more_come_back_have_more_of_those_in_doubt() -> None:
    sure = [Spell(n, 0, 1, 30, True) for n in range(90)] + [Spell(n, 0, 1, 60, False) for n in range(90, 100)]
    found = {one.until: share for one, share in by_day([*sure, Spell(100, 0, 1, 33, True, 6)]) if one.person == 100}
    assert sorted(found) == list(range(27, 34))
    assert found[30] > 0.9


def test_a_return_is_in_doubt_between_two_snapshots() -> None:
    book = SpellBook([0, 7, 14, 15, 22])
    book.seen(1, 0, -3, -100)
    book.used(1, [(2, 9)])
    book.used(2, [(0, -30), (3, 14)])  # never seen before its first use
    found = book.ended()
    assert found[0] == Spell(1, -3, 0, 13, True, 6)
    assert found[1] == Spell(2, -30, 0, 14, True), "snapshots of two days after each other leave no doubt"
    assert all(not spell.returned for spell in found[2:])


def test_a_use_on_the_day_of_the_snapshot_was_the_last_day_of_all() -> None:
    book = SpellBook([0, 7])
    book.seen(1, 0, -3, -100)
    book.used(1, [(1, 7)])
    assert book.ended()[0] == Spell(1, -3, 0, 7, True, 7)
