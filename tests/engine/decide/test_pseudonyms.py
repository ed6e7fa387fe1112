"""Pseudonyms: keyed ids that hold for one period, and people who are found again by whoever has key and snapshot."""

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.key_file import PseudonymKey
from seatwarden.engine.decide.decision import is_pseudonym, user_of
from seatwarden.engine.decide.disguise import Disguise
from seatwarden.engine.decide.pseudonyms import (
    Pseudonyms,
    Revealed,
    hides_facts,
    is_personal,
    known_facts,
    load_pseudonyms,
)
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Field
from seatwarden.grammar.printer import print_field
from tests.engine.support import checked, day_of, decide, license_row, site_of, snapshot_of, user
from tests.strategies import NOW

KEY = b"0123456789abcdef"
ANN = user(1, userId="ann", name="Ann B.")


def _digest(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:20]


def test_a_pseudonym_is_a_keyed_digest_under_the_key_of_its_period() -> None:
    november = Pseudonyms(KEY).of_period("2026-11")
    period_key = hmac.new(KEY, b"period\n2026-11", hashlib.sha256).digest()
    assert (
        november.of_user("ACME\\ann") == "p-" + _digest(period_key, "user\nacme\\ann") == november.of_user("acme\\ANN")
    )
    assert november.of_license("analyzer", "l1") == "p-" + _digest(period_key, "license\nanalyzer\nl1")
    assert november.of_holder("p-x") == "p-" + _digest(period_key, "holder\np-x")
    assert november.key_id == Pseudonyms(KEY).key_id == _digest(KEY, "key id")
    others = [Pseudonyms(KEY).of_period("2026-12"), Pseudonyms(b"another key, 16 b").of_period("2026-11")]
    said = [(one.of_user("a"), one.of_license("analyzer", "a"), one.of_holder("a")) for one in (november, *others)]
    assert len({pseudonym for several in said for pseudonym in several}) == 9
    assert all(map(is_pseudonym, said[0]))


def test_a_plan_of_format_1_has_pseudonyms_of_no_period() -> None:
    assert Pseudonyms(KEY).of_period(None).of_user("ACME\\ann") == "p-" + _digest(KEY, "user\nacme\\ann")


@pytest.mark.parametrize(
    ("zone", "per", "period"),
    [
        ("UTC", "month", "2026-11"),
        ("Pacific/Kiritimati", "month", "2026-12"),  # 14 hours ahead: the month is that of the plan's own day
        ("UTC", "run", "2026-11-30T23:59:00.000Z"),
    ],
)
def test_the_period_is_that_of_the_plan(zone: str, per: str, period: str) -> None:
    pseudonyms = Pseudonyms(KEY, per)  # type: ignore[arg-type]
    assert pseudonyms.at(make_day(NOW.replace(day=30, hour=23, minute=59), zone)).period == period


def test_who_holds_the_key_finds_people_again() -> None:
    rows = [
        license_row(1),
        license_row(2, user=None, deletedUserId="gone", deletedUserDirectory="OLD"),
        license_row(3, user=None, deletedUserId="lost"),
        license_row(4, user=None),
        license_row(5, user={"id": "u9", "userId": "x", "userDirectory": "Y", "name": "X"}),
    ]
    pseudonyms = Pseudonyms(KEY).of_period("2026-11")
    ann, gone, lost = Revealed("ACME", "ann", "Ann B."), Revealed("OLD", "gone", None), Revealed(None, "lost", None)
    other = Revealed("Y", "x", "X")
    snapshot = snapshot_of(site_of([ANN, user(2, name="")], rows[:2], rows[2:]))
    assert pseudonyms.people(snapshot) == {
        pseudonyms.of_user("OLD\\gone"): gone,
        pseudonyms.of_user("?\\lost"): lost,
        pseudonyms.of_user("ACME\\ann"): ann,
        pseudonyms.of_user("ACME\\user2"): Revealed("ACME", "user2", None),
        pseudonyms.of_user("Y\\x"): other,
        pseudonyms.of_holder(pseudonyms.of_license("analyzer", "l1")): ann,
        pseudonyms.of_holder(pseudonyms.of_license("analyzer", "l2")): gone,
        pseudonyms.of_holder(pseudonyms.of_license("professional", "l3")): lost,
        pseudonyms.of_holder(pseudonyms.of_license("professional", "l5")): other,
    }


