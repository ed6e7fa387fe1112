"""Finding the one user a person means: by `DIRECTORY\\id`, name, user id or QRS id."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from engine.decide import Decision
from engine.snapshot import License, Snapshot, User, UserReference
from grammar.ast import LicenseType
from grammar.suggest import nearest
from policy.errors import InputError

MAX_CHOICES = 12
"""How many users an ambiguous name lists."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Someone a license row or a user row speaks of."""

    user_directory: str | None
    user_id: str | None
    name: str | None
    ids: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """`DIRECTORY\\id`."""
        return f"{self.user_directory or '?'}\\{self.user_id or '?'}"

    @property
    def label(self) -> str:
        """The user, with the name where it is known."""
        return f"{self.user} ({self.name})" if self.name else self.user


def find_in_snapshot(query: str, snapshot: Snapshot) -> tuple[Holder, list[tuple[LicenseType, License]]]:
    """The user that `query` names, and the licenses of that user (maybe none). Raises InputError."""
    # On a large site most time would go into holders that nobody asked for.
    users, rows = _possible(query, snapshot)
    if not users and not rows:
        users, rows = snapshot.users, [(t, row) for t, listed in snapshot.licenses.items() for row in listed]
    holders = [Holder(u.user_directory, u.user_id, u.name or None, (u.id,)) for u in users]
    held = [(_holder_of(row, snapshot), license_type, row) for license_type, row in rows]
    holder = find(query, [*holders, *(h for h, _, _ in held)])
    return holder, [(license_type, row) for h, license_type, row in held if h.user == holder.user]


def _possible(query: str, snapshot: Snapshot) -> tuple[list[User], list[tuple[LicenseType, License]]]:
    """All that speaks of users whom `query` may name: their own rows, and those of their licenses.

    Several simple passes: one over everything, a tuple made for each row, takes three times as long.
    """
    wanted = query.casefold()
    people = snapshot.users
    hits = [u for u in people if u.user_id.casefold() == wanted or u.id.casefold() == wanted]
    hits += [u for u in people if u.name and u.name.casefold() == wanted]
    if "\\" in wanted:
        hits += [u for u in people if f"{u.user_directory}\\{u.user_id}".casefold() == wanted]
    licenses = [(t, row) for t, listed in snapshot.licenses.items() for row in listed]
    hits += [u for _, row in licenses if row.id.casefold() == wanted and (u := _owner(row, snapshot))]
    known = snapshot.users_by_id
    strangers = [
        (_holder_of(row, snapshot), t, row)
        for t, row in licenses
        if not (isinstance(row.user, UserReference) and row.user.id in known)
    ]
    named = {f"{u.user_directory}\\{u.user_id}" for u in hits}
    named |= {
        holder.user
        for holder, _, _ in strangers
        if wanted in [text.casefold() for text in (holder.user, holder.user_id, holder.name, *holder.ids) if text]
    }
    users = [u for u in people if f"{u.user_directory}\\{u.user_id}" in named]
    held = {user.id for user in users}
    rows = [(t, row) for t, row in licenses if isinstance(row.user, UserReference) and row.user.id in held]
    return users, [*rows, *((t, row) for holder, t, row in strangers if holder.user in named)]


def _owner(row: License, snapshot: Snapshot) -> User | None:
    return snapshot.users_by_id.get(row.user.id) if isinstance(row.user, UserReference) else None


def find_in_plan(query: str, decisions: Sequence[Decision]) -> tuple[Holder, list[Decision]]:
    """The user that `query` names, and the decisions on that user's licenses. Raises InputError."""
    holders = [Holder(d.user_directory, d.user_id, d.user_name, (d.license_id,)) for d in decisions]
    holder = find(query, holders)
    return holder, [d for d, h in zip(decisions, holders, strict=True) if h.user == holder.user]


def find(query: str, holders: Iterable[Holder]) -> Holder:
    """The one user that `query` names; an exact match wins over one that ignores case.

    Raises InputError when none or several match, with the nearest or all of them.
    """
    candidates = _merged(holders)
    keys: tuple[Callable[[Holder], tuple[str | None, ...]], ...] = (
        lambda h: (h.user,),
        lambda h: h.ids,
        lambda h: (h.name,),
        lambda h: (h.user_id,),
    )
    for fold in (str, str.casefold):
        for key in keys:
            matches = [h for h in candidates if any(k is not None and fold(k) == fold(query) for k in key(h))]
            if len(matches) > 1:
                listed = ", ".join(sorted(h.label for h in matches)[:MAX_CHOICES])
                raise InputError(f"`{query}` can be {len(matches)} users", f"say which: {listed}")
            if matches:
                return matches[0]
    near = nearest(query, [h.user for h in candidates] + [h.name for h in candidates if h.name])
    raise InputError(f"there is no user `{query}`", f"did you mean `{near}`?" if near else None)


def _merged(holders: Iterable[Holder]) -> list[Holder]:
    """One holder a user, with all ids under which QRS knows the user and the user's licenses."""
    found: dict[str, Holder] = {}
    for holder in holders:
        if holder.user_id is not None:
            known = found.get(holder.user, holder)
            found[holder.user] = replace(known, name=known.name or holder.name, ids=known.ids + holder.ids)
    return list(found.values())


def _holder_of(row: License, snapshot: Snapshot) -> Holder:
    if isinstance(row.user, UserReference):
        user = _owner(row, snapshot)
        if user is not None:
            return Holder(user.user_directory, user.user_id, user.name or None, (user.id, row.id))
        return Holder(row.user.user_directory, row.user.user_id, row.user.name, (row.user.id, row.id))
    return Holder(row.deleted_user_directory or None, row.deleted_user_id or None, None, (row.id,))
