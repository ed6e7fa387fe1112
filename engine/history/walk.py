"""Going through a history snapshot by snapshot, with what changes from one to the next.

A year of a large site has millions of changes, and most of them nobody asks about: so a step tells what changed, and
rows and timestamps are put together only for who wants them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from seatwarden.engine.history.cut import license_rules_in
from seatwarden.engine.history.layers import LayeredRows
from seatwarden.engine.history.packing import (
    PackedChanges,
    RowList,
    TimeColumn,
    open_changes,
    open_order,
    unpack_text,
)
from seatwarden.engine.history.store import History, KeptSnapshot


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """A snapshot on the way.

    `lists` are its rows. `skeletons` are those whose skeleton is another one than before, `holes` by hole those that
    may have another timestamp there: `times` tells of a hole which have. `rows` is what they all are; the next step
    changes it. `license_rules` are the site's, as JSON; None where the snapshot does not have them.
    """

    kept: KeptSnapshot
    lists: Mapping[str, RowList]
    rows: LayeredRows
    skeletons: Collection[int]
    holes: Mapping[int, frozenset[int]]
    times: Callable[[int], TimeColumn]
    license_rules: bytes | None = None


def walk(history: History) -> Iterator[HistoryStep]:
    """All snapshots, oldest first."""
    with history.reading():
        rows = LayeredRows(history.first_rows().first)
        before: int | None = None
        for kept in history.moments():
            packed_lists, packed, envelope = history.connection.execute(
                "SELECT lists, changes, envelope FROM snapshots WHERE number = ?", (kept.number,)
            ).fetchone()
            lists, rules = open_order(packed_lists), license_rules_in(unpack_text(envelope))
            if before is not None and kept.parent == before:
                layer = open_changes(packed)
                rows.layers.append(layer)
                holes = {hole: column.rows for hole, column in layer.times.items()}
                yield HistoryStep(kept, lists, rows, layer.rows.keys(), holes, layer.times.__getitem__, rules)
            else:
                then, rows = rows, LayeredRows(rows.first, _layers(history, kept.parent, open_changes(packed)))
                old, new = then.changed_rows(), rows.changed_rows()
                skeletons = {n for n in old.keys() | new.keys() if old.get(n) != new.get(n)}
                holes_of_both = then.holes() | rows.holes()
                may = {
                    hole: frozenset[int]().union(*then.numbers_in(hole), *rows.numbers_in(hole))
                    for hole in holes_of_both
                }
                yield HistoryStep(kept, lists, rows, skeletons, may, partial(_otherwise, then, rows), rules)
            before = kept.number


def _layers(history: History, parent: int | None, own: PackedChanges) -> list[PackedChanges]:
    """The layers of a snapshot, from that of the one that stands alone to its own."""
    found = [own]
    while parent is not None:
        packed, parent = history.connection.execute(
            "SELECT changes, parent FROM snapshots WHERE number = ?", (parent,)
        ).fetchone()
        found.append(open_changes(packed))
    return found[::-1]


def _otherwise(then: LayeredRows, now: LayeredRows, hole: int) -> TimeColumn:
    """The timestamps in a hole that are others than in another state of the same rows."""
    one, other = then.times_in(hole), now.times_in(hole)
    times = {number: time for number, time in other.items() if one.get(number) != time}
    for number in one.keys() - other.keys():  # they are again as they first came
        row = now.row(number)
        if row is not None and hole < len(row.times):
            times[number] = row.times[hole]
    return TimeColumn.of(times)
