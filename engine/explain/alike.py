"""Which decisions are explained in the same words: nearly all of a site are like some other.

The words hang on fewer facts than the rules read: of a date, but for the reason and the rules' own lines, on the truth
of the tests that read it alone. What they hang on, makes a key; decisions with equal keys have one explanation, the
`Explainer`'s, of the first of them. Two things stand apart, since they differ where all else is the same: the names of
strangers (`engine.explain.stand_ins`) and the recorded reason. They are marks in it.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, TypeAlias

from msgspec import structs

from seatwarden.engine.decide.column_tests import FactBatch, ReadValues
from seatwarden.engine.decide.compiled import CompiledCondition, CompiledRules
from seatwarden.engine.decide.decide import rule_on
from seatwarden.engine.decide.decision import Compact, Decision, Ruling, is_pseudonym
from seatwarden.engine.decide.withheld import is_withheld
from seatwarden.engine.explain.due import DueDays
from seatwarden.engine.explain.explanation import is_keeping
from seatwarden.engine.explain.stand_ins import Marks, leaves_of
from seatwarden.engine.facts.columns import FactColumn
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.facts.standing import NO_STANDING
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Field, IsEmpty, UnusedFor
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE

_OF_DAYS = frozenset(
    {
        *("today", "month", "weekday", "user.createdDate", "license.createdDate"),
        *("license.lastUsed", "license.neverUsed", "license.unusedDays"),
    }
)
"""Fields that no change touches but the use of the license, after which their values of before are of no account."""
_USED_AT_ALL = Field("user.lastUsed")
"""Of this one a use makes the later of today and the value of before."""

_UNUSED = Field("license.unusedDays")

_Dependence: TypeAlias = Callable[[ReadValues], object]


class Alike:
    """Keys for decisions by the compiled rules of one license type, the same where the explanation is."""

    def __init__(self, policy: CheckedPolicy, rules: CompiledRules, day: Day) -> None:
        self._rules, self._day = rules, day
        self._due_days = DueDays(policy, day)
        tests = [leaf for condition in rules.conditions for leaf in leaves_of(condition)]
        self._of_days = tuple(leaf for leaf in tests if _is_of_days(leaf))
        others = [leaf for leaf in tests if not _is_of_days(leaf)]
        fields = dict.fromkeys(field for leaf in others for field in read_by(leaf))
        self._used_at_all = None
        if _USED_AT_ALL in fields and not any(len(leaf.reads) > 1 for leaf in others if _USED_AT_ALL in read_by(leaf)):
            self._of_days += tuple(leaf for leaf in others if _USED_AT_ALL in read_by(leaf))
            self._used_at_all = rules.place_of(_USED_AT_ALL)
            del fields[_USED_AT_ALL]
        self._whole = sorted({rules.place_of(field) for field in fields})
        self._dependences: dict[int, tuple[Ruling, _Dependence]] = {}

    def keys(self, decisions: Sequence[Decision], marked: FactBatch) -> list[Hashable]:
        """The keys of decisions on these facts, in which are marks for names."""
        rows = zip(decisions, zip(*self._telling(marked), strict=True), marked.rows(), strict=True)
        return [
            (*_standing(decision), _hidden(decision), values)
            if any(_hidden(decision)) or decision.standing != NO_STANDING
            else (*_standing(decision), telling, self._depends(decision)(values))
            for decision, telling, values in rows
        ]

    def _telling(self, marked: FactBatch) -> list[Sequence[object]]:
        """What the words hang on in any case, in columns: values, of days the truths alone."""
        columns: list[Sequence[object]] = [marked.columns[place] for place in self._whole]
        columns += [self._truths(leaf, marked) for leaf in self._of_days]
        if self._used_at_all is not None:
            today = self._day.today
            column = marked.columns[self._used_at_all]
            columns.append([None if _is_past(fact, today) else fact for fact in column])
        return columns or [[None] * marked.size]

    def _truths(self, leaf: CompiledCondition, marked: FactBatch) -> Sequence[object]:
        """The truths of a test, with all that it reads where its truth is unknown: that is told."""
        truths = leaf.test(marked)
        if None not in truths:
            return truths
        read = zip(*columns_of(leaf, self._rules, marked), strict=True)
        return [facts if truth is None else truth for truth, facts in zip(truths, read, strict=True)]

    def _depends(self, decision: Decision) -> _Dependence:
        """What else the words hang on, by what decided; licenses with the same truths share their ruling."""
        found = self._dependences.get(id(decision.ruling))
        if found is None:
            found = self._dependences[id(decision.ruling)] = decision.ruling, self._dependence(decision)
        return found[1]

    def _dependence(self, decision: Decision) -> _Dependence:
        words: _Dependence = _nothing
        days: _Dependence = _nothing
        if decision.because == "keep":
            words = self._without_the_keeps(decision)
        if not self._due_days.is_never(decision):
            days = self._days_to_come(decision)
        if words is _nothing:
            return days
        return lambda values: (words(values), days(values))

    def _days_to_come(self, decision: Decision) -> _Dependence:
        """The days without use, as far as the day hangs on them on which the license becomes due, and why on that one.

        All else that the rules read on later days is told already, or the same for all.
        """
        moving = self._due_days.moving_rules(decision.license_type)
        conditions = zip(self._rules.rules, self._rules.conditions, strict=True)
        tests = [leaf for rule, condition in conditions if rule in moving for leaf in leaves_of(condition)]
        counting = [leaf for leaf in tests if _UNUSED in read_by(leaf)]
        if not counting:
            return _nothing
        place = self._rules.place_of(_UNUSED)
        if not all(isinstance(leaf.condition, UnusedFor) for leaf in counting):
            return itemgetter(place)
        # Who has been unused for longer than any rule asks for is so on every later day, too.
        most = max(leaf.condition.days for leaf in counting)  # type: ignore[union-attr]
        return lambda values: unused if isinstance(unused := values[place], Unknown) else min(unused, most)

    def _without_the_keeps(self, decision: Decision) -> _Dependence:
        """The facts in the reason for which the license would be kept without the rules that keep it."""
        without = [(n, outcome) for n, outcome in enumerate(decision.outcomes) if not is_keeping(outcome)]
        ruling, telling = rule_on([o.rule for _, o in without], [o.truth for _, o in without], None)
        if ruling.takes:
            return _nothing
        return self._rules.words_depend_on([without[place][0] for place in telling])


def alike_or_not(decision: Decision) -> Hashable:
    """The key of a decision that was not made by compiled rules: all that it has but the reason and its own ids."""
    ruling = decision.ruling
    facts = None if is_withheld(decision) else tuple(decision.facts.items())
    truths = tuple(outcome.truth for outcome in decision.outcomes)
    decided = (ruling.verdict, ruling.because, ruling.guard, id(ruling.rule) if ruling.rule else None)
    beside = (decision.standing, decision.take_back, _hidden(decision))
    return (decision.license_type, *decided, *_row(decision), *beside, truths, facts)


def stand_in(decision: Decision, marks: Marks, rules: CompiledRules, values: ReadValues) -> Decision:
    """The decision to be explained in the place of all with its key: `values` are its facts, with marks."""
    return structs.replace(decision, reason=marks.reason, evaluation=Compact(rules, values))


def read_by(leaf: CompiledCondition) -> list[Field]:
    """The fields that a test reads."""
    fields = [field for field, _ in leaf.reads]
    if isinstance(leaf.condition, IsEmpty) and leaf.condition.field.name in IN_USE:
        fields.append(IN_USE[leaf.condition.field.name])
    return fields


def columns_of(leaf: CompiledCondition, rules: CompiledRules, batch: FactBatch) -> list[FactColumn]:
    """The columns of all that a test reads."""
    return [batch.columns[rules.place_of(field)] for field in read_by(leaf)] or [[None] * batch.size]


def _is_of_days(leaf: CompiledCondition) -> bool:
    """Whether a test reads days only, each of which is replaced by a use or stays as it is."""
    if isinstance(leaf.condition, UnusedFor):
        return not leaf.condition.of_user
    return len(leaf.reads) <= 1 and all(field.name in _OF_DAYS for field, _ in leaf.reads)


def _hidden(decision: Decision) -> tuple[bool, bool]:
    """Whether its license or its user may be a pseudonym, of which other things are said: these hang on all facts."""
    return is_pseudonym(decision.license_id), is_pseudonym(decision.user_id)


def _is_past(fact: Fact, today: date) -> bool:
    return not isinstance(fact, Unknown) and all(isinstance(value, date) and value <= today for value in fact)


def _standing(decision: Decision) -> tuple[Any, ...]:
    return id(decision.ruling), *_row(decision), decision.standing, decision.take_back


def _row(decision: Decision) -> tuple[Any, ...]:
    row = decision.row_state
    return row.quarantined, row.user, row.listed_once


def _nothing(values: ReadValues) -> object:
    return None
