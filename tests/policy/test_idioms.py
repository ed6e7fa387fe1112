"""What people bring along from Qlik's license rules: the help leads to what was meant."""

import re
from pathlib import Path

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
    ("(user.roles isEmpty)", "user.roles"),
    ('user.roles is ""', "user.roles"),
    ("user.roles is []", "user.roles"),
    ("user.attributes.group is not null", "user.attributes.group"),
    ("user.inactive and user.tags is null", "user.tags"),
    ("user.tags empty", "user.tags"),
    ("user.tags = null", "user.tags"),
    ("user.inactive = null", "user.@Department"),
    ("license.lastUsed is null", "license.lastUsed"),
    ("license.createdDate = null", "user.@Department"),
]


def _help(text: str) -> str | None:
    with pytest.raises(PolicyError) as caught:
        check_text(text, "p")
    return caught.value.diagnostics[0].help


@pytest.mark.parametrize(("condition", "field"), _EMPTY)
def test_no_value(condition: str, field: str) -> None:
    """What the help suggests can be read, and says that there is no value, and that there is one."""
    help_ = _help(f"keep when {condition}")
    assert help_ == f"no value is written `{field} is empty`, any value `{field} is not empty`"
    none, any_ = (parse_condition(said, in_file("p")) for said in re.findall("`(.*?)`", help_))
    assert any_ == Not(none)
    check_text(f"keep when {field} is empty", "p")


@pytest.mark.parametrize(
    ("condition", "start"),
    [
        ("user.inactive is true", "a field that is true or false stands alone"),
        ("user.inactive is not false", "a field that is true or false stands alone"),
        ('user.tags is "vip"', "write `=`"),
        ("user.tags is not vip", "write `!=`"),
    ],
)
def test_what_other_languages_write_behind_is(condition: str, start: str) -> None:
    assert (_help(f"keep when {condition}") or "").startswith(start)


def test_is_empty_asks_for_what_may_be_missing() -> None:
    for field in ("user.inactive", "license.unusedDays", "user.createdDate", "today"):
        assert _help(f"keep when {field} is empty") is not None
    for field in ("user.name", "user.licenses", "user.lastUsed", "license.lastUsed", "user.attributes.email"):
        check_text(f"keep when {field} is empty", "p")


@pytest.mark.parametrize("condition", ["((user.tags = 'x') and user.inactive)", "user.tags = 'x'", "!(user.inactive)"])
def test_a_condition_alone(condition: str) -> None:
    assert _help(condition) == "a condition stands in a rule: put `keep when` or `release when` before it"
    check_text(f"keep when {condition}", "p")


@pytest.mark.parametrize(
    ("field", "sample", "line", "kind"),
    [("today", "2026-07-01", "2026-12-24", "dates"), ("license.unusedDays", "12", "45", "numbers")],
)
def test_a_list_from_a_file_is_text_unless_it_says_otherwise(
    tmp_path: Path, field: str, sample: str, line: str, kind: str
) -> None:
    (tmp_path / "days.txt").write_text(f"{line}\n")
    with pytest.raises(PolicyError) as caught:
        check_text(f'set listed from "days.txt" keep when {field} = listed', "p", tmp_path)
    help_ = str(caught.value.diagnostics[0].help)
    given = f"give the values without quotes, as in `let listed = [{sample}]`"
    assert help_ == f"{given}; in a file: set listed from … as {kind}"
    check_text(f"let listed = [{sample}] keep when {field} = listed", "p")
    check_text(f'set listed from "days.txt" as {kind} keep when {field} = listed', "p", tmp_path)


def test_functions_and_resources() -> None:
    assert _help("keep when user.IsAnonymous()") == (
        'there are no functions here; a condition compares a field, like `user.tags = "vip"`'
    )
    assert _help('keep when resource.name = "x"') == "leave out what is asked of the resource"
    assert str(_help("keep when app.owner = user")).startswith("let a task of yours tag who owns apps, ")


@pytest.mark.parametrize("text", ["forgetUser x", "keep when ((user.inactive)))", "release (analyzer)"])
def test_other_slips_are_not_taken_for_these(text: str) -> None:
    assert "keep when" not in str(_help(text))
