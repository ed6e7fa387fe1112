"""A world: concrete facts about one user, one license and one day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from seatwarden.grammar.ast import Field
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.policy.operators import Value
from seatwarden.policy.vocabulary import IN_USE, VOCABULARY, Type
from seatwarden.policy.worlds.days import DayBounds, DayField, pick, pick_today
from seatwarden.policy.worlds.formula import AllOf, AnyOf, Flag, Formula, Has, OnDays, Within
from seatwarden.policy.worlds.state import State, Texts
from seatwarden.policy.worlds.texts import TextValues
from seatwarden.policy.worlds.translate import DIRECTORY, LICENSE_TYPE, LICENSES, NEVER_USED, USER_ID, USER_LAST_USED

ORDINARY_DAY = date(2026, 6, 15)
"""Today, where nothing says otherwise: a Monday in no season."""

_ORDINARY_TEXTS = {"user.userDirectory": "ACME", "user.userId": "somebody", "user.name": "Somebody"}
_LONG_AGO = 400


@dataclass(frozen=True, slots=True)
class World:
    """Concrete facts about one user, one license and one day.

    `held` has the texts of the fields that the state speaks of, as bits in its pools. A fact that nothing speaks of
    has an ordinary value.
    """

    state: State
    held: Mapping[Field, int]
    flags: Mapping[Field, bool]
    days: Mapping[DayField, int]

    def read(self, field: Field) -> tuple[Value, ...]:
        """The values of a field, as the evaluator reads facts."""
        match field.name:
            case "user":
                return (f"{self.read(DIRECTORY)[0]}\\{self.read(USER_ID)[0]}",)
            case "today":
                return (self.today,)
            case "month":
                return (self.today.month,)
            case "weekday":
                return (WEEKDAYS[self.today.weekday()],)
            case "license.unusedDays":
                return (self.days[DayField.TODAY] - self.days[DayField.REFERENCE],)
            case "license.lastUsed":
                never = self.flags.get(NEVER_USED, False)
                return () if never else (date.fromordinal(self.days[DayField.REFERENCE]),)
            case "user.lastUsed":
                used = self.flags.get(USER_LAST_USED, False)
                return (date.fromordinal(self.days[DayField.USER_LAST_USED]),) if used else ()
            case "license.createdDate":
                return (date.fromordinal(self.days[DayField.ALLOCATED]),)
            case "user.createdDate":
                return (date.fromordinal(self.days[DayField.USER_CREATED]),)
        if field in IN_USE.values():  # somebody else at the site has whatever the policy asks for
            return tuple(asked.key for asked in self.state.pools if IN_USE.get(asked.name) == field and asked.key)
        if field in self.state.pools:
            bits = self._bits(field)
            return tuple(text for bit, text in enumerate(self.state.pools[field].values) if bits >> bit & 1)
        entry = VOCABULARY[field.name]
        if entry.type is Type.BOOLEAN:
            return (self.flags.get(field, False),)
        return () if entry.many else (_ORDINARY_TEXTS[field.name],)

    @property
    def today(self) -> date:
        """The day of the run."""
        return date.fromordinal(self.days[DayField.TODAY])

    @property
    def size(self) -> int:
        """The number of facts to tell: values beyond the ones that everyone has, and flags that are set."""
        several = sum(bits.bit_count() for field, bits in self.held.items() if VOCABULARY[field.name].many)
        return several + sum(self.flags.values())

    @property
    def is_wild(self) -> bool:
        """Whether a text in it is one that may pass tests and may fail them: then the world proves nothing."""
        return any(bits & self.state.pools[field].wild for field, bits in self.held.items())

    def satisfies(self, formula: Formula) -> bool:
        """Whether the formula holds; a flag that is no field, and that nothing asks for, does not."""
        match formula:
            case AllOf(parts):
                return all(self.satisfies(part) for part in parts)
            case AnyOf(parts):
                return any(self.satisfies(part) for part in parts)
            case Has(test, wanted):
                pool = self.state.pools[test.field]
                held = self._bits(test.field)
                # The wild text may pass and may fail: both are granted. A world with it proves nothing by itself;
                # whoever shows it to people evaluates the policies on it first.
                return bool(held & pool.wild) or bool(held & pool.masks[test]) == wanted
            case Flag(subject, wanted):
                return self.state.flags.get(subject, False) == wanted
            case Within(later, earlier, days):
                return self.days[later] - self.days[earlier] <= days
            case OnDays(months, weekdays):
                return bool(months >> (self.today.month - 1) & weekdays >> self.today.weekday() & 1)

    def _bits(self, field: Field) -> int:
        return self.held[field] if field in self.held else self.state.pools[field].plainest


def world_of(state: State) -> World | None:
    """The world with the fewest facts in which a state's literals hold; None when there is none.

    Whether the license was ever used may still be open; then both are tried, used first.
    """
    if NEVER_USED not in state.flags:
        for never in (False, True):
            decided = state.assume(Flag(NEVER_USED, never))
            if decided is not None:
                return world_of(decided)
        return None
    held = {field: _texts(state.pools[field], known) for field, known in state.texts.items() if field != LICENSES}
    own = held.setdefault(LICENSE_TYPE, state.pools[LICENSE_TYPE].plainest)
    licenses = state.texts_of(state.pools[LICENSES])
    held[LICENSES] = own | _fewest(licenses.allowed, tuple(need for need in licenses.needed if not need & own))
    flags = {subject: truth for subject, truth in state.flags.items() if isinstance(subject, Field)}
    return World(state, held, flags, _days(state.bounds, state.months, state.weekdays))


def _texts(pool: TextValues, known: Texts) -> int:
    """The fewest and plainest texts that a field may have; the wild one only where nothing else will do."""
    tame = known.allowed & ~pool.wild
    if pool.many:
        return _fewest(tame if all(need & tame for need in known.needed) else known.allowed, known.needed)
    usable = tame or known.allowed
    return pool.plainest if usable & pool.plainest else usable & -usable


def _fewest(allowed: int, needed: tuple[int, ...]) -> int:
    """The smallest set of allowed bits that has one of each needed set."""
    if not needed:
        return 0
    best, stack = allowed, [(0, needed)]
    while stack:
        chosen, missing = stack.pop()
        if not missing:
            if chosen.bit_count() < best.bit_count():
                best = chosen
            continue
        if chosen.bit_count() + 1 >= best.bit_count() and best != allowed:
            continue
        # Of texts that meet the same needs one is tried: else a list of a thousand tags is a thousand branches.
        tried: dict[tuple[int, ...], int] = {}
        candidates = missing[0] & allowed
        while candidates:
            bit = candidates & -candidates
            candidates ^= bit
            tried.setdefault(tuple(need for need in missing if not need & bit), bit)
        stack.extend((chosen | bit, left) for left, bit in sorted(tried.items(), key=lambda t: -len(t[0])))
    return best


@lru_cache(maxsize=1024)
def _days(bounds: DayBounds, months: int, weekdays: int) -> Mapping[DayField, int]:
    """The days: today near an ordinary one, the last use as late as it can be, the rest long ago."""
    today = pick_today(bounds, months, weekdays, ORDINARY_DAY.toordinal())
    assert today is not None  # noqa: S101 - a state's days are possible
    days = {DayField.ORIGIN: 0}
    days[DayField.TODAY], bounds = pick(bounds, DayField.TODAY, today)
    long_ago = today - _LONG_AGO
    recent = (DayField.REFERENCE, DayField.LAST_USED, DayField.USER_LAST_USED)
    for moment in (*recent, DayField.ALLOCATED, DayField.USER_CREATED):
        wish = today if moment in recent else long_ago
        days[moment], bounds = pick(bounds, moment, wish)
    return days
