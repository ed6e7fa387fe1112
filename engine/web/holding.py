"""Holds that are made beside an answer: what was typed is checked as a whole, then entered in the register."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from seatwarden.engine.common.reasons import needed_reason
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.notice.holds import Hold, last_day, last_held_day
from seatwarden.engine.web.form import TypedHold
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.runs.record import SiteRecord

_USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class SiteHolds:
    """The way to a site's register of holds: the day it is in the policy's time zone, and the record, to be opened."""

    today: Callable[[], date]
    record: Callable[[], "AbstractContextManager[SiteRecord]"]

    @property
    def usual(self) -> str:
        """The day that stands in an empty form."""
        today = self.today()
        return min(today + timedelta(days=_USUAL_DAYS), last_day(today)).isoformat()


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be made, on all licenses of a person."""

    user: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True)
class BadHold:
    """What is wrong with a hold as it was typed, and in which of its fields: `reason` or `until`."""

    field: str
    problem: InputError


def can_be_held(decision: Decision, pseudonyms: str | None) -> bool:
    """Whether a decision says by name whose license it is."""
    return not pseudonyms and decision.user_directory is not None and decision.user_id is not None


def holds_asked(
    typed: Mapping[int, TypedHold], users: Mapping[int, str], today: date
) -> tuple[list[NewHold], dict[int, BadHold]]:
    """The holds that are asked for, and by line those that cannot be made as they were typed."""
    found: dict[NewHold, None] = {}
    bad = {}
    for line, hold in typed.items():
        field = "reason"
        try:
            reason = needed_reason(hold.reason, "on leave", "Why")
            field = "until"
            found[NewHold(users[line], last_held_day(hold.until, today, "Up to and including"), reason)] = None
        except InputError as error:
            bad[line] = BadHold(field, error)
    return list(found), bad


def make_holds(wanted: Sequence[NewHold], holding: SiteHolds) -> None:
    """Enters holds; one that is there already, of who presses twice, is not entered again. Raises SeatwardenError,
    OSError."""
    if not wanted:
        return
    today = holding.today()
    with holding.record() as record, record.holds() as register:
        known = {_as_new(one) for one in register.state.in_force(today) if one.license_type is None}
        for one in wanted:
            if one not in known:
                register.hold(one.user, None, one.until, one.reason, today)


def _as_new(hold: Hold) -> NewHold:
    return NewHold(hold.user, date.fromisoformat(hold.until), hold.reason)
