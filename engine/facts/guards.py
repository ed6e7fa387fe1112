"""The guards: what keeps a license whatever the rules say. They cannot be switched off."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from seatwarden.engine.facts.facts import Subject
from seatwarden.engine.snapshot.model import License, UserReference

Guard: TypeAlias = Literal["quarantined", "undetermined"]
UserState: TypeAlias = Literal["known", "none", "deleted", "unlisted", "doubled", "unreadable"]
GUARDS: tuple[Guard, ...] = get_args(Guard)


class RowState(Struct, frozen=True, gc=False, rename="camel"):
    """The state of a license row, apart from all rules; the decision log has it as it is.

    `quarantined` is None when it cannot be read; `quarantine_end` is QRS's timestamp, if there is one. `user` says
    whether the row has a user that the site's users list once, readably; `deleted_user` is `DIRECTORY\\id` of one that
    is gone.
    """

    quarantined: bool | None
    quarantine_end: str | None
    user: UserState
    deleted_user: str | None
    listed_once: bool


_NO_END = "1753-01-01T00:00:00.000Z"
_ORDINARY = RowState(False, _NO_END, "known", None, True)
"""The state of nearly all rows: one object for all of them."""


def row_state_of(subject: Subject) -> RowState:
    """The standing of a license row in its snapshot."""
    license_ = subject.license
    user, deleted = _user(subject), license_.deleted_user_id or None
    listed_once = license_.id not in subject.snapshot.doubled_licenses[subject.license_type]
    if user == "known" and listed_once and _is_usual(license_):
        return _ORDINARY
    return RowState(
        quarantined=license_.quarantined if isinstance(license_.quarantined, bool) else None,
        quarantine_end=license_.quarantine_end if isinstance(license_.quarantine_end, str) else None,
        user=user,
        deleted_user=f"{license_.deleted_user_directory or '?'}\\{deleted}" if deleted else None,
        listed_once=listed_once,
    )


def row_states_of(subjects: Sequence[Subject]) -> list[RowState]:
    """`row_state_of` of licenses of one type in one snapshot, in a third of the time."""
    if not subjects:
        return []
    snapshot, license_type = subjects[0].snapshot, subjects[0].license_type
    if snapshot.doubled_users or snapshot.doubled_licenses[license_type]:
        return list(map(row_state_of, subjects))
    return [
        _ORDINARY if subject.user is not None and _is_usual(subject.license) else row_state_of(subject)
        for subject in subjects
    ]


def _is_usual(row: License) -> bool:
    """Whether a row says what nearly all say, of itself: in no quarantine, and of no user who was deleted."""
    return row.quarantined is False and row.quarantine_end == _NO_END and not row.deleted_user_id


def guard_for(row_state: RowState) -> tuple[Guard, str] | None:
    """The guard that holds and a sentence, or None when the rules may decide."""
    if row_state is _ORDINARY:
        return None
    if row_state.quarantined:
        end = row_state.quarantine_end or ""
        # QRS writes 1753 where there is no end.
        until = f" until {end[:10]}" if end >= "1900" else ""
        return "quarantined", f"in quarantine{until}: Qlik Sense has taken this license back already"
    if row_state.quarantined is None:
        return "undetermined", "undetermined: `license.quarantined` is missing or unreadable"
    if row_state.user == "none":
        # Plans of before have deleted users here: they are decided again in the words they have.
        deleted = f" (deleted user {row_state.deleted_user})" if row_state.deleted_user else ""
        return "undetermined", f"undetermined: the license has no user{deleted}"
    if row_state.user == "deleted":
        why = f"its user {row_state.deleted_user} was deleted, and it is not in quarantine"
        return "undetermined", f"undetermined: held by nobody: {why}"
    if row_state.user == "unlisted":
        return "undetermined", "undetermined: the user of this license is not among the site's users"
    if row_state.user == "unreadable":
        return "undetermined", "undetermined: the user of this license has no readable id or directory"
    if row_state.user == "doubled":
        return "undetermined", "undetermined: the site's users list this user more than once"
    if not row_state.listed_once:
        return "undetermined", "undetermined: this license is listed more than once"
    return None


def _user(subject: Subject) -> UserState:
    if subject.user is not None:
        return "doubled" if subject.user.id in subject.snapshot.doubled_users else "known"
    if not isinstance(subject.license.user, UserReference):
        return "deleted" if subject.license.user is None and subject.license.deleted_user_id else "none"
    return "unreadable" if subject.license.user.id in subject.snapshot.unreadable_users else "unlisted"
