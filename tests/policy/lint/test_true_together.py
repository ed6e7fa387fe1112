"""What lint advises on a policy is true together: with all of it followed at once, every verdict stays."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.reference import evaluate_rule
from seatwarden.grammar.ast import LICENSE_TYPES, And, Condition, Not, Or, Policy, Rule
from seatwarden.grammar.printer import print_policy
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import CheckedPolicy, check_text
from tests.policy.lint.support import TODAY
from tests.profiles import examples
from tests.strategies import policies
from tests.world_strategies import KnownFacts, known_facts

_RULES = {"SW301", "SW305", "SW306", "SW308", "SW310"}
"""Advice to remove a rule; SW303 and SW304 advise to remove a part of one."""

_PARTS = (
    "unused for 30 days", "unused for 60 days", "user.inactive", "user.blocked", 'user.tags = "a"', "not user.inactive",
    "never used", 'user.tags = ["a", "Keep Me"]', "month = 1", "month = [1, 2]", "license.unusedDays < 30",
)  # fmt: skip
"""Few parts, so that many of them say the same, exclude each other or follow from each other."""


def _joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(parts, min_size=2, max_size=3)
    return st.builds(lambda word, each: f"({f' {word} '.join(each)})", st.sampled_from(["and", "or"]), several)


_conditions = st.recursive(st.sampled_from(_PARTS), _joined, max_leaves=8)
_rules = st.builds(
    lambda head, when: f"{head} when {when}", st.sampled_from(["keep", "release", "downgrade"]), _conditions
)
_entangled = st.lists(_rules, min_size=1, max_size=6).map(lambda rules: check_text("\n".join(rules), "test.policy"))
_any = policies().map(lambda tree: check_text(print_policy(tree), "test.policy"))
_SAME = 'keep when user.tags = "x"'
_sites = st.lists(known_facts(), min_size=8, max_size=16)


@examples(20)
@given(_entangled | _any, _sites)
def test_all_advice_followed_at_once_changes_no_verdict(policy: CheckedPolicy, site: list[KnownFacts]) -> None:
    findings = lint(policy, TODAY).findings
    left = followed(policy, findings)
    for facts in site:
        (today,) = facts.values["today"]  # type: ignore[misc]
        if isinstance(today, date) and today >= TODAY:  # what is over is over from then on
            assert _releases(policy.rules, policy, facts) == _releases(left, policy, facts), print_policy(
                Policy(tuple(left))
            )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            'release "old" when (unused for 30 days and user.inactive) and (unused for 30 days and user.tags = "tmp")',
            ['release "old" when user.inactive and (unused for 30 days and user.tags = "tmp")'],
        ),
        (
            'release when (unused for 30 days or user.tags = "x") and (unused for 30 days or user.tags = "x")',
            ['release when unused for 30 days or user.tags = "x"'],
        ),
        (
            'release when unused for 30 days and (user.inactive or (user.tags = "x" and unused for 20 days))',
            ['release when unused for 30 days and (user.inactive or user.tags = "x")'],
        ),
        (
            'keep when user.inactive and (user.tags = "x" or not user.inactive)\nrelease when unused for 30 days',
            ['keep when user.inactive and user.tags = "x"', "release when unused for 30 days"],
        ),
        (
            f'keep "a" when user.tags = ["x", "y"]\n{_SAME}\n{_SAME}\nrelease when unused for 30 days',
            ['keep "a" when user.tags = ["x", "y"]', "release when unused for 30 days"],
        ),
    ],
)
def test_what_is_left(text: str, left: list[str]) -> None:
    policy = check_text(text, "test.policy")
    rules = followed(policy, lint(policy, TODAY).findings)
    assert print_policy(Policy(tuple(rules))).split("\n") == print_policy(
        check_text("\n".join(left), "left.policy").tree
    ).split("\n")


def followed(policy: CheckedPolicy, findings: Sequence[Diagnostic]) -> list[Rule]:
    """The rules that are left when all that is called needless is removed."""
    gone = [finding.span for finding in findings if finding.code in _RULES]
    needless = [finding.span for finding in findings if finding.code == "SW304"]
    dead = [finding.span for finding in findings if finding.code == "SW303"]
    left = []
    for rule in policy.rules:
        if not any(_within(span, rule.span) for span in gone):
            parts = [*needless, *(_dead_part(rule.condition, span) for span in dead if _within(span, rule.span))]
            left.append(rule.but(condition=_without(rule.condition, parts)))
    return left


def _within(span: Span, other: Span) -> bool:
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return (other.line, other.column) <= start and end <= (other.end_line, other.end_column)


def _dead_part(condition: Condition, span: Span) -> Span:
    """The part of an `or` that is never true; where several in it exclude each other, the last of them is marked."""
    found = span
    stack = [condition]
    while stack:
        node = stack.pop()
        parts = node.operands if isinstance(node, And | Or) else (node.operand,) if isinstance(node, Not) else ()
        for part in parts:
            if _within(span, part.span):
                found = part.span if isinstance(node, Or) else found
                stack.append(part)
    return found


def _without(condition: Condition, spans: Sequence[Span]) -> Condition:
    if not isinstance(condition, And | Or):
        return condition
    left = [_without(part, spans) for part in condition.operands if part.span not in spans]
    return left[0] if len(left) == 1 else type(condition)(tuple(left), condition.span)


def _releases(rules: Sequence[Rule], policy: CheckedPolicy, facts: KnownFacts) -> bool:
    (today,) = facts.values["today"]  # type: ignore[misc]
    assert isinstance(today, date)
    own = next(one for one in LICENSE_TYPES if facts.values["license.type"] == (one,))
    true = {r.kind for r in rules if r.applies_to(own) and evaluate_rule(r, facts, policy.names, today).truth}
    return true == {"release"}
