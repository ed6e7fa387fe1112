"""Reading facts: the engine's readers and the vocabulary are one language."""

import re
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given

from seatwarden.engine.facts.columns import as_facts, read_column
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.facts.facts import (
    FAMILIES,
    MAX_NUMBER,
    NO_USER,
    OF_SITE,
    READERS,
    Fact,
    RecordedFact,
    RecordedFacts,
    RecordedValue,
    SnapshotFacts,
    fact_to_json,
    facts_from_json,
    subject_of,
    subjects_of,
)
from seatwarden.engine.snapshot.model import Seats
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Field
from seatwarden.grammar.printer import print_field
from seatwarden.policy.vocabulary import IN_USE, VOCABULARY, Type
from tests.engine.simulator.test_license_audit import rule_row
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user
from tests.strategies import NEVER, moments, sites

TYPES = {Type.TEXT: "str", Type.NUMBER: "int", Type.DATE: "date", Type.BOOLEAN: "bool"}

FULL_USER = user(
    1,
    userDirectory="ADMIN",
    userId="jdoe",
    roles=["RootAdmin"],
    tags=[{"id": "t", "name": "vip"}, {"id": "u", "name": "intern"}],
    customProperties=[
        {"value": "Finance", "definition": {"name": "Department"}},
        {"value": "IT", "definition": {"name": "Department"}},
        {"value": "x", "definition": {"name": "department"}},
    ],
    attributes=[{"attributeType": "email", "attributeValue": "j@example.com"}],
    blacklisted=True,
    createdDate="2026-01-31T23:30:00Z",
)


def _read(field: Field, row: dict[str, Any], who: dict[str, Any], zone: str = "UTC", **rest: Any) -> Fact:
    site = site_of([who], [row], rest.get("professional"))
    for license_type in rest.get("without", ()):
        del site["licenses"][license_type]
    snapshot = snapshot_of({**site, "licenseRules": [rule_row(1, '((user.userId="jdoe"))', name="Analyzer for all")]})
    snapshot.overview = {"analyzer": Seats(total=90, available=7)}
    snapshot.last_released = rest.get("released", {"ADMIN\\jdoe": date(2026, 3, 1)})
    (license_,) = snapshot.licenses["analyzer"]
    day: Day = day_of(checked(f'timezone "{zone}"'))
    return SnapshotFacts(subject_of(snapshot, "analyzer", license_, day)).read(field)


def _field(name: str) -> Field:
    return Field(name, {"user.@": "Department", "user.attributes": "email"}.get(name))


def test_every_field_has_its_reader() -> None:
    assert set(READERS) == {*VOCABULARY, *(field.name for field in IN_USE.values())}
    assert set(OF_SITE) == {field.name for field in IN_USE.values()}


@pytest.mark.parametrize("name", VOCABULARY)
def test_values_are_of_the_vocabularys_type(name: str) -> None:
    entry = VOCABULARY[name]
    fact = _read(_field(name), license_row(1, "2026-10-01T00:00:00Z"), FULL_USER)
    assert isinstance(fact, tuple)
    assert fact
    assert {type(value).__name__ for value in fact} == {TYPES[entry.type]}
    assert entry.many or len(fact) == 1
    if entry.values:
        assert set(fact) <= set(entry.values)


@pytest.mark.parametrize("name", VOCABULARY)
def test_a_fact_outlives_the_log(name: str) -> None:
    field = _field(name)
    for fact in (_read(field, license_row(1, "2026-10-01T00:00:00Z"), FULL_USER), (), Unknown("gone")):
        recorded = {print_field(field): msgspec.convert(fact_to_json(fact), RecordedFact)}
        assert RecordedFacts(facts_from_json(recorded)).read(field) == fact
    assert isinstance(RecordedFacts({}).read(field), Unknown)


@pytest.mark.parametrize("name", VOCABULARY)
def test_a_recorded_value_of_another_type(name: str) -> None:
    """What a rule would compare with it is checked to be of the field's type, so it must be, too."""
    wrong: dict[Type, tuple[RecordedValue, ...]] = {
        Type.TEXT: (1, True),
        Type.NUMBER: ("1", True, 10**20),
        Type.BOOLEAN: ("true", 1),
        Type.DATE: (1, True, "2026-02-31", "soon"),
    }
    field = print_field(_field(name))
    for value in wrong[VOCABULARY[name].type]:
        with pytest.raises(ValueError, match=re.escape(field)):
            facts_from_json({field: (value,)})


def test_a_recorded_fact_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"user\.shoeSize"):
        facts_from_json({"user.shoeSize": ("x",)})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("user", ("ADMIN\\jdoe",)),
        ("user.tags", ("vip", "intern")),
        ("user.@", ("Finance", "IT")),
        ("user.attributes", ("j@example.com",)),
        ("user.inactive", (False,)),
        ("user.blocked", (True,)),
        ("license.unusedDays", (51,)),
        ("license.neverUsed", (False,)),
        ("month", (11,)),
        ("weekday", ("saturday",)),
    ],
)
def test_values(name: str, expected: Fact) -> None:
    assert _read(_field(name), license_row(1, "2026-10-01T23:59:59.9999999Z"), FULL_USER) == expected


