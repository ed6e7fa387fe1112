"""Explaining one decision: every rule with the actual values, and what would have to change.

The counterfactuals are computed: the changed facts are decided again by the same policy.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from seatwarden.engine.common.text import join_words
from seatwarden.engine.decide.compiled import CompiledCondition
from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import Because, Decision
from seatwarden.engine.decide.phrases import phrase
from seatwarden.engine.decide.pseudonyms import hides_facts
from seatwarden.engine.decide.reasons import leaves
from seatwarden.engine.decide.reference import RuleOutcome, Trace
from seatwarden.engine.decide.standing import ruled
from seatwarden.engine.decide.states import heading
from seatwarden.engine.decide.withheld import is_withheld
from seatwarden.engine.explain.due import HORIZON_DAYS, DueDays
from seatwarden.engine.explain.turning import why_on
from seatwarden.engine.explain.what_if import WhatIf, WhatIfs, what_if_to_json
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import fact_to_json
from seatwarden.engine.facts.standing import HoldInForce
from seatwarden.engine.plan.findings import Finding, is_about
from seatwarden.engine.plan.records import decision_to_json
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.grammar.ast import RULE_KINDS, Not
from seatwarden.grammar.printer import print_condition, print_field
from seatwarden.policy.loading import CheckedPolicy

Size: TypeAlias = Literal["brief", "default", "full"]
"""The size of an explanation: the headline, every rule, or everything that is known."""

MOST: Mapping[Size, int] = {"brief": 0, "default": 3, "full": 20}
"""Most cases with another verdict that are told, by the explanation's size."""


class Explanation(Struct, frozen=True):
    """A decision in words. `status` is one of protected, held, undetermined, quarantined, not due, not now, no rule,
    notice, due.

    `findings` are those of the plan that are about this license. `cases` are single changes that would turn the
    verdict, each decided again; `advice` says them, and what else there is to say. A brief one has none of both.
    """

    decision: Decision
    status: str
    headline: str
    due: date | None
    advice: tuple[str, ...]
    cases: tuple[WhatIf, ...] = ()
    findings: tuple[Finding, ...] = ()
    afterwards: str | None = None
    """What has become of it since, where the record says so."""


class Explainer:
    """Explains decisions that were made under one policy on one day, and remembers what serves several of them."""

    def __init__(self, policy: CheckedPolicy, day: Day, due_days: DueDays | None = None) -> None:
        self._due_days = due_days or DueDays(policy, day)
        self._what_ifs = WhatIfs(policy, day)
        self._policy = policy
        self._day = day

    def explain(
        self,
        decision: Decision,
        size: Size = "default",
        findings: Iterable[Finding] = (),
        state: str | None = None,
    ) -> Explanation:
        """The explanation; a brief one has no advice. `findings` are those of a plan, about anybody.

        `state` is that of the license in a run; None: it is in none, and due if it is not kept.
        """
        mine = tuple(finding for finding in findings if is_about(finding, decision))
        if is_withheld(decision):
            return Explanation(decision, *_withheld(decision, state), None, (_NOTHING_SAID,), (), mine)
        if size != "brief":
            decision = decision.worked_out()
        due = self._due_days.of(decision)
        hold = decision.hold_on(self._day.today)
        status, headline = _status(decision, due, state)
        if size == "brief":
            return Explanation(decision, status, headline, due, (), (), mine)
        found = self._what_ifs.of(decision, MOST[size])
        cases = tuple(case for case in found if size == "full" or not case.vague)
        why = why_on(due, decision, self._policy, self._day) if due else ""
        if due and hold and not why and (due - timedelta(days=1)).isoformat() == hold.until:
            why = "the hold has ended"
        released = _released_on(due, why, _how(decision)) if due else ""
        advice = (
            *_advice(decision, self._day, due, released, cases),
            *_held_too(decision, hold),
            *([sentence_of(decision.take_back)] if decision.take_back is not None else []),
        )
        return Explanation(decision, status, headline, due, advice, cases, mine)


def explain(decision: Decision, policy: CheckedPolicy, day: Day, due_days: DueDays | None = None) -> Explanation:
    """The explanation of one decision; for many, an `Explainer` is quicker."""
    return Explainer(policy, day, due_days).explain(decision)


def explanation_to_json(explanation: Explanation, size: Size = "default") -> dict[str, Any]:
    """An explanation as `explain --format json` prints it: a brief one without its tree, a full one with all facts."""
    decision = explanation.decision
    shown = {
        **decision_to_json(decision),
        "status": explanation.status,
        "headline": explanation.headline,
        "dueOn": explanation.due.isoformat() if explanation.due else None,
        "hold": msgspec.to_builtins(decision.standing.hold),
        "notice": msgspec.to_builtins(decision.standing.notice),
        "findings": [msgspec.to_builtins(finding) for finding in explanation.findings],
        "afterwards": explanation.afterwards,
    }
    if size != "brief":
        shown["wouldChange"] = list(explanation.advice)
        shown["tree"] = [_rule_to_json(outcome) for outcome in decision.outcomes]
    if size == "full":
        shown["cases"] = [what_if_to_json(case) for case in explanation.cases]
        shown["facts"] = {name: fact_to_json(fact) for name, fact in decision.facts.items()}
        shown["standing"] = msgspec.to_builtins(decision.row_state)
    return shown


