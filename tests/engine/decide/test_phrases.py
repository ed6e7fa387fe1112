"""What a condition found, in words."""

from typing import Any

import pytest

from seatwarden.engine.common.text import in_days
from seatwarden.engine.decide.phrases import phrase, show_values
from seatwarden.engine.snapshot.unknown import Unknown
from tests.engine.support import decide, license_row, site_of, user
from tests.strategies import NEVER

USED, CREATED = "2026-11-01T00:00:00Z", "2026-01-31T00:00:00Z"
TAGS = [{"name": "vip"}, {"name": "VIP"}, {"name": "temp"}]
ANN = user(1, userId="ann", tags=TAGS, createdDate=CREATED)


def _found(condition: str, who: dict[str, Any] = ANN, last_used: object = USED, **row: Any) -> str:
    policy = f'let vips = ["vip", "board"]\nrelease when {condition}'
    (decision,) = decide(policy, site_of([who], [license_row(1, last_used, createdDate=CREATED, **row)]))
    return phrase(decision.outcomes[0].trace)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("unused for 30 days", "last used 2026-11-01, 20 days ago; 30 needed"),
        ("unused for 2 weeks", "last used 2026-11-01, 20 days ago; 14 needed"),
        ('user.userDirectory = ["acme", "x"]', 'user.userDirectory = "ACME", listed'),
        ('user.userDirectory == ["ACME", "x"]', 'user.userDirectory = "ACME", listed'),
        ('user.userDirectory == ["acme", "x"]', 'user.userDirectory = "ACME", not listed'),
        ('user.userDirectory = "acme"', 'user.userDirectory = "ACME"'),
        ('user.userDirectory == "x"', 'user.userDirectory = "ACME", not "x"'),
        ('user.userDirectory = "x"', 'user.userDirectory = "ACME", not "x"'),
        ('"acme" = user.userDirectory', '"acme", the same as user.userDirectory = "ACME"'),
        ('"x" = user.userDirectory', '"x", not user.userDirectory = "ACME"'),
        ("user.userDirectory = user.userId", 'user.userDirectory = "ACME", not user.userId = "ann"'),
        ("user.userId = user.userId", 'user.userId = "ann", the same as user.userId = "ann"'),
        ('user.userDirectory != "x"', 'user.userDirectory = "ACME", not "x"'),
        ('user.userDirectory != "acme"', 'not wanted: user.userDirectory = "ACME"'),
        ('not user.userDirectory = "acme"', 'not wanted: user.userDirectory = "ACME"'),
        ('not user.userDirectory = "x"', 'user.userDirectory = "ACME", not "x"'),
        ("user.tags = vips", 'user.tags has "vip", "VIP", listed in vips'),
        ('user.tags = "temp"', 'user.tags has "temp"'),
        ("user.tags == vips", 'user.tags has "vip", listed in vips'),
        ('user.tags = ["x"]', 'user.tags = "vip", "VIP", "temp", not listed'),
        # On the right all values are told: those that hit are known of the left side.
        ('"temp" = user.tags', '"temp", the same as user.tags = "vip", "VIP", "temp"'),
        ('user.roles = "x"', 'user.roles has no value, not "x"'),
        ('user.userId like "a*"', 'user.userId = "ann", like "a*"'),
        ('user.userId like "b*"', 'user.userId = "ann", not like "b*"'),
        ("license.unusedDays > 20", "license.unusedDays = 20, not > 20"),
        ("license.unusedDays <= 20", "license.unusedDays = 20, <= 20"),
        ("license.createdDate < today", "license.createdDate = 2026-01-31, < today = 2026-11-21"),
        ("today from 11-01 to 12-31", "today = 2026-11-21, in the season from 11-01 to 12-31"),
        ("today from 01-01 to 02-01", "today = 2026-11-21, not in the season from 01-01 to 02-01"),
        ("never used", "used before"),
        ("not never used", "used before"),
        ("user.inactive", "user.inactive is false"),
        ("not user.inactive", "user.inactive is false"),
        ("user.inactive = false", "user.inactive = false"),
        ("true", "true"),
    ],
)
def test_a_condition_without_parts(condition: str, words: str) -> None:
    assert _found(condition) == words


def test_of_two_values_the_one_that_hit_is_told_of_one_all_there_is() -> None:
    two = user(1, tags=[{"name": "vip"}, {"name": "x"}])
    assert _found('user.tags = "vip"', two) == 'user.tags has "vip"'
    assert _found('user.tags = "vip"', user(1, tags=[{"name": "VIP"}])) == 'user.tags = "VIP"'


def test_true_and_unknown_conditions() -> None:
    assert _found("user.inactive", user(1, inactive=True)) == "user.inactive is true"
    assert _found("not user.inactive", user(1, inactive=True)) == "user.inactive is true"
    assert _found("user.inactive", user(1, inactive=5)) == "unknown: `user.inactive` is missing or unreadable"
    assert _found("user.roles = user.tags", user(1, tags=5)) == "unknown: `user.tags` is missing or unreadable"


@pytest.mark.parametrize(
    ("last_used", "created", "words"),
    [
        ("2026-11-21T00:00:00Z", CREATED, "last used 2026-11-21, today; 5 needed"),
        ("2026-11-20T00:00:00Z", CREATED, "last used 2026-11-20, 1 day ago; 5 needed"),
        ("2026-11-22T00:00:00Z", CREATED, "last used 2026-11-22, in 1 day; 5 needed"),
        ("2026-11-23T00:00:00Z", CREATED, "last used 2026-11-23, in 2 days; 5 needed"),
        (NEVER, CREATED, "never used, allocated 2026-01-31, 294 days ago; 5 needed"),
        (NEVER, "x", "unknown: never used, and `license.createdDate` is unreadable: `x`"),
        ("x", CREATED, "unknown: `lastUsed` is unreadable: `x`"),
        (5, CREATED, "unknown: `lastUsed` is unreadable: `5`"),
    ],
)
def test_the_last_use(last_used: object, created: str, words: str) -> None:
    row = license_row(1, last_used, createdDate=created)
    (decision,) = decide("release when unused for 5 days", site_of([ANN], [row]))
    assert phrase(decision.outcomes[0].trace) == words


@pytest.mark.parametrize(("days", "words"), [(-2, "in 2 days"), (-1, "in 1 day"), (0, "today"), (1, "1 day ago")])
def test_days_ago(days: int, words: str) -> None:
    assert in_days(-days) == words


def test_values() -> None:
    assert show_values(()) == "none"
    assert show_values(Unknown("x")) == "unknown"
    assert show_values(tuple("abcdef")) == '"a", "b", "c", "d", "e", "f"'
    assert show_values(tuple("abcdefg")) == '"a", "b", "c", "d", "e", "f" and 1 more'
    assert show_values((True, False, 3)) == "true, false, 3"
