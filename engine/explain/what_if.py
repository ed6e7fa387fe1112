"""Single changes that turn a verdict, found in the policy's conditions and decided again before they are said.

Every test in a rule that could turn the verdict suggests a change that flips it: a tag that the user lacks, a directory
that is listed. Each is applied to the facts and the rules decide again; only what certainly gives another verdict is
told. Of a list of thousands of values a few are tried, and of thousands of tests the first ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

from msgspec import Struct

from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import rule_on
from seatwarden.engine.decide.decision import Decision, Ruling, Verdict
from seatwarden.engine.decide.pseudonyms import known_facts
from seatwarden.engine.decide.reasons import leaves
from seatwarden.engine.decide.reference import RuleOutcome, Trace, compare
from seatwarden.engine.decide.standing import due_ruling, is_due
from seatwarden.engine.explain.changes import (
    ELSEWHERE,
    TAKEN_BACK_BY,
    Change,
    Empty,
    Filled,
    Flagged,
    Holding,
    InDirectory,
    OnList,
    UsedToday,
    WithoutValues,
    WithValue,
    change_to_json,
    facts_after,
    words_of,
)
from seatwarden.engine.explain.days_ahead import fields_of
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import (
    LICENSE_TYPES,
    And,
    Comparison,
    Field,
    IsEmpty,
    LicenseType,
    ListOf,
    Name,
    Not,
    Operand,
    Or,
    ReadAs,
    Rule,
    Shifted,
    days_moved,
    field_of,
    read_in,
)
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import POSITIVE, Truth, Value, all_true, any_true, around, moved, opposite, read_text
from seatwarden.policy.vocabulary import VOCABULARY, Type

MAX_VALUES = 3
"""Most values of one list that are tried."""
MAX_TRIED = 200
"""Most changes that are tried for one license."""

_BY_USE = frozenset({"license.unusedDays", "license.lastUsed", "license.neverUsed", "user.lastUsed", "user.unusedDays"})
"""Fields that change when the license is used."""

_RANK = (UsedToday, WithValue, OnList, WithoutValues, Filled, Flagged, Empty, InDirectory, Holding)

_Truths: TypeAlias = tuple[Truth, ...]


class _Known(Struct, frozen=True):
    """The facts that rules hang on."""

    facts: Mapping[Field, Fact]

    def read(self, field: Field) -> Fact:
        return self.facts.get(field, _NOT_READ)

    def hides(self, field: Field, fact: Fact) -> bool:
        """Whether this fact was read by the rules, but is not to be relied on."""
        return field in self.facts and self.facts[field] != fact


_NOT_READ = Unknown("not read")


class WhatIf(Struct, frozen=True):
    """Another case and its verdict. `changes` are alternatives, each enough by itself; `rule` decides then, if any."""

    verdict: Verdict
    changes: tuple[Change, ...]
    rule: Rule | None
    was_due: bool = False
    """Whether the license is due now, and kept by what stands behind the rules alone."""

    @property
    def vague(self) -> bool:
        """Whether it says no more than that the value were another one."""
        return self.changes == (InDirectory(ELSEWHERE),)

    @property
    def sentence(self) -> str:
        """The case in words, with the keep rule that would decide where it has a name."""
        named = self.verdict == "keep" and self.rule and self.rule.name and not isinstance(self.changes[0], UsedToday)
        decides = f" ({self.rule.title})" if named and self.rule else ""
        notice = self.rule.notice if self.rule is not None else None
        if self.verdict != "keep" and notice is not None:
            return f"Would be due if {words_of(self.changes)}; its user would be told first."
        kept = "not be due" if self.was_due else "be kept"
        does = kept if self.verdict == "keep" else f"be {self.verdict}d"
        return f"Would {does} if {words_of(self.changes)}{decides}."


def what_if_to_json(case: WhatIf) -> dict[str, Any]:
    """A case for scripts."""
    return {
        "verdict": case.verdict,
        "rule": case.rule.title if case.rule else None,
        "anyOf": [change_to_json(change) for change in case.changes],
        "sentence": case.sentence,
    }


class WhatIfs:
    """Finds the changes that matter, under one policy on one day. The rules are made ready once a license type."""

    def __init__(self, policy: CheckedPolicy, day: Day) -> None:
        self._policy = policy
        self._day = day
        self._ready: dict[LicenseType, tuple[CompiledRules, tuple[dict[Field, str], ...]]] = {}

    def of(self, decision: Decision, most: int) -> list[WhatIf]:
        """Up to `most` cases with the other verdict. Guards that stand before the rules, and a hold behind them, leave
        none."""
        found: list[WhatIf] = []
        for change, ruling in self._turning(decision):
            if found and _alike(found[-1], change, ruling):
                last = found[-1]
                found[-1] = WhatIf(last.verdict, (*last.changes, change), last.rule)
            elif len(found) == most:
                break
            else:
                due = is_due(decision) and not decision.takes
                found.append(WhatIf(ruling.verdict, (change,), ruling.rule, due))
        return found

    def _turning(self, decision: Decision) -> Iterator[tuple[Change, Ruling]]:
        """The changes that certainly turn the verdict, with the ruling then."""
        if guard_for(decision.row_state) or decision.hold_on(self._day.today) is not None:
            return
        outcomes, by_rules = decision.outcomes, due_ruling(decision.ruling).verdict if is_due(decision) else "keep"
        known = self._known(decision)
        suggested = _suggested(decision, outcomes, known, self._policy.names)
        changes: dict[str, Change] = {}
        for change in islice(suggested, MAX_TRIED):
            changes.setdefault(words_of((change,)), change)
        tried = sorted(changes.values(), key=_rank)
        for change, truths in zip(tried, self._truths(tried, decision.license_type, outcomes, known), strict=True):
            ruling, _ = rule_on([outcome.rule for outcome in outcomes], truths, None)
            # Undetermined is no answer to a changed fact. It is one to a use: that happens, and keeps the license.
            certain = ruling.because != "guard" or isinstance(change, UsedToday)
            if certain and ruling.verdict != by_rules:
                yield change, ruling

    def _truths(
        self,
        changes: Sequence[Change],
        license_type: LicenseType,
        outcomes: tuple[RuleOutcome, ...],
        known: "_Known",
    ) -> list[_Truths]:
        """The truths of the rules after each change; those of rules that read nothing of what changed stay."""
        rules, reads = self._rules(license_type)
        facts = [facts_after(change, known, self._day) for change in changes if not isinstance(change, OnList)]
        again = iter(zip(facts, rules.truths(rules.read_again(facts)), strict=True))
        found: list[_Truths] = []
        for change in changes:
            if isinstance(change, OnList):
                found.append(_if_listed(change, outcomes))
                continue
            changed, after = next(again)
            found.append(
                tuple(
                    truth if any(map(changed.touches, fields)) else outcome.truth
                    for outcome, truth, fields in zip(outcomes, after, reads, strict=True)
                )
            )
        return found

    def _known(self, decision: Decision) -> "_Known":
        """The facts of a decision; those that cannot be relied on are unknown."""
        facts = known_facts(decision)
        _, reads = self._rules(decision.license_type)
        return _Known({field: facts[name] for fields in reads for field, name in fields.items() if name in facts})

    def _rules(self, license_type: LicenseType) -> tuple[CompiledRules, tuple[dict[Field, str], ...]]:
        if license_type not in self._ready:
            rules = CompiledRules(self._policy, license_type, self._day)
            reads = tuple({field: print_field(field) for field in fields_of(rule.condition)} for rule in rules.rules)
            self._ready[license_type] = rules, reads
        return self._ready[license_type]


def _rank(change: Change) -> tuple[int, bool]:
    """A sort key, by what an administrator would do first: tags and custom properties before roles and attributes."""
    tagged = isinstance(change, WithValue | WithoutValues) and change.field.name in ("user.tags", "user.@")
    return _RANK.index(type(change)), not tagged


def _alike(case: WhatIf, change: Change, ruling: Ruling) -> bool:
    """Whether a change differs from the case's only in its value."""
    if case.rule is not ruling.rule or case.verdict != ruling.verdict:
        return False
    match case.changes[0], change:
        case WithValue(one), WithValue(other):
            return one == other
        case InDirectory(one), InDirectory(other):
            return ELSEWHERE not in (one, other)
        case _:
            return False


