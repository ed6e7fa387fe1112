"""Facts of one license that a second judge has found, read as the facts of a world are."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

from seatwarden.grammar.ast import Comparison, Field
from seatwarden.policy.guarantees.unknowns import missing, nobody_has
from seatwarden.policy.operators import FIRST_YEAR, Value
from seatwarden.policy.vocabulary import IN_USE, VOCABULARY, Type
from seatwarden.policy.worlds.formula import Flag, Formula
from seatwarden.policy.worlds.translate import NEVER_USED, USER_LAST_USED

ORDINARY_DAY = date(2026, 6, 15)
_ORDINARY = {"user.userDirectory": "ACME", "user.userId": "somebody", "user.name": "Somebody"}


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """Facts of one license, some of which may be missing, by the flags of `Doubts`."""

    values: Mapping[Field, tuple[Value, ...]]
    flags: frozenset[Flag]

    @classmethod
    def of(
        cls, found: Mapping[Field, Iterable[Any]], gone: Iterable[str], nobody: Iterable[Field], mark: str
    ) -> "FoundFacts":
        """The facts by their fields, days as numbers; those of the license that are gone begin with its mark."""
        values = {field: tuple(_told(field, value) for value in said) for field, said in found.items()}
        for name, text in _ORDINARY.items():
            values[Field(name)] = values.get(Field(name)) or (text,)
        values[Field("user")] = (f"{values[Field('user.userDirectory')][0]}\\{values[Field('user.userId')][0]}",)
        own = {
            source.removeprefix(mark)
            for source in gone
            if source.startswith(f"{mark}license.") or "license." not in source
        }
        flags = {missing(Field(source)) for source in own}
        for family, in_use in IN_USE.items():
            of_family = [field for field in found if field.name == family]
            values[in_use] = tuple(str(field.key) for field in of_family)
            flags |= {nobody_has(field) for field in of_family if field in nobody or in_use.name in own}
        flags |= {Flag(NEVER_USED)} if True in values[NEVER_USED] else set()
        flags |= {Flag(USER_LAST_USED)} if values[USER_LAST_USED] else set()
        return cls(values, frozenset(flags))

    def read(self, field: Field) -> tuple[Value, ...]:
        """The values of a field."""
        return self.values[field]

    @property
    def today(self) -> date:
        """The day of the run."""
        (today,) = self.values[Field("today")]
        assert isinstance(today, date)  # noqa: S101 - for the type checker
        return today

    def satisfies(self, formula: Formula) -> bool:
        """Whether a flag is set as it is wanted; nothing else is asked of facts that are given."""
        if not isinstance(formula, Flag) or isinstance(formula.subject, Comparison):
            raise TypeError(f"only flags are asked for, not {formula}")
        return (Flag(formula.subject) in self.flags) is formula.wanted


def text_that_says(kind: str, value: int, taken: Container[str]) -> str:
    """A text that is read as a date or a number, and is none of those that are taken: blanks around it do not count."""
    said = date.fromordinal(value).isoformat() if kind == "date" else str(value)
    return next(text for text in (said + " " * blanks for blanks in count()) if text not in taken)


def _told(field: Field, value: Any) -> Value:
    entry = VOCABULARY[field.name]
    if entry.type is not Type.DATE:
        return value  # type: ignore[no-any-return]
    # A day that no law is about, since nobody asks for it, can be any number.
    return date.fromordinal(value) if value >= date(FIRST_YEAR, 1, 1).toordinal() - 1 else ORDINARY_DAY
