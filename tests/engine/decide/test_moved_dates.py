"""Dates relative to today and the disuse of a whole person, at their edges."""

from datetime import date, timedelta

import pytest

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text
from seatwarden.policy.operators import moved
from tests.engine.support import decide, license_row, site_of, user
from tests.strategies import NEVER, NOW


def _ago(days: int) -> str:
    return f"{NOW.date() - timedelta(days=days)}T12:00:00.000Z"


def _kept(condition: str, created: str) -> bool:
    site = site_of([user(1, createdDate=created)], [license_row(1)])
    (decision,) = decide(f"keep when {condition}\nrelease when true", site)
    return decision.verdict == "keep"


@pytest.mark.parametrize(
    ("condition", "at_least"),
    [
        ("user.createdDate >= today - 90 days", 90),
        ("user.createdDate + 90 days >= today", 90),
        ("today <= user.createdDate + 90 days", 90),
        ("user.createdDate > today - 13 weeks", 90),
        ("user.createdDate + 2 weeks >= today - 76 days", 90),
    ],
)
def test_the_last_day(condition: str, at_least: int) -> None:
    assert _kept(condition, _ago(at_least))
    assert not _kept(condition, _ago(at_least + 1))


def test_what_cannot_be_read_keeps_also_when_it_is_moved() -> None:
    assert _kept("not user.createdDate + 9 days > today", "soon")
    assert _kept("user.createdDate + 9 days > today", "soon")


def test_no_date_is_moved_to_none() -> None:
    site = site_of([user()], [license_row(1, NEVER)])
    (decision,) = decide("keep when license.lastUsed + 9 days > today\nrelease when true", site)
    assert decision.verdict == "release"


def test_the_calendar_ends() -> None:
    assert moved(date(9999, 12, 30), 5) == date.max
    assert moved(date(1, 1, 3), -5) == date.min
    assert moved("2026-01-01", 5) == "2026-01-01"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("user.tags + 3 days > today", "`+` moves dates, not text"),
        ("today - 36501 days > today", "36,501 days are too many"),
        ("[2026-01-01] + 3 days > today", "a list cannot be moved"),
        ("several + 3 days > today", "a list cannot be moved"),
        ("earlier + 3 days > today", "`earlier` is moved already"),
        ("today - grase > today", "unknown name `grase`"),
        ("today - 3 days", "`today - 3 days` alone is not a condition"),
    ],
)
def test_what_cannot_be_moved(condition: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_text(f"let several = [2026-01-01]\nlet earlier = today - 9 days\nkeep when {condition}", "p")
    assert [one.message for one in caught.value.diagnostics] == [message]


# All licenses of a person --------------------------------------------------------------------------------


def _of(analyzer: str | None, professional: str | None, **facts: object) -> Decision:
    rows = [license_row(1, professional, id="p", createdDate=_ago(40), **facts)]
    site = site_of([user()], [license_row(1, analyzer, createdDate=_ago(90))], rows)
    return next(d for d in decide("release when user unused for 60 days", site) if d.license_type == "analyzer")


@pytest.mark.parametrize(
    ("analyzer", "professional", "days"),
    [
        (_ago(300), _ago(60), 60),
        (_ago(300), _ago(59), 59),
        (_ago(60), NEVER, 60),
        (NEVER, NEVER, 40),
        ("soon", _ago(60), None),
    ],
)
def test_the_latest_use_counts(analyzer: str, professional: str, days: int | None) -> None:
    decision = _of(analyzer, professional)
    assert decision.verdict == ("release" if days and days >= 60 else "keep")
    fact = decision.facts["user.unusedDays"]
    assert fact == (days,) if days is not None else isinstance(fact, Unknown)


def test_a_license_in_quarantine_was_used_in_the_last_days() -> None:
    assert _of(_ago(300), _ago(3), quarantined=True).verdict == "keep"
