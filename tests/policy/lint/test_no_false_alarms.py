"""What lint claims is true: every claim about a generated policy is held against the reference evaluator, over
generated facts."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.reference import evaluate, evaluate_rule
from seatwarden.grammar.ast import LICENSE_TYPES, And, Boolean, Condition, LicenseType, Not, Or, Policy, Rule
from seatwarden.grammar.printer import print_policy
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import CheckedPolicy, check_text
from seatwarden.policy.worlds.policies import told
from tests.policy.lint.support import TODAY
from tests.profiles import examples
from tests.strategies import conditions, keep_rules, policies, taking_rules
from tests.world_strategies import KnownFacts, known_facts

_crowded = st.builds(
    lambda keeps, releases: Policy((*keeps, *releases)),
    st.lists(keep_rules(conditions()), min_size=2, max_size=6),
    st.lists(taking_rules(conditions()), min_size=1, max_size=3),
)
_facts = st.lists(known_facts(), min_size=4, max_size=8)


@examples(53)
@given(policies() | _crowded, _facts)
def test_what_lint_claims_is_true_of_all_facts(tree: Policy, several: list[KnownFacts]) -> None:
    policy = check_text(print_policy(tree), "test.policy")
    for finding in lint(policy, TODAY).findings:
        for facts in several:
            assert _is_true(finding, policy, facts), finding.message


def _is_true(finding: Diagnostic, policy: CheckedPolicy, facts: KnownFacts) -> bool:
    rule = _rule_at(finding.span, policy)
    if rule is None:
        return True
    speaks = rule.applies_to(_license_type(facts))
    matches = _matches(rule, policy, facts)
    others = [_rule_at(span, policy) for span, _ in finding.related]
    match finding.code:
        case "SW301":
            return not matches
        case "SW302":
            return matches or not speaks
        case "SW303":
            return _same_without(rule, finding.span, policy, facts, Boolean(False))
        case "SW304":
            kept, dropped = (_same_without(rule, finding.span, policy, facts, Boolean(t)) for t in (True, False))
            return kept or dropped
        case "SW305" | "SW306" if any(told(other) != told(rule) for other in others if other):
            return False
        case "SW305":
            return matches == any(_matches(other, policy, facts) for other in others if other)
        case "SW306":
            return not matches or any(_matches(other, policy, facts) for other in others if other)
        case "SW332":
            kept = any(keep.kind == "keep" and _matches(keep, policy, facts) for keep in policy.rules)
            at_once = [other for other in others if other and other.notice is None]
            return not matches or kept or any(_matches(other, policy, facts) for other in at_once)
        case "SW308":
            return not matches or any(_matches(other, policy, facts) for other in others if other)
        case "SW311":
            flag = finding.message.rpartition("who is ")[2]
            names = {"active": "inactive", "not blocked": "blocked", "still in the directory": "removedExternally"}
            return matches or not speaks or facts.values[f"user.{names[flag]}"] == (True,) or rule.until is not None
        case "SW326":
            used_today = facts.values["license.lastUsed"] == facts.values["today"]
            kept = any(keep.kind == "keep" and _matches(keep, policy, facts) for keep in policy.rules)
            return not (matches and used_today) or kept
        case _:
            return True


def _license_type(facts: KnownFacts) -> LicenseType:
    return next(own for own in LICENSE_TYPES if facts.values["license.type"] == (own,))


def _matches(rule: Rule, policy: CheckedPolicy, facts: KnownFacts) -> bool:
    if _license_type(facts) not in (rule.license_types or LICENSE_TYPES):
        return False
    (today,) = facts.values["today"]  # type: ignore[misc]
    assert isinstance(today, date)
    return evaluate_rule(rule, facts, policy.names, today).truth is True


def _rule_at(span: Span, policy: CheckedPolicy) -> Rule | None:
    for rule in policy.rules:
        whole = rule.span
        start, end = (whole.line, whole.column), (whole.end_line, whole.end_column)
        if start <= (span.line, span.column) < end:
            return rule
    return None


def _same_without(rule: Rule, span: Span, policy: CheckedPolicy, facts: KnownFacts, instead: Boolean) -> bool:
    """Whether the rule says the same when the marked part is replaced; of parts at one place, some one."""
    if not _matches(rule.but(condition=Boolean(True)), policy, facts):
        return True
    truth = evaluate(rule.condition, facts, policy.names).truth
    return any(
        evaluate(changed, facts, policy.names).truth == truth for changed in _replaced(rule.condition, span, instead)
    )


def _replaced(condition: Condition, span: Span, instead: Boolean) -> list[Condition]:
    """The condition with the part at that place replaced, or the whole `and` that it is one of: SW303 marks the last of
    the parts that contradict."""
    if condition.span == span:
        return [instead]
    match condition:
        case And(operands) | Or(operands):
            is_marked = isinstance(condition, And) and any(part.span == span for part in operands)
            found: list[Condition] = [instead] if is_marked else []
            for number, operand in enumerate(operands):
                for changed in _replaced(operand, span, instead):
                    changed_operands = (*operands[:number], changed, *operands[number + 1 :])
                    found.append(condition.but(operands=changed_operands))
            return found
        case Not(operand):
            return [condition.but(operand=changed) for changed in _replaced(operand, span, instead)]
        case _:
            return []
