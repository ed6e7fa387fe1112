"""Explaining one decision: every rule with the actual values, and what would have to change.

The counterfactuals are computed: the changed facts are decided again by the same policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.days import Day
from engine.decide import Decision, conclude, outcomes_of
from engine.due import ChangedFacts, DueDays
from engine.evaluate import RuleOutcome, Trace
from engine.phrases import join_words, phrase
from engine.plan import decision_to_json, place_of
from grammar.ast import Not
from grammar.printer import print_condition
from policy.loading import CheckedPolicy


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision in words. `status` is one of protected, undetermined, quarantined, not due, no rule, released."""

    decision: Decision
    status: str
    headline: str
    due: date | None
    advice: tuple[str, ...]


def explain(decision: Decision, policy: CheckedPolicy, day: Day, due_days: DueDays | None = None) -> Explanation:
    """The explanation of a decision made under that policy on that day.

    Who explains many decisions passes the same `due_days`, which remembers what it has found.
    """
    due = (due_days or DueDays(policy, day)).of(decision)
    status, headline = _status(decision, due)
    return Explanation(decision, status, headline, due, tuple(_advice(decision, policy, day, due)))


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as `explain --format json` prints it."""
    return {
        **decision_to_json(explanation.decision),
        "status": explanation.status,
        "headline": explanation.headline,
        "dueOn": explanation.due.isoformat() if explanation.due else None,
        "wouldChange": list(explanation.advice),
        "tree": [_rule_to_json(outcome) for outcome in explanation.decision.outcomes],
    }


def found(outcome: RuleOutcome) -> str:
    """What a rule found, on one line."""
    if outcome.expired and outcome.rule.until:
        return f"ended on {outcome.rule.until.value.isoformat()}"
    return phrase(outcome.trace) if not _has_parts(outcome.trace) else print_condition(outcome.rule.condition)


def tree_parts(trace: Trace) -> tuple[Trace, ...]:
    """The parts of a condition that are shown below it; a negated single test is shown as one line."""
    return trace.parts if _has_parts(trace) else ()


def part_text(trace: Trace) -> str:
    """A part on one line: what it found, or for a part with parts its condition."""
    return phrase(trace) if not _has_parts(trace) else print_condition(trace.condition)


def _has_parts(trace: Trace) -> bool:
    return bool(trace.parts) and not (isinstance(trace.condition, Not) and not trace.parts[0].parts)


def _rule_to_json(outcome: RuleOutcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "kind": rule.kind,
        "name": rule.name,
        "label": rule.title,
        "matched": outcome.truth,
        "expired": outcome.expired,
        "at": place_of(rule),
        "condition": _trace_to_json(outcome.trace),
    }


def _trace_to_json(trace: Trace) -> dict[str, Any]:
    node: dict[str, Any] = {"condition": print_condition(trace.condition), "truth": trace.truth}
    if trace.parts:
        return {**node, "parts": [_trace_to_json(part) for part in trace.parts]}
    return {**node, "found": phrase(trace)}


def _decide_again(decision: Decision, policy: CheckedPolicy, facts: ChangedFacts, day: Day) -> str:
    outcomes = outcomes_of(policy, decision.license_type, facts, day)
    return conclude(decision.license_type, outcomes, None)[0].verdict


def _status(decision: Decision, due: date | None) -> tuple[str, str]:
    match decision.because:
        case "release":
            return "released", f"RELEASED — {decision.reason}"
        case "keep" if decision.rule:
            return "protected", f"KEPT — protected by {decision.rule.title}"
        case "guard" if decision.guard == "quarantined":
            return "quarantined", f"KEPT — {decision.reason}"
        case "guard":
            return "undetermined", f"KEPT — {decision.reason}"
        case _ if due:
            return "not due", f"KEPT — not due yet, due on {due.isoformat()}"
        case _:
            return "no rule", f"KEPT — {decision.reason}"


def _advice(decision: Decision, policy: CheckedPolicy, day: Day, due: date | None) -> Iterator[str]:
    """What would have to change for another verdict."""
    match decision.because:
        case "release":
            used = ChangedFacts(decision.facts, day, used_today=True)
            if _decide_again(decision, policy, used, day) == "keep":
                yield "Would be kept if the license had been used today."
            if any(o.rule.kind == "keep" for o in decision.outcomes):
                yield "Would be kept if any keep rule above matched."
        case "keep":
            keeps = [o.rule.title for o in decision.outcomes if o.rule.kind == "keep" and o.truth is True]
            without = tuple(o for o in decision.outcomes if not (o.rule.kind == "keep" and o.truth is True))
            which = keeps[0] if len(keeps) == 1 else f"neither {join_words(keeps, 'nor')}"
            did = "did not match" if len(keeps) == 1 else "matched"
            ruling, reason = conclude(decision.license_type, without, None)
            if ruling.verdict == "release":
                yield f"Would be released if {which} {did}."
            else:
                also = {"default": "not due either", "guard": "undetermined"}[ruling.because]
                yield f"Would also be kept if {which} {did}: {also} ({reason})."
            if due:
                yield f"Would be released on {due.isoformat()} if it stays unused and nothing else changes."
        case "default":
            if due:
                yield f"Would be released on {due.isoformat()} if it stays unused and nothing else changes."
            else:
                yield "Would not be released within three years, however long it stays unused."
        case _ if decision.guard == "undetermined" and decision.outcomes:
            yield "Unknown never releases: the fact must be readable before a rule can decide."
        case _:
            return
