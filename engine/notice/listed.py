"""Notices as `notice list` tells of them: how each stands, from the register alone.

Whether somebody has used the license since, or has another address now, only the site can tell; a plan asks it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from seatwarden.engine.notice.assess import LAPSES_AFTER
from seatwarden.engine.notice.lines import EndCause
from seatwarden.engine.notice.notices import GivenNotice, Notices, ToldMessage

ListedState: TypeAlias = Literal["told", "postponed", "lapsed", "reminder-refused", "refused", "unanswered", "ended"]

CAUSES: dict[EndCause, str] = {
    "used": "used again",
    "protected": "a rule keeps the license",
    "not-due": "not due any more",
    "held": "held meanwhile",
    "gone": "the license is gone",
    "re-allocated": "allocated anew",
    "lapsed": "its day has long passed",
    "cancelled": "cancelled",
}
"""Why notices end, in words."""


@dataclass(frozen=True, slots=True)
class ListedNotice:
    """A notice and how it stands on a day.

    `told` is the day on which its message was accepted, None where none was; `to` the address that it went to last.
    `reminded` is the day on which the reminder was accepted, `reminder_due` the one on which it is to go out; None
    where there is none.
    """

    notice: GivenNotice
    state: ListedState
    words: str
    told: date | None
    to: ToldMessage
    reminded: date | None
    reminder_due: date | None


def listed(notices: Notices, today: date, *, ended: bool) -> Iterator[ListedNotice]:
    """The notices that run, those that are announced for the earliest day in front; with `ended` all of them.

    Those for trials and those that were erased are none.
    """
    found = [one for one in notices.by_number.values() if one.key is not None and not one.is_redirected]
    found.sort(key=lambda one: (one.announced, one.user.casefold(), one.number))
    return (_listed(one, today) for one in found if ended or one.ended is None)


def _listed(notice: GivenNotice, today: date) -> ListedNotice:
    last = notice.to_person("notice")[-1]
    told, reminded = notice.accepted("notice", last.to), _accepted_anywhere(notice)
    due = None
    if notice.messages[-1].intent.reminder_days is not None and reminded is None:
        due = notice.announced - timedelta(days=notice.messages[-1].intent.reminder_days)
    state, words = _state(notice, last, told, today)
    return ListedNotice(notice, state, words, told, last, reminded, due)


def _accepted_anywhere(notice: GivenNotice) -> date | None:
    days = [one.result_day for one in notice.to_person("reminder") if one.result == "accepted"]
    return min((day for day in days if day is not None), default=None)


def _state(notice: GivenNotice, last: ToldMessage, told: date | None, today: date) -> tuple[ListedState, str]:
    if notice.ended is not None:
        cause = CAUSES[notice.ended]
        fact = f": {notice.fact}" if notice.fact and notice.ended == "cancelled" else ""
        return "ended", f"ended on {notice.ended_on}, {cause}{fact}"
    if told is None and last.result == "refused":
        return "refused", f"refused since {notice.refused_on('notice', last.to)}: kept{_reply(last)}"
    if told is None:
        return "unanswered", "no answer yet: sent again in the next run"
    reminders = notice.to_person("reminder")
    if reminders and reminders[-1].result == "refused":
        since = notice.refused_on("reminder", reminders[-1].to)
        return "reminder-refused", f"waits: its reminder is refused since {since}{_reply(reminders[-1])}"
    if today > notice.announced + LAPSES_AFTER:
        return "lapsed", "its day has long passed: ended in the next run"
    if today >= notice.announced:
        return "postponed", "its day has come: released in a run that may, or it waits"
    return "told", "in force"


def _reply(message: ToldMessage) -> str:
    return f" ({message.reply})" if message.reply else ""
