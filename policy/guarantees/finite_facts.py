"""The facts of a person, a site and a day, and of her licenses, as unknowns of Z3: finitely many of them.

Texts are candidates, of which somebody has each or has it not; days are numbers; each fact may be missing. Z3's own
theory of texts is not asked: it is slow, and gives no answer where one is needed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias

import z3

from seatwarden.grammar.ast import LICENSE_TYPES, Field, ReadAs
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.policy.guarantees.candidates import DIRECTORY, USER_ID, Candidates, ways_to_divide
from seatwarden.policy.operators import FIRST_YEAR, read_text
from seatwarden.policy.vocabulary import IN_USE, VOCABULARY, Type

Z3Truth: TypeAlias = Any
"""A Boolean of Z3, or of Python."""
Valued: TypeAlias = tuple[Z3Truth, Any]
"""Where a field has it, and the value: of Python, or a number of Z3."""
_FIRST, LAST_DAY = date(1899, 12, 31).toordinal(), date.max.toordinal()
_RANGES = {"date": (date(FIRST_YEAR, 1, 1).toordinal(), LAST_DAY), "number": (0, 999_999_999)}
"""What texts can say."""


@dataclass
class Logic:
    """`and`, `or` and `not` in one context: the same question is the same to Z3, whatever it was asked before."""

    context: z3.Context

    def all(self, parts: Iterable[Z3Truth]) -> Z3Truth:
        """Where all hold."""
        several = [part for part in parts if part is not self.true]
        return (several[0] if len(several) == 1 else z3.And(several)) if several else self.true

    def any(self, parts: Iterable[Z3Truth]) -> Z3Truth:
        """Where one holds."""
        several = list(parts)
        return (several[0] if len(several) == 1 else z3.Or(several)) if several else self.no(self.true)

    def no(self, part: Z3Truth) -> Z3Truth:
        """Where it does not hold."""
        return z3.Not(part, self.context)

    @cached_property
    def true(self) -> Z3Truth:
        """Everywhere."""
        return z3.BoolVal(True, self.context)

    def flag(self, name: str) -> Any:
        """A fact that is true or false."""
        return z3.Bool(name, self.context)

    def number(self, name: str) -> Any:
        """A whole number, or a day."""
        return z3.Int(name, self.context)


@dataclass
class AnyPerson:
    """The person, the site and the day."""

    logic: Logic
    candidates: Candidates
    fields: dict[Field, list[tuple[Z3Truth, str]]] = field(default_factory=dict)
    days: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, Any] = field(default_factory=dict)
    """The fields, days and missing facts that were asked for: laws are about these."""

    def gone(self, source: str) -> Any:
        """That a fact is missing."""
        return self.missing.setdefault(source, self.logic.flag(f"missing {source}"))

    def nobody(self, of: Field) -> Any:
        """That nobody at the site has a property."""
        return self.logic.flag(f"nobody has {of.name} {of.key}")

    def day(self, name: str) -> Any:
        """A day, by its number."""
        return self.days.setdefault(name, self.logic.number(name))

    @property
    def today(self) -> Any:
        """The day of the run."""
        return self.day("today")

    @property
    def calendar(self) -> tuple[Any, Any, Any]:
        """Year, month and day of the month."""
        year, month, day = map(self.logic.number, ("year", "month", "day"))
        return year, month, day

    # texts

    def texts(self, of: Field) -> list[tuple[Z3Truth, str]]:
        """The candidates of a field, each with that she has it."""
        if of not in self.fields:
            texts = enumerate(self.candidates.texts[of])
            self.fields[of] = [(self.logic.flag(f"{of.name} {of.key} has {number}"), text) for number, text in texts]
        return self.fields[of]

    def said(self, of: Field, kind: str) -> Iterator[Valued]:
        """Texts beside the candidates that say a date or a number.

        With blanks around it any date can be said by a text that nobody names.
        """
        for number in range(self.candidates.read.get((of, kind), 0)):
            name = f"{of.name} {of.key} says {kind} {number}"
            yield self.logic.flag(name), self.logic.number(f"{name}:")

    def read(self, asked: ReadAs) -> Iterator[Valued]:
        """What the texts of a field say, read as a date or as a number."""
        for where, text in self.texts(asked.field):
            value = read_text(asked.kind, text)
            if value is not None:
                yield where, value.toordinal() if isinstance(value, date) else value
        yield from self.said(asked.field, asked.kind)

    def unreadable(self, asked: ReadAs) -> Z3Truth:
        """That one of the texts does not say what it is read as."""
        other = next(kind for kind in _RANGES if kind != asked.kind)
        texts = (where for where, text in self.texts(asked.field) if read_text(asked.kind, text) is None)
        return self.logic.any([*texts, *(where for where, _ in self.said(asked.field, other))])

    def users(self) -> Iterator[tuple[Z3Truth, str]]:
        """The users that the policy names, each with that she is that one."""
        ids, directories = _by_fold(self.texts(USER_ID)), _by_fold(self.texts(DIRECTORY))
        ways = (way for user in self.candidates.named_users for way in ways_to_divide(user))
        for directory, user_id in dict.fromkeys((one.casefold(), other.casefold()) for one, other in ways):
            for where, one in directories.get(directory, ()):
                for there, other in ids.get(user_id, ()):
                    yield self.logic.all([where, there]), f"{one}\\{other}"

    # laws

    def laws(self) -> Iterator[Z3Truth]:
        """What holds of all facts."""
        yield from (z3.And(day >= _FIRST, day <= LAST_DAY) for day in self.days.values())
        for of in list(self.fields):
            yield from self._laws_of(of)
        yield from self._laws_of_calendar()

    def _laws_of(self, of: Field) -> Iterator[Z3Truth]:
        said = [(kind, one, value) for kind in _RANGES for one, value in self.said(of, kind)]
        having = [*(where for where, _ in self.texts(of)), *(where for _, where, _ in said)]
        for kind, _, value in said:
            yield z3.And(value >= _RANGES[kind][0], value <= _RANGES[kind][1])
        if not VOCABULARY[of.name].many:
            yield z3.PbEq([(one, 1) for one in having], 1)
        if of.name in IN_USE:
            yield z3.Implies(self.nobody(of), self.logic.no(self.logic.any(having)))

    def _laws_of_calendar(self) -> Iterator[Z3Truth]:
        year, month, day = self.calendar
        leap = z3.And(year % 4 == 0, z3.Or(year % 100 != 0, year % 400 == 0))
        lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        before, past = z3.IntVal(0, self.logic.context), year - 1
        for number in range(1, 12):
            before = before + z3.If(month > number, lengths[number - 1], 0)
        before = before + z3.If(z3.And(month > 2, leap), 1, 0)
        yield self.today == 365 * past + past / 4 - past / 100 + past / 400 + before + day
        yield z3.And(year >= 1899, year <= 9999, month >= 1, month <= 12, day >= 1)
        for number, length in enumerate(lengths, 1):
            yield z3.Implies(month == number, day <= (z3.If(leap, 29, 28) if number == 2 else length))


def _by_fold(texts: Iterable[tuple[Z3Truth, str]]) -> dict[str, list[tuple[Z3Truth, str]]]:
    found: dict[str, list[tuple[Z3Truth, str]]] = {}
    for where, text in texts:
        found.setdefault(text.casefold(), []).append((where, text))
    return found


class AnyLicense:
    """One license of the person; `mark` tells two of them apart."""

    def __init__(self, mark: str, person: AnyPerson) -> None:
        self.mark, self.person, self.logic = mark, person, person.logic
        flag, day = self.logic.flag, person.day
        self.type = self.logic.number(f"{mark}type")
        self.never, self.excess = flag(f"{mark}never used"), flag(f"{mark}excess")
        self.used, self.allocated = day(f"{mark}last used"), day(f"{mark}allocated")
        self.user_used, self.user_last = flag("user used"), day("user last used")
        self.user_allocated = day("user allocated")

    def laws(self) -> Iterator[Z3Truth]:
        """What holds of each license."""
        yield z3.And(self.type >= 0, self.type <= 1)
        yield z3.Implies(self.logic.no(self.never), z3.And(self.user_used, self.user_last >= self.used))
        yield self.user_allocated >= self.allocated
        yield z3.Or([z3.And(self.type == number, self.holds(one)) for number, one in enumerate(LICENSE_TYPES)])

    def laws_beside(self, other: "AnyLicense") -> Iterator[Z3Truth]:
        """What holds when the other license is the only other one."""
        both = (self, other)
        used = [self.logic.no(one.never) for one in both]
        yield self.user_used == z3.Or(used)
        latest = [z3.And(was, self.user_last == one.used) for was, one in zip(used, both, strict=True)]
        yield z3.Implies(self.user_used, z3.Or(latest))
        yield z3.Or([self.user_allocated == one.allocated for one in both])

    def holds(self, license_type: str) -> Any:
        """That the person has a license of that type."""
        return self.logic.flag(f"holds {license_type}")

    def unused(self, *, of_user: bool) -> Any:
        """The days without use."""
        reference = z3.If(self.never, self.allocated, self.used)
        user = z3.If(self.user_used, self.user_last, self.user_allocated)
        return self.person.today - (user if of_user else reference)

    def unknown(self, of: Field) -> Z3Truth:
        """Where a field is unknown."""
        gone, own, any_of = self.person.gone, self.mark, self.logic.any
        used, allocated = f"{own}license.lastUsed", f"{own}license.createdDate"
        match of.name:
            case "today" | "month" | "weekday" | "license.type":
                return self.logic.no(self.logic.true)
            case "user":
                return any_of([gone(DIRECTORY.name), gone(USER_ID.name)])
            case "license.lastUsed" | "license.neverUsed":
                return gone(used)
            case "license.unusedDays":
                return any_of([gone(used), z3.And(self.never, gone(allocated))])
            case "user.lastUsed":
                return any_of([gone(used), gone("user.lastUsed")])
            case "user.unusedDays":
                dates = any_of([gone(allocated), gone("user.allocations")])
                return any_of([gone(used), gone("user.lastUsed"), z3.And(self.logic.no(self.user_used), dates)])
            case name:
                return gone(own + name if name.startswith("license.") else name)

    def values(self, of: Field) -> Iterator[Valued]:
        """The values that a field may have, each with where it has it."""
        person, no = self.person, self.logic.no
        match of.name:
            case (
                "today"
                | "month"
                | "license.createdDate"
                | "user.createdDate"
                | "license.unusedDays"
                | "user.unusedDays"
            ):
                yield self.logic.true, self._number(of.name)
            case "weekday":  # the first of January of the year 1 was a Monday
                yield from (((person.today - 1) % 7 == number, name) for number, name in enumerate(WEEKDAYS))
            case "license.lastUsed":
                yield no(self.never), self.used
            case "user.lastUsed":
                yield self.user_used, self.user_last
            case "user.lastReleased":
                yield self.logic.flag("ever released"), person.day("last released")
            case "license.type":
                yield from ((self.type == number, one) for number, one in enumerate(LICENSE_TYPES))
            case "user.licenses":
                yield from ((self.holds(one), one) for one in LICENSE_TYPES)
            case "user":
                yield from person.users()
            case name if VOCABULARY[name].type is Type.BOOLEAN:
                own = {"license.neverUsed": self.never, "license.excess": self.excess}
                flag = own.get(name, self.logic.flag(name))
                yield from ((flag, True), (no(flag), False))
            case _:
                yield from person.texts(of)

    def _number(self, name: str) -> Any:
        match name:
            case "today":
                return self.person.today
            case "month":
                return self.person.calendar[1]
            case "license.createdDate":
                return self.allocated
            case "user.createdDate":
                return self.person.day("user created")
            case _:
                return self.unused(of_user=name == "user.unusedDays")
