"""The rulings of a plan as its log has them, and whether they follow from what it says."""

from collections.abc import Sequence

from seatwarden.engine.decide.decide import notice_order, rule_on
from seatwarden.engine.decide.decision import STANDING, Because, Ruling, deciding_kinds
from seatwarden.engine.decide.standing import ruled
from seatwarden.engine.decide.withheld import says_nothing
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.guards import GUARDS, guard_for
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.lines import PlanLog
from seatwarden.grammar.ast import RULE_KINDS, Rule
from seatwarden.policy.operators import Truth

_KEPT_BECAUSE: tuple[Because, ...] = ("guard", "keep", "default", *STANDING)


def matched_rules(rules: Sequence[Rule], truths: Sequence[Truth]) -> tuple[Rule, ...]:
    """The rules that matched, in file order."""
    return tuple(rule for rule, truth in zip(rules, truths, strict=True) if truth is True)


def recorded_ruling(log: PlanLog, line: RecordedDecision, matched: tuple[Rule, ...]) -> Ruling:
    """The recorded ruling, where these rules matched. Raises DamagedLog where none of them can have decided so."""
    n, name = line.n, line.about.rule
    if line.because not in ((line.verdict,) if line.verdict != "keep" else _KEPT_BECAUSE):
        log.refuse(n, f"{line.verdict} because of {line.because}")
    if line.because == "guard":
        guard = next((guard for guard in GUARDS if guard == name), None)
        if guard is None:
            log.refuse(n, "`rule` is no guard")
        return Ruling(line.verdict, line.because, guard, None, matched)
    if says_nothing(line.about.facts):
        return Ruling(line.verdict, line.because, None, None, matched)
    rules = [rule for rule in matched if rule.kind in deciding_kinds(line.verdict, line.because)]
    rule = rules[0] if rules and line.because == "keep" else min(rules, key=_taking_order, default=None)
    if (rule is None) is not (line.because == "default") or name != (rule.name if rule else None):
        log.refuse(n, "on these facts `rule` does not decide")
    return Ruling(line.verdict, line.because, None, rule, matched)


def _taking_order(rule: Rule) -> tuple[int, tuple[bool, int, int]]:
    return RULE_KINDS.index(rule.kind), notice_order(rule)


def must_follow(log: PlanLog, day: Day, line: RecordedDecision, rules: Sequence[Rule], truths: Sequence[Truth]) -> None:
    """Raises DamagedLog for a license that is taken, and that policy and registers do not take on what stands in the
    line: nothing is done by it. And for one that a register kept, as it says, though none did.
    """
    if (line.verdict == "keep" and line.because not in STANDING) or log.former:
        return
    guard = guard_for(line.about.row)
    by_rules, _ = rule_on(rules, truths, guard[0] if guard else None)
    ruling, _ = ruled(by_rules, "", line.standing, day)
    if (ruling.verdict, ruling.because) == (line.verdict, line.because):
        return
    if line.because in STANDING:
        log.refuse(line.n, f"it says {line.because}, and no register kept the license that the policy takes")
    keeps = "policy says" if by_rules.verdict == "keep" else "registers say"
    log.refuse(line.n, f"it says {line.verdict}, and on these facts the {keeps} keep")
