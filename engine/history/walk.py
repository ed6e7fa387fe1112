"""Going through a history snapshot by snapshot, with what changes from one to the next.

A year of a large site has millions of changes, and most of them nobody asks about: so a step tells what changed, and
rows are put together only for who wants them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from seatwarden.engine.history.packing import RowChanges, unpack_changes, unpack_order
from seatwarden.engine.history.rows import SiteRows
from seatwarden.engine.history.store import History, KeptSnapshot


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """A snapshot on the way: `lists` are the numbers of its rows, `skeletons` those whose skeleton is another one than
    before, `times` by hole those with another timestamp there. `rows` is what they all are; the next step changes it.
    """

    kept: KeptSnapshot
    lists: Mapping[str, list[int]]
    rows: SiteRows
    skeletons: set[int]
    times: Mapping[int, set[int]]


def walk(history: History) -> Iterator[HistoryStep]:
    """All snapshots, oldest first."""
    with history.reading():
        rows = history.first_rows()
        before: int | None = None
        for kept in history.moments():
            lists, packed = history.connection.execute(
                "SELECT lists, changes FROM snapshots WHERE number = ?", (kept.number,)
            ).fetchone()
            if before is not None and kept.parent == before:
                changes = unpack_changes(packed)
                skeletons, times = set(changes.rows), {hole: set(column) for hole, column in changes.times.items()}
                rows.changes.add(changes)
            else:
                then, now = rows.changes, history.rows_at(kept.number, rows).changes
                skeletons, times = _otherwise(then, now)
                rows = SiteRows(rows.first, now)
            yield HistoryStep(kept, unpack_order(lists), rows, skeletons, times)
            before = kept.number


def _otherwise(then: RowChanges, now: RowChanges) -> tuple[set[int], dict[int, set[int]]]:
    """The rows that are otherwise, all beyond the same first form: by skeleton, and by hole."""
    skeletons = {n for n in then.rows.keys() | now.rows.keys() if then.rows.get(n) != now.rows.get(n)}
    times = {}
    for hole in then.times.keys() | now.times.keys():
        one, other = then.times.get(hole, {}), now.times.get(hole, {})
        times[hole] = {n for n, time in other.items() if one.get(n) != time} | (one.keys() - other.keys())
    return skeletons, times
