"""Drift: where a fact that a rule reads has changed between plan and apply, the license is kept and the fact named.

The rule releases whatever the field says: it is the change alone that keeps the license.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.policy.vocabulary import VOCABULARY
from tests.engine.apply.applying import LONG_AGO, MemoryQrs, idle, prepare
from tests.engine.simulator.test_license_audit import rule_row
from tests.engine.support import license_row
from tests.strategies import NOW

Site = dict[str, Any]
LATER = "2026-06-01T12:00:00.000Z"
"""Long ago, too."""


@dataclass(frozen=True)
class Field:
    """A condition that reads a field; a change to the site that the field shows, and its words.

    `change` is None for what cannot change or does by itself; `orders` is the list whose order says nothing.
    """

    condition: str
    change: Callable[[Site], None] | None
    named: str = ""
    orders: Callable[[Site], list[Any]] | None = None


def _user(**facts: Any) -> Callable[[Site], None]:
    return lambda site: site["users"][0].update(facts)


def _row(**facts: Any) -> Callable[[Site], None]:
    return lambda site: site["licenses"]["analyzer"][0].update(facts)


def _other(**facts: Any) -> Callable[[Site], None]:
    return lambda site: site["licenses"]["professional"][0].update(facts)


def _list(name: str) -> Callable[[Site], list[Any]]:
    def rows(site: Site) -> list[Any]:
        found: list[Any] = site["users"][0][name]
        return found

    return rows


def _tag(name: str) -> Mapping[str, str]:
    return {"id": f"id of {name}", "name": name}


def _property(value: str) -> Mapping[str, Any]:
    return {"value": value, "definition": {"name": "Team"}}


def _attribute(value: str) -> Mapping[str, str]:
    return {"attributeType": "group", "attributeValue": value}


FIELDS: dict[str, Field] = {
    "user": Field('user = "x"', _user(userId="other"), r"the user was ACME\user1, is ACME\other"),
    "user.userDirectory": Field(
        'user.userDirectory = "x"', _user(userDirectory="NEW"), 'user.userDirectory was "ACME", is "NEW"'
    ),
    "user.userId": Field('user.userId = "x"', _user(userId="other"), 'user.userId was "user1", is "other"'),
    "user.name": Field('user.name = "x"', _user(name="Other"), 'user.name was "User 1", is "Other"'),
    "user.roles": Field('user.roles = "x"', _user(roles=["A"]), 'user.roles was "A", "B", is "A"', _list("roles")),
    "user.tags": Field('user.tags = "x"', _user(tags=[_tag("a")]), 'user.tags was "a", "b", is "a"', _list("tags")),
    "user.@": Field(
        'user.@Team = "x"',
        _user(customProperties=[_property("a"), _property("c")]),
        'user.@Team was "a", "b", is "a", "c"',
        _list("customProperties"),
    ),
    "user.attributes": Field(
        'user.attributes.group = "x"',
        _user(attributes=[]),
        'user.attributes.group was "a", "b", is none',
        _list("attributes"),
    ),
    "user.inactive": Field("user.inactive", _user(inactive=True), "user.inactive was false, is true"),
    "user.blocked": Field("user.blocked", _user(blacklisted=True), "user.blocked was false, is true"),
    "user.removedExternally": Field(
        "user.removedExternally", _user(removedExternally=True), "user.removedExternally was false, is true"
    ),
    "user.deleteProhibited": Field(
        "user.deleteProhibited", _user(deleteProhibited=True), "user.deleteProhibited was false, is true"
    ),
    "user.createdDate": Field(
        "user.createdDate > 2026-11-01", _user(createdDate=LATER), "user.createdDate was 2020-01-01, is 2026-06-01"
    ),
    "user.licenses": Field(
        'user.licenses = "professional"',
        _other(quarantined=True),
        'user.licenses was "professional", "analyzer", is "analyzer"',
    ),
    "user.lastUsed": Field(
        "user.lastUsed > 2026-11-01", _other(lastUsed=LATER), "user.lastUsed was 2026-01-01, is 2026-06-01"
    ),
    "user.unusedDays": Field("user.unusedDays > 9999", _other(lastUsed=LATER), "user.unusedDays would be 324, is 173"),
    "user.lastReleased": Field("user.lastReleased > 2026-11-01", None),  # the plan's stays: this apply changes it
    "license.type": Field('license.type = "professional"', None),  # it is read again by its type
    "license.lastUsed": Field(
        "license.lastUsed > 2026-11-01", _row(lastUsed=LATER), "license.lastUsed was 2026-01-01, is 2026-06-01"
    ),
    "license.createdDate": Field(
        "license.createdDate > 2026-11-01", _row(createdDate=LATER), "license.createdDate was 2020-01-01, is 2026-06-01"
    ),
    "license.neverUsed": Field("never used", _row(lastUsed=None), "license.neverUsed was false, is true"),
    "license.unusedDays": Field(
        "license.unusedDays > 9999", _row(lastUsed=LATER), "license.unusedDays would be 324, is 173"
    ),
    "license.excess": Field("license.excess", _row(excess=True), "license.excess was false, is true"),
    "license.takenBackBy": Field(
        'license.takenBackBy = "All"',
        lambda site: site["licenseRules"].append(rule_row(1, '((user.name like "*"))', name="All")),
        "license.takenBackBy was none, is unknown",
    ),
    "license.available": Field("license.available > 9999", None),  # the plan's stay: this apply changes them
    "license.total": Field("license.total > 9999", None),
    "today": Field("today > 2030-01-01", None),  # these change by themselves
    "month": Field("month = 7", None),
    "weekday": Field('weekday = "friday"', None),
}

ABSENT: dict[str, Callable[[Site], Any]] = {
    "user.name": lambda site: site["users"][0].pop("name"),
    "user.roles": lambda site: site["users"][0].pop("roles"),
    "user.tags": lambda site: site["users"][0].pop("tags"),
    "user.@": lambda site: site["users"][0].pop("customProperties"),
    "user.attributes": lambda site: site["users"][0].pop("attributes"),
    "user.inactive": lambda site: site["users"][0].pop("inactive"),
    "user.blocked": lambda site: site["users"][0].pop("blacklisted"),
    "user.removedExternally": lambda site: site["users"][0].pop("removedExternally"),
    "user.deleteProhibited": lambda site: site["users"][0].pop("deleteProhibited"),
    "user.createdDate": lambda site: site["users"][0].pop("createdDate"),
    "user.licenses": lambda site: site["licenses"]["professional"][0].pop("quarantined"),
    "user.lastUsed": _other(lastUsed="x"),
    "user.unusedDays": _other(lastUsed="x"),
    "license.lastUsed": _row(lastUsed="x"),
    "license.createdDate": lambda site: site["licenses"]["analyzer"][0].pop("createdDate"),
    "license.neverUsed": _row(lastUsed="x"),
    "license.unusedDays": _row(lastUsed="x"),
    "license.excess": lambda site: site["licenses"]["analyzer"][0].pop("excess"),
    "license.takenBackBy": lambda site: site.pop("licenseRules"),
}
"""What makes a field unknown; of the others the snapshot is refused without them, or they cannot be absent."""

CHANGING = [name for name, field in FIELDS.items() if field.change is not None]


@pytest.fixture
def site() -> Site:
    """A user with both licenses, and two of all that there may be several of."""
    found = idle()
    found["users"][0].update(
        roles=["A", "B"],
        tags=[_tag("a"), _tag("b")],
        customProperties=[_property("a"), _property("b")],
        attributes=[_attribute("a"), _attribute("b")],
    )
    found["licenses"]["professional"] = [license_row(1, LONG_AGO, id="p1")]
    found["licenseRules"] = []
    return found


def _apply(folder: Path, site: Site, field: Field, change: Callable[[Site], Any], days: int = 0) -> tuple[str, str]:
    """The result for the license, and its detail, where the site has changed since the plan."""
    rule = f'release analyzer when license.type = "analyzer" or {field.condition}'
    policy = f"{rule}\nlimit release to 100% of analyzer per run\n"
    prepared = prepare(folder, site, policy, applied=NOW + timedelta(days=days, minutes=10))
    qrs = MemoryQrs(site)
    change(qrs.site)
    prepared.apply(qrs)
    journal = prepared.journal
    assert qrs.deletes == (["l1"] if journal.results["l1"] == "released" else [])
    return journal.results["l1"], journal.details["l1"]


def test_the_table_has_every_field() -> None:
    assert list(FIELDS) == list(VOCABULARY)
    not_rows = ("user.licenses", "license.takenBackBy")
    many = {name for name, entry in VOCABULARY.items() if entry.many and name not in not_rows}
    assert {name for name, field in FIELDS.items() if field.orders} == many


@pytest.mark.parametrize("days", [0, 1, 40])
@pytest.mark.parametrize("name", FIELDS)
def test_unchanged_is_released(tmp_path: Path, site: Site, name: str, days: int) -> None:
    """Also when days have gone by: time alone is no change."""
    assert _apply(tmp_path, site, FIELDS[name], lambda changed: None, days) == ("released", "")


@pytest.mark.parametrize("name", CHANGING)
def test_changed_is_skipped_and_named(tmp_path: Path, site: Site, name: str) -> None:
    field = FIELDS[name]
    assert field.change is not None
    result, detail = _apply(tmp_path, site, field, field.change)
    assert (result, field.named in detail) == ("skipped", True), detail
    assert "now kept" not in detail, "the rule still releases"


@pytest.mark.parametrize("name", ABSENT)
def test_unknown_now_is_skipped_and_named(tmp_path: Path, site: Site, name: str) -> None:
    result, detail = _apply(tmp_path, site, FIELDS[name], ABSENT[name])
    assert (result, "is unknown" in detail, name.rstrip("@") in detail) == ("skipped", True, True), detail


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.orders])
def test_another_order_is_no_change(tmp_path: Path, site: Site, name: str) -> None:
    orders = FIELDS[name].orders
    assert orders is not None
    assert _apply(tmp_path, site, FIELDS[name], lambda changed: orders(changed).reverse()) == ("released", "")


def test_every_change_is_named(tmp_path: Path, site: Site) -> None:
    condition = " or ".join([FIELDS[name].condition for name in ("user.tags", "user.inactive", "license.excess")])

    def change(changed: Site) -> None:
        for name in ("user.tags", "license.excess"):
            FIELDS[name].change(changed)  # type: ignore[misc]

    result, detail = _apply(tmp_path, site, Field(condition, None), change)
    assert (result, detail) == ("skipped", 'user.tags was "a", "b", is "a"; license.excess was false, is true')


def test_what_no_rule_reads_may_change(tmp_path: Path, site: Site) -> None:
    change = _user(tags=[], roles=[], name="Other", blacklisted=True)
    assert _apply(tmp_path, site, FIELDS["user.inactive"], change) == ("released", "")


@pytest.mark.parametrize(("days", "last_used", "result"), [
    (1, LONG_AGO, "released"),
    (1, "2026-01-02T12:00:00.000Z", "skipped"),  # the same number of days as in the plan, and it was used
    (0, "2026-01-01T13:00:00.000Z", "released"),  # days are what counts
    (0, "2026-01-02T12:00:00.000Z", "skipped"),
])  # fmt: skip
def test_days_of_disuse(tmp_path: Path, site: Site, days: int, last_used: str, result: str) -> None:
    found = _apply(tmp_path, site, FIELDS["license.unusedDays"], _row(lastUsed=last_used), days)
    assert found[0] == result
