"""Finding the user a person means: by `DIRECTORY\\id`, QRS id, name or user id, or by a part of name or user id."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.snapshot.model import License, Snapshot, User, UserReference
from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError

MAX_CHOICES = 12
"""Most users that are listed for an ambiguous name."""
_HOW_NAMED = "name somebody as DIRECTORY\\id, by id, or by a part of the name"

_HOW_REVEALED = (
    "`seatwarden log show DIR --reveal KEYFILE SNAPSHOT` names people again, with the key that the plan was made with"
)


class Holder(Struct, frozen=True):
    """Someone a license row or a user row speaks of."""

    user_directory: str | None
    user_id: str
    name: str | None

    @property
    def user(self) -> str:
        """`DIRECTORY\\id`."""
        return f"{self.user_directory or '?'}\\{self.user_id}"

    @property
    def label(self) -> str:
        """The user, with the name where it is known."""
        return f"{self.user} ({self.name})" if self.name else self.user


class AmbiguousUser(InputError):
    """Several users fit; `holders` are all of them, in order."""

    def __init__(self, message: str, holders: Sequence[Holder]) -> None:
        super().__init__(message, "say which")
        self.holders = tuple(holders)

    @property
    def candidates(self) -> tuple[Holder, ...]:
        """Those that are listed."""
        return self.holders[:MAX_CHOICES]

    def listed(self, lines: Sequence[str]) -> list[str]:
        """A line on each candidate, and how many more there are."""
        more = len(self.holders) - len(self.candidates)
        return [*lines, *([f"and {more:,} more"] if more else [])]

    def asking(self, lines: Sequence[str]) -> InputError:
        """The error that shows these lines to choose from."""
        return InputError(self.message, "\n      ".join(["say which:", *lines]))


_T = TypeVar("_T")


class People(Generic[_T]):
    """Everyone a snapshot or a plan speaks of, and what they hold.

    `among` says in a message who that is, and `help_` what to do where the names that people know are none here.
    """

    def __init__(self, among: str = "", help_: str | None = None) -> None:
        self._among = among
        self._help = help_
        self._holders: dict[str, Holder] = {}
        self._ids: dict[str, dict[str, None]] = {}
        self._held: dict[str, list[_T]] = {}

    def add(self, directory: str | None, user_id: str | None, name: str | None, *ids: str) -> str | None:
        """Adds somebody, known by these QRS ids too. Returns `DIRECTORY\\id`, or None when the row names nobody."""
        if user_id is None:
            return None
        user = f"{directory or '?'}\\{user_id}"
        known = self._holders.get(user)
        if known is None or (known.name is None and name):
            self._holders[user] = Holder(directory, user_id, name)
        for one in ids:
            self._ids.setdefault(one, {})[user] = None
        return user

    def give(self, user: str | None, held: _T) -> None:
        """Notes what a user holds."""
        if user is not None:
            self._held.setdefault(user, []).append(held)

    def held_by(self, holder: Holder) -> list[_T]:
        """The things that a user holds, none for a user without."""
        return self._held.get(holder.user, [])

    def find(self, query: str) -> tuple[Holder, bool]:
        """The one user that `query` means, and whether it is no more than a part of the user's id or name.

        An exact match wins over one that ignores case, and that over a part. Raises AmbiguousUser when several
        match; InputError when none does, with the nearest.
        """
        exact = self._named(query)
        if exact:
            return _the_one(exact, f"`{query}` can be {len(exact)} users"), False
        parts = self._parts(query)
        if parts:
            return _the_one(parts, f"`{query}` is a part of the names of {len(parts)} users"), True
        if self._help:
            raise InputError(f"there is no user `{query}`{self._among}", self._help)
        known = [name for h in self._holders.values() for name in (h.user, h.user_id, h.name) if name]
        raise InputError(f"there is no user `{query}`{self._among}", did_you_mean(query, known) or _HOW_NAMED)

    def means_anybody(self, query: str) -> bool:
        """Whether `find` finds somebody, or several."""
        return bool(self._named(query) or self._parts(query))

    def _named(self, query: str) -> list[Holder]:
        """The users of this name, by the most exact kind of match that there is."""
        found = (holders for fold in (str, str.casefold) for holders in self._matches(query, fold) if holders)
        return next(found, [])

    def _matches(self, query: str, fold: Callable[[str], str]) -> Iterator[list[Holder]]:
        """The users of this name, one list for each kind of name, the most exact kind first."""
        wanted, holders = fold(query), self._holders
        yield [holder for user, holder in holders.items() if fold(user) == wanted]
        by_id = dict.fromkeys(user for one, users in self._ids.items() if fold(one) == wanted for user in users)
        yield [holders[user] for user in by_id]
        yield [holder for holder in holders.values() if holder.name is not None and fold(holder.name) == wanted]
        yield [holder for holder in holders.values() if fold(holder.user_id) == wanted]

    def _parts(self, query: str) -> list[Holder]:
        """The users whose id or name has this part; with a backslash it names one user, and is mistyped."""
        part = query.casefold()
        if not part.strip() or "\\" in part:
            return []
        holders = self._holders.values()
        return [h for h in holders if part in h.user_id.casefold() or (h.name and part in h.name.casefold())]


_Row: TypeAlias = tuple[LicenseType, License]


def people_of_snapshot(snapshot: Snapshot, queries: Iterable[str] = ()) -> People[_Row]:
    """The users of a snapshot and those that only a license row names, with their licenses.

    With `queries`, at least all whom these name: on a large site most time would go into people nobody asked for.
    """
    users: Sequence[User] = snapshot.users
    rows: Sequence[_Row] = [(t, row) for t, listed in snapshot.licenses.items() for row in listed]
    wanted = [query.casefold() for query in queries]
    if wanted:
        users, rows = _named(wanted, snapshot, rows) or (users, rows)
    people: People[_Row] = People()
    for user in users:
        people.add(user.user_directory, user.user_id, user.name or None, user.id)
    for license_type, row in rows:
        people.give(_owner(people, row, snapshot), (license_type, row))
    return people


def _named(wanted: Sequence[str], snapshot: Snapshot, rows: Sequence[_Row]) -> tuple[list[User], list[_Row]] | None:
    """All that speaks of users with these names in any case, or ids; None when one of them names no user.

    Several simple passes: one over everything, a tuple made for each row, takes three times as long.
    """
    everyone, known = snapshot.users, snapshot.users_by_id
    names: set[str] = set()
    for one in wanted:
        hits = _called(one, everyone, [user.user_id for user in everyone])
        hits += _called(one, everyone, [user.id for user in everyone])
        hits += _called(one, everyone, [user.name or "" for user in everyone])
        if "\\" in one:
            hits += _called(one, everyone, list(map(_user, everyone)))
        owners = [row.user for _, row in _called(one, rows, [row.id for _, row in rows])]
        hits += [known[owner.id] for owner in owners if isinstance(owner, UserReference) and owner.id in known]
        if not hits:
            return None
        names.update(map(_user, hits))
    user_ids = {name.rpartition("\\")[2] for name in names}
    users = [user for user in everyone if user.user_id.rpartition("\\")[2] in user_ids and _user(user) in names]
    # Rows of strangers are few; they may be of the same people.
    held = {user.id for user in users}
    held_rows = [
        (license_type, row)
        for license_type, row in rows
        if not isinstance(holder := row.user, UserReference) or holder.id in held or holder.id not in known
    ]
    return users, held_rows


def _called(one: str, things: Sequence[_T], names: Sequence[str]) -> list[_T]:
    """The things whose name is `one` in any case; all names folded at once show quickly whether there is any."""
    if one not in "\n".join(names).casefold():
        return []
    return [thing for thing, name in zip(things, names, strict=True) if name.casefold() == one]


def _user(user: User) -> str:
    return f"{user.user_directory or '?'}\\{user.user_id}"


def _owner(people: People[_Row], row: License, snapshot: Snapshot) -> str | None:
    if not isinstance(row.user, UserReference):
        return people.add(row.deleted_user_directory or None, row.deleted_user_id or None, None, row.id)
    user = snapshot.users_by_id.get(row.user.id)
    if user is not None:
        return people.add(user.user_directory, user.user_id, user.name or None, row.id)
    return people.add(row.user.user_directory, row.user.user_id, row.user.name, row.user.id, row.id)


def people_of_plan(decisions: Sequence[Decision], *, pseudonyms: bool = False) -> People[Decision]:
    """The users that a plan speaks of, with the decisions on their licenses."""
    people: People[Decision] = People(" among those who held a license")
    if pseudonyms:
        people = People(": this plan has pseudonyms for names", _HOW_REVEALED)
    for decision in decisions:
        user = people.add(decision.user_directory, decision.user_id, decision.user_name, decision.license_id)
        people.give(user, decision)
    return people


def _the_one(found: list[Holder], problem: str) -> Holder:
    if len(found) > 1:
        raise AmbiguousUser(problem, sorted(found, key=lambda holder: holder.label.casefold()))
    return found[0]
