"""Text to tree to text: the printer and the parser are each other's inverse."""

from pathlib import Path

import pytest
from hypothesis import example, given

from seatwarden.grammar.ast import Condition, Field, Limit, Policy, Rule, Text
from seatwarden.grammar.parser import in_file, parse_condition, parse_limit, parse_policy
from seatwarden.grammar.printer import print_condition, print_limit, print_policy
from tests.cases import read_cases
from tests.strategies import any_conditions, any_policies, limits, policies

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(("source", "canonical"), read_cases(FIXTURES, "*.policy"))
def test_canonical_text(source: str, canonical: str) -> None:
    policy = parse_policy(source, "p")
    text = canonical + "\n" if canonical else ""
    assert print_policy(policy) == text
    assert parse_policy(text, "p") == policy


@given(any_policies())
@example(Policy((Rule("keep", (), '"', None, Text("''")),)))
@example(Policy((Rule("keep", (), None, None, Field("user.@", "a.b")),)))
@example(Policy((Rule("keep", (), None, None, Field("user.attributes", "")),)))
def test_every_tree_survives_its_text(policy: Policy) -> None:
    text = print_policy(policy)
    assert parse_policy(text, "p") == policy
    assert print_policy(parse_policy(text, "p")) == text


@given(policies())
def test_every_meaningful_tree_survives_on_windows_too(policy: Policy) -> None:
    text = print_policy(policy)
    assert parse_policy(text.replace("\n", "\r\n"), "p") == policy


@given(any_conditions())
def test_conditions_alone(condition: Condition) -> None:
    text = print_condition(condition)
    assert "\n" not in text
    assert parse_condition(text, in_file("p")) == condition


@given(limits)
def test_limits_alone(limit: Limit) -> None:
    assert parse_limit(print_limit(limit), in_file("p")) == limit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("50 per run", Limit(50, None)),
        ("50", Limit(50, None)),
        ("10%", Limit(None, 10)),
        ("10 % of Analyzer", Limit(None, 10, "analyzer")),
        ("5 of professional, longest unused first", Limit(5, None, "professional", True)),
    ],
)
def test_limits_in_yaml_may_be_short(text: str, limit: Limit) -> None:
    assert parse_limit(text, in_file("p")) == limit