# Suggestions -----------------------------------------------------------------------------------------------


def _suggested(
    decision: Decision, outcomes: tuple[RuleOutcome, ...], known: "_Known", names: Mapping[str, Operand]
) -> Iterator[Change]:
    """Changes that flip a test in a rule which could turn the verdict."""
    if is_due(decision):
        yield UsedToday()
    for outcome in outcomes:
        rule = outcome.rule
        match decision.because:
            case _ if is_due(decision):
                relevant = not rule.takes or outcome.truth is True
            case "keep":
                relevant = rule.kind == "keep" and outcome.truth is True
            case "default":
                relevant = rule.takes
            case _:
                relevant = outcome.truth is None
        if relevant and not outcome.expired:
            for leaf in leaves(outcome.trace):
                # What stands behind a pseudonym suggests nothing.
                if not any(known.hides(field, fact) for field, fact in leaf.facts):
                    yield from _flips(leaf, rule, decision.license_type, names)


def _flips(leaf: Trace, rule: Rule, license_type: LicenseType, names: Mapping[str, Operand]) -> Iterator[Change]:
    read = dict(leaf.facts)
    if any(field.name in _BY_USE for field in read):
        yield UsedToday()
        return
    if TAKEN_BACK_BY in read:  # nothing about the user or the license: the site's license rules would be others
        return
    condition = leaf.condition
    if isinstance(condition, Comparison) and (asked := read_in(condition.left) or read_in(condition.right)):
        yield from _other_readings(leaf, condition, asked, names)
        return
    if len(read) != 1:
        return
    ((field, fact),) = read.items()
    entry = VOCABULARY[field.name]
    unknown = isinstance(fact, Unknown)
    if entry.type is Type.BOOLEAN:
        known = () if isinstance(fact, Unknown) else fact
        yield from (Flagged(field, truth, unknown) for truth in (True, False) if truth not in known)
    elif field.name == "user.licenses":
        other = next(t for t in LICENSE_TYPES if t != license_type)
        if not isinstance(fact, Unknown):
            yield Holding(other, other not in fact)
    elif entry.many and unknown:
        yield Empty(field.name)
    elif isinstance(condition, IsEmpty):
        if entry.many and not isinstance(fact, Unknown):
            yield Filled(field) if leaf.truth else WithoutValues(field, tuple(map(str, fact)))
    elif isinstance(condition, Comparison) and not isinstance(fact, Unknown):
        yield from _other_values(leaf, condition, field, fact, rule, names)


