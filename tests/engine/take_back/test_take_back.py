"""What Qlik gives back by itself: said only where each way to read a rule says the same."""

from dataclasses import fields
from itertools import product
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.simulator.license_audit import Asked, AuditError, AuditReadings, audit, grants
from seatwarden.engine.snapshot.license_rules import NOT_THERE
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.engine.take_back.readings import RuleReading, readings_of
from seatwarden.engine.take_back.take_back import TakeBacks
from seatwarden.grammar.license_rule.parser import parse_license_rule
from tests.engine.simulator.test_license_audit import rule_row
from tests.engine.support import license_row, site_of, snapshot_of, user
from tests.profiles import examples
from tests.strategies import license_rules, sites

_CHOICES = get_type_hints(AuditReadings)
EVERY_READING = [
    AuditReadings(*chosen) for chosen in product(*(get_args(_CHOICES[f.name]) for f in fields(AuditReadings)))
]
ENVIRONMENTS: tuple[dict[str, str], ...] = ({}, {"os": "Windows", "name": "ann"})
"""What a log-in may bring along."""


def test_all_readings_are_there() -> None:
    assert len(EVERY_READING) == 32
    assert len(fields(RuleReading)) == len(fields(AuditReadings))


def audited(rule: str, row: dict[str, Any]) -> set[bool]:
    """What the simulated site says of a user, in each reading and each environment."""
    found = set()
    for reading, environment in product(EVERY_READING, ENVIRONMENTS):
        try:
            found.add(grants(rule, Asked(row, environment, environment), reading))
        except AuditError:
            found.add(False)  # a rule that cannot be evaluated gives nothing
    return found


def agrees(site: dict[str, Any], rules: list[str]) -> int:
    """Hold each decided answer against all readings of the simulated site; how many were decided."""
    rows = [rule_row(number, rule) for number, rule in enumerate(rules)]
    snapshot = snapshot_of({**site, "licenseRules": rows})
    take_backs, decided = TakeBacks(snapshot), 0
    for person, row in zip(snapshot.users, site["users"], strict=True):
        for rule, text in zip(take_backs.rules.rules, rules, strict=True):
            answer = take_backs.ask(rule, person)
            if answer.truth is None:
                assert answer.reason
                continue
            decided += 1
            assert audited(text, row) == {answer.truth}, (text, row)
    return decided


@given(sites(nasty=False), st.lists(license_rules(), min_size=1, max_size=3))
def test_a_decided_answer_is_that_of_every_reading(site: dict[str, Any], rules: list[str]) -> None:
    agrees(site, rules)


@pytest.mark.long
@examples(1_000)
@given(sites(nasty=False), st.lists(license_rules(), min_size=12, max_size=12))
def test_12_000_rules(site: dict[str, Any], rules: list[str]) -> None:
    agrees(site, rules)


@given(
    sites(nasty=False), st.lists(st.tuples(license_rules(), st.sampled_from(("Analyzer", "Professional"))), max_size=4)
)
def test_the_answer_of_all_rules_is_that_of_an_audit(site: dict[str, Any], rules: list[tuple[str, str]]) -> None:
    rows = [rule_row(number, rule, kind) for number, (rule, kind) in enumerate(rules)]
    take_backs = TakeBacks(snapshot_of({**site, "licenseRules": rows}))
    for row, kind in product(site["users"], ("analyzer", "professional")):
        found = take_backs.of(row["id"], kind)  # type: ignore[arg-type]
        own = [one for one in rows if kind in one["resourceFilter"].lower()]
        for reading in EVERY_READING:
            granted = {e["ruleID"] for e in audit(own, [row], {}, reading)["ruleApplication"] if e["allowed"]}
            if found.answer == "given back":
                assert granted
            elif found.answer == "not given back":
                assert not granted


@given(sites(), st.lists(license_rules(), max_size=2))
def test_no_site_breaks_it(site: dict[str, Any], rules: list[str]) -> None:
    snapshot = snapshot_of({**site, "licenseRules": [rule_row(n, rule) for n, rule in enumerate(rules)]})
    for one, kind in product(snapshot.users, ("analyzer", "professional")):
        assert TakeBacks(snapshot).of(one.id, kind).describe()  # type: ignore[arg-type]


