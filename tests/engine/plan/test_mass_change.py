"""Which changes between two plans touch everybody: only towards release, only of many, only of what both recorded."""

from collections.abc import Callable
from typing import Any

import pytest

from seatwarden.engine.facts.facts import Fact, fact_to_json
from seatwarden.engine.plan.mass_change import MASS_CHANGE_PERCENT, Compared, compare_facts
from seatwarden.engine.plan.plan import Plan, make_plan
from seatwarden.engine.site import ours
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user

LEAVERS = "release when user.removedExternally and unused for 7 days"
TAGS = 'keep "t" when user.tags = ["VIP", "board"]\nrelease when unused for 30 days'


def _site(users: int, facts: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    numbers = range(1, users + 1)
    return site_of([user(n, **facts(n)) for n in numbers], [license_row(n) for n in numbers])


def _plan(policy: str, site: dict[str, Any]) -> Plan:
    loaded = checked(policy)
    return make_plan(loaded, snapshot_of(site), day_of(loaded), "test")


def _recorded(fact: Fact) -> Any:
    shown = fact_to_json(fact)
    return tuple(shown) if isinstance(shown, list) else fact


def _compared(before: Plan, after: Plan, percent: int = 20, *, with_names: bool = True) -> Compared:
    recorded = {d.key: {name: _recorded(fact) for name, fact in d.facts.items()} for d in before.decisions}
    return compare_facts(after.policy, after.decisions, recorded, percent, with_names=with_names)


def _changes(
    policy: str,
    was: Callable[[int], dict[str, Any]],
    now: Callable[[int], dict[str, Any]],
    users: int = 20,
    percent: int = 20,
) -> list[str]:
    compared = _compared(_plan(policy, _site(users, was)), _plan(policy, _site(users, now)), percent)
    assert (compared.users, compared.not_recorded) == (users, ())
    return [change.sentence for change in compared.changes]


def _first(count: int, marked: dict[str, Any], others: dict[str, Any] | None = None) -> Callable[[int], dict[str, Any]]:
    return lambda n: marked if n <= count else others or {}


NOBODY = _first(0, {})
DEPARTMENT = {"customProperties": [{"value": "IT", "definition": {"name": "D"}}]}
REMOVED = {"removedExternally": True}


@pytest.mark.parametrize(
    ("users", "changed", "percent", "found"),
    [
        (20, 20, 20, True), (20, 5, 20, True), (20, 4, 20, False), (25, 5, 20, False), (24, 5, 20, True),
        (5, 5, 20, True), (4, 4, 20, False), (20, 10, 50, False), (20, 11, 50, True), (20, 20, 100, False),
    ],
)  # fmt: skip
def test_how_many_are_many(users: int, changed: int, percent: int, found: bool) -> None:
    said = _changes(LEAVERS, NOBODY, _first(changed, REMOVED), users, percent)
    sentence = (
        f"`user.removedExternally` has changed for {changed} of {users} users, so that their licenses can be released"
    )
    assert said == [sentence] * found


def test_away_from_release_is_no_danger() -> None:
    assert _changes(LEAVERS, _first(20, REMOVED), NOBODY) == []


@pytest.mark.parametrize(
    ("policy", "was", "now", "found"),
    [
        # A part of a keep rule: true is no danger, not true any more is.
        ('keep "k" when not user.inactive\nrelease when unused for 9 days', {}, {"inactive": True}, True),
        ('keep "k" when not user.inactive\nrelease when unused for 9 days', {"inactive": True}, {}, False),
        ("release when user.blocked or unused for 30 days", {}, {"blacklisted": True}, True),
        ("release when not user.blocked and unused for 30 days", {"blacklisted": True}, {}, True),
        ("release when not user.blocked and unused for 30 days", {}, {"blacklisted": True}, False),
        ('release when user.roles != "r" and unused for 30 days', {"roles": ["r"]}, {"roles": []}, True),
        ('release when user.roles = "r" and unused for 30 days', {"roles": ["q"]}, {"roles": ["R"]}, True),
        ('release when user.roles = "r" and unused for 30 days', {"roles": ["q"]}, {"roles": ["s"]}, False),
        ("release when user.tags is empty and unused for 9 days", {"tags": [{"name": "t"}]}, {"tags": []}, True),
        ("release when user.tags is empty and unused for 9 days", {"tags": []}, {"tags": [{"name": "t"}]}, False),
        ("release when user.@D is empty and unused for 9 days", DEPARTMENT, {}, True),
        ("release when user.@D is not empty and unused for 9 days", {}, DEPARTMENT, True),
        # What is unknown now releases nobody; what was unknown kept everybody.
        ("release when user.inactive and unused for 9 days", {}, {"inactive": None}, False),
        ("release when user.inactive and unused for 9 days", {"inactive": None}, {"inactive": True}, True),
        ("release when user.inactive and unused for 9 days", {"inactive": None}, {"inactive": False}, False),
        ('keep "k" when user.inactive\nrelease when unused for 9 days', {"inactive": None}, {"inactive": False}, True),
        ('keep "k" when user.inactive\nrelease when unused for 9 days', {"inactive": False}, {"inactive": None}, False),
        # Disuse and the calendar change by themselves.
        ("release when user.createdDate < 2020-01-01", {}, {"createdDate": "2019-01-01T00:00:00.000Z"}, False),
    ],
)
def test_only_towards_release(policy: str, was: dict[str, Any], now: dict[str, Any], found: bool) -> None:
    said = _changes(policy, _first(12, was), _first(12, now))
    assert bool([sentence for sentence in said if "has changed for 12 of 20 users" in sentence]) is found


@pytest.mark.parametrize(
    ("had", "lost", "found"),
    [(6, 6, "all 6"), (9, 5, "5 of 9"), (10, 5, None), (5, 4, None), (5, 5, "all 5"), (0, 0, None)],
)
def test_a_protection_that_has_gone(had: int, lost: int, found: str | None) -> None:
    """Few had it of many users, so that they are no share to speak of."""
    vip = {"tags": [{"name": "vip"}, {"name": "other"}]}
    others = {"tags": [{"name": "board"}]}

    def was(n: int) -> dict[str, Any]:
        return vip if n <= had else others if n <= 60 else {}

    def now(n: int) -> dict[str, Any]:
        return {"tags": []} if n <= lost else was(n)

    said = _changes(TAGS, was, now, users=100)
    assert said == ([f'{found} users whom `user.tags` = "vip" protected have lost it'] if found else [])


def test_a_flag_that_protected() -> None:
    policy = 'keep "k" when user.deleteProhibited\nrelease when unused for 30 days'
    said = _changes(policy, _first(8, {"deleteProhibited": True}), NOBODY, users=100)
    assert said == ["all 8 users whom `user.deleteProhibited` protected have lost it"]


def test_who_keeps_another_protection_has_not_lost_the_part() -> None:
    both = {"tags": [{"name": "vip"}, {"name": "board"}]}
    assert _changes(TAGS, _first(8, both), _first(8, {"tags": [{"name": "board"}]}), users=100) == []


def test_a_name_is_no_protection_of_many() -> None:
    """Of the names of people only changes count: each has one of his own."""
    policy = 'keep "k" when user.userId = ["user1", "user2"]\nrelease when unused for 30 days'
    assert _changes(policy, NOBODY, NOBODY) == []
    assert _changes(policy, NOBODY, lambda n: {"userId": f"other{n}"}) == []


def test_a_user_counts_once_and_a_license_by_its_id() -> None:
    def both(facts: dict[str, Any]) -> dict[str, Any]:
        numbers = range(1, 7)
        rows = [license_row(n) for n in numbers]
        return site_of([user(n, **facts) for n in numbers], rows, [row | {"id": f"p{row['id']}"} for row in rows])

    compared = _compared(_plan(LEAVERS, both({})), _plan(LEAVERS, both(REMOVED)))
    assert compared.users == 6
    assert "for 6 of 6 users" in compared.changes[0].sentence


def test_new_licenses_are_not_compared() -> None:
    before, after = _plan(LEAVERS, _site(4, NOBODY)), _plan(LEAVERS, _site(20, _first(20, REMOVED)))
    assert _compared(before, after) == Compared((), 4, ())


def test_what_was_not_recorded_is_said() -> None:
    before = _plan("release when unused for 7 days", _site(20, NOBODY))
    after = _plan(LEAVERS, _site(20, _first(20, REMOVED)))
    assert _compared(before, after) == Compared((), 20, ("user.removedExternally",))
    other_type = _plan("release professional when user.removedExternally", _site(20, NOBODY))
    assert _compared(before, other_type) == Compared((), 20, ())


def test_a_part_of_another_license_type() -> None:
    policy = f"release professional when user.removedExternally\n{LEAVERS}"
    assert len(_changes(policy, NOBODY, _first(20, REMOVED))) == 1
    only = "release professional when user.removedExternally\nrelease analyzer when not user.removedExternally"
    assert _changes(only, NOBODY, _first(20, REMOVED)) == []


GROUP = 'keep "g" when user.attributes.group = "staff"\nrelease when user.removedExternally and unused for 7 days'


def _group(value: str, **more: Any) -> Callable[[int], dict[str, Any]]:
    return lambda n: {"attributes": [{"attributeType": "group", "attributeValue": value}], **more}


def test_names_are_left_out_where_they_were_hidden() -> None:
    """A plan of format 1 has pseudonyms for the values of attributes."""
    before, after = _plan(GROUP, _site(10, _group("staff"))), _plan(GROUP, _site(10, _group("x", **REMOVED)))
    facts = {"user.attributes.group", "user.removedExternally"}
    assert {change.fact for change in _compared(before, after).changes} == facts
    assert {change.fact for change in _compared(before, after, with_names=False).changes} == facts - {
        "user.attributes.group"
    }


def test_the_site_file_has_the_same_default() -> None:
    assert ours.MASS_CHANGE_PERCENT == MASS_CHANGE_PERCENT
