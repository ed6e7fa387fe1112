"""Facts as far as a policy can tell them apart: what stands for a whole class of people instead of one person's own.

Disuse and dates become the ranges between the policy's own thresholds, texts what the policy itself names; what it
names nowhere becomes one word, or falls away. Every part of every rule has the truth on these facts that it has on the
exact ones, so a plan that holds no others can be decided again.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TypeAlias

from msgspec import Struct, field, structs

from seatwarden.engine.decide.decide import MAX_REMEMBERED, outcomes_of
from seatwarden.engine.decide.ranges import Ranges, cuts_of
from seatwarden.engine.decide.reference import RuleOutcome, Trace
from seatwarden.engine.decide.text_classes import AskedOfReading, AskedOfText, How, TextClasses, kept_apart
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import OF_SITE, UNUSED_DAYS, Fact, RecordedFacts
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    IsEmpty,
    LicenseType,
    ListOf,
    Name,
    Not,
    Operand,
    Operator,
    Or,
    ReadAs,
    Shifted,
    UnusedFor,
    children,
)
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import FLIPPED, POSITIVE, Value, moved
from seatwarden.policy.vocabulary import OF_POOL, VOCABULARY, Type

_SOME_DAY = date(1900, 1, 1).toordinal()
"""Stands for days that the policy cannot tell apart at all."""
_TEXT_TESTS: Mapping[Operator, How] = {"=": "=", "==": "==", "like": "like"}
_FALLS_AWAY = Unknown("")
"""Stands for a fact that no rule asks for: it is only read to be shown."""
_DAYS = "license.unusedDays"
DIRECTORY = "user.userDirectory"
CoarseFacts: TypeAlias = Mapping[str, Fact]


class _Asked(Struct):
    """What the rules ask of the fields, by the fields' names in the language; linked fields are compared."""

    cuts: dict[str, set[int]] = field(default_factory=dict)
    tests: dict[str, list[AskedOfText | AskedOfReading]] = field(default_factory=dict)
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    as_patterns: bool = False
    nothing_stands: bool = False


