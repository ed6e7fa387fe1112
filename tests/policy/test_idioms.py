"""What people bring along from Qlik's license rules: the help leads to what was meant."""

import re

import pytest

from seatwarden.grammar.ast import Not
from seatwarden.grammar.parser import in_file, parse_condition
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text

_EMPTY = [
    ("user.@Department.Empty()", "user.@Department"),
    ("user.@Department.empty( )", "user.@Department"),
    ("!user.@Department.IsEmpty()", "user.@Department"),
    ('user.@"Odd name".Empty()', 'user.@"Odd name"'),
    ("user.tags.Empty()", "user.tags"),
    ("(user.roles is empty)", "user.roles"),
    ("user.attributes.group is not null", "user.attributes.group"),
    ("user.inactive and user.tags is null", "user.tags"),
    ("user.tags empty", "user.tags"),
    ("user.tags = null", "user.@Department"),
    ("license.lastUsed is empty", "user.@Department"),
]


def _help(text: str) -> str | None:
    with pytest.raises(PolicyError) as caught:
        check_text(text, "p")
    return caught.value.diagnostics[0].help


@pytest.mark.parametrize(("condition", "field"), _EMPTY)
def test_no_value(condition: str, field: str) -> None:
    """What the help suggests can be read, and says that there is no value, and that there is one."""
    help_ = _help(f"keep when {condition}")
    assert help_ == f'no value is written `not {field} like "*"`, any value `{field} like "*"`'
    none, any_ = (parse_condition(said, in_file("p")) for said in re.findall("`(.*?)`", help_))
    assert none == Not(any_)
    check_text(f'keep when not {field} like "*"', "p")


@pytest.mark.parametrize("condition", ["((user.tags = 'x') and user.inactive)", "user.tags = 'x'", "!(user.inactive)"])
def test_a_condition_alone(condition: str) -> None:
    assert _help(condition) == "a condition stands in a rule: put `keep when` or `release when` before it"
    check_text(f"keep when {condition}", "p")


def test_functions_and_resources() -> None:
    assert _help("keep when user.IsAnonymous()") == (
        "there are no functions here: leave `IsAnonymous(` out, and compare with `=` or `like`"
    )
    assert _help('keep when resource.name = "x"') == "leave out what is asked of the resource"


@pytest.mark.parametrize("text", ["neverRelease user", "keep when ((user.inactive)))", "release (analyzer)"])
def test_other_slips_are_not_taken_for_these(text: str) -> None:
    assert "keep when" not in str(_help(text))