def test_a_pseudonym_stands_alone() -> None:
    assert user_of(None, "p-0123456789abcdef0123") == "p-0123456789abcdef0123"
    assert user_of("ACME", "p-0123456789abcdef0123") == "ACME\\p-0123456789abcdef0123"  # as in format 1
    assert user_of(None, "ann") == "?\\ann"


def test_what_is_coarse_or_withheld_is_not_thought_further_from() -> None:
    policy = checked(
        'keep "n" when user.name = "x" or user.tags = "vip" or user.inactive or today > 2027-01-01\n'
        "release when unused for 30 days"
    )
    (decision,) = decide(policy.text, site_of([ANN], [license_row(1, "2026-01-01T00:00:00Z")]))
    assert (hides_facts(decision), known_facts(decision)) == (False, decision.facts)
    day = day_of(policy)
    disguise = Disguise(Pseudonyms(KEY).at(day), policy, day)
    hidden, unknown = disguise.of_decision(decision), Unknown("hidden behind a pseudonym")
    assert hides_facts(hidden)
    assert known_facts(hidden) == {
        "user.name": unknown,
        "user.tags": unknown,
        "user.inactive": (False,),
        "today": (day.today,),
        "license.unusedDays": unknown,
    }
    assert known_facts(disguise.withheld(hidden)) == {"withheld": unknown}


def test_what_reads_only_exact_facts_is_thought_further_from() -> None:
    policy = checked("keep when user.inactive\nrelease when never used")
    (decision,) = decide(policy.text, site_of([ANN], [license_row(1, "2026-01-01T00:00:00Z")]))
    hidden = Disguise(Pseudonyms(KEY).at(day_of(policy)), policy, day_of(policy)).of_decision(decision)
    assert not hides_facts(hidden)
    assert known_facts(hidden) == decision.facts


@pytest.mark.parametrize("user_id", ["p-0123456789abcdef0123x", "xp-0123456789abcdef0123", "p-0123456789ABCDEF0123"])
def test_an_id_like_a_pseudonym_is_none(user_id: str) -> None:
    assert not is_pseudonym(user_id)


@pytest.mark.parametrize(
    ("field", "personal"),
    [
        (Field("user"), True),
        (Field("user.userId"), True),
        (Field("user.name"), True),
        (Field("user.attributes", "x"), True),
        (Field("user.userDirectory"), False),
        (Field("user.tags"), False),
        (Field("user.@", "attributes"), False),
        (Field("license.lastUsed"), False),
    ],
)
def test_what_tells_who_a_person_is(field: Field, personal: bool) -> None:
    assert is_personal(print_field(field)) is personal


def test_the_key_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_atomically(path, KEY + b"\n")
    assert load_pseudonyms(path, "run", 7) == Pseudonyms(KEY, "run", 7) == Pseudonyms.under(PseudonymKey(KEY, "run", 7))
    assert "0123" not in repr(load_pseudonyms(path))


def test_two_moments_of_one_run_are_one_period() -> None:
    """A plan is applied later than it was made: its period is written in it, and not found again by the clock."""
    day, later = make_day(NOW, "UTC"), make_day(NOW + timedelta(minutes=1), "UTC")
    per_run = Pseudonyms(KEY, "run")
    assert per_run.at(day).of_user("a") == per_run.of_period(per_run.at(day).period).of_user("a")
    assert per_run.at(day).of_user("a") != per_run.at(later).of_user("a")
