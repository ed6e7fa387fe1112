"""Where each person stands: whether a notice is in force, what it waits for, and which notices have ended.

Nothing is sent or written here. A plan is made with the answers, and a run carries them out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

from msgspec import structs

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.standing import is_due
from seatwarden.engine.facts.day import NEVER_BEFORE_YEAR, Day
from seatwarden.engine.facts.facts import last_use
from seatwarden.engine.facts.notice import NO_SETTINGS, NoticeStanding, NoticeState
from seatwarden.engine.log.lines import Key
from seatwarden.engine.notice.ahead import ReleaseDays
from seatwarden.engine.notice.lines import EndCause
from seatwarden.engine.notice.notices import GivenNotice, Notices, days_alive
from seatwarden.engine.notice.recipient import Recipient, Unreachable
from seatwarden.engine.snapshot.model import License, Snapshot, User, UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.ast import Notice as NoticeClause

LAPSES_AFTER = timedelta(days=30)
"""How long after the announced day a notice is good for."""

FindRecipient: TypeAlias = Callable[[User], Recipient | Unreachable]


@dataclass(frozen=True, slots=True)
class NoticeSite:
    """What the answers are found from, beside the decision itself.

    `interval` is the number of days between two runs, `holds` tells how many holds a person ever had. `recipient_of` is
    None where the site file has no settings for notices: then nobody can be told.
    """

    notices: Notices
    snapshot: Snapshot
    day: Day
    ahead: ReleaseDays
    interval: int
    holds: Callable[[str], int]
    recipient_of: FindRecipient | None

    def user_of(self, row: License) -> User | None:
        """The user of a license row."""
        return self.snapshot.users_by_id.get(row.user.id) if isinstance(row.user, UserReference) else None

    def recipient(self, row: License) -> Recipient | Unreachable:
        """To whom a message about that license goes."""
        user = self.user_of(row)
        if self.recipient_of is None or user is None:
            return Unreachable(NO_SETTINGS if user is not None else "the user is not known")
        return self.recipient_of(user)

    def not_before(self, user: str, license_type: LicenseType) -> date | None:
        """The day before which no license of that type is released of that person: the largest ever announced.

        It must have come by the clock of the zone in which it was announced, too.
        """
        found, floor = self.notices.nothing_before, self.notices.floor(user, license_type, self.day)
        return max(found, floor) if found and floor else found or floor


def clause_of(decision: Decision) -> NoticeClause | None:
    """The notice clause of the rule by which a license is due."""
    return decision.rule.notice if decision.rule is not None else None


def standing_of(decision: Decision, row: License, site: NoticeSite) -> NoticeStanding:
    """Where the holder of a license stands that is due by a rule with a notice clause."""
    clause = clause_of(decision)
    assert clause is not None  # noqa: S101 - for the type checker: the caller has looked
    times = site.notices.times_came_back(decision.key, decision.user)
    found = _standing_of(decision, clause, row, site)
    return structs.replace(found, times=times) if times else found


def _standing_of(decision: Decision, clause: NoticeClause, row: License, site: NoticeSite) -> NoticeStanding:
    recipient, notice = site.recipient(row), site.notices.latest(decision.key, decision.user)
    if notice is None or notice.ended is not None or end_of(notice, decision, row, site) is not None:
        return _untold(decision, clause, recipient, notice, site)
    if isinstance(recipient, Unreachable):
        return NoticeStanding("no-address", why=recipient.reason)
    return _told(decision, row, notice, recipient, site)


def _untold(
    decision: Decision,
    clause: NoticeClause,
    recipient: Recipient | Unreachable,
    before: GivenNotice | None,
    site: NoticeSite,
) -> NoticeStanding:
    if isinstance(recipient, Unreachable):
        return NoticeStanding("no-address", why=recipient.reason)
    if before is not None:
        again = before.last_message + timedelta(days=clause.days)
        if again > site.day.today:
            return NoticeStanding("too-soon", told=str(before.last_message), announced=str(again))
    announced = announced_day(decision, clause.days, site)
    if announced is None:
        return NoticeStanding("no-day")
    return NoticeStanding("untold", announced=str(announced))


def _told(
    decision: Decision, row: License, notice: GivenNotice, recipient: Recipient, site: NoticeSite
) -> NoticeStanding:
    """The standing under a notice that has not ended."""
    address = recipient.address.addr_spec
    told, reminded = notice.accepted("notice", address), notice.accepted("reminder", address)
    if told is None:
        refused = notice.refused_on("notice", address)
        if refused is not None:
            return NoticeStanding("refused", told=str(refused), why=notice.to_person("notice")[-1].reply)
        elsewhere = any(one.result == "accepted" for one in notice.to_person("notice"))
        tried = notice.last_message
        return NoticeStanding("former-address" if elsewhere else "unanswered", told=str(tried))
    unknown = _unreadable(row, notice, site.day)
    goes_on = not unknown and site.ahead.says_release(decision, notice.announced)
    state: NoticeState = "told" if goes_on else "postponed"
    return NoticeStanding(
        state,
        told=str(told),
        announced=str(notice.announced),
        alive=_alive(clause_of(decision), told, reminded, site),
        reminded=str(reminded) if reminded else "",
        to=recipient.kind,
        why=unknown or (_why_not_reminded(notice, address) if reminded is None else ""),
    )


def _alive(clause: NoticeClause | None, told: date, reminded: date | None, site: NoticeSite) -> int:
    """The days that count of the notice: on which the program was alive since the first message.

    Those lack, too, that lack behind a late reminder: a wrong clock shortens its days as little.
    """
    seen, today = site.notices.seen, site.day.today
    alive = days_alive(seen, told, today, site.interval)
    if clause is None or clause.reminder_days is None or reminded is None:
        return alive
    lacking = clause.reminder_days - days_alive(seen, reminded, today, site.interval)
    return min(alive, clause.days - lacking) if lacking > 0 else alive


def _why_not_reminded(notice: GivenNotice, address: str) -> str:
    refused = notice.refused_on("reminder", address)
    return f"the reminder is refused since {refused}" if refused else ""


def announced_day(decision: Decision, days: int, site: NoticeSite) -> date | None:
    """The day that a message of today announces: the first from so many days on, on which the policy releases the
    license, and none before a day that the person was told already. None where there is none within 31 days.
    """
    since = site.day.today + timedelta(days=days)
    for floor in site.notices.floors(decision.user, decision.license_type).values():
        since = max(since, floor)
    return site.ahead.first(decision, max(since, site.notices.nothing_before or since))


def end_of(
    notice: GivenNotice, decision: Decision | None, row: License | None, site: NoticeSite
) -> tuple[EndCause, str] | None:
    """Why a notice ends today and the fact, in words; None when it goes on.

    What lies in the calendar, the pool, a limit or an unknown fact ends nothing: the release waits.
    """
    if decision is None or row is None:
        return "gone", "the license is not there any more"
    if decision.user.casefold() != notice.user.casefold() or _allocated_anew(row, notice):
        return "re-allocated", "the license was allocated anew"
    if used_since(row.last_used, notice.last_used):
        return "used", f"used on {str(row.last_used)[:10]}"
    if site.holds(decision.user) > notice.holds:
        return "held", "the person's licenses were held meanwhile"
    if decision.guard == "quarantined":
        return "gone", "Qlik Sense has taken the license back"
    today = site.day.today
    if today > notice.announced + LAPSES_AFTER:
        return "lapsed", f"it was announced for {notice.announced}, and could not be released since"
    if decision.guard is not None or is_due(decision) or site.ahead.may_release(decision, max(notice.announced, today)):
        return None
    if decision.because == "keep":
        return "protected", decision.reason
    return "not-due", decision.reason


def _allocated_anew(row: License, notice: GivenNotice) -> bool:
    """Whether the license is another one under the same id. When it was allocated, may be unknown today: no answer."""
    now, then = _instant(row.created_date), _instant(notice.created_date)
    return now is not None and then is not None and now != then


def _unreadable(row: License, notice: GivenNotice, day: Day) -> str:
    """What is unknown today of a license whose holder was told, in words: until it is known nothing is released.

    It matters also where no rule asks for it: the message said that whoever uses the license keeps it.
    """
    if isinstance(last_use(row, day), Unknown):
        return "its last use cannot be read"
    if _moment(notice.last_used) is not None and _moment(row.last_used) is None:
        return "its last use is not there any more"
    if _instant(notice.created_date) is not None and _instant(row.created_date) is None:
        return "it cannot be read when it was allocated"
    return ""


def used_since(last_used: object, told: str | None) -> bool:
    """Whether a license was used after the moment that was its last use when its holder was told.

    What cannot be read is no use: the notice goes on, and nothing is released meanwhile.
    """
    now = _moment(last_used)
    if now is None:
        return False
    before = _moment(told)
    return before is None or now > before


def _instant(text: object) -> datetime | None:
    """An instant; None for what is none."""
    return parse_timestamp(text) if isinstance(text, str) else None


def _moment(text: object) -> datetime | None:
    """An instant; None for never and for what is none."""
    found = _instant(text)
    return found if found is not None and found.year >= NEVER_BEFORE_YEAR else None


NoticeEnd: TypeAlias = tuple[GivenNotice, EndCause, str]
"""A notice that ends today, with cause and fact."""


def ending(site: NoticeSite, decisions: Mapping[Key, Decision], rows: Mapping[Key, License]) -> Iterator[NoticeEnd]:
    """The notices that end today, each with cause and fact."""
    for notice in site.notices.open:
        assert notice.key is not None  # noqa: S101 - for the type checker: open ones have one
        found = end_of(notice, decisions.get(notice.key), rows.get(notice.key), site)
        if found is not None:
            yield notice, *found
