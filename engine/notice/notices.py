"""What the register of notices says: the notices of a site, what became of each message, and what it binds us to.

Everything here is found from the lines alone, one after the other, and holds whatever the policy or the site says now.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import UNSET

from seatwarden.engine.facts.day import Day
from seatwarden.engine.log.lines import Key
from seatwarden.engine.notice.lines import (
    AnswerLine,
    DamageAccepted,
    EndCause,
    EndedLine,
    IntentLine,
    MessageResult,
    NoticeLine,
    NoticeStep,
    SeenLine,
)
from seatwarden.grammar.ast import LicenseType

USUAL_INTERVAL = 7
"""Days between two runs of a site without a schedule."""


@dataclass(frozen=True, slots=True)
class ToldMessage:
    """A message that was to be sent: the line of its intent, and its outcome (None: it is not known).

    `result_day` is the day of the outcome.
    """

    n: int
    intent: IntentLine
    result: MessageResult | None = None
    result_day: date | None = None
    reply: str = ""

    @property
    def to(self) -> str:
        """The address; empty where it was erased."""
        return self.intent.person.to if self.intent.person is not UNSET else ""

    @property
    def day(self) -> date:
        """The day on which it was written."""
        return date.fromisoformat(self.intent.day)

    @property
    def announced(self) -> date:
        """The day that it announced."""
        return date.fromisoformat(self.intent.announced)


@dataclass(slots=True)
class GivenNotice:
    """One notice: all messages to one person about one release of one license.

    `key` is None where the person was erased.
    """

    number: int
    license_type: LicenseType
    key: Key | None
    user: str
    last_used: str | None
    created_date: str | None
    holds: int
    messages: list[ToldMessage] = field(default_factory=list)
    ended: EndCause | None = None
    ended_on: date | None = None
    fact: str = ""

    @property
    def is_redirected(self) -> bool:
        """Whether all its messages went to the mailbox for trials: it never counts."""
        return all(message.intent.redirected for message in self.messages)

    @property
    def was_accepted(self) -> bool:
        """Whether a message of it was accepted, at any address of the person's."""
        return any(one.result == "accepted" and not one.intent.redirected for one in self.messages)

    @property
    def announced(self) -> date:
        """The day of release that the person was told last, or is being told."""
        return max((one.announced for one in self.messages if not one.intent.redirected), default=date.max)

    @property
    def last_message(self) -> date:
        """The day of its last message."""
        return max(message.day for message in self.messages)

    def to_person(self, step: NoticeStep) -> list[ToldMessage]:
        """Its messages of one step that did not go to the mailbox for trials."""
        return [one for one in self.messages if one.intent.step == step and not one.intent.redirected]

    def accepted(self, step: NoticeStep, address: str) -> date | None:
        """The day on which a message of that step was first accepted at that address."""
        days = [one.result_day for one in self.to_person(step) if one.to == address and one.result == "accepted"]
        return min((day for day in days if day is not None), default=None)

    def refused_on(self, step: NoticeStep, address: str) -> date | None:
        """The first day since which that address takes no message of that step; None where it is not refused."""
        tries = [one for one in self.to_person(step) if one.to == address]
        if not tries or tries[-1].result != "refused":
            return None
        first = tries[-1]
        for one in reversed(tries):
            if one.result != "refused":
                break
            first = one
        return first.result_day

    def tried_on(self, step: NoticeStep, address: str) -> date | None:
        """The last day on which a message of that step was tried at that address."""
        return max((one.day for one in self.messages if one.intent.step == step and one.to == address), default=None)


