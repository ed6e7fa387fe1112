"""Several sites on one signed license key: what is known of a person at all of them together.

Such a key brings the users of one site into the others, marked *inactive* and *removed externally*, by design (Qlik's
help on signed licenses). So what one site says of a person is not enough: she is inactive only where she is so
everywhere, and her license was used when it was used last at any of them. A release at one takes the license at all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any

from msgspec import UNSET, structs

from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.context import Connection
from seatwarden.engine.snapshot.model import License, ReferenceToKnown, Seats, Snapshot, User, UserReference
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.operators import all_true

_FIRST_YEAR = 1900
"""A use before it is none: QRS writes 1753 for never."""
_UNKNOWN = "not known at all sites of the pool"
"""In the place of a last use: it is no moment, so the fact is unknown, and keeps."""

Seat = tuple[str, LicenseType]
"""A person, by user directory and id in small letters, and a type of license: one seat of the pool."""


def person_of(directory: str | None, user_id: str | None) -> str | None:
    """The person by whom a row or a user is meant; None where it is not said."""
    return f"{directory}\\{user_id}".casefold() if directory and user_id else None


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A license row: its id, when it was allocated, and its last use, or that allocation where it is later. None: not
    known."""

    license_id: str
    allocated: datetime | None
    last_use: datetime | None


@dataclass(frozen=True, slots=True)
class PoolUser:
    """A user at one site: the id there, and the two facts that a shared key sets. None: not known."""

    id: str
    inactive: bool | None
    removed_externally: bool | None


@dataclass(frozen=True, slots=True)
class PoolLook:
    """What one site says of the people of its pool. `problem` is why it cannot be relied on; then nobody's license is
    released anywhere in the pool. `held` has whose licenses are held there, `released` when our runs have released a
    seat there last."""

    site: str
    pool: str
    use_only: bool = False
    problem: str | None = None
    users: Mapping[str, PoolUser] = field(default_factory=dict)
    rows: Mapping[Seat, tuple[SeatRow, ...]] = field(default_factory=dict)
    held: frozenset[Seat] = frozenset()
    released: Mapping[Seat, datetime] = field(default_factory=dict)


def users_in(users: Iterable[User]) -> dict[str, PoolUser]:
    """The users of a site by person."""
    found = {}
    for user in users:
        person = person_of(user.user_directory, user.user_id)
        if person is not None:
            found[person] = PoolUser(user.id, _known(user.inactive), _known(user.removed_externally))
    return found


def rows_in(licenses: Mapping[LicenseType, Sequence[License]]) -> dict[Seat, tuple[SeatRow, ...]]:
    """The license rows of a site by seat."""
    found: dict[Seat, tuple[SeatRow, ...]] = {}
    for license_type, rows in licenses.items():
        for row in rows:
            person = _holder(row)
            if person is not None:
                seat = person, license_type
                found[seat] = (*found.get(seat, ()), _row(row))
    return found


def _holder(row: License) -> str | None:
    if isinstance(row.user, ReferenceToKnown):
        raise TypeError("the names of users were not read: what is asked of other sites hangs on them")
    return person_of(row.user.user_directory, row.user.user_id) if isinstance(row.user, UserReference) else None


def _known(fact: Any) -> bool | None:
    return fact if isinstance(fact, bool) else None


def _row(row: License) -> SeatRow:
    allocated = parse_timestamp(row.created_date) if isinstance(row.created_date, str) else None
    used = parse_timestamp(row.last_used) if isinstance(row.last_used, str) else None
    if allocated is None or (used is None and row.last_used is not None):
        return SeatRow(row.id, allocated, None)
    never = used is None or used.year < _FIRST_YEAR
    return SeatRow(row.id, allocated, allocated if never or used is None else max(used, allocated))


class PoolView:
    """What all sites of a pool together say of a person."""

    def __init__(self, looks: Iterable[PoolLook]) -> None:
        self.looks = {look.site: look for look in looks}

    @property
    def problems(self) -> list[str]:
        """Why sites of it cannot be relied on."""
        return [f"`{look.site}` {look.problem}" for look in self.looks.values() if look.problem is not None]

    def last_use(self, seat: Seat) -> datetime | None:
        """The latest use or allocation over all rows; None where one of them is not known, or there is none."""
        uses = [row.last_use for look in self.looks.values() for row in look.rows.get(seat, ())]
        known = [use for use in uses if use is not None]
        return max(known) if known and len(known) == len(uses) else None

    def not_yet_gone(self, seat: Seat) -> str | None:
        """Why a seat is left alone: it was released already, and a row of before is still there; None where not."""
        moments = [look.released[seat] for look in self.looks.values() if seat in look.released]
        if not moments:
            return None
        released = max(moments)
        for look in self.looks.values():
            for row in look.rows.get(seat, ()):
                if row.allocated is None or row.allocated <= released:
                    return f"it was released on {released.date()}, and its row at `{look.site}` is still there"
        return None

    def held(self, seat: Seat) -> str | None:
        """Where a license is held; None where it is nowhere."""
        return next((f"it is held at `{look.site}`" for look in self.looks.values() if seat in look.held), None)

    def user(self, user: User) -> User:
        """A user with the facts that hold at all sites."""
        found = [one.users.get(_person(user)) for one in self.looks.values()]
        known = [one for one in found if one is not None]
        facts = {
            "inactive": _everywhere([one.inactive for one in known]),
            "removed_externally": _everywhere([one.removed_externally for one in known]),
        }
        return structs.replace(user, **{name: UNSET if fact is None else fact for name, fact in facts.items()})

    def row(self, license_type: LicenseType, row: License) -> License:
        """A license row with the last use at all sites. One that is not known keeps."""
        person = _holder(row)
        use = self.last_use((person, license_type)) if person is not None else None
        return structs.replace(row, last_used=format_instant(use) if use is not None else _UNKNOWN)

    def snapshot(self, found: Snapshot) -> Snapshot:
        """A snapshot of one site, with what holds at all of them."""
        rows = {kind: [self.row(kind, row) for row in some] for kind, some in found.licenses.items()}
        return found.with_rows([self.user(user) for user in found.users], rows)