def found(outcome: RuleOutcome) -> str:
    """The finding of a rule, on one line."""
    if outcome.expired and outcome.rule.until:
        return f"ended on {outcome.rule.until.value.isoformat()}"
    return phrase(outcome.trace) if not has_parts(outcome.trace) else print_condition(outcome.rule.condition)


def tree_parts(trace: Trace) -> tuple[Trace, ...]:
    """The parts of a condition that are shown below it."""
    return trace.parts if has_parts(trace) else ()


def part_text(trace: Trace) -> str:
    """A part on one line: what it found, or for a part with parts its condition."""
    return phrase(trace) if not has_parts(trace) else print_condition(trace.condition)


def has_parts(one: Trace | CompiledCondition) -> bool:
    """Whether the parts of a condition are shown below it; a negated single test is one line."""
    return bool(one.parts) and not (isinstance(one.condition, Not) and not one.parts[0].parts)


def _rule_to_json(outcome: RuleOutcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "kind": rule.kind,
        "name": rule.name,
        "label": rule.title,
        "matched": outcome.truth,
        "expired": outcome.expired,
        "at": rule.place,
        "condition": _trace_to_json(outcome.trace),
    }


def _trace_to_json(trace: Trace) -> dict[str, Any]:
    node: dict[str, Any] = {"condition": print_condition(trace.condition), "truth": trace.truth}
    if trace.parts:
        return {**node, "parts": [_trace_to_json(part) for part in trace.parts]}
    return {**node, "found": phrase(trace)}


_NOTHING_SAID = "The log does not say what was read of this license: too few others are like it."


def _withheld(decision: Decision, state: str | None) -> tuple[str, str]:
    """Status and headline of a decision whose facts a log with pseudonyms does not say."""
    if decision.takes:
        return "due", heading(state or "due", decision.reason)
    return _STATUS.get(decision.because, decision.guard or "undetermined"), heading("kept", decision.reason)


_STATUS: Mapping[Because, str] = {
    "keep": "protected",
    "default": "no rule",
    "hold": "held",
    "downgrade": "not now",
    "notice": "notice",
}


def _status(decision: Decision, due: date | None, state: str | None) -> tuple[str, str]:
    match decision.because:
        case _ if decision.takes:
            return "due", heading(state or "due", decision.reason)
        case "keep" if decision.rule:
            return "protected", heading("kept", f"protected by {decision.rule.title}")
        case "hold" if decision.standing.hold:
            return "held", heading("kept", decision.standing.hold.sentence)
        case "notice" | "downgrade" as because:
            return _STATUS[because], heading("kept", decision.reason)
        case "guard" if decision.guard == "quarantined":
            return "quarantined", heading("kept", decision.reason)
        case "guard":
            return "undetermined", heading("kept", decision.reason)
        case _ if due:
            return "not due", heading("kept", f"not due yet, due on {due.isoformat()}")
        case _:
            return "no rule", heading("kept", decision.reason)


def _advice(decision: Decision, day: Day, due: date | None, released: str, cases: tuple[WhatIf, ...]) -> Iterator[str]:
    """Sentences on what would have to change for another verdict; `released` says when it becomes due, if ever."""
    sentences = [case.sentence for case in cases]
    match decision.because:
        case _ if decision.takes:
            yield from sentences
            told = any(case.rule for case in cases)
            if not told and any(o.rule.kind == "keep" for o in decision.outcomes):
                yield "Would be kept if any keep rule above matched."
        case "keep":
            yield _without_the_keeps(decision, day)
            yield from sentences
            yield from _ends(decision, day, due)
            if released:
                yield released
        case "hold":
            _, reason = conclude(decision.license_type, decision.outcomes, None)
            done = "downgraded" if decision.rule is not None and decision.rule.kind == "downgrade" else "released"
            yield f"Would be {done} without the hold: {reason}."
            if released:
                yield released
        case "downgrade":
            yield from sentences
        case "notice":
            yield from sentences
            if decision.standing.notice is not None and decision.standing.notice.remedy:
                yield decision.standing.notice.remedy
            if released:
                yield released
        case "default":
            yield released or _never_released(decision)
            yield from sentences
        case _ if decision.guard == "undetermined":
            yield f"Unknown never releases: {_what_is_missing(decision)}."
            yield from sentences
        case _:
            return


