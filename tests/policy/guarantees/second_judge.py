"""A second judge of guarantees: Z3, asked in a finite encoding that is built straight from the tree.

It shares nothing with `policy.worlds` but the meaning of operators on two values. Texts are a handful of candidates:
each that the policy names, in two spellings, and others that it does not; days are numbers; each fact may be missing.
What hangs on endless texts (patterns, texts read as dates) it does not judge.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import z3

from seatwarden.grammar.ast import (
    LICENSE_TYPES,
    And,
    Comparison,
    Condition,
    Date,
    Field,
    Guarantee,
    IsEmpty,
    Length,
    ListOf,
    MonthDay,
    Name,
    Not,
    Or,
    ReadAs,
    Rule,
    Season,
    Shifted,
    Text,
    UnusedFor,
    walk,
)
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import HOLDS, POSITIVE
from seatwarden.policy.vocabulary import IN_USE, OF_POOL, VOCABULARY, Type

Truth: TypeAlias = Any
"""A Boolean of Z3, or of Python."""
Value: TypeAlias = tuple[Truth, Any]
"""Where a field has it, and the value: of Python, or a number of Z3."""
_FIRST, _LAST = date(1899, 12, 31).toordinal(), date.max.toordinal()


def is_judged(policy: CheckedPolicy) -> bool:
    """Whether all that the policy says can be encoded."""
    return all(map(_is_encoded, (node for said in policy.tree.conditions for node, _ in walk(said))))


def _is_encoded(node: Condition) -> bool:
    match node:
        case ReadAs():
            return False
        case Field(name):
            return name not in OF_POOL
        case Comparison("like", left, right):
            texts = right.items if isinstance(right, ListOf) else (right,)
            return isinstance(left, Field) and all(isinstance(t, Text) and "*" not in t.value for t in texts)
        case _:
            return True


def is_refuted(policy: CheckedPolicy, guarantee: Guarantee) -> bool | None:
    """Whether there are facts against a guarantee; None when Z3 does not find out."""
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    user = _User(_candidates(policy), solver)
    first = _License("", user)
    rules = policy.rules
    if guarantee.promise == "never both types":
        other = _License("other ", user)
        first.held_beside(other)
        solver.add(first.type == 0, other.type == 1)
        solver.add(_released(first, rules, rules), _released(other, rules, rules))
    else:
        first.held_alone()
        solver.add(z3.Or(*(first.type == LICENSE_TYPES.index(one) for one in guarantee.license_types or LICENSE_TYPES)))
        about: list[Condition] = [guarantee.condition] if guarantee.condition is not None else []
        if isinstance(guarantee.before, Length):
            about.append(Not(UnusedFor(guarantee.before)))
        if guarantee.promise == "always":
            read = {one for rule in rules for one in _fields_of(rule.condition)}
            solver.add(*(z3.Not(first.unknown(one)) for one in read))
            solver.add(*(z3.Not(user.gone(str(IN_USE[one.name].name))) for one in read if one.name in IN_USE))
            solver.add(*(first.true(condition) for condition in about), z3.Not(_released(first, rules, rules)))
            solver.add(*(z3.Not(user.nobody(one)) for one in read if one.name in IN_USE))
        else:
            untold = guarantee.promise == "never without notice"
            releases = [rule for rule in rules if not (untold and rule.notice is not None)]
            solver.add(*(z3.Not(first.false(condition)) for condition in about), _released(first, rules, releases))
    solver.add(*user.laws())
    found = solver.check()
    return None if found == z3.unknown else bool(found == z3.sat)


def _released(own: "_License", rules: Iterable[Rule], releases: Iterable[Rule]) -> Truth:
    keeps = [z3.Not(own.may_match(rule)) for rule in rules if rule.kind == "keep"]
    return z3.And(z3.Or(False, *(own.matches(r) for r in releases if r.kind == "release")), *keeps)


def _fields_of(condition: Condition) -> Iterator[Field]:
    for node, _ in walk(condition):
        if isinstance(node, UnusedFor):
            yield node.field
        elif isinstance(node, Field):
            yield node


def _candidates(policy: CheckedPolicy) -> list[str]:
    """The texts that fields may have."""
    values = [*policy.names.values(), *(node for said in policy.tree.conditions for node, _ in walk(said))]
    items = [item for value in values for item in (value.items if isinstance(value, ListOf) else (value,))]
    named = [item.value for item in items if isinstance(item, Text)]
    for text in list(named):
        places = [n for n, character in enumerate(text) if character == "\\"]
        named += [part for place in places for part in (text[:place], text[place + 1 :])]
    spelled = [other for text in named for other in (text, text.swapcase()) if other.casefold() == text.casefold()]
    return list(dict.fromkeys([*spelled, "", "an unnamed text", "another one"]))


@dataclass
class _User:
    """The person, the site and the day."""

    texts: list[str]
    solver: z3.Solver
    fields: set[Field] = field(default_factory=set)
    today: Any = field(default_factory=lambda: z3.Int("today"))
    dates: dict[str, Any] = field(default_factory=dict)

    def flag(self, name: str) -> Any:
        return z3.Bool(name)

    def gone(self, source: str) -> Any:
        """That a fact is missing."""
        return z3.Bool(f"missing {source}")

    def nobody(self, of: Field) -> Any:
        """That nobody at the site has a property."""
        return z3.Bool(f"nobody has {of.name} {of.key}")

    def date(self, name: str) -> Any:
        if name not in self.dates:
            self.dates[name] = z3.Int(name)
        return self.dates[name]

    def has(self, of: Field, text: str) -> Any:
        self.fields.add(of)
        return z3.Bool(f"{of.name} {of.key} has {self.texts.index(text)}")

    def calendar(self) -> tuple[Any, Any, Any]:
        """Year, month and day of the month."""
        return z3.Int("year"), z3.Int("month"), z3.Int("day")

    def laws(self) -> Iterator[Truth]:
        """What holds of all facts."""
        yield from (z3.And(day >= _FIRST, day <= _LAST) for day in [self.today, *self.dates.values()])
        for of in self.fields:
            having = [self.has(of, text) for text in self.texts]
            if not VOCABULARY[of.name].many:
                yield z3.PbEq([(one, 1) for one in having], 1)
            if of.name in IN_USE:
                yield z3.Implies(self.nobody(of), z3.Not(z3.Or(*having)))
        year, month, day = self.calendar()
        leap = z3.And(year % 4 == 0, z3.Or(year % 100 != 0, year % 400 == 0))
        lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        before, past = z3.IntVal(0), year - 1
        for number in range(1, 12):
            before = before + z3.If(month > number, lengths[number - 1], 0)
        before = before + z3.If(z3.And(month > 2, leap), 1, 0)
        yield self.today == 365 * past + past / 4 - past / 100 + past / 400 + before + day
        yield z3.And(year >= 1899, year <= 9999, month >= 1, month <= 12, day >= 1)
        for number, length in enumerate(lengths, 1):
            yield z3.Implies(month == number, day <= (z3.If(leap, 29, 28) if number == 2 else length))


class _License:
    """One license of the person; `mark` tells two of them apart."""

    def __init__(self, mark: str, user: _User) -> None:
        self._mark, self._user = mark, user
        self.type = z3.Int(f"{mark}type")
        self.never = z3.Bool(f"{mark}never used")
        self.excess = z3.Bool(f"{mark}excess")
        self.used, self.allocated = user.date(f"{mark}last used"), user.date(f"{mark}allocated")
        self.reference = z3.If(self.never, self.allocated, self.used)
        self.user_used, self.user_last = z3.Bool("user used"), user.date("user last used")
        self.user_allocated = user.date("user allocated")
        user.solver.add(self.type >= 0, self.type <= 1)
        user.solver.add(z3.Implies(z3.Not(self.never), z3.And(self.user_used, self.user_last >= self.used)))
        user.solver.add(self.user_allocated >= self.allocated)
        user.solver.add(z3.Or(*(z3.And(self.type == n, self._holds(one)) for n, one in enumerate(LICENSE_TYPES))))

    def held_alone(self) -> None:
        """Of the other license, if there is one, nothing is known."""

    def held_beside(self, other: "_License") -> None:
        """The other license is the only other one."""
        add = self._user.solver.add
        both = (self, other)
        add(self.user_used == z3.Or(*(z3.Not(one.never) for one in both)))
        latest = z3.Or(*(z3.And(z3.Not(one.never), self.user_last == one.used) for one in both))
        add(z3.Implies(self.user_used, latest))
        add(z3.Or(*(self.user_allocated == one.allocated for one in both)))

    def _holds(self, license_type: str) -> Any:
        return z3.Bool(f"holds {license_type}")

    # rules

    def matches(self, rule: Rule) -> Truth:
        return z3.And(*self._bounds(rule), self.true(rule.condition))

    def may_match(self, rule: Rule) -> Truth:
        return z3.And(*self._bounds(rule), z3.Not(self.false(rule.condition)))

    def _bounds(self, rule: Rule) -> Iterator[Truth]:
        yield z3.Or(*(self.type == LICENSE_TYPES.index(one) for one in rule.license_types or LICENSE_TYPES))
        if rule.until is not None:
            yield self._user.today <= rule.until.value.toordinal()

    # conditions

    def true(self, condition: Condition) -> Truth:
        return self._truth(condition)[0]

    def false(self, condition: Condition) -> Truth:
        return self._truth(condition)[1]

    def _truth(self, condition: Condition) -> tuple[Truth, Truth]:
        """Where it is true, and where it is false; it is unknown elsewhere."""
        match condition:
            case And(operands):
                truths = [self._truth(operand) for operand in operands]
                return z3.And(*(true for true, _ in truths)), z3.Or(*(false for _, false in truths))
            case Or(operands):
                truths = [self._truth(operand) for operand in operands]
                return z3.Or(*(true for true, _ in truths)), z3.And(*(false for _, false in truths))
            case Not(operand):
                true, false = self._truth(operand)
                return false, true
            case IsEmpty(of):
                return self._emptiness(of)
            case UnusedFor():
                return self._known([condition.field], self._unused(of_user=condition.of_user) >= condition.days)
            case Season():
                return self._known([], self._season(condition))
            case Comparison(operator, left, right):
                equal = self._compare(POSITIVE.get(operator, operator), left, right)
                fields = [node for node, _ in walk(condition) if isinstance(node, Field)]
                return self._known(fields, z3.Not(equal) if operator in POSITIVE else equal)
            case Field():
                holds = z3.Or(False, *(where for where, value in self._values(condition) if value is True))
                return self._known([condition], holds)
            case _:
                return self._known([], z3.BoolVal(any(value is True for _, value in self._values(condition))))

    def _known(self, fields: Iterable[Field], holds: Truth) -> tuple[Truth, Truth]:
        known = z3.Not(z3.Or(False, *map(self.unknown, fields)))
        return z3.And(known, holds), z3.And(known, z3.Not(holds))

    def _emptiness(self, of: Field) -> tuple[Truth, Truth]:
        filled = z3.Or(False, *(w for w, value in self._values(of) if not isinstance(value, str) or value.strip()))
        known = z3.Not(self.unknown(of))
        sure: Truth = True
        if of.name in IN_USE:
            sure = z3.Not(z3.Or(self._user.nobody(of), self._user.gone(IN_USE[of.name].name)))
        return z3.And(known, z3.Not(filled), sure), z3.And(known, filled)

    def unknown(self, of: Field) -> Truth:
        """Where a field is unknown."""
        gone, own = self._user.gone, self._mark
        used, allocated = gone(f"{own}license.lastUsed"), gone(f"{own}license.createdDate")
        match of.name:
            case "today" | "month" | "weekday" | "license.type":
                return z3.BoolVal(False)
            case "user":
                return z3.Or(gone("user.userDirectory"), gone("user.userId"))
            case "license.lastUsed" | "license.neverUsed":
                return used
            case "license.unusedDays":
                return z3.Or(used, z3.And(self.never, allocated))
            case "user.lastUsed":
                return z3.Or(used, gone("user.lastUsed"))
            case "user.unusedDays":
                dates = z3.Or(allocated, gone("user.allocations"))
                return z3.Or(used, gone("user.lastUsed"), z3.And(z3.Not(self.user_used), dates))
            case name if name.startswith("license."):
                return gone(own + name)
            case name:
                return gone(name)

    # values

    def _unused(self, *, of_user: bool) -> Any:
        user = z3.If(self.user_used, self.user_last, self.user_allocated)
        return self._user.today - (user if of_user else self.reference)

    def _season(self, season: Season) -> Truth:
        first, last, today = season.first, season.last, self._user.today
        if isinstance(first, Date) and isinstance(last, Date):
            return z3.And(today >= first.value.toordinal(), today <= last.value.toordinal())
        assert isinstance(first, MonthDay)
        assert isinstance(last, MonthDay)
        _, month, day = self._user.calendar()
        one, now, other = first.month * 100 + first.day, month * 100 + day, last.month * 100 + last.day
        return z3.And(now >= one, now <= other) if one <= other else z3.Or(now >= one, now <= other)

    def _values(self, operand: Any) -> list[Value]:
        match operand:
            case Field():
                return list(self._of_field(operand))
            case ListOf(items):
                return [(True, self._plain(item.value)) for item in items]
            case Name():
                raise AssertionError("policies here have no names")
            case Shifted(base):
                return [(where, value + operand.days) for where, value in self._values(base)]
            case _:
                return [(True, self._plain(operand.value))]

    @staticmethod
    def _plain(value: Any) -> Any:
        return value.toordinal() if isinstance(value, date) else value

    def _of_field(self, of: Field) -> Iterator[Value]:
        user, (_, month, _) = self._user, self._user.calendar()
        numbers = {
            "today": user.today,
            "month": month,
            "license.createdDate": self.allocated,
            "user.createdDate": user.date("user created"),
            "license.unusedDays": self._unused(of_user=False),
            "user.unusedDays": self._unused(of_user=True),
        }
        match of.name:
            case name if name in numbers:
                yield True, numbers[name]
            case "weekday":  # the first of January of the year 1 was a Monday
                yield from (((user.today - 1) % 7 == number, name) for number, name in enumerate(WEEKDAYS))
            case "license.lastUsed":
                yield z3.Not(self.never), self.used
            case "user.lastUsed":
                yield self.user_used, self.user_last
            case "user.lastReleased":
                yield z3.Bool("ever released"), user.date("last released")
            case "license.type":
                yield from ((self.type == number, one) for number, one in enumerate(LICENSE_TYPES))
            case "user.licenses":
                yield from ((self._holds(one), one) for one in LICENSE_TYPES)
            case "license.neverUsed" | "license.excess":
                flag = self.never if of.name == "license.neverUsed" else self.excess
                yield from ((flag, True), (z3.Not(flag), False))
            case "user":
                directory, user_id = Field("user.userDirectory"), Field("user.userId")
                for one in user.texts:
                    for other in user.texts:
                        yield z3.And(user.has(directory, one), user.has(user_id, other)), f"{one}\\{other}"
            case name if VOCABULARY[name].type is Type.BOOLEAN:
                yield from ((user.flag(name), True), (z3.Not(user.flag(name)), False))
            case _:
                yield from ((user.has(of, text), text) for text in user.texts)

    def _compare(self, operator: str, left: Any, right: Any) -> Truth:
        pairs: list[Truth] = []
        for where, one in self._values(left):
            for there, other in self._values(right):
                holds = self._holds_of(operator, one, other)
                if holds is not False:
                    pairs.append(z3.And(where, there, holds))
        return z3.Or(False, *pairs)

    @staticmethod
    def _holds_of(operator: str, one: Any, other: Any) -> Truth:
        if not isinstance(one, z3.ExprRef) and not isinstance(other, z3.ExprRef):
            return HOLDS[operator](one, other)  # type: ignore[index]
        signs = {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}
        return signs.get(operator, one == other)
