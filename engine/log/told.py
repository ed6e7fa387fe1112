"""A plan in the words of its record: nothing is decided again.

Whether its verdicts follow from its facts is for who explains, applies or replays it. Here it is only said again, as
its `summary.txt` says it.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decision import Decision, Ruling, deciding_kinds
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.log.decision_lines import RecordedDecision, decision_of
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import OpenedLog, RecordedPlan, opened
from seatwarden.engine.log.rulings import recorded_ruling
from seatwarden.grammar.ast import Rule


class _WhenAsked(Struct, frozen=True, gc=False):
    """The evaluation of a line, by the reference evaluator, each time somebody asks."""

    opened: OpenedLog
    line: RecordedDecision

    @property
    def facts(self) -> Mapping[str, Fact]:
        return self.opened.facts(self.line)

    @property
    def outcomes(self) -> tuple[RuleOutcome, ...]:
        return self.opened.outcomes(self.line)


def told_plan(log: PlanLog) -> RecordedPlan:
    """The plan of a verified log as it is told; of the rules that matched, rulings have the one that decided.

    Raises DamagedLog for a line that contradicts itself.
    """
    it = opened(log)
    with collector_off():
        return it.plan_of(tuple(_decisions(it)))


def _decisions(opened: OpenedLog) -> Iterator[Decision]:
    rules: dict[tuple[str, str | None, str | None], Rule] = {
        (rule.kind, rule.name, rule.place): rule for rule in opened.policy.rules
    }
    rulings: dict[tuple[object, ...], Ruling] = {}
    for line in opened.log.decisions:
        about = line.about
        key = (line.verdict, line.because, about.rule, about.at)
        ruling = rulings.get(key)
        if ruling is None:
            kinds = deciding_kinds(line.verdict, line.because)
            told = tuple(rule for kind in kinds if (rule := rules.get((kind, about.rule, about.at))) is not None)
            ruling = rulings[key] = recorded_ruling(opened.log, line, told)
        yield decision_of(line, ruling, about.reason, _WhenAsked(opened, line))
