"""The explanations of a whole plan, as the page has them: each pattern is explained once.

A story is the headline and the advice of `engine.explain.explanation`, told once for all decisions that are alike
(`engine.explain.alike`). A tree has a line for each test of each rule, said once for all licenses of which the test
reads the same. Every word is one of the command `explain`; only names and reasons are put in by the page.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from msgspec import structs

from seatwarden.engine.decide.column_tests import FactBatch
from seatwarden.engine.decide.compiled import CompiledCondition, CompiledRules
from seatwarden.engine.decide.decision import BATCH, Compact, Decision
from seatwarden.engine.decide.reference import RuleOutcome, Trace
from seatwarden.engine.explain.alike import Alike, alike_or_not, columns_of, stand_in
from seatwarden.engine.explain.explanation import Explainer, Explanation, found, has_parts, part_text, tree_parts
from seatwarden.engine.explain.stand_ins import Marks, StandIns
from seatwarden.engine.facts.day import Day
from seatwarden.engine.plan.listing import brief
from seatwarden.engine.report.stores import Stores
from seatwarden.grammar.ast import UnusedFor
from seatwarden.policy.loading import CheckedPolicy


@dataclass(slots=True)
class Telling:
    """What is told of each decision, in columns: the reason (a text) in short and in full, the story, the tree."""

    why: list[int]
    reason: list[int]
    story: list[int]
    tree: list[int]


class Teller:
    """Tells the decisions of one policy on one day; `stores` keeps what is told."""

    def __init__(self, policy: CheckedPolicy, day: Day, stores: Stores, marks: Marks) -> None:
        self._policy, self._day = policy, day
        self._stores, self._marks = stores, marks
        self._explainer = Explainer(policy, day)
        self._reasons: dict[tuple[str, int], tuple[int, int]] = {}

    def tell(self, decisions: Sequence[Decision]) -> Telling:
        """All that is told of these decisions."""
        told = Telling(*([0] * len(decisions) for _ in range(4)))
        by_rules: dict[CompiledRules | None, list[int]] = defaultdict(list)
        for n, decision in enumerate(decisions):
            evaluation = decision.evaluation
            by_rules[evaluation.rules if isinstance(evaluation, Compact) else None].append(n)
        for rules, places in by_rules.items():
            if rules is None:
                self._tell_each(decisions, places, told)
            else:
                self._tell_alike(rules, decisions, places, told)
        return told

    def _tell_each(self, decisions: Sequence[Decision], places: Sequence[int], told: Telling) -> None:
        """Decisions that have their outcomes: those of a plan with pseudonyms."""
        known: dict[Hashable, tuple[int, int]] = {}
        for n in places:
            decision = decisions[n]
            key = alike_or_not(decision)
            if key not in known:
                marked = structs.replace(decision, reason=self._marks.reason)
                explained = self._explainer.explain(marked, state=self._marks.state)
                tree = tuple(_rule(self._stores, outcome) for outcome in decision.outcomes)
                known[key] = self._story(explained), self._stores.trees.of(tree)
            self._reason(n, decision, decision.reason, told)
            told.story[n], told.tree[n] = known[key]

    def _tell_alike(
        self, rules: CompiledRules, decisions: Sequence[Decision], places: Sequence[int], told: Telling
    ) -> None:
        """Decisions by compiled rules, in batches."""
        stand_ins, trees = StandIns(self._policy, rules, self._marks), _Trees(rules, self._stores)
        alike, known = Alike(self._policy, rules, self._day), dict[Hashable, int]()
        for start in range(0, len(places), BATCH):
            here = places[start : start + BATCH]
            some = [decisions[n] for n in here]
            values = [decision.evaluation.values for decision in some]  # type: ignore[attr-defined]
            batch = FactBatch(len(some), list(map(list, zip(*values, strict=True))))
            marked = stand_ins.place(some, batch)
            for n, tree in zip(here, trees.of(marked), strict=True):
                told.tree[n] = tree
            for n, decision, key, row in zip(here, some, alike.keys(some, marked), marked.rows(), strict=True):
                if key not in known:
                    marked_one = stand_in(decision, self._marks, rules, row)
                    known[key] = self._story(self._explainer.explain(marked_one, state=self._marks.state))
                told.story[n] = known[key]
                self._reason(n, decision, self._marked(decision) if stand_ins.are_used else decision.reason, told)

    def _story(self, told: Explanation) -> int:
        text = self._stores.text
        return self._stores.stories.of((text(told.headline), tuple(map(text, told.advice))))

    def _reason(self, n: int, decision: Decision, reason: str, told: Telling) -> None:
        """Puts the reason into the columns, in short and in full."""
        rule = decision.ruling.rule
        key = reason, id(rule)
        if key not in self._reasons:
            short = brief(reason, rule.title if rule else None, rule.name if rule else None)
            self._reasons[key] = self._stores.text(reason), self._stores.text(short)
        told.reason[n], told.why[n] = self._reasons[key]

    def _marked(self, decision: Decision) -> str:
        """The recorded reason, with a mark wherever it quotes the user, so that it is not everybody's own."""
        reason, id_ = decision.reason, decision.user_id
        if id_:
            for before in ("\\", '"'):
                reason = reason.replace(f'{before}{id_}"', f'{before}{self._marks.user}"')
        return reason


