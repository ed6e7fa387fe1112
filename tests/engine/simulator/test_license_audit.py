"""License rules of the simulated QRS: read with honest filters, and audited in each way that a site may read them."""

from dataclasses import replace
from typing import Any

import pytest

from seatwarden.engine.simulator.license_audit import Asked, AuditError, AuditReadings, grants
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.simulator.simulated import SITE, Client, connect

RULES = "/qrs/systemrule/full"
AUDIT = "/qrs/systemrule/license/audit"
USUAL = AuditReadings()


def rule_row(number: int, condition: str, kind: str = "Analyzer", **facts: Any) -> dict[str, Any]:
    return {
        "id": f"22222222-0000-4000-8000-{number:012}",
        "category": "License",
        "name": f"rule {number}",
        "rule": condition,
        "resourceFilter": f"License.{kind}AccessGroup_33333333-0000-4000-8000-{number:012}",
        "actions": 1,
        "disabled": False,
        **facts,
    }


class TestReading:
    def test_a_filter_selects_license_rules(self) -> None:
        rule = rule_row(1, '((user.name like "*"))')
        with SimulatedQrs({**SITE, "licenseRules": [rule]}) as qrs, connect() as session:
            client = Client(qrs.url, session)
            assert client.select(RULES, "category eq 'License'") == [rule]
            assert len(client.get(RULES)) == 2, "every site has rules of security too"
            assert client.get("/qrs/systemrule/count") == {"value": 2}
            assert client.get(f"/qrs/systemrule/{rule['id']}") == rule
            assert client.select("/qrs/systemrule", "name eq 'RULE 1'")[0]["rule"] == rule["rule"]

    def test_who_may_read_no_rule_is_answered_as_if_there_were_none(self) -> None:
        with SimulatedQrs({**SITE, "licenseRules": None}) as qrs, connect() as session:
            client = Client(qrs.url, session)
            assert client.get(RULES) == []
            assert client.get("/qrs/systemrule/count") == {"value": 0}


class TestAudit:
    def audited(self, rules: list[dict[str, Any]], readings: AuditReadings = USUAL, **sent: Any) -> Any:
        with SimulatedQrs({**SITE, "licenseRules": rules}) as qrs, connect() as session:
            qrs.read_rules_so(readings)
            answer = Client(qrs.url, session).send(AUDIT, "POST", sent)
            return answer.json() if answer.status_code == 201 else answer.status_code

    def test_who_is_given_what(self) -> None:
        found = self.audited([rule_row(1, '((user.userDirectory="corp"))')], userFilter="userId ne 'user5'")
        assert [entry["userID"][-1] for entry in found["ruleApplication"]] == ["1", "3"]
        assert len(found["users"]) == 5
        assert [rule["name"] for rule in found["rules"].values()] == ["rule 1"]

    def test_a_disabled_rule_is_evaluated_too(self) -> None:
        found = self.audited([rule_row(1, "", disabled=True)])
        assert len(found["ruleApplication"]) == 6
        assert next(iter(found["rules"].values()))["disabled"] is True

    def test_what_grants_nothing_is_told_to_who_asks_for_it(self) -> None:
        rules = [rule_row(1, '((user.name="nobody"))')]
        assert self.audited(rules)["ruleApplication"] == []
        found = self.audited(rules, includeNonGrantingRules=True, userTake=2, userSkip=1)["ruleApplication"]
        assert [(entry["userID"][-1], entry["allowed"]) for entry in found] == [("2", False), ("3", False)]

    def test_an_environment_is_what_was_sent(self) -> None:
        rules = [rule_row(1, '((user.environment.os="Windows"))')]
        assert self.audited(rules)["ruleApplication"] == []
        assert len(self.audited(rules, environmentAttributes="OS=windows;IP=::1")["ruleApplication"]) == 6

    def test_a_rule_that_cannot_be_parsed_says_where(self) -> None:
        found = self.audited([rule_row(1, "((user.name=))")], userTake=1)["ruleApplication"][0]
        assert (found["allowed"], found["evaluationState"], found["errorAt"]) == (False, 1, 12)

    def test_the_readings_are_those_of_the_site(self) -> None:
        rules = [rule_row(1, '((user.name like "J*r*") or (user.name="x") and (user.name="y"))')]
        assert len(self.audited(rules)["ruleApplication"]) == 6
        assert self.audited(rules, replace(USUAL, joins="left to right"))["ruleApplication"] == []

    def test_nonsense_is_a_bad_request(self) -> None:
        assert self.audited([], userFilter="userId like 'x'") == 400
        assert self.audited([], userTake="many") == 400


ADA = {
    "userId": "ada",
    "userDirectory": "CORP",
    "name": "Ada",
    "roles": ["RootAdmin", "AuditAdmin"],
    "customProperties": [{"value": "x\\y", "definition": {"name": "Dept"}}],
    "attributes": [{"attributeType": "group", "attributeValue": "Sales EU"}],
}


@pytest.mark.parametrize(
    ("condition", "usual", "otherwise"),
    [
        ('user.name="ADA" or user.name="x" and user.name="y"', True, ("joins", "left to right", False)),
        ('user.@Dept="x\\\\y"', False, ("backslash", "escape", True)),
        ('user.roles!="RootAdmin"', False, ("unequal", "any", True)),
        ('user.group like "Sales"', False, ("like", "regex", True)),
        ('user.group like "sales*"', True, ("like", "regex", True)),
        ('user.name like "*"', True, ("like", "regex", True)),
        ('user.group matches "Sales"', False, ("matches", "anywhere", True)),
        ('!(user.group matches ".*sales.*")', True, ("matches", "anywhere", True)),
        ("user.email.Empty()", True, ("unequal", "any", True)),
        ("!user.IsAnonymous() && !(user.group.Empty())", True, ("unequal", "any", True)),
        ('user.name=="ada" || user.userid == "ada"', True, ("unequal", "any", True)),
    ],
)
def test_each_reading_is_another(condition: str, usual: bool, otherwise: tuple[str, Any, bool]) -> None:
    name, value, answer = otherwise
    assert grants(condition, Asked(ADA), USUAL) is usual
    other: Any = {name: value}
    assert grants(condition, Asked(ADA), replace(USUAL, **other)) is answer


@pytest.mark.parametrize("condition", ["(", "user.name", 'user.name ~ "x"', "x.Foo()", 'user.name matches "["', '"a"='])
def test_what_cannot_be_read_is_an_error(condition: str) -> None:
    with pytest.raises(AuditError):
        grants(condition, Asked(ADA), USUAL)