def _attribute(name: str, value: str) -> dict[str, Any]:
    return {"attributeType": name, "attributeValue": value}


def _property(name: str, value: str) -> dict[str, Any]:
    return {"value": value, "definition": {"name": name}}


ADA = user(
    1,
    name="Ada Lovelace",
    userId="ada",
    userDirectory="CORP",
    roles=["RootAdmin", "AuditAdmin"],
    attributes=[_attribute("group", "Sales EU"), _attribute("email", "ada@example.com")],
    customProperties=[_property("Seat", "pro"), _property("Cost", "4711")],
)
BOB = user(
    2, attributes=[_attribute("Title", "Boss")], customProperties=[_property("Site", "A"), _property("site", "B")]
)

KINDS: tuple[tuple[str, str, bool | None], ...] = (
    ("user.userId", 'user.userId="ADA"', True),
    ("user.userDirectory", 'user.userdirectory="PARTNER"', False),
    ("user.name", 'user.name="ada lovelace"', True),
    ("user.roles", 'user.roles="RootAdmin"', True),
    ("user.group", 'user.group="Sales EU"', True),
    ("user.email", 'user.email="bob@example.com"', False),
    ("user.@property", 'user.@Seat="PRO"', True),
    ("user.tags", 'user.tags="vip"', None),
    ("user.environment", 'user.environment.ip="::1"', None),
    ("resource", 'resource.name="x"', None),
    ("a field that nobody has", 'user.country="SE"', None),
    ("=", '"Ada" = user.userId', True),
    ("==", 'user.userId=="Ada"', False),
    ("!= of one value", 'user.userDirectory!="PARTNER"', True),
    ("!= of several values", 'user.roles!="RootAdmin"', None),
    ("!==", 'user.userDirectory!=="corp"', True),
    ("like with a whole text", 'user.userDirectory like "corp"', True),
    ("like with *", 'user.name like "*"', True),
    ("like with a part", 'user.group like "Sales"', None),
    ("matches a whole text", 'user.name matches "[A-Z][a-z]+ L.*"', True),
    ("matches a part", 'user.name matches "Love"', None),
    ("and", 'user.userId="ada" and user.roles="ContentAdmin"', False),
    ("or", 'user.userId="ada" || user.country="SE"', True),
    ("and with or", 'user.userId="ada" or user.@Seat="pro" && user.roles="ContentAdmin"', None),
    ("!", '!(user.group like "QlikPro*")', True),
    (".IsAnonymous()", "user.IsAnonymous()", False),
    (".Empty()", "!user.@Seat.Empty()", True),
    ("another function", 'user.HasPrivilege("x")', None),
    ("a backslash", 'user.userDirectory="CORP\\EU"', False),
)
"""The kinds of condition: fields, operators, functions; each with a rule, and whether it holds for Ada."""