def _person(user: User) -> str:
    return person_of(user.user_directory, user.user_id) or ""


def _everywhere(facts: Sequence[bool | None]) -> bool | None:
    """Whether something is so at all sites: no where it is not at one, unknown where none says no and one does not
    know."""
    return all_true(facts) if facts else None


class PooledConnection:
    """A connection to one site of a pool: what it reads is what holds at all of them.

    `view_of` gives what is known of a person now (None: of all).
    """

    def __init__(self, inner: Connection, view_of: Callable[[str | None], PoolView]) -> None:
        self._inner = inner
        self._view_of = view_of

    @property
    def ending(self) -> Sequence[EndingCertificate]:
        """The certificates that end soon."""
        return self._inner.ending

    @property
    def site_clock(self) -> datetime | None:
        """What the clock of QRS said."""
        return self._inner.site_clock

    def snapshot(self, now: datetime) -> Snapshot:
        """Users and licenses of the site. Raises RemoteError."""
        return self._view_of(None).snapshot(self._inner.snapshot(now))

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        """A license as it is now; what the other sites say of its holder is read again. Raises RemoteError."""
        row = self._inner.license(license_type, license_id)
        return self._view_of(_holder(row)).row(license_type, row) if row is not None else None

    def user(self, user_id: str) -> User | None:
        """A user as it is now. Raises RemoteError."""
        user = self._inner.user(user_id)
        return self._view_of(_person(user)).user(user) if user is not None else None

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        """The licenses of one type that a user holds now. Raises RemoteError."""
        rows = self._inner.licenses_of(license_type, user_id)
        return [self._view_of(_holder(row)).row(license_type, row) for row in rows]

    def licenses(self, license_type: LicenseType) -> list[License]:
        """All licenses of one type. Raises RemoteError."""
        view = self._view_of(None)
        return [view.row(license_type, row) for row in self._inner.licenses(license_type)]

    def license_rules(self) -> bytes | None:
        """The license rules of the site."""
        return self._inner.license_rules()

    def seats(self) -> Mapping[LicenseType, Seats]:
        """How many licenses are free. Raises RemoteError."""
        return self._inner.seats()

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        """Gives a license. Raises NoAnswer, RemoteError."""
        return self._inner.allocate(license_type, user_id)

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        """Deletes a license. Raises NoAnswer, RemoteError."""
        return self._inner.delete(license_type, license_id)


class Pooled(AbstractContextManager[PooledConnection]):
    """A pooled connection as a context manager, over the one of the site alone."""

    def __init__(
        self, connected: AbstractContextManager[Connection], view_of: Callable[[str | None], PoolView]
    ) -> None:
        self._connected = connected
        self._view_of = view_of

    def __enter__(self) -> PooledConnection:
        return PooledConnection(self._connected.__enter__(), self._view_of)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._connected.__exit__(kind, error, trace)


# The meet ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PoolVerdicts:
    """What a site says by its own policy of each of its rows: whether it is to be released."""

    site: str
    by_seat: Mapping[Seat, Mapping[str, bool]]


def seats_to_release(view: PoolView, verdicts: Mapping[str, PoolVerdicts]) -> dict[Seat, str]:
    """The seats that all sites with a row for the person release, each with the site at which it is: that of the
    latest use, by name where there are several. Each seat is released at one site only."""
    found = {}
    for seat in {seat for one in verdicts.values() for seat in one.by_seat}:
        if view.not_yet_gone(seat) is None and view.held(seat) is None and _all_release(seat, view, verdicts):
            uses = {name: _use_at(view, name, seat) for name, one in verdicts.items() if one.by_seat.get(seat)}
            found[seat] = min(uses, key=lambda name: (-uses[name], name))
    return found


def _all_release(seat: Seat, view: PoolView, verdicts: Mapping[str, PoolVerdicts]) -> bool:
    """Whether each site that has a verdict and a row says release; a row that it has not decided on keeps."""
    for name, look in view.looks.items():
        mine = verdicts[name].by_seat.get(seat, {}) if name in verdicts else {}
        if look.use_only:
            continue
        if not all(mine.values()) or {row.license_id for row in look.rows.get(seat, ())} - mine.keys():
            return False
    return True


def _use_at(view: PoolView, name: str, seat: Seat) -> float:
    uses = [row.last_use for row in view.looks[name].rows.get(seat, ()) if row.last_use is not None]
    return max((use.timestamp() for use in uses), default=0.0)


def double_seats(view: PoolView) -> list[str]:
    """People who hold seats under several user directories, by user id: these are not merged."""
    directories: dict[str, set[str]] = {}
    for look in view.looks.values():
        for person, _ in look.rows:
            directory, _, user_id = person.partition("\\")
            directories.setdefault(user_id, set()).add(directory)
    return sorted(user_id for user_id, names in directories.items() if len(names) > 1)
