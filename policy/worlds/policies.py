"""Rules as formulas, and the worlds in which two policies differ.

Guards are left out: they keep whatever the rules say, in every policy alike. So are unknown facts.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from seatwarden.grammar.ast import LICENSE_TYPES, RULE_KINDS, LicenseType, Policy, Rule
from seatwarden.policy.worlds.days import DayField
from seatwarden.policy.worlds.formula import Formula, Has, TextTest, Within, all_of, any_of, negate
from seatwarden.policy.worlds.search import Space
from seatwarden.policy.worlds.translate import LICENSE_TYPE, Names, translate
from seatwarden.policy.worlds.world import World

ReleasedBy: TypeAlias = Literal["by either", "by the one", "by the other"]
"""By which of two policies a license is released that the other keeps."""


def of_types(types: Iterable[LicenseType]) -> Formula:
    """The formula that the license is of one of these types; of any when none is named."""
    return Has(TextTest(LICENSE_TYPE, exact=frozenset(types) or frozenset(LICENSE_TYPES)))


def rule_formula(rule: Rule, names: Names) -> Formula:
    """The formula of a rule: its license types, its last day, its condition."""
    parts = [of_types(rule.types), translate(rule.condition, names)]
    if rule.until is not None:
        parts.insert(1, Within(DayField.TODAY, DayField.ORIGIN, rule.until.value.toordinal()))
    return all_of(parts)


def told(rule: Rule) -> tuple[int, int | None] | None:
    """How many days before a release by this rule its user is told and reminded; None without a notice.

    Release rules that tell differently are different rules, whatever they match.
    """
    return (rule.notice.days, rule.notice.reminder_days) if rule.notice is not None else None


def differences(
    one: Policy, other: Policy, names: tuple[Names, Names], given: Formula, released: ReleasedBy = "by either"
) -> Iterator[World]:
    """Worlds in which two policies do different things with a license, among those where `given` holds.

    Small ones come first. `released` says by which a license is taken that the other keeps, or is released that the
    other downgrades. None at all: the policies mean the same on all facts there can be, or as far as was asked. Raises
    Undecided.
    """
    sides = _Side.of(one, names[0]), _Side.of(other, names[1])
    formulas = [_only_first(*sides)] if released != "by the other" else []
    formulas += [_only_first(*reversed(sides))] if released != "by the one" else []
    if any(side.downgrades for side in sides):
        formulas += [_downgraded_by_first_alone(*sides)] if released != "by the one" else []
        formulas += [_downgraded_by_first_alone(*reversed(sides))] if released != "by the other" else []
    space = Space([*formulas, given])
    found: list[World] = []
    for formula in formulas:
        found += [world for world, _ in zip(space.worlds(given, formula), range(_TRIES), strict=False)]
    yield from sorted(found, key=lambda world: world.size)


_TRIES = 50
"""Most worlds that are looked at for a small one."""


class _Side(Struct, frozen=True):
    """A policy's rules as formulas; `takes` are those that take a license, `downgrades` are among them."""

    keeps: tuple[Formula, ...]
    takes: tuple[Formula, ...]
    downgrades: tuple[Formula, ...]

    @classmethod
    def of(cls, policy: Policy, names: Names) -> "_Side":
        found = {kind: [rule_formula(rule, names) for rule in policy.rules if rule.kind == kind] for kind in RULE_KINDS}
        takes = (*found["downgrade"], *found["release"])
        return cls(*(tuple(dict.fromkeys(formulas)) for formulas in (found["keep"], takes, found["downgrade"])))


def _only_first(one: _Side, other: _Side) -> Formula:
    """The formula of the worlds in which the one policy takes a license and the other does not.

    That is because of a keep rule which only the other has, or because none of its rules that take matches; then it is
    such a rule which only the one has. Rules that both have take no part in the search.
    """
    taken = all_of([any_of(one.takes), *(negate(keep) for keep in one.keeps)])
    kept_by_both, taken_by_both = set(one.keeps), set(other.takes)
    kept = [keep for keep in other.keeps if keep not in kept_by_both]
    lost = any_of(take for take in one.takes if take not in taken_by_both)
    not_taken = all_of([lost, *(negate(take) for take in other.takes)])
    return all_of([taken, any_of([*kept, not_taken])])


def _downgraded_by_first_alone(one: _Side, other: _Side) -> Formula:
    """The formula of the worlds in which the one policy downgrades a license and the other releases it."""
    downgraded_by_both = set(other.downgrades)
    downgraded = any_of(rule for rule in one.downgrades if rule not in downgraded_by_both)
    released = all_of([any_of(other.takes), *(negate(rule) for rule in other.downgrades)])
    return all_of([downgraded, released, *(negate(keep) for keep in (*one.keeps, *other.keeps))])