@pytest.mark.parametrize(("rule", "expected"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_each_kind_of_condition(rule: str, expected: bool | None) -> None:
    take_backs = TakeBacks(snapshot_of({**site_of([ADA, BOB]), "licenseRules": [rule_row(1, rule)]}))
    answer = take_backs.ask(take_backs.rules.rules[0], take_backs._snapshot.users[0])
    assert (answer.truth, answer.reason is None) == (expected, expected is not None)


def test_most_kinds_are_decided() -> None:
    assert len(KINDS) == len({kind for kind, _, _ in KINDS}) == 29
    assert sum(expected is not None for _, _, expected in KINDS) >= 18


def of(rules: list[dict[str, Any]], kind: Any = "analyzer", **site: Any) -> TakeBack:
    rows = site_of([ADA, BOB], [license_row(1)])
    return TakeBacks(snapshot_of({**rows, "licenseRules": rules, **site})).of("u1", kind)


CANNOT_SAY = "cannot say whether it is given back:"
ALL = rule_row(1, '((user.name like "*"))', name="Analyzer for all")
PRO = rule_row(2, '((user.@Seat="pro"))', "Professional", name="Pro")
NOBODY = rule_row(3, '((user.userId="nobody"))')
UNSURE = rule_row(4, '((user.environment.os="x"))', "Professional")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([ALL, NOBODY], "given again if they log in: analyzer, by rule `Analyzer for all`"),
        ([ALL, PRO], "given again if they log in: professional or analyzer, by rules `Analyzer for all`, `Pro`"),
        ([ALL, UNSURE], "given again if they log in: professional or analyzer, by rule `Analyzer for all`"),
        ([NOBODY], "not given back by a rule"),
        ([], "not given back by a rule"),
        ([{**ALL, "disabled": True}], "not given back by a rule"),
        (
            [NOBODY, PRO],
            "not given back by a rule; a license of the other type is given if they log in, by rule `Pro`",
        ),
        (
            [NOBODY, {**UNSURE, "resourceFilter": "*"}],
            "cannot say whether it is given back: rule `rule 4`: `user.environment.os` is known at log-in only",
        ),
        (
            [{**ALL, "resourceFilter": "*"}],
            "cannot say whether it is given back: rule `Analyzer for all`: what `*` gives is not documented",
        ),
        (
            [{**ALL, "rule": "("}],
            f"{CANNOT_SAY} rule `Analyzer for all`: it cannot be read: 1:1: this `(` is not closed",
        ),
        ("none", "cannot say whether it is given back: the license rules of the snapshot are no list"),
    ],
)
def test_what_is_said(rules: Any, said: str) -> None:
    assert of(rules).describe() == said


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (
            'user.@Site="A"',
            "whether capitals count in `user.@Site` is not documented: the site has `user.@Site`, `user.@site`",
        ),
        ('user.title="x"', "whether capitals count in `user.title` is not documented: the site has `user.Title`"),
        ('user.grp="x"', "nobody at the site has `user.grp`"),
        ('user.group like "Sales"', "whether `like` takes a pattern or a regular expression is not documented"),
        ('user.roles != "RootAdmin"', "what `!=` means for none or several values is not documented"),
        ('user.name matches "Ada"', "whether `matches` must match the whole text is not documented"),
        ('user.name like "*\\a*"', "whether a backslash in a text escapes what follows is not documented"),
        ("true or true and false", "which of `and` and `or` comes first is not documented: parentheses would say it"),
        ("(user.level > 3) or true", "what `>` compares is not documented"),
        (
            'user.name matches "(?i)ada.*"',
            "what the regular expression `(?i)ada.*` matches is not certain: a group that begins with `?`",
        ),
        ("user.name = 5", "what `5` without quotes means is not documented"),
    ],
)
def test_why_nobody_can_say(rule: str, reason: str) -> None:
    assert of([{**ALL, "rule": rule}]).reason == f"rule `Analyzer for all`: {reason}"


def test_what_a_snapshot_does_not_have() -> None:
    rows = site_of([ADA], [license_row(1)])
    assert TakeBacks(snapshot_of(rows)).of("u1", "analyzer").reason == NOT_THERE
    unknown = TakeBacks(snapshot_of({**rows, "licenseRules": [ALL]}))
    assert unknown.of("u7", "analyzer").reason == "the user is not in the snapshot"
    doubled = TakeBacks(snapshot_of({**rows, "users": [ADA, ADA], "licenseRules": [ALL]}))
    assert doubled.of("u1", "analyzer").reason == "the snapshot has several users of this id"


def test_who_keeps_another_license_may_be_given_none() -> None:
    both = site_of([ADA], [license_row(1)], [license_row(1, id="p1")])
    snapshot = snapshot_of({**both, "licenseRules": [ALL]})
    found = TakeBacks(snapshot).of("u1", "analyzer")
    assert (found.answer, found.reason) == ("cannot say", "another license is left: professional")
    both["licenses"]["professional"][0]["quarantined"] = True
    assert TakeBacks(snapshot_of({**both, "licenseRules": [ALL]})).of("u1", "analyzer").answer == "given back"
    del both["licenses"]["professional"]
    assert TakeBacks(snapshot_of({**both, "licenseRules": [ALL]})).of("u1", "analyzer").answer == "cannot say"


def test_only_open_questions_are_asked() -> None:
    assert len(readings_of(parse_license_rule('user.name="a" and (user.name="b" or user.name="c")'))) == 1
    every = 'user.name like "a" or user.name matches "b" and user.name != "c\\d"'
    assert len(readings_of(parse_license_rule(every))) == 32
