"""The chance to come back: what is counted, what is left unsaid, and how near to the truth it is."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.habits import AGES, MIXES, WITHIN, record_of, truth
from seatwarden.engine.demo.habits import Life, life
from seatwarden.engine.history.chance import Chance, ChanceTable, Unsaid
from seatwarden.engine.history.interval import wilson
from seatwarden.engine.history.spells import Spell, SpellRecord, spells_of
from seatwarden.engine.history.store import History
from tests.engine.history.sites import START, at, license_row, snapshot_of, user_row

SPELLS = st.builds(
    lambda person, start, before, seen, returned: Spell(person, start, start + before, start + before + seen, returned),
    *(st.integers(0, 60), st.integers(0, 380), st.integers(1, 20), st.integers(0, 90), st.booleans()),
)


def _record(spells: list[Spell], first: int = 0, last: int = 400, gap: int = 1, **more: int) -> SpellRecord:
    return SpellRecord(spells, first, last, gap, **more)


@settings(max_examples=60)
@given(st.lists(SPELLS, min_size=40, max_size=160), st.integers(2, 40), st.integers(1, 20))
def test_it_is_the_product_over_days_counted_one_by_one(spells: list[Spell], age: int, within: int) -> None:
    table = ChanceTable(_record(spells))
    stays = 1.0
    people = []
    for j in range(age, age + within):
        days = [s for s in spells if s.since <= s.start + j <= s.until and table.first <= s.start + j <= table.last]
        back = [s for s in days if s.returned and s.until == s.start + j]
        people.append(len({s.person for s in days}))
        stays *= 1 - (len(back) / len(days) if days else 0)
    found = table.of(age, within)
    if min(people) < 30:
        assert isinstance(found, Unsaid)
        assert found.why.startswith(f"only {min(people)} pe")
    else:
        assert isinstance(found, Chance)
        assert found.share == pytest.approx(1 - stays)
        assert found.people == people[0]
        assert 0 <= found.low <= found.share <= found.high <= 1


def test_the_window_is_whole_years_up_to_the_end() -> None:
    whole = [(365, 0, "year"), (400, 34, "year"), (1000, 269, "year")]
    for days, first, basis in [(170, 0, "rough"), (300, 0, "part"), *whole]:
        table = ChanceTable(_record([], last=days - 2))
        assert (table.first, table.basis) == (first, basis)


def test_nothing_is_said_of_ages_that_the_snapshots_cannot_tell() -> None:
    found = ChanceTable(_record([], gap=7)).of(13, 30)
    assert isinstance(found, Unsaid)
    assert found.why == "a snapshot every 7 days says nothing of 13 days: 14 are the least"


def _plain(people: int, back: int) -> list[Spell]:
    """Spells from day 300 on: so many come back on the 20th day."""
    return [Spell(n, 300, 301, 320 if n < back else 400, n < back) for n in range(people)]


def test_one_who_comes_back_often_counts_once_for_the_interval() -> None:
    """A hundred spells of five people tell less than a hundred of a hundred."""
    many = ChanceTable(_record(_plain(100, 50))).of(15, 10)
    others = [Spell(1000 + n, 300, 301, 400, False) for n in range(50)]
    often = [Spell(n % 5, 300 - n // 5, 301, 320 - n // 5, True) for n in range(50)]
    few = ChanceTable(_record([*others, *often])).of(15, 10)
    assert isinstance(many, Chance)
    assert isinstance(few, Chance)
    assert few.high - few.low > many.high - many.low


def test_where_all_come_back_or_nobody_the_interval_is_open_to_the_other_side() -> None:
    all_, none = (ChanceTable(_record(_plain(50, back))).of(15, 6) for back in (50, 0))
    assert isinstance(all_, Chance)
    assert isinstance(none, Chance)
    assert (all_.share, none.share) == (1.0, 0.0)
    assert all_.low < 0.97 < all_.high == pytest.approx(1.0)
    assert none.low == pytest.approx(0.0)
    assert none.high > 0.03


@pytest.mark.parametrize("n", [1, 48, 96, 12_345])
def test_an_interval_holds_its_share_also_where_all_or_none_came_back(n: int) -> None:
    for share in (0.0, 0.5, 1.0):
        low, high = wilson(share, n)
        assert 0 <= low <= share <= high <= 1


def test_what_was_released_ends_what_can_be_known_where_nobody_gets_it_back() -> None:
    record = _record(_plain(100, 50), released=310)
    kept = ChanceTable(record, reallocates=True)
    assert isinstance(kept.of(15, 10), Chance)
    cut = ChanceTable(record)
    assert cut.last == 309
    assert isinstance(cut.of(15, 10), Unsaid)


def test_the_season_has_its_own_numbers() -> None:
    then = [Spell(n, 500 - 372 - 20, 500 - 372 - 19, 500 - 372 + 3, n < 40) for n in range(50)]
    table = ChanceTable(_record([*then, *_plain(100, 50)], last=500))
    season = table.of_season(22, 2)
    assert isinstance(season, Chance)
    assert season.share == pytest.approx(0.8)
    assert season.basis == "season"
    early = ChanceTable(_record([], last=390)).of_season(22, 2)
    assert isinstance(early, Unsaid)
    assert "need 402" in early.why


@pytest.mark.parametrize("gap", [1, 7])
def test_near_to_the_truth(gap: int) -> None:
    """Of all people at once, so that only what the method gets wrong is seen; bench has sites of all sizes."""
    draw = random.Random(5)  # noqa: S311 - repeatable on purpose
    people = [life(draw, MIXES[1], 400) for _ in range(1200)]
    table = ChanceTable(record_of(people, 400, gap))
    off = []
    for age in AGES:
        found = table.of(age, WITHIN)
        assert isinstance(found, Chance)
        true = truth(people, 400, age)
        off.append(100 * abs(found.share - true))
        assert found.low - 0.02 < true < found.high + 0.02
    assert max(off) < 2.5
    assert sorted(off)[-2] < 1.5


@pytest.mark.parametrize("gap", [1, 5])
def test_a_history_tells_what_was_lived(tmp_path: Path, gap: int) -> None:
    """From stored snapshots the same spells as from the lives of the people themselves."""
    draw = random.Random(11)  # noqa: S311 - repeatable on purpose
    lives = [life(draw, MIXES[0], 50) for _ in range(25)]
    lives = [Life(one.uses, max(one.allocated, -100), one.deleted) for one in lives]
    with History(tmp_path / "history.sqlite", write=True) as history:
        for day in range(0, 51, gap):
            there = [n for n, one in enumerate(lives) if one.allocated < day and not _deleted(one, day)]
            rows = [_license(f"p{n}", lives[n], day) for n in there]
            history.add(snapshot_of(day, [user_row(f"p{n}") for n in there], rows), "it")
        found = spells_of(history)["analyzer"]
    expected = record_of(lives, 50, gap)
    zero = START.date().toordinal()
    moved = sorted((s.start - zero, s.since - zero, s.until - zero, s.returned, s.doubt) for s in found.spells)
    assert moved == sorted(s[1:] for s in expected.spells)
    assert (found.first - zero, found.last - zero, found.gap) == (0, 49, gap)
    assert moved


def _deleted(one: Life, day: int) -> bool:
    return one.deleted is not None and one.deleted < day


def _license(name: str, one: Life, day: int) -> dict[str, object]:
    used = [use for use in one.uses if use < day]
    # At noon: the snapshot is taken at night.
    return license_row(name, at(used[-1] + 0.4) if used else "1753-01-01T00:00:00.000Z", createdDate=at(one.allocated))


def test_who_moves_to_the_other_type_is_seen_no_further(tmp_path: Path) -> None:
    with History(tmp_path / "history.sqlite", write=True) as history:
        for day in range(20):
            row = license_row("ada", at(-9))
            data = snapshot_of(day, [user_row("ada")], [row] if day < 10 else [])
            if day >= 10:
                other = json.dumps(license_row("ada", at(day), id="other"))
                data = data.replace(b'"professional": []', b'"professional": [%s]' % other.encode())
            history.add(data, "it")
        found = spells_of(history)["analyzer"]
    (spell,) = found.spells
    assert date.fromordinal(spell.until) == (START + timedelta(days=9)).date()
    assert not spell.returned
