"""One person with a professional and an analyzer license: what the rules say of both on one day.

A world has one license. The other one, the analyzer license, has days of its own in it, and flags; what the rules say
of it is said of those instead. User, site and day are the same for both.
"""

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from seatwarden.grammar.ast import Comparison, Field, LicenseType, field_of
from seatwarden.grammar.printer import print_condition
from seatwarden.policy.operators import Value
from seatwarden.policy.worlds.days import DayField
from seatwarden.policy.worlds.formula import (
    AllOf,
    AnyOf,
    Flag,
    Formula,
    Has,
    TextTest,
    Within,
    all_of,
    any_of,
    constant,
)
from seatwarden.policy.worlds.translate import LICENSE_TYPE, LICENSES, NEVER_USED, USER_LAST_USED
from seatwarden.policy.worlds.world import World

FIRST: LicenseType = "professional"
OTHER: LicenseType = "analyzer"
_OTHER_NEVER_USED = Field("license.neverUsed", OTHER)
_EXCESS = Field("license.excess")
_OTHER_EXCESS = Field("license.excess", OTHER)
_DAYS_OF_OTHER = {
    DayField.REFERENCE: DayField.OTHER_REFERENCE,
    DayField.LAST_USED: DayField.OTHER_REFERENCE,  # only a license that was used is asked for it
    DayField.ALLOCATED: DayField.OTHER_ALLOCATED,
}


def of_other(formula: Formula) -> Formula:
    """What a formula says of the license, said of the other one."""
    match formula:
        case AllOf(parts):
            return all_of(map(of_other, parts))
        case AnyOf(parts):
            return any_of(map(of_other, parts))
        case Has(test, wanted) if test.field == LICENSE_TYPE:
            return constant(test.passes(OTHER) is wanted)
        case Flag(Comparison() as compared, wanted) if _is_of_license(compared):
            # Free: the example is confirmed on what the texts and days are.
            return Flag(Field(f"of the {OTHER} license: {print_condition(compared)}"), wanted)
        case Flag(Field() as subject, wanted):
            return Flag({NEVER_USED: _OTHER_NEVER_USED, _EXCESS: _OTHER_EXCESS}.get(subject, subject), wanted)
        case Within(later, earlier, days):
            return Within(_DAYS_OF_OTHER.get(later, later), _DAYS_OF_OTHER.get(earlier, earlier), days)
        case _:
            return formula


def _is_of_license(compared: Comparison) -> bool:
    fields = (field_of(side) for side in (compared.left, compared.right))
    return any(field is not None and field.name.startswith("license.") for field in fields)


def both_held() -> Formula:
    """The formula that the person has two licenses, this one and the other, and what follows for her days."""
    held = [Has(TextTest(LICENSES, exact=frozenset([one]))) for one in (FIRST, OTHER)]
    first = Has(TextTest(LICENSE_TYPE, exact=frozenset([FIRST])))
    used, other_used = Flag(NEVER_USED, wanted=False), Flag(_OTHER_NEVER_USED, wanted=False)
    never: list[Formula] = [Flag(_OTHER_NEVER_USED), *_same(DayField.OTHER_REFERENCE, DayField.OTHER_ALLOCATED)]
    a_use: list[Formula] = [
        other_used,
        Flag(USER_LAST_USED),
        Within(DayField.OTHER_REFERENCE, DayField.USER_LAST_USED, 0),
    ]
    other = any_of([all_of(never), all_of(a_use)])
    latest_use = any_of(
        [
            Flag(USER_LAST_USED, wanted=False),
            all_of([used, *_same(DayField.LAST_USED, DayField.USER_LAST_USED)]),
            all_of([other_used, *_same(DayField.OTHER_REFERENCE, DayField.USER_LAST_USED)]),
        ]
    )
    allocations = [DayField.ALLOCATED, DayField.OTHER_ALLOCATED]
    latest_allocation = any_of(
        [
            Flag(USER_LAST_USED),
            all_of(
                [
                    *(Within(one, DayField.USER_REFERENCE, 0) for one in allocations),
                    any_of(Within(DayField.USER_REFERENCE, one, 0) for one in allocations),
                ]
            ),
        ]
    )
    return all_of([first, *held, other, latest_use, latest_allocation])


def _same(one: DayField, other: DayField) -> Iterable[Formula]:
    return (Within(one, other, 0), Within(other, one, 0))


class OtherLicense(Struct, frozen=True):
    """The same world, seen from the person's other license."""

    world: World

    def read(self, field: Field) -> tuple[Value, ...]:
        """The values of a field."""
        never, days = self.world.satisfies(Flag(_OTHER_NEVER_USED)), self.world.days
        match field.name:
            case "license.type":
                return (OTHER,)
            case "license.neverUsed":
                return (never,)
            case "license.excess":
                return (self.world.satisfies(Flag(_OTHER_EXCESS)),)
            case "license.unusedDays":
                return (days[DayField.TODAY] - days[DayField.OTHER_REFERENCE],)
            case "license.lastUsed":
                return () if never else (date.fromordinal(days[DayField.OTHER_REFERENCE]),)
            case "license.createdDate":
                return (date.fromordinal(days[DayField.OTHER_ALLOCATED]),)
        return self.world.read(field)

    @property
    def today(self) -> date:
        """The day of the run."""
        return self.world.today

    def satisfies(self, formula: Formula) -> bool:
        """Whether a formula holds of this license."""
        return self.world.satisfies(of_other(formula))
