"""Pseudonyms: no name is left anywhere in a decision, the verdict stays, and who holds the key finds people again."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms, hides_facts, is_personal, known_facts, load_pseudonyms
from seatwarden.engine.facts.facts import Unknown
from seatwarden.grammar.ast import Field, Policy
from tests.engine.support import decide, license_row, plan_of, site_of, snapshot_of, user
from tests.strategies import policies, sites

KEY = b"0123456789abcdef"
PSEUDONYMS = Pseudonyms(KEY)
ANN = user(
    1,
    userId="ann",
    name="Ann B.",
    tags=[{"name": "vip"}],
    attributes=[{"attributeType": "mail", "attributeValue": "Ann@acme.example"}],
)
POLICY = (
    'keep "names" when user = "ACME\\bob" or user.userId = "bob" or user.name = "Bob" or user.tags = "none" '
    'or user.attributes.mail = "bob@acme.example"\nrelease when true'
)


def _pseudonym(text: str) -> str:
    return "p-" + hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()[:20]


def _hidden(policy: str = POLICY, who: dict[str, Any] = ANN, **row: Any) -> tuple[Decision, Decision]:
    """A decision, and what becomes of it."""
    (decision,) = decide(policy, site_of([who], [license_row(1, "2026-01-01T00:00:00Z", **row)]))
    return decision, PSEUDONYMS.of_decision(decision)


def test_a_pseudonym_is_a_keyed_digest_of_directory_and_id_in_any_case() -> None:
    assert PSEUDONYMS.of_user("ACME\\ann") == _pseudonym("user\nacme\\ann") == PSEUDONYMS.of_user("acme\\ANN")
    assert PSEUDONYMS.of_user("ACME\\bob") != PSEUDONYMS.of_user("ACME\\ann")
    assert Pseudonyms(b"another key, 16 b").of_user("ACME\\ann") != PSEUDONYMS.of_user("ACME\\ann")
    assert PSEUDONYMS.key_id == _pseudonym("key id").removeprefix("p-")


def test_every_name_is_replaced_and_all_else_stays() -> None:
    decision, hidden = _hidden()
    ann = _pseudonym("user\nacme\\ann")
    assert (hidden.user_id, hidden.user_name, hidden.user) == (ann, ann, f"ACME\\{ann}")
    assert hidden.facts == {
        "user": (f"ACME\\{ann}",),
        "user.userId": (ann,),
        "user.name": (ann,),
        "user.tags": ("vip",),
        "user.attributes.mail": (_pseudonym("user.attributes.mail\nann@acme.example"),),
    }
    (keep, release) = hidden.outcomes
    assert {field.name: fact for part in keep.trace.parts for field, fact in part.facts} == {
        "user": (f"ACME\\{ann}",),
        "user.userId": (ann,),
        "user.name": (ann,),
        "user.tags": ("vip",),
        "user.attributes": (_pseudonym("user.attributes.mail\nann@acme.example"),),
    }
    assert [o.truth for o in hidden.outcomes] == [o.truth for o in decision.outcomes] == [False, True]
    assert release == decision.outcomes[1]
    same = ("verdict", "because", "rule", "license_id", "license_type", "unused_days", "last_used", "row_state")
    assert [getattr(hidden, name) for name in same] == [getattr(decision, name) for name in same]


def test_the_reason_and_what_hit_are_replaced() -> None:
    ann = _pseudonym("user\nacme\\ann")
    mail = _pseudonym("user.attributes.mail\nann@acme.example")
    _, hidden = _hidden('keep "n" when user.name like "Ann*"')
    assert hidden.reason == f'keep "n": user.name = "{ann}", like "Ann*"'
    assert hidden.outcomes[0].trace.hits == (ann,)
    _, hidden = _hidden('keep "u" when user like "ACME\\*"')
    assert hidden.outcomes[0].trace.hits == (f"ACME\\{ann}",)
    _, hidden = _hidden('keep "m" when user.attributes.mail like "ann@*"')
    assert hidden.outcomes[0].trace.hits == (mail,)
    _, hidden = _hidden('keep "t" when user.tags = "vip"')
    assert hidden.outcomes[0].trace.hits == ("vip",)
    _, hidden = _hidden('keep "l" when ["Ann B."] = user.name')
    assert hidden.outcomes[0].trace.hits == ("Ann B.",)  # the policy's own text


def test_a_reason_without_a_rule_stays() -> None:
    decision, hidden = _hidden("release professional when true")
    assert hidden.reason == decision.reason == "no release rule speaks of analyzer licenses"


def test_rows_without_a_user() -> None:
    """Who is gone is named by the row only; whom nobody knows has no pseudonym."""
    _, hidden = _hidden(user=None, deletedUserId="ann", deletedUserDirectory="ACME")
    ann = _pseudonym("user\nacme\\ann")
    assert (hidden.user_id, hidden.user_name, hidden.row_state.deleted_user) == (ann, None, f"ACME\\{ann}")
    assert hidden.reason == (
        f"undetermined: held by nobody: its user ACME\\{ann} was deleted, and it is not in quarantine"
    )
    nobody, hidden = _hidden('keep "u" when user = "ACME\\ann"', user=None)
    assert (hidden.user_id, hidden.user_name, hidden.row_state) == (None, None, nobody.row_state)
    assert isinstance(hidden.facts["user"], Unknown)
    assert hidden.facts == nobody.facts
    nameless, hidden = _hidden(who=ANN | {"name": ""})
    assert (nameless.user_name, hidden.user_name) == (None, None)


def test_who_holds_the_key_finds_people_again() -> None:
    rows = [
        license_row(1),
        license_row(2, user=None, deletedUserId="gone", deletedUserDirectory="OLD"),
        license_row(3, user=None, deletedUserId="lost"),
        license_row(4, user=None),
    ]
    snapshot = snapshot_of(site_of([ANN, user(2, name="")], rows[:2], rows[2:]))
    assert PSEUDONYMS.people(snapshot) == {
        PSEUDONYMS.of_user("OLD\\gone"): ("gone", None),
        PSEUDONYMS.of_user("?\\lost"): ("lost", None),
        PSEUDONYMS.of_user("ACME\\ann"): ("ann", "Ann B."),
        PSEUDONYMS.of_user("ACME\\user2"): ("user2", None),
    }


def test_facts_behind_pseudonyms_are_unknown() -> None:
    decision, hidden = _hidden()
    assert not hides_facts(decision)
    assert hides_facts(hidden)
    assert known_facts(decision) == decision.facts
    unknown = Unknown("hidden behind a pseudonym")
    personal = ("user", "user.userId", "user.name", "user.attributes.mail")
    assert known_facts(hidden) == {**dict.fromkeys(personal, unknown), "user.tags": ("vip",)}
    _, unnamed = _hidden('keep "t" when user.tags = "none"\nrelease when true')
    assert not hides_facts(unnamed)
    assert known_facts(unnamed) == unnamed.facts
    _, nobody = _hidden(user=None)
    assert not hides_facts(nobody)


@pytest.mark.parametrize("user_id", ["p-0123456789abcdef0123x", "xp-0123456789abcdef0123", "p-0123456789ABCDEF0123"])
def test_a_user_id_like_a_pseudonym_is_none(user_id: str) -> None:
    decision, _ = _hidden(who=ANN | {"userId": user_id})
    assert not hides_facts(decision)


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
    name = field.name if field.key is None else f"{field.name}.{field.key}".replace("@.", "@")
    assert is_personal(name) is personal


def test_the_key_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_atomically(path, b"0123456789abcdef0123456789abcdef")
    assert load_pseudonyms(path).of_user("A\\b") == Pseudonyms(b"0123456789abcdef0123456789abcdef").of_user("A\\b")


@given(policies(), sites())
def test_no_verdict_changes(policy: Policy, site: dict[str, Any]) -> None:
    for decision in plan_of(policy, site).decisions:
        hidden = PSEUDONYMS.of_decision(decision)
        assert (hidden.verdict, hidden.because, hidden.rule_name) == (
            decision.verdict,
            decision.because,
            decision.rule_name,
        )
        assert [o.truth for o in hidden.outcomes] == [o.truth for o in decision.outcomes]
        assert hidden.facts.keys() == decision.facts.keys()