class Coarsening:
    """The classes of facts that the rules of a policy for one license type can tell apart, on one day."""

    def __init__(self, policy: CheckedPolicy, license_type: LicenseType, day: Day) -> None:
        self._policy, self._license_type, self._day = policy, license_type, day
        self._constants: Mapping[str, tuple[Value, ...]] = {
            "today": (day.today,),
            "month": (day.today.month,),
            "weekday": (day.weekday,),
            "license.type": (license_type,),
        }
        asked = _Asked()
        for rule in policy.rules:
            if rule.applies_to(license_type):
                for leaf in _leaves(rule.condition):
                    self._note(asked, leaf)
        self._asked = asked
        self._ranges, self._linked_days = _ranges(asked)
        self._texts, self._linked_texts = _texts(asked)
        self._stood: dict[str, dict[Fact, Fact | None]] = {}
        self._classes: dict[tuple[tuple[str, Fact], ...], dict[str, Fact]] = {}
        self._outcomes: dict[tuple[tuple[str, Fact], ...], tuple[RuleOutcome, ...]] = {}

    def facts(self, facts: CoarseFacts) -> dict[str, Fact] | None:
        """What stands for these facts; None where a policy compares texts in a way for which nothing is found."""
        found = self._coarse(facts)
        # Facts that are equal are one object: classes are few.
        return self._classes.setdefault(tuple(found.items()), found) if found is not None else None

    def outcomes(self, facts: CoarseFacts) -> tuple[RuleOutcome, ...]:
        """The outcome of every rule on coarse facts, whose traces show classes in words."""
        key = tuple(facts.items())
        if key not in self._outcomes:
            found = outcomes_of(self._policy, self._license_type, RecordedFacts(facts), self._day)
            self._outcomes[key] = tuple(structs.replace(one, trace=self._worded(one.trace)) for one in found)
        return self._outcomes[key]

    def directory(self, facts: CoarseFacts) -> str | None:
        """The user directory, where the coarse facts have one that the policy names."""
        fact, classes = facts.get(DIRECTORY), self._texts.get(DIRECTORY)
        if not isinstance(fact, tuple) or len(fact) != 1 or classes is None:
            return None
        return str(fact[0]) if fact[0] in classes.named else None

    def unused_days(self, facts: CoarseFacts) -> int | None:
        """The least days without use in the range of coarse facts; None where the policy does not ask."""
        fact = facts.get(_DAYS)
        return fact[0] if isinstance(fact, tuple) and fact and isinstance(fact[0], int) else None

    def classes_of(self, name: str) -> object:
        """What the rules ask of a field: equal for two policies that divide its values alike."""
        linked = sorted(pair for pair in self._asked.links if name in pair)
        texts = self._texts.get(name)
        return (texts and frozenset(texts.tests), self._ranges.get(name), linked, linked and self._asked.as_patterns)

    # What is asked --------------------------------------------------------------------------------------

    def _note(self, asked: _Asked, leaf: Condition) -> None:
        match leaf:
            case UnusedFor():
                asked.cuts.setdefault(print_field(leaf.field), set()).add(leaf.days)
            case IsEmpty(of):
                self._ask(asked, of, AskedOfText("is filled"))
            case Comparison(operator, left, right):
                self._compared(asked, POSITIVE.get(operator, operator), left, right)
            case _:
                pass

    def _compared(self, asked: _Asked, operator: Operator, left: Operand, right: Operand) -> None:
        one, other = self._values(left), self._values(right)
        counts = [isinstance(side, Field) and side.name in OF_POOL for side in (left, right)]
        if any(counts):
            # What the site has is nobody's own. Only beside a fact of somebody's nothing stands for both.
            asked.nothing_stands |= any(
                v is None and not is_count for v, is_count in zip((one, other), counts, strict=True)
            )
            return
        # A fact that is moved is compared with a day that is moved the other way. Two facts that lie so far apart do
        # not just stay in order: for these nothing stands.
        if isinstance(left, Shifted) and one is None:
            other, left = _moved(other, -left.days), left.base
            asked.nothing_stands |= other is None
        elif isinstance(right, Shifted) and other is None:
            one, right = _moved(one, -right.days), right.base
            asked.nothing_stands |= one is None
        match left, right:
            case ReadAs(), _ if other is not None:
                self._with_reading(asked, operator, left, other)
            case _, ReadAs() if one is not None:
                self._with_reading(asked, FLIPPED.get(operator, operator), right, one)
            case (ReadAs(), _) | (_, ReadAs()):
                asked.nothing_stands = True
            case Field(), _ if one is None and other is not None:
                self._with_values(asked, operator, left, other)
            case _, Field() if one is not None and other is None:
                how: Operator = FLIPPED.get(operator, operator)
                if operator == "like":
                    self._ask(asked, right, AskedOfText("is the pattern of", _as_texts(one)))
                else:
                    self._with_values(asked, how, right, one)
            case Field(), Field() if one is None and other is None:
                for of in (left, right):
                    self._ask(asked, of, AskedOfText("is there"))
                if left != right:
                    asked.links.append((print_field(left), print_field(right)))
                asked.as_patterns |= operator == "like"

    def _with_values(self, asked: _Asked, operator: Operator, of: Field, values: tuple[Value, ...]) -> None:
        match VOCABULARY[of.name].type:
            case Type.TEXT:
                self._ask(asked, of, AskedOfText(_TEXT_TESTS[operator], _as_texts(values)))
            case Type.NUMBER | Type.DATE:
                numbers = [value.toordinal() if isinstance(value, date) else int(value) for value in values]
                cuts = asked.cuts.setdefault(print_field(of), set())
                cuts.update(cut for number in numbers for cut in cuts_of(operator, number))

    def _with_reading(self, asked: _Asked, operator: Operator, read: ReadAs, values: tuple[Value, ...]) -> None:
        """One text that says no date makes all unknown: whether it does is told apart, too."""
        for test in (AskedOfReading(read.kind), AskedOfReading(read.kind, operator, values)):
            self._ask(asked, read.field, test)

    def _ask(self, asked: _Asked, of: Field, test: AskedOfText | AskedOfReading) -> None:
        name, entry = print_field(of), VOCABULARY[of.name]
        match entry.type:
            case Type.TEXT:
                asked.tests.setdefault(name, []).append(test)
                asked.known[name] = entry.values
            case Type.NUMBER | Type.DATE:
                asked.cuts.setdefault(name, set())

    def _values(self, operand: Operand) -> tuple[Value, ...] | None:
        """The values of an operand that are the same for everybody; None for a fact of somebody's."""
        match operand:
            case Field():
                return self._constants.get(print_field(operand))
            case ListOf(items):
                return tuple(item.value for item in items)
            case Name(name):
                return self._values(self._policy.names[name])
            case ReadAs():
                return None
            case Shifted(base):
                return _moved(self._values(base), operand.days)
            case _:
                return (operand.value,)

    # What stands for it ---------------------------------------------------------------------------------

    def _coarse(self, facts: CoarseFacts) -> dict[str, Fact] | None:
        if self._asked.nothing_stands:
            return None
        days = self._days_in_order(facts) if self._linked_days else {}
        texts = self._texts_apart(facts) if self._linked_texts else {}
        if texts is None:
            return None
        together, found = days | texts, dict[str, Fact]()
        for name, fact in facts.items():
            stands = together[name] if name in together else self._stands_for(name, fact)
            if stands is None:
                return None
            if stands is not _FALLS_AWAY:
                found[name] = stands
        return found

    def _stands_for(self, name: str, fact: Fact) -> Fact | None:
        """What stands for a fact that is not compared with others; few people have one of their own."""
        stood = self._stood.setdefault(name, {})
        if fact not in stood:
            if len(stood) >= MAX_REMEMBERED:
                stood.clear()
            stood[fact] = self._find(name, fact)
        return stood[fact]

    def _find(self, name: str, fact: Fact) -> Fact | None:
        if name in OF_SITE or name in OF_POOL or name in self._constants:
            return fact
        if not self._is_asked(name):
            return _FALLS_AWAY
        if isinstance(fact, Unknown):
            return Unknown(fact.reason.partition(": `")[0])  # behind it stands what could not be read
        if name in self._ranges:
            return tuple(self._day_or_number(name, value) for value in fact)
        return self._text(name, _as_texts(fact)) if name in self._texts else fact

    def _is_asked(self, name: str) -> bool:
        return name in self._ranges or name in self._texts or _is_boolean(name)

    def _day_or_number(self, name: str, value: Value, rank: int = 0, ranks: int = 1) -> Value:
        stands = self._ranges[name].stands_for(_number(value), rank, ranks)
        return date.fromordinal(stands) if isinstance(value, date) else stands

    def _text(self, name: str, values: tuple[str, ...]) -> tuple[str, ...] | None:
        classes = self._texts[name]
        if _is_many(name):
            return classes.of_many(values)
        stands = [classes.of_one(value) for value in values]
        return tuple(text for text in stands if text is not None) if None not in stands else None

    def _days_in_order(self, facts: CoarseFacts) -> dict[str, Fact]:
        """Days that the policy compares with each other: within one range they stay in order."""
        found: dict[str, Fact] = {}
        for group in self._linked_days:
            read = {name: fact[0] for name in group if isinstance(fact := facts.get(name), tuple) and fact}
            ranges = self._ranges[group[0]]
            for name, value in read.items():
                own = ranges.number_of(_number(value))
                beside = sorted({n for other in read.values() if ranges.number_of(n := _number(other)) == own})
                found[name] = (self._day_or_number(name, value, beside.index(_number(value)), len(beside)),)
        return found

    def _texts_apart(self, facts: CoarseFacts) -> dict[str, Fact] | None:
        """Texts that the policy compares with each other; None where nothing that keeps them apart is found."""
        found: dict[str, Fact] = {}
        for group in self._linked_texts:
            read = {name: _as_texts(fact) for name in group if isinstance(fact := facts.get(name), tuple)}
            stands = kept_apart(self._texts[group[0]], read, as_patterns=self._asked.as_patterns)
            if stands is None:
                return None
            found.update(stands)
        return found

    # In words -------------------------------------------------------------------------------------------

    def _worded(self, trace: Trace) -> Trace:
        facts = tuple((of, self._words(print_field(of), fact)) for of, fact in trace.facts)
        left = getattr(trace.condition, "left", None)
        hits = self._words(print_field(left), trace.hits) if isinstance(left, Field) else trace.hits
        parts = tuple(map(self._worded, trace.parts))
        return structs.replace(trace, facts=facts, parts=parts, hits=hits if isinstance(hits, tuple) else ())

    def _words(self, name: str, fact: Fact) -> Fact:
        """A coarse fact as people read it: a range as its bounds."""
        if isinstance(fact, Unknown) or name in self._constants:
            return fact
        if name in self._ranges:
            ranges, days = self._ranges[name], name in UNUSED_DAYS
            return tuple(_range_words(*ranges.bounds(self._number_of(name, v)), days=days) for v in fact)
        if name in self._texts:
            if not fact and not self._texts[name].tells_none_from_unnamed:
                return ("(none named)",)  # whether there is another one the facts do not say
            return tuple(dict.fromkeys(self._texts[name].words(str(value)) for value in fact))
        return fact

    def _number_of(self, name: str, value: Value) -> int:
        return self._ranges[name].number_of(_number(value))


