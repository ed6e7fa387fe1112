"""The site that a policy test's case stands for: one user with licenses, as QRS would describe it.

A fact that the case does not name is that of an ordinary, complete user whose license lies unused for long, so that
a case which expects *keep* fails when the protection it is about does not hold. A fact that is `unknown` is absent.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.facts.notice import NoticeStanding
from seatwarden.engine.facts.standing import Standing
from seatwarden.engine.snapshot.model import RELEASES_NOT_TOLD, License, Seats, Snapshot, User
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.grammar.ast import LICENSE_TYPES, Field, LicenseType
from seatwarden.policy.testing.case import Given, LicenseFacts, Moment, Special, UserFacts

UNUSED_DAYS = 1_000
"""Days since the last use, when a case does not say."""
ALLOCATED_DAYS = 2_000
"""Days since the user and the license were created, when a case does not say."""
ORDINARY_USER: Mapping[str, Given] = {
    "userDirectory": "EXAMPLE",
    "userId": "someone",
    "name": "Someone",
    "roles": (),
    "tags": (),
    "properties": {},
    "attributes": {},
    "inactive": False,
    "blocked": False,
    "removedExternally": False,
    "deleteProhibited": False,
}
"""The facts of a user that a case does not name. `licenses` is the type of the case's license alone; where there is
another, it was used when `lastUsed` of the user says, or when the case's own license was."""

_NEVER = "1753-01-01T00:00:00.000Z"
_SEATS = {"available": 100, "total": 1000}
"""What a case may say of the site's licenses of the type, and what else is so."""
_QRS_NAMES = {"blocked": "blacklisted"}


def moment_of(moment: Moment, timezone: str) -> Day:
    """The Day of a test's `now`; a whole day is taken at its noon in the zone. Raises InputError."""
    day = make_day(datetime(2000, 1, 1, tzinfo=UTC), timezone)
    return Day(_instant(moment, day), day.zone)


def case_site(
    user: UserFacts, license: LicenseFacts, day: Day, in_use: Iterable[Field] = ()
) -> tuple[Snapshot, License]:
    """The snapshot of a case, decoded as QRS's own data is, and the license in it that the case is about.

    `in_use` are properties and attributes that the site has, whether the case's user has a value or not.
    """
    held = user.get("licenses", (license.type,)) if user is not Special.UNKNOWN else (license.type,)
    # Which licenses the user holds is unknown when the site's other licenses are.
    types = LICENSE_TYPES if held is not Special.UNKNOWN else (license.type,)
    holds = held if isinstance(held, tuple) else (license.type,)
    row = _license_row(license, day)
    other = row | {"quarantined": False}
    if user is not Special.UNKNOWN and "lastUsed" in user:
        other["lastUsed"] = _last_used(user["lastUsed"], day)
    site = {
        "users": [_somebody_else(in_use), *([_user_row(user, day)] if user is not Special.UNKNOWN else [])],
        "licenses": {
            kind: [(row if kind == license.type else other) | {"id": kind}] if kind in holds else [] for kind in types
        },
    }
    snapshot = decode_snapshot(msgspec.json.encode(site), "the case")
    snapshot.last_released = _last_released(user, snapshot, day)
    snapshot.take_backs = _TakenBack(license)
    counts = {name: n for name in _SEATS if type(n := license.facts.get(name, _SEATS[name])) is int}
    snapshot.overview = {license.type: Seats(**counts)}
    return snapshot, snapshot.licenses[license.type][0]


class _TakenBack:
    """The license rules of a case's site, as far as it says what they give; nothing, where it does not."""

    def __init__(self, license: LicenseFacts) -> None:
        given = license.facts.get("takenBackBy", ())
        rules = given if isinstance(given, tuple) else ()
        self._found = TakeBack("given back", rules, (license.type,)) if rules else TakeBack("not given back")
        if given is Special.UNKNOWN:
            self._found = TakeBack("cannot say", reason="the case does not say what license rules give")

    def of_user(self, user: User, license_type: LicenseType) -> TakeBack:
        """What becomes of the case's license."""
        return self._found


