"""Single changes of a case: what they do to the facts, and how people say them.

An explanation says what would have to change for another verdict. Each such change is a value of this module, so that
it can be applied and decided again before it is said. A fact that nobody could foresee after the change (the last use
over all licenses, when the user held another one) is unknown after it: what is certain then, is certain anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from msgspec import Struct

from seatwarden.engine.common.text import join_words, quoted
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact, Facts
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Comparison, Field, LicenseType, Name, Rule
from seatwarden.grammar.printer import print_field
from seatwarden.policy.vocabulary import IN_USE, NOUNS

ANYTHING = "(any value)"
"""A value that nobody has: it stands for any that no rule speaks of."""
ELSEWHERE = "(another directory)"
"""A user directory that nobody has: it stands for any that no rule speaks of."""

_UNFORESEEABLE = Unknown("cannot be foreseen")
TAKEN_BACK_BY = Field("license.takenBackBy")
_USER, _DIRECTORY, _LICENSES, _LAST_USED, _UNUSED = (
    Field(name) for name in ("user", "user.userDirectory", "user.licenses", "user.lastUsed", "user.unusedDays")
)


class UsedToday(Struct, frozen=True):
    """The license was used on the day of the decision."""


class WithValue(Struct, frozen=True):
    """The user has one more tag, admin role, or value of a custom property or attribute."""

    field: Field
    value: str


class WithoutValues(Struct, frozen=True):
    """The user has these values of that field no more."""

    field: Field
    values: tuple[str, ...]


class Filled(Struct, frozen=True):
    """A field without a value has one: any that no rule names."""

    field: Field


class Empty(Struct, frozen=True):
    """A list that could not be read can be, and has no value: all of a family for `user.@` and `user.attributes`."""

    name: str


class Flagged(Struct, frozen=True):
    """A field that is true or false is `truth`. `unread`: it could not be read before."""

    field: Field
    truth: bool
    unread: bool = False


class InDirectory(Struct, frozen=True):
    """The user is in that user directory."""

    directory: str


class Holding(Struct, frozen=True):
    """The user has (`held`) or has not an allocated license of the other type too."""

    license_type: LicenseType
    held: bool


@dataclass(frozen=True, slots=True, eq=False)
class OnList:
    """The policy is another: a list that the user is compared with has the value `own` of the user too.

    The list is a `let` or `set` of the policy where the comparison names one, else it stands in that rule alone.
    """

    rule: Rule
    comparison: Comparison
    own: str

    @property
    def place(self) -> str:
        """The list, as people speak of it."""
        sides = (self.comparison.left, self.comparison.right)
        return next((side.name for side in sides if isinstance(side, Name)), self.rule.title)


Change: TypeAlias = UsedToday | WithValue | WithoutValues | Filled | Empty | Flagged | InDirectory | Holding | OnList


class Changed(Struct, frozen=True):
    """Facts, some of them replaced; `names` replaces all fields of a name."""

    facts: Facts
    values: Mapping[Field, Fact]
    names: Mapping[str, Fact]

    def read(self, field: Field) -> Fact:
        """The fact of that field after the change."""
        if field in self.values:
            return self.values[field]
        return self.names[field.name] if field.name in self.names else self.facts.read(field)

    def touches(self, field: Field) -> bool:
        """Whether the fact of that field is replaced."""
        return field in self.values or field.name in self.names


def facts_after(change: Change, facts: Facts, day: Day) -> Changed:
    """The facts of a case after the change; one of the policy changes none."""
    values: dict[Field, Fact] = {}
    names: dict[str, Fact] = {}
    match change:
        case UsedToday():
            values = {
                Field("license.lastUsed"): (day.today,),
                Field("license.neverUsed"): (False,),
                Field("license.unusedDays"): (0,),
                _LAST_USED: _latest(facts.read(_LAST_USED), day.today),
                _UNUSED: _none_unused(facts.read(_UNUSED)),
            }
        case WithValue(field, value):
            before = facts.read(field)
            values = {field: before if isinstance(before, Unknown) else (*before, value)}
        case WithoutValues(field, gone):
            before = facts.read(field)
            values = {field: before if isinstance(before, Unknown) else tuple(v for v in before if v not in gone)}
            if field.name in IN_USE:  # the user may have been the only one with that property
                values[IN_USE[field.name]] = _UNFORESEEABLE
        case Filled(field):
            values = {field: (ANYTHING,)}
        case Empty(name):
            names = {name: ()}
        case Flagged(field, truth):
            values = {field: (truth,)}
        case InDirectory(directory):
            values = {_DIRECTORY: (directory,), _USER: _in_directory(facts.read(_USER), facts, directory)}
        case Holding(license_type, held):
            before = facts.read(_LICENSES)
            if not isinstance(before, Unknown):
                others = tuple(one for one in before if one != license_type)
                before = (*others, license_type) if held else others
            values = {_LICENSES: before, _LAST_USED: _UNFORESEEABLE, _UNUSED: _UNFORESEEABLE}
    if not isinstance(change, UsedToday | Flagged):  # license rules ask for nearly everything about a user
        values[TAKEN_BACK_BY] = _UNFORESEEABLE
    return Changed(facts, values, names)


def _latest(fact: Fact, today: date) -> Fact:
    if isinstance(fact, Unknown):
        return fact
    return (max([today, *(value for value in fact if isinstance(value, date))]),)


def _none_unused(fact: Fact) -> Fact:
    return fact if isinstance(fact, Unknown) else (0,)


def _in_directory(user: Fact, facts: Facts, directory: str) -> Fact:
    """`DIRECTORY\\id` with another directory; both may have a backslash of their own."""
    before = facts.read(_DIRECTORY)
    if isinstance(user, Unknown) or isinstance(before, Unknown) or not (user and before):
        return _UNFORESEEABLE
    return (f"{directory}{str(user[0]).removeprefix(str(before[0]))}",)


# Words -----------------------------------------------------------------------------------------------------

_MARKS = {
    "user.inactive": ("the user were marked Inactive", "the user were not marked Inactive"),
    "user.blocked": ("the user were marked Blocked", "the user were not marked Blocked"),
    "user.removedExternally": ("the user were removed externally", "the user were not removed externally"),
    "user.deleteProhibited": ("the user were marked Delete prohibited", "the user were not marked Delete prohibited"),
    "license.excess": ("the license were in excess", "the license were not in excess"),
}


def words_of(changes: tuple[Change, ...]) -> str:
    """The words behind an `if`: one change, or one of several that differ in their value only."""
    first = changes[0]
    match first:
        case UsedToday():
            return "the license had been used today"
        case WithValue(field):
            shown = join_words([quoted(c.value) for c in changes if isinstance(c, WithValue)], "or")
            if field.name == "user.tags":
                return f"the user were tagged {shown}"
            return f"the user had {_noun(field)}{shown}"
        case WithoutValues(field, values):
            shown = join_words([quoted(value) for value in values], "or")
            if field.name == "user.tags":
                return f"the user were not tagged {shown}"
            return f"the user did not have {_noun(field)}{shown}"
        case Filled(field):
            return f"the user had {_any(field)}"
        case Empty(name):
            what = {"user.@": "user.customProperties"}.get(name, name)
            return f"`{what}` were readable and had no value"
        case Flagged(field, truth, unread=True):
            return f"`{print_field(field)}` were readable and {'true' if truth else 'false'}"
        case Flagged(field, truth):
            return _MARKS[field.name][0 if truth else 1]
        case InDirectory(directory) if directory == ELSEWHERE:
            return "the user were in a user directory that no rule speaks of"
        case InDirectory():
            shown = join_words([quoted(c.directory) for c in changes if isinstance(c, InDirectory)], "or")
            return f"the user directory were {shown}"
        case Holding(license_type, held):
            a = f"{'an' if license_type == 'analyzer' else 'a'} {license_type} license"
            return f"the user also held {a}" if held else f"the user did not also hold {a}"
        case OnList(_, _, own):
            return f"{quoted(own)} were listed in {first.place}"


def _any(field: Field) -> str:
    """Any value of the field: `a tag`, `a value of the custom property Department`."""
    if field.key is None:
        return {"user.tags": "a tag", "user.roles": "an admin role"}.get(field.name, f"a value of {field.name}")
    return f"a value of the {NOUNS[field.name]} {field.key}"


def _noun(field: Field) -> str:
    """The words before the value: `the admin role `, `the custom property Department = `."""
    if field.name == "user.roles":
        return "the admin role "
    return f"the {NOUNS[field.name]} {field.key} = "


def change_to_json(change: Change) -> dict[str, Any]:
    """A change for scripts: its kind, and what it is a change of."""
    match change:
        case UsedToday():
            return {"change": "used today"}
        case WithValue(field, value):
            return {"change": "value added", "field": print_field(field), "value": value}
        case WithoutValues(field, values):
            return {"change": "values removed", "field": print_field(field), "values": list(values)}
        case Filled(field):
            return {"change": "any value added", "field": print_field(field)}
        case Empty(name):
            return {"change": "readable and empty", "field": name}
        case Flagged(field, truth, unread):
            return {"change": "readable" if unread else "set", "field": print_field(field), "value": truth}
        case InDirectory(directory):
            shown = None if directory == ELSEWHERE else directory
            return {"change": "set", "field": "user.userDirectory", "value": shown}
        case Holding(license_type, held):
            return {"change": "license added" if held else "license removed", "licenseType": license_type}
        case OnList(_, _, own):
            return {"change": "listed", "list": change.place, "value": own}
