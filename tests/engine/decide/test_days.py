"""Every comparison of days, on the day before, on the day and on the day after; by both evaluators."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from seatwarden.engine.decide.decide import decide, decide_all
from seatwarden.engine.explain.explanation import explain
from tests.engine.support import checked, day_of, license_row, plan_of, site_of, snapshot_of, user
from tests.strategies import NEVER

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
THAT_DAY = date(2026, 10, 22)
"""Thirty days before."""

HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
}
around = pytest.mark.parametrize("offset", [-1, 0, 1], ids=["the day before", "on the day", "the day after"])
each_operator = pytest.mark.parametrize("sign", HOLDS)


def _site(field: str, day: date) -> dict[str, Any]:
    """A user with one license of which the field has that day, all else is of long ago."""
    moment, long_ago = f"{day}T23:59:59.999Z", "2025-01-01T00:00:00Z"
    who = user(1, createdDate=moment if field == "user.createdDate" else long_ago)
    used = moment if field in ("license.lastUsed", "user.lastUsed") else long_ago
    created = moment if field == "license.createdDate" else long_ago
    return site_of([who], [license_row(1, used, createdDate=created)])


def _is_released(condition: str, site: dict[str, Any], now: datetime = NOON) -> bool:
    """Whether a condition holds for the site's only license; both evaluators must agree on it."""
    policy, snapshot = checked(f"release when {condition}"), snapshot_of(site)
    day = day_of(policy, now)
    (fast,) = decide_all(policy, snapshot, day)
    (row,) = snapshot.licenses["analyzer"]
    slow = decide(policy, snapshot, "analyzer", row, day)
    assert fast.verdict == slow.verdict
    assert fast.because in ("release", "default")
    return fast.verdict == "release"


@around
@each_operator
@pytest.mark.parametrize("field", ["license.lastUsed", "license.createdDate", "user.lastUsed", "user.createdDate"])
def test_fields_with_a_date(field: str, sign: str, offset: int) -> None:
    day = THAT_DAY + timedelta(days=offset)
    site, holds = _site(field, day), HOLDS[sign](day, THAT_DAY)
    assert _is_released(f"{field} {sign} {THAT_DAY}", site) is holds
    assert _is_released(f"not {field} {sign} {THAT_DAY}", site) is not holds
    assert _is_released(f"{THAT_DAY} {sign} {field}", site) is HOLDS[sign](THAT_DAY, day)
    assert _is_released(f"{field} {sign} [{THAT_DAY}]", site) is holds


@around
@each_operator
def test_today(sign: str, offset: int) -> None:
    now = NOON + timedelta(days=offset)
    site = _site("", TODAY)
    assert _is_released(f"today {sign} {TODAY}", site, now) is HOLDS[sign](now.date(), TODAY)
    assert _is_released(f"{TODAY} {sign} today", site, now) is HOLDS[sign](TODAY, now.date())


@around
@each_operator
def test_a_field_and_today(sign: str, offset: int) -> None:
    used = TODAY + timedelta(days=offset)
    assert _is_released(f"license.lastUsed {sign} today", _site("license.lastUsed", used)) is HOLDS[sign](used, TODAY)


@around
@each_operator
def test_unused_days(sign: str, offset: int) -> None:
    site = _site("license.lastUsed", THAT_DAY - timedelta(days=offset))
    assert _is_released(f"license.unusedDays {sign} 30", site) is HOLDS[sign](30 + offset, 30)
    assert _is_released(f"30 {sign} license.unusedDays", site) is HOLDS[sign](30, 30 + offset)


@around
@pytest.mark.parametrize(("words", "days"), [("30 days", 30), ("4 weeks", 28), ("1 day", 1), ("0 days", 0)])
def test_unused_for(words: str, days: int, offset: int) -> None:
    """From the last use; of a license that was never used from its allocation."""
    day = TODAY - timedelta(days=days + offset)
    assert _is_released(f"unused for {words}", _site("license.lastUsed", day)) is (offset >= 0)
    never = site_of([user(1)], [license_row(1, NEVER, createdDate=f"{day}T23:59:59Z")])
    assert _is_released(f"unused for {words}", never) is (offset >= 0)
    assert _is_released(f"never used and license.createdDate <= {day}", never)
    assert not _is_released(f"never used and license.createdDate < {day}", never)


@around
@pytest.mark.parametrize("condition", ["license.unusedDays", "unused for"])
def test_the_due_day_is_exact(condition: str, offset: int) -> None:
    """What is displayed is the day on which the rule first holds, and on no other."""
    used = TODAY - timedelta(days=10 + offset)
    words = {"license.unusedDays": "license.unusedDays > 29", "unused for": "unused for 30 days"}[condition]
    plan = plan_of(f"release when {words}", site_of([user(1)], [license_row(1, f"{used}T12:00:00Z")]), NOON)
    explained = explain(plan.decisions[0], plan.policy, plan.day)
    due = used + timedelta(days=30)
    assert explained.due == due
    assert explained.headline == f"KEPT — not due yet, due on {due}"
    assert explained.advice[0] == f"Would be released on {due} if it stays unused and nothing else changes."
    ago = {"license.unusedDays": f"license.unusedDays = {10 + offset}", "unused for": f"{10 + offset} days ago"}
    assert ago[condition] in explained.decision.reason


@around
@each_operator
def test_the_due_day_by_the_calendar(sign: str, offset: int) -> None:
    """`today` and the month move on while a license stays as it is."""
    later = TODAY + timedelta(days=40)
    plan = plan_of(f"release when today {sign} {later} and today >= {later + timedelta(days=offset)}", _site("", TODAY))
    first = later + timedelta(days=offset)
    days = [day for day in (first + timedelta(days=n) for n in range(9)) if HOLDS[sign](day, later)]
    assert explain(plan.decisions[0], plan.policy, plan.day).due == (days[0] if days else None)


@pytest.mark.parametrize(
    ("condition", "due"),
    [
        ("month = 12", date(2026, 12, 1)),
        ("month = 11 and today > 2026-11-21", date(2026, 11, 22)),
        ('weekday = "monday"', date(2026, 11, 23)),
        ('weekday = "friday"', date(2026, 11, 27)),
    ],
)
def test_the_due_day_by_month_and_weekday(condition: str, due: date) -> None:
    plan = plan_of(f"release when {condition}", _site("", TODAY), NOON)
    assert explain(plan.decisions[0], plan.policy, plan.day).due == due
