"""What is odd about the license rules of a site."""

from typing import Any

import pytest

from seatwarden.engine.analysis.rule_lint import license_rule_warnings
from tests.engine.simulator.test_license_audit import rule_row
from tests.engine.support import license_row, site_of, snapshot_of, user


def _warnings(*rules: dict[str, Any]) -> list[str]:
    people = [user(1, userId="ann", userDirectory="CORP"), user(2, userId="bob", userDirectory="CORP")]
    for person in people:
        person["attributes"] = [{"attributeType": "group", "attributeValue": "Sales"}]
        person["customProperties"] = [{"value": "x", "definition": {"name": "Department"}}]
    return license_rule_warnings(snapshot_of({**site_of(people, [license_row(1)]), "licenseRules": list(rules)}))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ('((user.gruop="Sales"))', "nobody at the site has `user.gruop`; did you mean `user.group`?"),
        ('((user.@Departmnt="x"))', "nobody at the site has `user.@Departmnt`; did you mean `user.@Department`?"),
        ('((user.usrId="ann"))', "nobody at the site has `user.usrId`; did you mean `user.userId`?"),
        ('((user.Group="x"))', "whether capitals count in `user.Group` is not documented: the site has `user.group`"),
    ],
)
def test_a_name_that_nobody_has(condition: str, said: str) -> None:
    assert _warnings(rule_row(1, condition, name="Sales")) == [f"license rule `Sales`: {said}"]


def test_a_rule_that_matches_nobody() -> None:
    assert _warnings(rule_row(1, '((user.group="IT"))', name="IT")) == ["license rule `IT` matches nobody at the site"]
    assert _warnings(rule_row(1, '((user.group="Sales"))'), rule_row(2, '((user.environment.os="x"))')) == []
    assert _warnings(rule_row(1, '((user.group="IT"))', disabled=True)) == []


def test_a_rule_that_cannot_be_read() -> None:
    (said,) = _warnings(rule_row(1, '((user.group="Sales"', name="cut off"))
    assert said.startswith("license rule `cut off` cannot be read: ")
    (part,) = _warnings(rule_row(1, '((user.group="Sales") or (foo bar))', name="odd"))
    assert part.startswith("a part of license rule `odd` is not understood: ")


def test_both_types_for_one_person() -> None:
    """Said once for all whom the same rules give them."""
    everybody = rule_row(1, '((user.group="Sales"))', name="All")
    rules = "(professional by rule `Ann`, analyzer by rule `All`)"
    assert _warnings(everybody, rule_row(2, '((user.userId="ann"))', "Professional", name="Ann")) == [
        f"CORP\\ann is given both types by license rules {rules}: which one they get is not documented"
    ]
    (said,) = _warnings(everybody, rule_row(2, '((user.userDirectory="CORP"))', "Professional", name="Corp"))
    assert said.startswith("2 users, such as CORP\\ann, are given both types")
    assert _warnings(everybody, rule_row(2, '((user.environment.os="x"))', "Professional")) == []
