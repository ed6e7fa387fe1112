"""Conditions of license rules: what is read, what is one part that is not, and what stops the reading of all."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.grammar.license_rule.ast import (
    NotUnderstood,
    RuleCall,
    RuleChain,
    RuleNot,
    RulePart,
    RuleProperty,
    RuleTest,
    RuleText,
    RuleTruth,
    Unquoted,
    leaves,
)
from seatwarden.grammar.license_rule.parser import MAX_NESTING, MAX_RULE, LicenseRuleError, parse_license_rule
from tests.strategies import license_rules

GROUP = RuleTest("=", RuleProperty("user.group"), RuleText("Sales"))
YES = RuleTruth(True)
BOTH = RuleChain((GROUP, YES), ("and",))
NAMED = RuleTest("like", RuleProperty("user.name"), RuleText("a*"))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('((user.group="Sales"))', GROUP),
        ('user.group\n = "Sales"', GROUP),
        ('!(user.name LIKE "a*")', RuleNot(NAMED)),
        ('user.group="Sales" and user.name like "a*" || true', RuleChain((GROUP, NAMED, YES), ("and", "or"))),
        ('(user.group="Sales" && TRUE) OR user.name like "a*"', RuleChain((BOTH, NAMED), ("or",))),
        ("!!true", RuleNot(RuleNot(YES))),
        ("!user.IsAnonymous()", RuleNot(RuleCall("user", "IsAnonymous", False))),
        ("user.@Odd-Name.Empty()", RuleCall("user.@Odd-Name", "Empty", False)),
        ('user.HasPrivilege("read")', RuleCall("user", "HasPrivilege", True)),
        ("resource.name != user.name", RuleTest("!=", RuleProperty("resource.name"), RuleProperty("user.name"))),
        ('user.name matches "^(a|b)\\\\w"', RuleTest("matches", RuleProperty("user.name"), RuleText("^(a|b)\\\\w"))),
        ('"Sales" == user.group', RuleTest("==", RuleText("Sales"), RuleProperty("user.group"))),
        ("user.x !== 5", RuleTest("!==", RuleProperty("user.x"), Unquoted("5"))),
        ('user.name = "and ( or ) \'"', RuleTest("=", RuleProperty("user.name"), RuleText("and ( or ) '"))),
        (" \n", RuleTruth(True)),
    ],
)  # fmt: skip
def test_read(text: str, tree: RulePart) -> None:
    assert parse_license_rule(text) == tree


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(user.group in [1, 2])", "1:37: unexpected `in`"),
        ("(user.name = )", "1:38: unexpected `)`"),
        ("((user.name) (user.name))", "1:38: unexpected `(`"),
        ("(user.name likes 5)", "1:36: unexpected `likes`"),
        ("user.level >= 5", "what `>=` compares is not documented"),
        ("user.inactive", "`user.inactive` is compared with nothing"),
        ("!user.inactive", "`user.inactive` is compared with nothing"),
        ('!user.name = "a"', "`!` stands before a comparison without parentheses"),
    ],
)
def test_one_part_is_not_understood(text: str, reason: str) -> None:
    part = parse_license_rule(f'(user.group="Sales") or {text}')
    assert part == RuleChain((GROUP, NotUnderstood(reason)), ("or",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('((user.name like "a*")', "1:1: this `(` is not closed"),
        ('(user.name like "a*"))', "1:22: this `)` closes nothing"),
        ('user.name =\n"a', "2:1: a text begins here and does not end"),
        ('user.name = "a" and', "1:20: the rule is unfinished"),
        ('(user.name contains "a")', "1:12: unexpected `contains`"),
        ('user.name = "a"\n  user.name = "b"', "2:3: unexpected `user.name`"),
        ("(user.name = 'a') or (user.name = \"b\")", "1:14: unexpected `'`"),
        ("user.name = \u201ca\u201d", "1:13: unexpected `\u201c`"),
        ('user.name = "a\\"b"', "1:15: whether a text ends at a quote behind a backslash is not documented"),
        ("user.name = \x00", "1:13: a control character"),
        ("(" * (MAX_NESTING + 1) + ")" * (MAX_NESTING + 1), "1:101: the rule is nested more than 100 levels deep"),
        ("!" * 101 + "true", "1:101: the rule is nested more than 100 levels deep"),
        ("a" * (MAX_RULE + 1), "1:20001: the rule is too long: 20,000 characters are read"),
        ("()", "1:2: unexpected `)`"),
        ("(%) and (&)", "1:2: unexpected `%`"),
    ],
)
def test_what_stops_the_reading(text: str, problem: str) -> None:
    with pytest.raises(LicenseRuleError) as stopped:
        parse_license_rule(text)
    assert stopped.value.message == problem
    assert problem.startswith(f"{stopped.value.line}:{stopped.value.column}: ")


def test_a_backslash_that_is_escaped_itself_ends_no_text() -> None:
    assert parse_license_rule('user.name = "a\\\\"') == RuleTest("=", RuleProperty("user.name"), RuleText("a\\\\"))


def test_as_deep_as_is_read() -> None:
    deep = "(" * MAX_NESTING + "true" + ")" * MAX_NESTING
    assert parse_license_rule(deep) == RuleTruth(True)
    assert parse_license_rule("!" * MAX_NESTING + "true")


PIECES = st.sampled_from([*"()!\"'=\\. ", "and", "user", "like"])


@given(st.text() | license_rules() | st.lists(PIECES).map("".join))
def test_any_text_is_a_rule_or_says_what_stops_it(text: str) -> None:
    with suppress(LicenseRuleError):
        assert list(leaves(parse_license_rule(text)))
