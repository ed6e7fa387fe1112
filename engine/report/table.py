"""The decisions as data for the page's script: column by column, every repeated text and tree only once.

The trees are those of `engine.explain.explanation`, computed here, so that the page says what the command `explain`
says. Most licenses share most of their rules' outcomes, so a site of 20,000 takes a few megabytes. Shapes, with
`text` standing for an index into `texts` and `node` for one into `nodes`:

    types, outcomes, changes, reasons   names that the columns of the same kind point into
    rules      {"title", "at", "line"}: where a rule is written, and its line in the policy's canonical text
    rulesOf    for each type, the rules that speak of it, as indices; a tree has one node for each, in this order
    nodes      [truth, text, [node, …]]: true, false or null (unknown), what was found, the parts below it
    columns    user, name, id, type, outcome, reason, change, days, used, why (text), headline (text),
               advice ([text, …]), tree ([node, …])
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from seatwarden.engine.decide.decision import Decision, listing_order, reason_label
from seatwarden.engine.decide.reference import RuleOutcome, Trace, Truth
from seatwarden.engine.explain.explanation import Explainer, found, part_text, tree_parts
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.report.comparison import CHANGES, ChangeSince
from seatwarden.engine.report.outcomes import OUTCOMES, LicenseOutcome
from seatwarden.engine.report.visible import shown
from seatwarden.grammar.ast import LICENSE_TYPES

_T = TypeVar("_T", bound=Hashable)


@dataclass(slots=True)
class _Once(Generic[_T]):
    """Values, each stored once and known by its index from then on."""

    index: dict[_T, int] = field(default_factory=dict)

    def of(self, value: _T) -> int:
        return self.index.setdefault(value, len(self.index))


_Node = tuple[Truth, int, tuple[int, ...]]


@dataclass(slots=True)
class _Stores:
    texts: _Once[str] = field(default_factory=_Once)
    nodes: _Once[_Node] = field(default_factory=_Once)

    def text(self, text: str) -> int:
        return self.texts.of(shown(text))

    def rule(self, outcome: RuleOutcome) -> int:
        """A rule's line, as `explain` prints it, with the parts of its condition below."""
        parts = () if outcome.expired else tree_parts(outcome.trace)
        return self._node(outcome.truth, found(outcome), parts)

    def _part(self, trace: Trace) -> int:
        return self._node(trace.truth, part_text(trace), tree_parts(trace))

    def _node(self, truth: Truth, text: str, parts: tuple[Trace, ...]) -> int:
        return self.nodes.of((truth, self.text(text), tuple(self._part(part) for part in parts)))


def table_of(
    plan: RecordedPlan,
    outcomes: tuple[LicenseOutcome, ...],
    changes: tuple[ChangeSince | None, ...],
    lines: tuple[int, ...],
) -> dict[str, Any]:
    """The data block; `lines` are the rules' lines in the canonical text."""
    stores = _Stores()
    rules = plan.policy.rules
    order = sorted(range(len(plan.decisions)), key=lambda n: listing_order(plan.decisions[n]))
    labels = [reason_label(plan.decisions[n]) for n in order]
    reasons = list(dict.fromkeys(labels))
    columns = {
        **_columns([plan.decisions[n] for n in order], Explainer(plan.policy, plan.day), stores),
        "outcome": [OUTCOMES.index(outcomes[n]) for n in order],
        "reason": [reasons.index(label) for label in labels],
        "change": [_position(changes[n]) if changes else None for n in order],
    }
    return {
        "types": LICENSE_TYPES,
        "outcomes": OUTCOMES,
        "changes": CHANGES,
        "reasons": [shown(reason) for reason in reasons],
        "rules": [
            {"title": shown(rule.title), "at": shown(rule.place.rpartition(":")[0]), "line": line}
            for rule, line in zip(rules, lines, strict=True)
        ],
        "rulesOf": [[n for n, rule in enumerate(rules) if rule.applies_to(t)] for t in LICENSE_TYPES],
        "texts": list(stores.texts.index),
        "nodes": list(stores.nodes.index),
        "columns": columns,
    }


def _columns(decisions: Sequence[Decision], explainer: Explainer, stores: _Stores) -> dict[str, Sequence[object]]:
    """The columns that a decision fills by itself, explained with it."""

    def story(decision: Decision) -> tuple[int, list[int], list[int]]:
        """The decision in words, which are all that is kept of its explanation: headline, advice, tree."""
        told = explainer.explain(decision)
        advice = [stores.text(sentence) for sentence in told.advice]
        return stores.text(told.headline), advice, [stores.rule(outcome) for outcome in told.decision.outcomes]

    def column(read: Callable[[Decision], object]) -> list[object]:
        return [read(decision) for decision in decisions]

    headlines, advices, trees = zip(*map(story, decisions), strict=True) if decisions else ((), (), ())
    return {
        "user": column(lambda d: shown(d.user)),
        "name": column(lambda d: shown(d.user_name or "")),
        "id": column(lambda d: shown(d.license_id)),
        "type": column(lambda d: LICENSE_TYPES.index(d.license_type)),
        "days": column(lambda d: d.unused_days),
        "used": column(lambda d: shown(d.last_used) if d.last_used else None),
        "why": column(lambda d: stores.text(d.reason)),
        "headline": headlines,
        "advice": advices,
        "tree": trees,
    }


def _position(change: ChangeSince | None) -> int | None:
    return CHANGES.index(change) if change else None