@dataclass(slots=True)
class Notices:
    """All notices of a register, and what it binds us to. An empty one is a register that nobody has begun."""

    by_number: dict[int, GivenNotice] = field(default_factory=dict)
    seen: list[date] = field(default_factory=list)
    longest: int = 0
    """The most days that ever lay between a message and the day that it announced."""
    nothing_before: date | None = None
    """The day before which nothing is released, since somebody accepted that the register was damaged."""
    last_at: str = ""
    _floors: dict[tuple[str, LicenseType], dict[str, date]] = field(default_factory=dict)
    _places: dict[int, tuple[int, int]] = field(default_factory=dict)
    """The notice and the place in it of each message, by the line of its intent."""
    _trials: dict[tuple[Key, str], int] = field(default_factory=dict)
    _latest: dict[tuple[Key, str], int] = field(default_factory=dict)
    _ends: dict[tuple[Key, str], list[EndCause]] = field(default_factory=dict)
    """Why the notices ended that had reached their person."""

    @classmethod
    def of(cls, lines: Iterable[NoticeLine]) -> "Notices":
        """The notices that the lines of a register speak of."""
        found = cls()
        for n, line in enumerate(lines, 1):
            found.add(n, line)
        return found

    def add(self, n: int, line: NoticeLine) -> None:
        """Takes the next line in; `n` is its number."""
        self.last_at = max(self.last_at, getattr(line, "at", ""))
        match line:
            case IntentLine():
                self._intend(n, line)
            case AnswerLine():
                self._note(line)
            case EndedLine():
                self._end(line)
            case SeenLine():
                self.seen.append(date.fromisoformat(line.day))
            case DamageAccepted():
                self._accept(line)
            case _:
                pass

    def _intend(self, n: int, line: IntentLine) -> None:
        announced, day = date.fromisoformat(line.announced), date.fromisoformat(line.day)
        notice = self.by_number.get(line.notice)
        if notice is None:
            about = line.person
            key = (line.license_type, about.license_id) if about is not UNSET else None
            user, used, created = ("", None, None)
            if about is not UNSET:
                user, used, created = about.user, about.last_used, about.created_date
            notice = GivenNotice(line.notice, line.license_type, key, user, used, created, line.holds)
            self.by_number[line.notice] = notice
        self._places[n] = notice.number, len(notice.messages)
        notice.messages.append(ToldMessage(n, line))
        if line.redirected:
            if notice.key is not None:
                self._trials[notice.key, notice.user.casefold()] = notice.number
            return
        self.longest = max(self.longest, (announced - day).days, line.days)
        if notice.key is not None:
            floors = self._floors.setdefault((notice.user.casefold(), line.license_type), {})
            floors[line.zone] = max(floors.get(line.zone, date.min), announced)
            place = notice.key, notice.user.casefold()
            self._latest[place] = notice.number

    def _note(self, line: AnswerLine) -> None:
        found = self._places.get(line.intent)
        if found is None:
            return
        notice, place = self.by_number[found[0]], found[1]
        message, reply = notice.messages[place], line.person.reply if line.person is not UNSET else ""
        day = date.fromisoformat(line.day)
        notice.messages[place] = ToldMessage(message.n, message.intent, line.result, day, reply)

    def _end(self, line: EndedLine) -> None:
        notice = self.by_number.get(line.notice)
        if notice is not None:
            notice.ended, notice.ended_on = line.cause, date.fromisoformat(line.day)
            notice.fact = line.person.fact if line.person is not UNSET else ""
            if notice.key is not None and notice.was_accepted:
                self._ends.setdefault((notice.key, notice.user.casefold()), []).append(line.cause)

    def _accept(self, line: DamageAccepted) -> None:
        day = date.fromisoformat(line.day)
        for notice in self.by_number.values():
            if notice.ended is None:
                notice.ended, notice.ended_on, notice.fact = "cancelled", day, "the register was damaged"
        self.longest = max(self.longest, line.longest)
        until = day + timedelta(days=min(self.longest, (date.max - day).days))
        self.nothing_before = max(self.nothing_before or until, until)

    @property
    def open(self) -> list[GivenNotice]:
        """The notices that have not ended, without those for trials and those that are erased."""
        return [one for one in self.by_number.values() if one.ended is None and not one.is_redirected and one.key]

    def latest(self, key: Key, user: str) -> GivenNotice | None:
        """The latest notice to that person about that license, ended or not; those for trials do not count."""
        number = self._latest.get((key, user.casefold()))
        return None if number is None else self.by_number[number]

    def trial(self, key: Key, user: str) -> GivenNotice | None:
        """The latest notice for trials about that license."""
        number = self._trials.get((key, user.casefold()))
        return None if number is None else self.by_number[number]

    def floors(self, user: str, license_type: LicenseType) -> dict[str, date]:
        """The largest day that a person was ever told for licenses of that type, by the zone that it was told in."""
        return self._floors.get((user.casefold(), license_type), {})

    def floor(self, user: str, license_type: LicenseType, day: Day) -> date | None:
        """The day before which no license of that type is released of that person: the largest ever announced.

        It must have come by the clock of the zone in which it was announced, too.
        """
        found = None
        for zone, announced in self.floors(user, license_type).items():
            there = day.now.astimezone(ZoneInfo(zone)).date()
            floor = announced if there >= announced else max(announced, day.today + timedelta(days=1))
            found = max(found or floor, floor)
        return found

    def times_came_back(self, key: Key, user: str) -> int:
        """How often the holder of a license was told and used it then; 0 where a notice ended in another way."""
        ends = self._ends.get((key, user.casefold()), [])
        return len(ends) if all(cause == "used" for cause in ends) else 0

    def next_number(self) -> int:
        """The number of the next notice."""
        return max(self.by_number, default=0) + 1


def days_alive(seen: Iterable[date], since: date, today: date, interval: int) -> int:
    """The days from `since` to `today` on which the program was alive.

    A silence between two days on which it was seen counts at most `interval` days, the usual time between two runs:
    neither a wrong clock nor a machine that was off shortens the period of a notice.
    """
    days = sorted({since, today, *(day for day in seen if since <= day <= today)})
    return sum(min((later - day).days, interval) for day, later in pairwise(days))
