"""What lies packed says the same as what is taken apart."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.history.cut import Row
from seatwarden.engine.history.layers import LayeredRows
from seatwarden.engine.history.packing import (
    RowChanges,
    RowList,
    TimeColumn,
    open_changes,
    open_order,
    pack_changes,
    pack_order,
)
from seatwarden.engine.history.rows import SiteRows

_lists = st.lists(st.integers(0, 60), unique=True)
_times = st.sampled_from([b"2026-01-05T02:00:00.000Z", b"2026-01-06T02:00:00.000Z", b"2026-01-06T02:00:00.12Z"])


def _list(numbers: list[int]) -> RowList:
    return open_order(pack_order({"users": numbers}))["users"]


@given(_lists, _lists, st.booleans(), st.integers(1, 8))
def test_who_came_and_who_went(before: list[int], now: list[int], in_order: bool, apart: int) -> None:
    if in_order:
        before, now = sorted(before), sorted(now)
    # Many that are the same lie around those that are not.
    same = list(range(100, 100 + 40 * apart, apart))
    before, now = [*same[:20], *before, *same[20:]], [*same[:20], *now, *same[20:]]
    came, gone = _list(now).moved_since(_list(before))
    assert (came, gone) == (set(now) - set(before), set(before) - set(now))


def test_a_list_of_which_nothing_is_left() -> None:
    before, now = list(range(0, 2000, 2)), list(range(1, 2001, 2))
    assert _list(now).moved_since(_list(before)) == (set(now), set(before))


@given(st.dictionaries(st.integers(0, 500), _times), st.sets(st.integers(0, 500)))
def test_a_column(times: dict[int, bytes], numbers: set[int]) -> None:
    column = TimeColumn.of(times)
    assert (len(column), column.by_number, column.rows) == (len(times), times, frozenset(times))
    assert {number: column.get(number) for number in numbers} == {number: times.get(number) for number in numbers}
    assert column.within(numbers).by_number == {n: time for n, time in times.items() if n in numbers}


def test_a_column_that_lacks_a_timestamp_is_none() -> None:
    with pytest.raises(ValueError, match="as many timestamps as rows"):
        TimeColumn(bytes(8), b"2026-01-05T02:00:00.000Z")


_changes = st.builds(
    RowChanges,
    st.dictionaries(st.integers(0, 1), st.dictionaries(st.integers(0, 4), _times)),
    st.dictionaries(st.integers(0, 4), st.builds(Row, st.just(b'{"a":"%b","b":"%b"}'), st.tuples(_times, _times))),
)


@given(st.lists(_changes, max_size=4))
def test_layers_say_what_all_changes_together_say(several: list[RowChanges]) -> None:
    first = [Row(b'{"x":"%b","y":"%b"}', (b"first", b"second")).packed] * 5
    together, layered = SiteRows(first), LayeredRows(first)
    for changes in several:
        layered.layers.append(open_changes(pack_changes(changes)))
        together.changes.add(RowChanges({hole: dict(column) for hole, column in changes.times.items()}, changes.rows))
    assert [layered.row(number) for number in range(5)] == [together.row(number) for number in range(5)]
    assert layered.texts(range(5)) == together.texts(range(5))
    assert layered.changed_rows() == together.changes.rows
    for hole in (0, 1):
        known: Mapping[int, bytes] = together.changes.times.get(hole, {})
        assert layered.times_in(hole) == known
        assert set(known) <= set().union(*layered.numbers_in(hole))
