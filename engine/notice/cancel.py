"""Ending notices by hand: the person keeps the license until a new notice has run."""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.notice.lines import EndedLine, EndedPart
from seatwarden.engine.notice.notices import GivenNotice
from seatwarden.engine.notice.register import NoticeRegister


def cancel(
    register: NoticeRegister,
    numbers: Iterable[int],
    today: date,
    clock: Callable[[], datetime],
    account: str,
    reason: str,
) -> list[GivenNotice]:
    """Ends the notices with these numbers, which must run; returns them. `account` says so, for a reason or none.

    Raises OSError.
    """
    ended = []
    for number in numbers:
        notice = register.notices.by_number[number]
        fact = f"by {account}{': ' if reason else ''}{reason}"
        part = EndedPart(salt=register.salt(), fact=fact)
        at = format_instant(clock())
        register.add(EndedLine(notice=number, cause="cancelled", day=today.isoformat(), at=at, person=part))
        ended.append(notice)
    return ended