def _other_values(
    leaf: Trace,
    comparison: Comparison,
    field: Field,
    fact: tuple[Value, ...],
    rule: Rule,
    names: Mapping[str, Operand],
) -> Iterator[Change]:
    """Changes of a text field that flip its comparison with constants."""
    listed = comparison.right if comparison.left == field else comparison.left
    holds = leaf.truth if comparison.operator not in POSITIVE else not leaf.truth
    many = VOCABULARY[field.name].many
    if holds and many:
        constants = tuple(_constants(listed, names))
        operator = POSITIVE.get(comparison.operator, comparison.operator)
        sides = [((v,), constants) if comparison.left == field else (constants, (v,)) for v in fact]
        hits = tuple(str(v) for v, (one, other) in zip(fact, sides, strict=True) if compare(operator, one, other))
        yield WithoutValues(field, tuple(dict.fromkeys(hits)))
    elif many:
        yield from (WithValue(field, text) for text in _samples(comparison, listed, names) if text not in fact)
    elif field.name == "user.userDirectory" and holds:
        yield InDirectory(ELSEWHERE)
    elif field.name == "user.userDirectory":
        yield from map(InDirectory, _samples(comparison, listed, names))
    elif field.name in ("user", "user.userId", "user.name") and not holds and comparison.operator != "like":
        yield OnList(rule, comparison, str(fact[0]))