@pytest.mark.parametrize("never", [NEVER, None, "1753-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z"])
def test_never_used_counts_from_the_allocation(never: str | None) -> None:
    row = license_row(1, never, createdDate="2026-11-01T22:30:00Z")
    assert _read(Field("license.neverUsed"), row, user()) == (True,)
    assert _read(Field("license.lastUsed"), row, user()) == ()
    assert _read(Field("license.unusedDays"), row, user()) == (20,)
    assert _read(Field("license.unusedDays"), row, user(), zone="Europe/Stockholm") == (20,)
    assert _read(Field("license.unusedDays"), row, user(), zone="Asia/Kathmandu") == (19,)
    assert isinstance(_read(Field("license.unusedDays"), row | {"createdDate": NEVER}, user()), Unknown)


@pytest.mark.parametrize("unreadable", ["yesterday", "", 5, {}, [], True])
def test_an_unreadable_last_use_is_not_never(unreadable: object) -> None:
    row = license_row(1, unreadable)
    for name in ("license.neverUsed", "license.lastUsed", "license.unusedDays"):
        assert isinstance(_read(Field(name), row, user()), Unknown)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("user.name", "name"),
        ("user.roles", "roles"),
        ("user.tags", "tags"),
        ("user.@", "customProperties"),
        ("user.attributes", "attributes"),
        ("user.inactive", "inactive"),
        ("user.blocked", "blacklisted"),
        ("user.removedExternally", "removedExternally"),
        ("user.deleteProhibited", "deleteProhibited"),
        ("user.createdDate", "createdDate"),
    ],
)
def test_absent_is_unknown_and_null_is_no_value_only_where_several_may_be(name: str, key: str) -> None:
    who = dict(FULL_USER)
    null = _read(_field(name), license_row(), who | {key: None})
    assert null == () if VOCABULARY[name].many else isinstance(null, Unknown)
    del who[key]
    absent = _read(_field(name), license_row(), who)
    assert isinstance(absent, Unknown)
    assert key in absent.reason or name in absent.reason
    if not VOCABULARY[name].keyed:
        assert f"`{name}`" in absent.reason


def test_licenses_of_a_user() -> None:
    held = Field("user.licenses")
    other = license_row(1, id="p1")
    assert _read(held, license_row(), user()) == ("analyzer",)
    assert _read(held, license_row(), user(), professional=[other]) == ("professional", "analyzer")
    assert _read(held, license_row(), user(), professional=[other | {"quarantined": True}]) == ("analyzer",)
    assert _read(held, license_row(), user(), professional=[license_row(1, user=None)]) == ("analyzer",)
    assert isinstance(_read(held, license_row(), user(), professional=[other | {"quarantined": None}]), Unknown)
    assert isinstance(_read(held, license_row(), user(), without=["professional"]), Unknown)
    unclaimed = {key: value for key, value in other.items() if key != "user"}
    assert isinstance(_read(held, license_row(), user(), professional=[unclaimed]), Unknown)
    assert _read(held, license_row(), user(), professional=[unclaimed | {"quarantined": True}]) == ("analyzer",)


def test_the_last_use_over_all_licenses() -> None:
    last = Field("user.lastUsed")
    mine, other = license_row(1, "2026-10-01T00:00:00Z"), license_row(1, "2026-11-05T23:00:00Z", id="p1")
    assert _read(last, mine, user()) == (date(2026, 10, 1),)
    assert _read(last, mine, user(), professional=[other]) == (date(2026, 11, 5),)
    assert _read(last, mine, user(), professional=[other | {"quarantined": True}]) == (date(2026, 11, 5),)
    assert _read(last, mine, user(), professional=[license_row(1, NEVER)]) == (date(2026, 10, 1),)
    assert _read(last, license_row(1, NEVER), user()) == ()
    assert isinstance(_read(last, mine, user(), professional=[license_row(1, "soon")]), Unknown)
    assert isinstance(_read(last, mine, user(), without=["professional"]), Unknown)
    unclaimed = {key: value for key, value in other.items() if key != "user"}
    assert isinstance(_read(last, mine, user(), professional=[unclaimed | {"quarantined": True}]), Unknown)