def _moved(values: tuple[Value, ...] | None, days: int) -> tuple[Value, ...] | None:
    return None if values is None else tuple(moved(value, days) for value in values)


def _leaves(condition: Condition) -> Iterator[Condition]:
    if not isinstance(condition, And | Or | Not):
        yield condition
        return
    for child in children(condition):
        yield from _leaves(child)


def _groups(names: Mapping[str, object], links: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The fields that hang together because the policy compares one with the other."""
    groups = {name: {name} for pair in links for name in pair if name in names}
    for one, other in links:
        if one in groups:
            joined = groups[one] | groups[other]
            groups.update(dict.fromkeys(joined, joined))
    return list(dict.fromkeys(tuple(sorted(group)) for group in groups.values()))


def _ranges(asked: _Asked) -> tuple[dict[str, Ranges], list[tuple[str, ...]]]:
    found = {name: Ranges.between(cuts, 0 if name in UNUSED_DAYS else _SOME_DAY) for name, cuts in asked.cuts.items()}
    groups = _groups(found, asked.links)
    for group in groups:
        shared = Ranges.between((cut for name in group for cut in asked.cuts[name]), _SOME_DAY)
        found.update(dict.fromkeys(group, shared))
    return found, groups


def _texts(asked: _Asked) -> tuple[dict[str, TextClasses], list[tuple[str, ...]]]:
    found = {name: TextClasses(tests, asked.known[name]) for name, tests in asked.tests.items()}
    groups = _groups(found, asked.links)
    for group in groups:
        tests = [test for name in group for test in asked.tests[name]]
        found.update(dict.fromkeys(group, TextClasses(tests, [text for name in group for text in asked.known[name]])))
    return found, groups


def _as_texts(values: tuple[Value, ...]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))


def _number(value: Value) -> int:
    return value.toordinal() if isinstance(value, date) else int(value)


def _entry_name(name: str) -> str:
    return next((family for family in ("user.@", "user.attributes") if name.startswith(family)), name)


def _is_many(name: str) -> bool:
    return VOCABULARY[_entry_name(name)].many


def _is_boolean(name: str) -> bool:
    return VOCABULARY[_entry_name(name)].type is Type.BOOLEAN


def _range_words(first: int | None, last: int | None, *, days: bool) -> str:
    if first is None and last is None:
        return "any number of days" if days else "on any day"
    if days:
        unit = "day" if first == last == 1 else "days"
        if first is None:
            return f"less than {(last or 0) + 1} days"
        return (
            f"{first} days or more"
            if last is None
            else f"{first} {unit}"
            if first == last
            else f"{first} to {last} days"
        )
    since, until = (date.fromordinal(day).isoformat() if day is not None else None for day in (first, last))
    if first is None:
        return f"{until} or before"
    return f"{since} or later" if last is None else f"{since}" if first == last else f"{since} to {until}"