class _Trees:
    """The trees of decisions by the rules of one license type."""

    def __init__(self, rules: CompiledRules, stores: Stores) -> None:
        self._rules, self._stores = rules, stores
        self._lines: dict[int, dict[Hashable, int]] = defaultdict(dict)
        self._titles: dict[int, int] = {}
        self._expired: dict[int, int | None] = {}

    def of(self, batch: FactBatch) -> list[int]:
        """The tree of each license: a node for each rule."""
        of_rules = [self._rule(index, batch) for index in range(len(self._rules.rules))]
        return list(map(self._stores.trees.of, zip(*of_rules, strict=True) if of_rules else [()] * batch.size))

    def _rule(self, index: int, batch: FactBatch) -> list[int]:
        """A rule's line, as `explain` prints it, with the parts of its condition below."""
        if index not in self._expired:
            outcome = self._rules.outcome(index, batch.rows()[0])
            self._expired[index] = _rule(self._stores, outcome) if outcome.expired else None
        over = self._expired[index]
        return self._part(self._rules.conditions[index], batch) if over is None else [over] * batch.size

    def _part(self, condition: CompiledCondition, batch: FactBatch) -> list[int]:
        if not has_parts(condition):
            return self._line(condition, batch)
        title = self._titles.get(id(condition))
        if title is None:
            title = self._titles[id(condition)] = self._stores.text(part_text(_trace(condition, batch, 0)))
        parts = zip(*[self._part(part, batch) for part in condition.parts], strict=True)
        node = self._stores.nodes.of
        return [node((truth, title, below)) for truth, below in zip(condition.test(batch), parts, strict=True)]

    def _line(self, condition: CompiledCondition, batch: FactBatch) -> list[int]:
        """A condition that is shown on one line, which says nothing but what its test reads."""
        lines = self._lines[id(condition)]
        keys = self._read(condition.parts[0] if condition.parts else condition, batch)
        nodes = list(map(lines.get, keys))
        if None in nodes:
            for n, key in enumerate(keys):
                if key not in lines:
                    lines[key] = _node(self._stores, _trace(condition, batch, n))
            nodes = list(map(lines.get, keys))
        return nodes  # type: ignore[return-value]

    def _read(self, leaf: CompiledCondition, batch: FactBatch) -> Sequence[Hashable]:
        """What a test reads of each license; the allocation belongs to the words only where there is no last use."""
        columns = columns_of(leaf, self._rules, batch)
        if len(columns) == 1:
            return columns[0]
        if isinstance(leaf.condition, UnusedFor) and not leaf.condition.of_user:
            days, used, allocated = columns
            waits = [
                day if not (isinstance(use, tuple) and use) else None for use, day in zip(used, allocated, strict=True)
            ]
            columns = [days, used, waits]
        return list(zip(*columns, strict=True))


def _trace(condition: CompiledCondition, batch: FactBatch, n: int) -> Trace:
    values = tuple(column[n] for column in batch.columns)
    return condition.trace(values, FactBatch(1, [[value] for value in values]))


def _rule(stores: Stores, outcome: RuleOutcome) -> int:
    parts = () if outcome.expired else tree_parts(outcome.trace)
    below = tuple(_node(stores, part) for part in parts)
    return stores.nodes.of((outcome.truth, stores.text(found(outcome)), below))


def _node(stores: Stores, trace: Trace) -> int:
    below = tuple(_node(stores, part) for part in tree_parts(trace))
    return stores.nodes.of((trace.truth, stores.text(part_text(trace)), below))
