"""The assumptions about a world, so far, while the search goes on.

A state is a set of literals that can hold together; assuming one more gives a new state, or shows that it cannot be.
Each kind of literal is kept in a form in which that is decided at once: sets of texts, flags, bounds of days.
"""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from seatwarden.grammar.ast import Comparison, Field
from seatwarden.policy.worlds.days import (
    ALL_DATES,
    ALL_WEEKDAYS,
    UNBOUNDED,
    DayBounds,
    DayField,
    pick_today,
    same_day,
    tighten,
)
from seatwarden.policy.worlds.formula import Atom, Flag, Has, OnDays, Within
from seatwarden.policy.worlds.texts import TextValues
from seatwarden.policy.worlds.translate import LICENSE_TYPE, LICENSES, NEVER_USED, USER_LAST_USED

Pools: TypeAlias = Mapping[Field, TextValues]
"""The texts that stand for all, for each text field that is spoken of; license types always are."""


class Texts(Struct, frozen=True):
    """The assumptions about a text field: the texts it may have, and sets of which it must have one each (as bits)."""

    allowed: int
    needed: tuple[int, ...] = ()


class State(Struct, frozen=True):
    """Literals that can hold together."""

    pools: Pools
    texts: Mapping[Field, Texts]
    flags: Mapping[Field | Comparison, bool]
    bounds: DayBounds = UNBOUNDED
    dates: int = ALL_DATES
    weekdays: int = ALL_WEEKDAYS

    def assume(self, literal: Atom) -> "State | None":
        """The state in which the literal holds too; itself when it did already, None when it cannot."""
        match literal:
            case Has(test, wanted):
                pool = self.pools[test.field]
                return self._with_text(pool, pool.passing(test, wanted), wanted)
            case Flag(subject, wanted):
                known = self.flags.get(subject)
                if known is not None:
                    return self if known == wanted else None
                state = replace(self, flags={**self.flags, subject: wanted})
                if subject == NEVER_USED:
                    return state._with_reference(wanted)
                return state._with_use_of_user(wanted) if subject == USER_LAST_USED else state
            case Within(later, earlier, days):
                bounds = tighten(self.bounds, later, earlier, days)
                return self._with_days(bounds, self.dates, self.weekdays)
            case OnDays(dates, weekdays):
                return self._with_days(self.bounds, self.dates & dates, self.weekdays & weekdays)

    def texts_of(self, pool: TextValues) -> Texts:
        """The assumptions about a text field."""
        return self.texts.get(pool.field) or Texts(pool.all)

    def _with_text(self, pool: TextValues, passing: int, wanted: bool) -> "State | None":
        """The state in which the field has a text among `passing`; a field of several that must not pass, only such."""
        before = self.texts_of(pool)
        if pool.many and wanted:
            if not before.allowed & passing:
                return None
            # A need whose allowed texts all pass says it already, and a need that this one lies within is dropped:
            # the fewer needs, the sooner the smallest world is found.
            if any(not need & before.allowed & ~passing for need in before.needed):
                return self
            kept = tuple(need for need in before.needed if passing & ~need)
            after = Texts(before.allowed, (*kept, passing))
        else:
            allowed = before.allowed & passing
            if allowed == before.allowed:
                return self
            if (not pool.many and not allowed) or any(not need & allowed for need in before.needed):
                return None
            after = Texts(allowed, before.needed)
        state = replace(self, texts={**self.texts, pool.field: after})
        return state._with_license_held() if pool.field in (LICENSE_TYPE, LICENSES) else state

    def _with_license_held(self) -> "State | None":
        """The license that is decided on is one of the user's; quarantined ones never get to a rule."""
        types, held = (self.texts_of(self.pools[field]) for field in (LICENSE_TYPE, LICENSES))
        allowed = types.allowed & held.allowed
        if not allowed:
            return None
        needed = tuple(dict.fromkeys((*held.needed, allowed)))
        texts = {LICENSE_TYPE: Texts(allowed), LICENSES: Texts(held.allowed, needed)}
        return replace(self, texts={**self.texts, **texts})

    def _with_reference(self, never: bool) -> "State | None":
        """Disuse counts from the allocation when the license was never used, else from the last use."""
        start = DayField.ALLOCATED if never else DayField.LAST_USED
        bounds = same_day(self.bounds, DayField.REFERENCE, start)
        if bounds is not None and not never:  # a use of this license is one of the user's
            bounds = tighten(bounds, DayField.LAST_USED, DayField.USER_LAST_USED, 0)
        state = self._with_days(bounds, self.dates, self.weekdays)
        return state if never or state is None else state.assume(Flag(USER_LAST_USED))

    def _with_use_of_user(self, used: bool) -> "State | None":
        """The user's disuse counts from the last use of any license, or else from the latest allocation."""
        if used:
            bounds = same_day(self.bounds, DayField.USER_REFERENCE, DayField.USER_LAST_USED)
            return self._with_days(bounds, self.dates, self.weekdays)
        bounds = tighten(self.bounds, DayField.ALLOCATED, DayField.USER_REFERENCE, 0)
        state = self._with_days(bounds, self.dates, self.weekdays)
        return state.assume(Flag(NEVER_USED)) if state is not None else None

    def _with_days(self, bounds: DayBounds | None, dates: int, weekdays: int) -> "State | None":
        if bounds is None:
            return None
        if (bounds, dates, weekdays) == (self.bounds, self.dates, self.weekdays):
            return self
        if pick_today(bounds, dates, weekdays, 0) is None:
            return None
        return replace(self, bounds=bounds, dates=dates, weekdays=weekdays)