def told_snapshot(snapshot: Snapshot, decision: Decision, told: Moment, reminded: Moment | None, day: Day) -> Snapshot:
    """The snapshot of a case whose user was told of the release on a day, and reminded on another.

    The message announced the day that the rule asks for by which the license is due, and the program was alive on each
    day since. Of a license that is due by no rule with a notice clause nothing is said.
    """
    clause = decision.rule.notice if decision.rule is not None and decision.because == "notice" else None
    if clause is None:
        return snapshot
    first = _day_of(told, day)
    announced, alive = first + timedelta(days=clause.days), max((day.today - first).days, 0)
    notice = NoticeStanding("told", str(first), str(announced), alive, str(_day_of(reminded, day)) if reminded else "")
    return snapshot.with_standings({decision.key: Standing(notice=notice)})


def _last_released(user: UserFacts, snapshot: Snapshot, day: Day) -> dict[str, date] | str:
    """Whose licenses were released: nobody's, if the case does not say that the user's were."""
    given = user.get("lastReleased", Special.NEVER) if user is not Special.UNKNOWN else Special.NEVER
    if given is Special.UNKNOWN:
        return RELEASES_NOT_TOLD
    if not isinstance(given, date):
        return {}
    holder = next(one for one in snapshot.users if one.id == "user")
    return {holder.directory_and_id: _instant(given, day).astimezone(day.zone).date()}


def _somebody_else(fields: Iterable[Field]) -> dict[str, Any]:
    """A user without a license, who has a value of each of these properties and attributes."""
    keys = [(field.name, field.key) for field in fields]
    return {
        "id": "somebody else",
        "userId": "somebody",
        "userDirectory": "ELSEWHERE",
        "customProperties": [
            {"value": "any", "definition": {"name": key}} for family, key in keys if family == "user.@"
        ],
        "attributes": [{"attributeType": key, "attributeValue": "any"} for family, key in keys if family != "user.@"],
    }


def _user_row(facts: Mapping[str, Given], day: Day) -> dict[str, Any]:
    named = {"createdDate": _days_before(day, ALLOCATED_DAYS), **ORDINARY_USER, **facts}
    for elsewhere in ("licenses", "lastUsed", "lastReleased"):
        named.pop(elsewhere, None)
    row: dict[str, Any] = {"id": "user"}
    for key, given in named.items():
        if given is Special.UNKNOWN:
            continue
        match key, given:
            case "properties", Mapping():
                row["customProperties"] = [
                    {"value": value, "definition": {"name": name}} for name, values in given.items() for value in values
                ]
            case "attributes", Mapping():
                row["attributes"] = [
                    {"attributeType": name, "attributeValue": value}
                    for name, values in given.items()
                    for value in values
                ]
            case "tags", tuple():
                row["tags"] = [{"name": tag} for tag in given]
            case _:
                row[_QRS_NAMES.get(key, key)] = _written(given, day)
    return row


def _license_row(license: LicenseFacts, day: Day) -> dict[str, Any]:
    unused = license.facts.get("unusedDays", UNUSED_DAYS)
    used = _days_before(day, unused) if isinstance(unused, int) else unused
    named = {
        "lastUsed": used,
        "createdDate": _days_before(day, ALLOCATED_DAYS),
        "quarantined": False,
        "excess": False,
        **license.facts,
    }
    facts = {
        key: _written(given, day)
        for key, given in named.items()
        if given is not Special.UNKNOWN and key not in ("type", "unusedDays", "takenBackBy", *_SEATS)
    }
    return {"user": {"id": "user"}, **facts, "lastUsed": _last_used(named["lastUsed"], day)}


def _last_used(given: Given, day: Day) -> Any:
    """Absent would mean never used; text that is no timestamp is what makes the last use unknown."""
    return "unknown" if given is Special.UNKNOWN else _written(given, day)


def _written(given: Given, day: Day) -> Any:
    """A value as QRS writes it."""
    if given is Special.NEVER:
        return _NEVER
    if isinstance(given, date):
        return format_instant(_instant(given, day))
    return given


def _instant(moment: Moment, day: Day) -> datetime:
    """A whole day is taken at its noon in the zone, so that it is that day there."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time(12), day.zone).astimezone(UTC)


def _day_of(moment: Moment, day: Day) -> date:
    return _instant(moment, day).astimezone(day.zone).date()


def _days_before(day: Day, days: int) -> date:
    # No further back than 1900: earlier years mean *never*.
    return day.today - timedelta(days=min(days, (day.today - date(1900, 1, 1)).days))
