"""The license rules of a snapshot: which there are, for which type, and what of them can be read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from seatwarden.engine.snapshot.license_rules import NO_LIST, NOT_THERE, LicenseRules, read_license_rules
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.grammar.license_rule.ast import RuleTruth
from seatwarden.policy.errors import InputError
from tests.engine.simulator.test_license_audit import rule_row
from tests.strategies import as_json


def read(*rows: object) -> LicenseRules:
    return read_license_rules(Raw(json.dumps(rows).encode()))


SHAPES: tuple[tuple[str, str | None], ...] = (
    ('((user.roles="RootAdmin"))', None),
    ('((user.name like "*"))', None),
    ('(!(user.group like "Qlik_Professional"))', None),
    ('((user.group="QlikPro" or user.group="QlikDev"))', None),
    ('((user.userDirectory="CORP" and user.@Seat="pro"))', None),
    ('((user.email like "*@example.com"))', None),
    ('((user.userid="jdoe"))', None),
    ('((user.userDirectory="CORP") and !(user.userId like "svc_*"))', None),
    ('((user.environment.group="Analysts"))', None),
    ('((user.environment.ip like "10.*"))', None),
    ('((resource.resourcetype="License.AnalyzerAccessGroup"))', None),
    ("(!user.IsAnonymous())", None),
    ('((user.name matches "^[A-Z][a-z]+ .*$"))', None),
    ("(!(user.@Seat.Empty()))", None),
    ('user.roles = "ContentAdmin" || user.roles = "DeploymentAdmin" && user.userDirectory != "EXT"', None),
    ('((user.group like "Qlik*") and ((user.country="SE" or user.country="NO")))', None),
    ('((user.userDirectory!="INTERNAL"))', None),
    ("", None),
    ('((user.level >= 3) or (user.group="Gold"))', None),
    ('((user.group="Gold") and (user.office in {"A1"}))', None),
    ("((user.group=“Gold”))", "1:14: unexpected `“`"),
    ('((user.group="Gold") or user.group="Silver"', "1:1: this `(` is not closed"),
)


def test_there_are_22_rules_of_the_shapes_that_sites_have() -> None:
    assert len(SHAPES) == 22


@pytest.mark.parametrize(("condition", "problem"), SHAPES)
def test_a_rule_is_read_or_says_what_stops_it(condition: str, problem: str | None) -> None:
    (rule,) = read(rule_row(1, condition)).rules
    assert (rule.name, rule.gives, rule.problem, rule.doubt) == ("rule 1", ("analyzer",), problem, None)
    assert (rule.condition is None) == (problem is not None)


def test_which_rules_there_are() -> None:
    rules = read(
        rule_row(1, "", "Professional"),
        rule_row(2, ""),
        rule_row(3, "", disabled=True),
        rule_row(4, "", "User"),
        rule_row(5, "", resourceFilter="License.LoginAccessType_4711"),
        rule_row(6, "", category="Security"),
        rule_row(7, "", resourceFilter="License.ProfessionalAccessGroup_1, License.AnalyzerAccessGroup_2"),
    )
    assert [(rule.name, rule.gives) for rule in rules.rules] == [
        ("rule 1", ("professional",)),
        ("rule 2", ("analyzer",)),
        ("rule 7", ("professional", "analyzer")),
    ]
    assert (rules.disabled, rules.others, rules.missing) == (("rule 3",), ("rule 4", "rule 5", "rule 6"), None)
    assert [rule.name for rule in rules.giving("professional")] == ["rule 1", "rule 7"]
    assert rules.rules[0].condition == RuleTruth(True)


@pytest.mark.parametrize(
    ("facts", "doubt"),
    [
        ({"resourceFilter": "*"}, "what `*` gives is not documented"),
        ({"resourceFilter": None}, "it has no resource filter"),
        ({"disabled": None}, "whether it is disabled is not known"),
        ({"ruleContext": "QlikSenseManagementConsole"}, "it does not hold in the hub"),
        ({"ruleContext": []}, "it does not hold in the hub"),
        ({"actions": 0}, "it has no action"),
    ],
)
def test_what_may_give_nothing(facts: dict[str, Any], doubt: str) -> None:
    (rule,) = read(rule_row(1, "", **facts)).rules
    assert rule.doubt == doubt


@pytest.mark.parametrize("row", [5, None, [], "rule", {"resourceFilter": 3, "rule": None}])
def test_what_is_no_rule_may_give_anything(row: object) -> None:
    (rule,) = read(row).rules
    assert (rule.gives, rule.condition) == (("professional", "analyzer"), None)
    assert rule.problem


NOT_SENT = "it is not as QRS sends rules"


def test_a_key_that_stands_twice_leaves_nothing_certain() -> None:
    raw = b'[{"name": "x", "rule": "", "disabled": true, "disabled": false}, {"name": "y", "disabled": true}]'
    rules = read_license_rules(Raw(raw))
    assert [rule.problem for rule in rules.rules] == [NOT_SENT]
    assert rules.disabled == ("y",)


def test_half_a_character_costs_one_rule() -> None:
    site = {**SITE, "licenseRules": [rule_row(1, "", comment="\ud800"), rule_row(2, "")]}
    rules = read_license_rules(decode_snapshot(json.dumps(site).encode(), "it").license_rules)
    assert [(rule.name, rule.problem) for rule in rules.rules] == [("license rule 1", NOT_SENT), ("rule 2", None)]


def test_where_there_are_none() -> None:
    assert read_license_rules(UNSET).missing == NOT_THERE
    assert read_license_rules(Raw(b"null")).missing == NOT_THERE, "as a history has it, where they named somebody"
    for raw in (b"5", b'{"a": 1}', b'"rules"'):
        assert read_license_rules(Raw(raw)).missing == NO_LIST
    assert read() == LicenseRules()


SITE: dict[str, Any] = {"users": [{"id": "1", "userId": "a", "userDirectory": "B"}], "licenses": {"analyzer": []}}
_plain = st.none() | st.booleans() | st.integers() | st.text()
_json = st.recursive(_plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
_rows = st.fixed_dictionaries(dict.fromkeys(("name", "rule", "resourceFilter", "disabled", "actions"), _json))


@given(_json | st.lists(_rows, max_size=2))
def test_no_rules_break_a_snapshot(rules: object) -> None:
    for spoiled in ([], [{"id": "2", "userId": 5}]):
        site = {**SITE, "users": SITE["users"] + spoiled, "licenseRules": rules}
        snapshot = decode_snapshot(as_json(site), "it")
        found = read_license_rules(snapshot.license_rules)
        assert found.missing == (None if isinstance(rules, list) else NOT_THERE if rules is None else NO_LIST)
        assert len(snapshot.users) == 1


def test_rules_that_stand_twice_are_refused() -> None:
    data = as_json(SITE)[:-1] + b', "licenseRules": [], "licenseRules": [1]}'
    with pytest.raises(InputError, match="has `licenseRules` twice"):
        decode_snapshot(data, "it")
