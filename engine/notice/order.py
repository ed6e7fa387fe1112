"""Which lines may follow which in a register of notices.

A line may verify, and be one that no process of ours has written there: an outcome of a message that nobody intended, a
notice that ends twice, a day that is none. Such a register is damaged, like one of which a byte was changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.errors import Damage
from seatwarden.engine.log.chain import FOREIGN
from seatwarden.engine.notice.lines import (
    AnswerLine,
    DamageAccepted,
    EndedLine,
    IntentLine,
    NoticeLine,
    NoticesOpened,
    SeenLine,
)
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.zones import is_timezone

FARTHEST_DAY = date(9999, 11, 30)
"""No message announces a day behind that one: counting on from there must not end at the end of the calendar."""


def misplaced(lines: Sequence[NoticeLine], *, sealed: bool) -> Iterator[Damage]:
    """What no register of notices of ours says, though each of its lines may be one of ours."""
    if sealed or not isinstance(lines[0], NoticesOpened):
        yield Damage(1, f"{FOREIGN}: it is no register of notices")
        return
    order = _Order()
    for line in lines:
        if (problem := order.problem(line)) is not None:
            yield Damage(line.n, f"{FOREIGN}: {problem}")


@dataclass(slots=True)
class _Order:
    """What the lines so far allow the next one to be."""

    _notices: dict[int, tuple[LicenseType, bool]] = field(default_factory=dict)
    """By number: the type of its license, and whether its messages go to the mailbox for trials."""
    _ended: set[int] = field(default_factory=set)
    _open: dict[int, IntentLine] = field(default_factory=dict)
    """The intents without an outcome, by the numbers of their lines."""

    def problem(self, line: NoticeLine) -> str | None:
        """What is wrong with the next line; None for nothing."""
        at = getattr(line, "at", "")
        moment = parse_timestamp(at)
        if moment is None or format_instant(moment) != at:
            return "`at` is no moment"
        if isinstance(line, NoticesOpened):
            return "it does not belong here" if line.n > 1 else None
        if not _is_day(getattr(line, "day", "")):
            return "`day` is no day"
        match line:
            case IntentLine():
                return self._intend(line)
            case AnswerLine():
                return self._note(line)
            case EndedLine():
                return self._end(line)
            case SeenLine():
                return None
            case DamageAccepted():
                self._ended.update(self._notices)
                return None
            case _:
                return "it does not belong here"

    def _intend(self, line: IntentLine) -> str | None:
        if not _is_day(line.announced) or line.announced < line.day:
            return "`announced` is no day from its own on"
        if not is_timezone(line.zone):
            return "`zone` is no time zone"
        about = line.license_type, line.redirected
        if line.notice not in self._notices:
            if line.notice != max(self._notices, default=0) + 1:
                return "its notice has not the next number"
            if line.step == "reminder" and not line.redirected:  # a trial may be that of a reminder alone
                return "it reminds of a notice that nobody was given"
            self._notices[line.notice] = about
        elif self._notices[line.notice] != about:
            return "it is not about what its notice is about"
        elif line.notice in self._ended:
            return "its notice has ended"
        self._open[line.n] = line
        return None

    def _note(self, line: AnswerLine) -> str | None:
        intent = self._open.pop(line.intent, None)
        if intent is None:
            return "it is the outcome of no message that waits for one"
        if line.result == ("accepted" if intent.redirected else "redirected"):
            return "its message cannot have that outcome"
        return None

    def _end(self, line: EndedLine) -> str | None:
        if line.notice not in self._notices or line.notice in self._ended:
            return "it ends no notice that runs"
        self._ended.add(line.notice)
        return None


def _is_day(written: str) -> bool:
    try:
        found = date.fromisoformat(written)
    except ValueError:
        return False
    return found.isoformat() == written and found <= FARTHEST_DAY