def test_what_is_unknown_says_why() -> None:
    """For facts over all licenses of a user; of somebody who is not listed nothing is known."""
    mine, nobodys = license_row(1, "2026-10-01T00:00:00Z"), license_row(1, "2026-11-05T00:00:00Z", id="p1")
    del nobodys["user"]
    for name in ("user.licenses", "user.lastUsed", "user.unusedDays"):
        field = Field(name)
        missing = _read(field, mine, user(), without=["professional"])
        assert missing == Unknown("the snapshot has no professional licenses")
        claimed = _read(field, mine, user(), professional=[nobodys])
        assert claimed == Unknown("`user` is missing on a license of the snapshot")
        assert _read(field, mine, user(2)) == NO_USER
    unsure = license_row(1, id="p1", quarantined="no")
    words = "`quarantined` is missing or unreadable on a license of the user"
    assert _read(Field("user.licenses"), mine, user(), professional=[unsure]) == Unknown(words)
    for row in (license_row(1, "x" * 50), license_row(1, "x" * 50, createdDate="y")):
        assert _read(Field("license.unusedDays"), row, user()) == Unknown(f"`lastUsed` is unreadable: `{'x' * 40}`")
    row = license_row(1, NEVER, createdDate="y" * 50)
    created = f"`license.createdDate` is unreadable: `{'y' * 40}`"
    assert _read(Field("license.createdDate"), row, user()) == Unknown(created)
    assert _read(Field("license.unusedDays"), row, user()) == Unknown(f"never used, and {created}")
    row["createdDate"] = 5
    assert _read(Field("license.createdDate"), row, user()) == Unknown("`license.createdDate` is missing or unreadable")


@pytest.mark.parametrize("number", [MAX_NUMBER, -MAX_NUMBER, MAX_NUMBER + 1, -MAX_NUMBER - 1])
def test_the_largest_number_that_a_record_may_have(number: int) -> None:
    if abs(number) <= MAX_NUMBER:
        assert facts_from_json({"license.unusedDays": (number,)}) == {"license.unusedDays": (number,)}
    else:
        with pytest.raises(ValueError, match=r"`license\.unusedDays` cannot be"):
            facts_from_json({"license.unusedDays": (number,)})


@pytest.mark.parametrize("name", [name for name in VOCABULARY if name.startswith("user")])
def test_of_a_user_who_is_not_listed_nothing_is_known(name: str) -> None:
    """By itself and in a column, for all fields: none of them is *no value*."""
    site = site_of([user(2)], [license_row(1)], [license_row(1, user=None)])
    snapshot, day = snapshot_of(site), day_of(checked(""))
    for license_type in LICENSE_TYPES:
        (row,) = snapshot.licenses[license_type]
        subject = subject_of(snapshot, license_type, row, day)
        assert SnapshotFacts(subject).read(_field(name)) == NO_USER
        if name not in FAMILIES:
            assert read_column(name, [subject]) == [NO_USER]


_EVERY = {
    "user": ("ADMIN\\jdoe",),
    "user.userDirectory": ("ADMIN",),
    "user.userId": ("jdoe",),
    "user.name": ("User 1",),
    "user.roles": ("RootAdmin",),
    "user.tags": ("vip", "intern"),
    "user.@": ("Finance", "IT"),
    "user.attributes": ("j@example.com",),
    "user.inactive": (False,),
    "user.blocked": (True,),
    "user.removedExternally": (False,),
    "user.deleteProhibited": (False,),
    "user.createdDate": (date(2026, 1, 31),),
    "user.licenses": ("analyzer",),
    "user.lastUsed": (date(2026, 10, 1),),
    "user.unusedDays": (51,),
    "user.lastReleased": (date(2026, 3, 1),),
    "license.type": ("analyzer",),
    "license.lastUsed": (date(2026, 10, 1),),
    "license.createdDate": (date(2020, 1, 1),),
    "license.neverUsed": (False,),
    "license.unusedDays": (51,),
    "license.excess": (False,),
    "license.takenBackBy": ("Analyzer for all",),
    "license.available": (7,),
    "license.total": (90,),
    "today": (date(2026, 11, 21),),
    "month": (11,),
    "weekday": ("saturday",),
}


def test_the_value_of_every_field() -> None:
    row = license_row(1, "2026-10-01T23:59:59.9999999Z")
    assert {name: _read(_field(name), row, FULL_USER) for name in VOCABULARY} == _EVERY


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("user.inactive", "inactive"),
        ("user.blocked", "blacklisted"),
        ("user.removedExternally", "removedExternally"),
        ("user.deleteProhibited", "deleteProhibited"),
    ],
)
def test_every_mark_is_read_from_its_own_place(name: str, key: str) -> None:
    marks = ("user.inactive", "user.blocked", "user.removedExternally", "user.deleteProhibited")
    found = [mark for mark in marks if _read(Field(mark), license_row(), user(1, **{key: True})) == (True,)]
    assert found == [name]
    assert _read(Field("license.excess"), license_row(1, excess=True), user()) == (True,)


def test_a_column_that_is_partly_unknown() -> None:
    assert as_facts(["a", NO_USER], "user.userId") == [("a",), NO_USER]
    assert as_facts(["a", "b"], "user.userId") == [("a",), ("b",)]
    assert as_facts([("a", "b"), NO_USER], "user.tags") == [("a", "b"), NO_USER]


@given(sites(), moments)
def test_the_subjects_of_many_are_those_of_each(site: dict[str, Any], now: datetime) -> None:
    snapshot = snapshot_of(site)
    day = make_day(now, "Europe/Stockholm")
    for license_type, rows in snapshot.licenses.items():
        each = [subject_of(snapshot, license_type, row, day) for row in rows]
        assert subjects_of(snapshot, license_type, rows, day) == each
