"""Unknown never releases: every field, with its fact hidden in every way."""

from typing import Any

import pytest

from seatwarden.engine.decide.decision import Decision
from seatwarden.grammar.ast import (
    Boolean,
    Comparison,
    Condition,
    Field,
    Length,
    ListOf,
    Not,
    Or,
    Policy,
    Rule,
    Text,
    UnusedFor,
)
from seatwarden.policy.vocabulary import VOCABULARY, Type
from tests.engine.support import decide, license_row, site_of, user
from tests.strategies import WRONG

ABSENT = object()
SOURCES = {
    "user.name": "name",
    "user.roles": "roles",
    "user.tags": "tags",
    "user.@": "customProperties",
    "user.attributes": "attributes",
    "user.inactive": "inactive",
    "user.blocked": "blacklisted",
    "user.removedExternally": "removedExternally",
    "user.deleteProhibited": "deleteProhibited",
    "user.createdDate": "createdDate",
    "license.createdDate": "createdDate",
    "license.excess": "excess",
    "license.lastUsed": "lastUsed",
    "license.neverUsed": "lastUsed",
    "license.unusedDays": "lastUsed",
    "user.licenses": "quarantined",
    "user.lastUsed": "lastUsed",
    "user.unusedDays": "lastUsed",
}
"""The field in QRS that each of ours hangs on; the rest is always there."""
ALWAYS_THERE = {"user", "user.userDirectory", "user.userId", "license.type", "today", "month", "weekday"}
OF_NO_ROW = {"user.lastReleased", "license.available", "license.total", "license.takenBackBy"}
"""What no row of QRS says, but runs, or the site's overview and its license rules."""

OLD = "2026-01-01T00:00:00Z"
RELEASE = Rule("release", (), "all", None, Boolean(True))


def _site(field: str, hidden: object) -> dict[str, Any]:
    """One user with both licenses, all facts known but the hidden one; of a field about all licenses the other's."""
    rows = [license_row(1, OLD), license_row(1, OLD, id="other")]
    site = site_of([user(1)], rows[:1], rows[1:])
    row = site["users"][0] if field.startswith("user.") else rows[0]
    if field in ("user.licenses", "user.lastUsed", "user.unusedDays"):
        row = rows[1]
    if hidden is ABSENT:
        del row[SOURCES[field]]
    else:
        row[SOURCES[field]] = hidden
    return site


def _condition(field: str) -> Condition:
    """A condition that is false as long as the fact is known."""
    entry = VOCABULARY[field]
    named = Field(field, "x" if entry.keyed else None)
    if entry.type is Type.BOOLEAN:
        return named
    if entry.type is Type.TEXT:
        return Comparison("==", named, ListOf((Text("nothing"),)) if not entry.values else ListOf(()))
    return Comparison("=", named, ListOf(()))


def _one(policy: Policy, site: dict[str, Any]) -> Decision:
    (decision,) = (d for d in decide(policy, site) if d.license_type == "analyzer")
    return decision


def test_every_field_is_tried() -> None:
    assert SOURCES.keys() | ALWAYS_THERE | OF_NO_ROW == VOCABULARY.keys()


@pytest.mark.parametrize("field", sorted(OF_NO_ROW))
def test_what_no_row_says_is_unknown_in_rows_alone(field: str) -> None:
    policy = Policy((Rule("keep", (), "needed", None, _condition(field)), RELEASE))
    assert _one(policy, _site("user.name", "x")).guard == "undetermined"


WAYS = [
    (field, hidden)
    for field, key in SOURCES.items()
    for hidden in (ABSENT, None, *WRONG)
    # null is no value where there may be several, and an absent or null `lastUsed` is *never*
    if not (hidden is None and VOCABULARY[field].many and key != "quarantined")
    and not (hidden in (ABSENT, None) and key == "lastUsed")
]


@pytest.mark.parametrize(("field", "hidden"), WAYS, ids=lambda v: "absent" if v is ABSENT else str(v))
def test_a_keep_rule_that_may_match_keeps(field: str, hidden: object) -> None:
    known = {"name": "x", "inactive": False, "roles": [], "createdDate": OLD, "lastUsed": OLD, "quarantined": False}
    good = _site(field, known.get(SOURCES[field], False if VOCABULARY[field].type is Type.BOOLEAN else []))
    policy = Policy((Rule("keep", (), "needed", None, _condition(field)), RELEASE))
    assert _one(policy, good).verdict == "release"
    decision = _one(policy, _site(field, hidden))
    assert (decision.verdict, decision.guard) == ("keep", "undetermined")
    assert decision.reason.endswith('needed by keep "needed"')
    nested = Or((Not(Not(_condition(field))), UnusedFor(Length(9999, "days"))))
    assert _one(Policy((Rule("keep", (), None, None, nested), RELEASE)), _site(field, hidden)).verdict == "keep"


@pytest.mark.parametrize(("field", "hidden"), WAYS, ids=lambda v: "absent" if v is ABSENT else str(v))
def test_a_release_rule_that_may_match_does_not_release(field: str, hidden: object) -> None:
    for condition in (_condition(field), Not(_condition(field))):
        policy = Policy((Rule("release", (), "needed", None, condition),))
        decision = _one(policy, _site(field, hidden))
        assert (decision.verdict, decision.guard) == ("keep", "undetermined")


@pytest.mark.parametrize(("field", "hidden"), WAYS, ids=lambda v: "absent" if v is ABSENT else str(v))
def test_a_fact_that_no_rule_needs_may_be_hidden(field: str, hidden: object) -> None:
    assert _one(Policy((RELEASE,)), _site(field, hidden)).verdict == "release"
    protected = Policy(
        (Rule("keep", (), "first", None, Boolean(True)), Rule("keep", (), None, None, _condition(field)), RELEASE)
    )
    assert _one(protected, _site(field, hidden)).rule_name == "first"
