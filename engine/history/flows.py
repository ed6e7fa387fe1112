"""How many licenses of a type come and go a day, as a history tells it: those that seatwarden moved apart.

They are counted by rows, not by what QRS says is free: so licenses that are bought are no flow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.history.cut import unpacked_row
from seatwarden.engine.history.running_out import MOST_DAYS
from seatwarden.engine.history.store import History, KeptSnapshot
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType


@dataclass(slots=True)
class Flows:
    """The licenses of a type that came and went, a number a day; `last` is the last of these days (an ordinal).

    `released` are those that seatwarden has taken, `returned` those that such people got again; `arrivals` and `exits`
    are all others. `since` is the day of our first release, None where there was none.
    """

    last: int
    arrivals: list[float] = field(default_factory=list)
    exits: list[float] = field(default_factory=list)
    returned: list[float] = field(default_factory=list)
    released: list[float] = field(default_factory=list)
    since: int | None = None

    def add(self, day: int, arrivals: int, exits: int, returned: int, released: int) -> None:
        """Adds what has changed until a day, in equal parts: on which day it happened is not known."""
        each, self.last = day - self.last, day
        for flow, count in (
            (self.arrivals, arrivals), (self.exits, exits), (self.returned, returned), (self.released, released)
        ):  # fmt: skip
            flow.extend([count / each] * each)


class _Holder(Struct):
    id: str


class _Row(Struct):
    id: str
    user: _Holder | None = None


def flows_of(history: History, until: datetime | None = None) -> dict[LicenseType, Flows]:
    """The flows by license type between the first and the last snapshot that has the type, at most of the last
    `MOST_DAYS`; none of a type that no snapshot has. With `until`, as they were known then. Raises InputError."""
    with history.reading():
        rows = _Rows(history.first_rows().first)
        releases = [release for release in history.releases() if until is None or release[2] <= until]
        readers = {
            kind: _Reader(rows, {id_: at for type_, id_, at in releases if type_ == kind}) for kind in LICENSE_TYPES
        }
        for moment in _one_a_day([moment for moment in history.moments() if until is None or moment.at <= until]):
            lists = history.order(moment.number)
            for kind, reader in readers.items():
                if kind in lists:
                    reader.read(moment.at, set(lists[kind]))
    return {kind: reader.flows for kind, reader in readers.items() if reader.flows is not None}


def _one_a_day(moments: Sequence[KeptSnapshot]) -> list[KeptSnapshot]:
    """The last snapshot of each day that is looked at."""
    first = moments[-1].at - timedelta(days=MOST_DAYS) if moments else None
    return list({moment.at.date(): moment for moment in moments if first is not None and moment.at >= first}.values())


class _Rows:
    """Rows by number, of which the license's id and its holder's are read; None where they cannot be."""

    def __init__(self, first: Sequence[bytes]) -> None:
        self._first = first

    def of(self, number: int) -> _Row | None:
        packed = self._first[number]
        try:
            return msgspec.json.decode(unpacked_row(packed).text, type=_Row) if packed else None
        except UNREADABLE:
            return None

    def holders_of(self, ids: Iterable[str]) -> dict[str, str]:
        """The holders of licenses, by the id of the license."""
        wanted = set(ids)
        found = [self.of(number) for number in range(len(self._first))] if wanted else []
        return {row.id: row.user.id for row in found if row is not None and row.user is not None and row.id in wanted}


class _Reader:
    """Reads the flows of one type off the snapshots, one a day."""

    def __init__(self, rows: _Rows, releases: Mapping[str, datetime]) -> None:
        self._rows, self._releases = rows, releases
        self._away = _Away(rows.holders_of(releases), releases)
        self._since = min((at.date().toordinal() for at in releases.values()), default=None)
        self._listed = set[int]()
        self.flows: Flows | None = None

    def read(self, at: datetime, listed: set[int]) -> None:
        """Takes over the numbers of the rows that there are at a moment."""
        day = at.date().toordinal()
        before, self._listed = self._listed, listed
        if self.flows is None:
            self.flows = Flows(day, since=self._since)
            return
        gone = [self._rows.of(number) for number in before - listed]
        came = [self._rows.of(number) for number in listed - before]
        ours = sum(row is not None and row.id in self._releases for row in gone)
        back = sum(row is not None and row.user is not None and self._away.is_back(row.user.id, at) for row in came)
        self.flows.add(day, len(came) - back, len(gone) - ours, back, ours)


class _Away:
    """When people's licenses were released, until they have one again."""

    def __init__(self, holders: Mapping[str, str], releases: Mapping[str, datetime]) -> None:
        self._released: dict[str, list[datetime]] = {}
        for license_, user in holders.items():
            self._released.setdefault(user, []).append(releases[license_])

    def is_back(self, user: str, at: datetime) -> bool:
        """Whether a license that has come by a moment is that of somebody whose last one was released before."""
        moments = self._released.get(user, [])
        self._released[user] = later = [moment for moment in moments if moment > at]
        return len(later) < len(moments)