def _other_readings(
    leaf: Trace, comparison: Comparison, asked: ReadAs, names: Mapping[str, Operand]
) -> Iterator[Change]:
    """Changes of a text that is read: no value where one passes, else one that passes."""
    facts = dict(leaf.facts)
    fact, many = facts[asked.field], VOCABULARY[asked.field.name].many
    positive = POSITIVE.get(comparison.operator, comparison.operator)
    if not many:
        return
    if isinstance(fact, Unknown):
        yield Empty(asked.field.name)
    elif leaf.truth is (positive == comparison.operator):
        yield WithoutValues(asked.field, tuple(map(str, fact)))
    else:
        on_left = field_of(comparison.left) == asked.field
        own, other = (comparison.left, comparison.right)[:: 1 if on_left else -1]
        shift = days_moved(own)
        for value in islice(_constants_on(other, facts, names), MAX_VALUES):
            for text in around(value, -shift):
                read = (moved(read_text(asked.kind, text) or value, shift),)
                sides = (read, (value,)) if on_left else ((value,), read)
                if compare(positive, *sides):
                    yield WithValue(asked.field, text)
                    break


def _constants_on(operand: Operand, facts: Mapping[Field, Fact], names: Mapping[str, Operand]) -> Iterator[Value]:
    """The values of an operand on the day of the decision; none where it is a fact of somebody's."""
    match operand:
        case Name(name):
            yield from _constants_on(names[name], facts, names)
        case ListOf(items):
            yield from (item.value for item in items)
        case Field("today"):
            today = facts.get(operand)
            yield from () if today is None or isinstance(today, Unknown) else today
        case Shifted(base):
            yield from (moved(value, operand.days) for value in _constants_on(base, facts, names))
        case Field() | ReadAs():
            return
        case _:
            yield operand.value


def directories_tried(comparisons: Iterable[Comparison], names: Mapping[str, Operand]) -> tuple[str, ...]:
    """Every user directory that a change puts somebody into, where the user directory is compared in these ways."""
    found = [
        text
        for comparison in comparisons
        for side in (comparison.left, comparison.right)
        for text in _samples(comparison, side, names)
    ]
    return tuple(dict.fromkeys([ELSEWHERE, *found]))


def _samples(comparison: Comparison, listed: Operand, names: Mapping[str, Operand]) -> Iterator[str]:
    """The first texts that pass the comparison: of a pattern, what is left without its stars."""
    for text in islice(_constants(listed, names), MAX_VALUES):
        yield (text.replace("*", "") or "x") if comparison.operator == "like" else text


def _constants(operand: Operand, names: Mapping[str, Operand]) -> Iterator[str]:
    return (value for value in _constants_on(operand, {}, names) if isinstance(value, str))


# A longer list ---------------------------------------------------------------------------------------------


def _if_listed(change: OnList, outcomes: tuple[RuleOutcome, ...]) -> _Truths:
    """The truths when a list has one more value: a comparison with it holds also where it holds for that value."""
    named = [side for side in (change.comparison.left, change.comparison.right) if isinstance(side, Name)]
    return tuple(
        outcome.truth
        if outcome.expired
        else _again(outcome.trace, change, set(named), named == [] and outcome.rule is change.rule)
        for outcome in outcomes
    )


def _again(trace: Trace, change: OnList, names: set[Name], here: bool) -> Truth:
    condition = trace.condition
    match condition:
        case And():
            return all_true(_again(part, change, names, here) for part in trace.parts)
        case Or():
            return any_true(_again(part, change, names, here) for part in trace.parts)
        case Not():
            return opposite(_again(trace.parts[0], change, names, here))
        case Comparison(_, left, right) if (here and condition == change.comparison) or left in names or right in names:
            return _with_one_more(trace, condition, change.own)
        case _:
            return trace.truth


def _with_one_more(trace: Trace, comparison: Comparison, own: str) -> Truth:
    operator = POSITIVE.get(comparison.operator, comparison.operator)
    read = dict(trace.facts)
    # Unknown is the safe answer: a case that is not certain is not told.
    if len(read) != 1 or trace.truth is None:
        return None
    on_left = isinstance(comparison.left, Field)
    (fact,) = read.values()
    held = trace.truth if operator == comparison.operator else not trace.truth
    also = compare(operator, fact, (own,)) if on_left else compare(operator, (own,), fact)
    holds = None if also is None else held or also
    return holds if operator == comparison.operator or holds is None else not holds