def _held_too(decision: Decision, hold: HoldInForce | None) -> Iterator[str]:
    """A sentence on the hold of a license that is kept for another reason."""
    if hold is not None and decision.because != "hold":
        yield f"The license is held, too, whatever the rules say: {hold.sentence}."


def sentence_of(take_back: TakeBack) -> str:
    """What Qlik gives back, as a sentence of its own."""
    said = take_back.describe()
    return f"{said[0].upper()}{said[1:]}."


def _released_on(due: date, why: str, how: str) -> str:
    when = f", when {why}," if why else ""
    return f"Would be {how} on {due.isoformat()}{when} if it stays unused and nothing else changes."


def _how(decision: Decision) -> str:
    """What becomes of a license that is due one day, by the rules of its policy."""
    if decision.rule is not None and decision.rule.takes:
        return f"{decision.rule.kind}d"
    kinds = {outcome.rule.kind for outcome in decision.outcomes if outcome.rule.takes}
    return "released" if kinds <= {"release"} else " or ".join(f"{kind}d" for kind in sorted(kinds, reverse=True))


def _never_released(decision: Decision) -> str:
    if hides_facts(decision):
        return "Whether it becomes due cannot be told for certain: the plan has pseudonyms."
    return f"Would not be {_how(decision)} within three years, however long it stays unused."


def is_keeping(outcome: RuleOutcome) -> bool:
    """Whether it is that of a keep rule that matches."""
    return outcome.rule.kind == "keep" and outcome.truth is True


def _without_the_keeps(decision: Decision, day: Day) -> str:
    """A sentence on the verdict without the rules that keep the license."""
    keeps = [o.rule.title for o in decision.outcomes if is_keeping(o)]
    without = tuple(o for o in decision.outcomes if not is_keeping(o))
    which = keeps[0] if len(keeps) == 1 else f"neither {join_words(keeps, 'nor')}"
    did = "did not match" if len(keeps) == 1 else "matched"
    concluded = conclude(decision.license_type, without, None)
    ruling, reason = ruled(*concluded, decision.standing, day)
    if ruling.takes:
        return f"Would be {ruling.verdict}d if {which} {did}."
    return f"Would also be kept if {which} {did}: {_KEPT_ALSO[ruling.because]} ({reason})."


_KEPT_ALSO: Mapping[Because, str] = {
    "default": "not due either",
    "guard": "undetermined",
    "hold": "held",
    "downgrade": "something is in the way",
    "notice": "its user is told first",
}


def _ends(decision: Decision, day: Day, due: date | None) -> Iterator[str]:
    """The last days of the rules that keep the license."""
    horizon = day.today.toordinal() + HORIZON_DAYS
    for outcome in decision.outcomes:
        end = outcome.rule.until.value if outcome.rule.until else None
        if end is None or outcome.rule.kind != "keep" or outcome.truth is not True:
            continue
        # What becomes due on a later day, or on none that was looked at, is kept on the day after the end.
        after = end.toordinal() + 1
        kept = after <= horizon and not hides_facts(decision) and (due is None or due.toordinal() > after)
        then = "; the license would still be kept on the day after" if kept else ""
        yield f"The protection by {outcome.rule.title} ends after {end.isoformat()}{then}."


def _what_is_missing(decision: Decision) -> str:
    """The words for what must be cleared up first: the row, its user, or the facts that the rules need."""
    row_state = decision.row_state
    if row_state.quarantined is None:
        return "`license.quarantined` must be readable before a rule can decide"
    if row_state.user != "known":
        return "the license must have a user whom the site lists once before a rule can decide"
    if not row_state.listed_once:
        return "the license must be listed once before a rule can decide"
    keeps, takes = ([o for o in decision.outcomes if o.rule.takes is takes] for takes in (False, True))
    needed = [o for o in keeps if o.truth is None]
    decides = next((o for o in sorted(takes, key=_by_kind) if o.truth is not False), None)
    if not needed or decides is None or decides.truth is None:
        needed += [o for o in takes if o.truth is None]
    facts = dict.fromkeys(name for outcome in needed for name in _unreadable(outcome.trace))
    rules = join_words([*dict.fromkeys(outcome.rule.title for outcome in needed)])
    return f"{join_words([f'`{name}`' for name in facts]) or 'a fact'} must be readable before {rules} can decide"


def _by_kind(outcome: RuleOutcome) -> int:
    return RULE_KINDS.index(outcome.rule.kind)


def _unreadable(trace: Trace) -> Iterator[str]:
    """The fields that make a condition unknown."""
    for leaf in leaves(trace):
        if leaf.truth is None:
            unknown = [print_field(field) for field, fact in leaf.facts if isinstance(fact, Unknown)]
            # `unused for` reads three; the last use, or the allocation, is what QRS must send.
            yield from [name for name in unknown if name != "license.unusedDays"] or unknown
