"""A world: concrete facts about one user, one license and one day."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property, lru_cache

from msgspec import Struct

from seatwarden.grammar.ast import Comparison, Field
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.policy.operators import HOLDS, Value
from seatwarden.policy.vocabulary import IN_USE, OF_POOL, VOCABULARY, Type
from seatwarden.policy.worlds.days import DayBounds, DayField, date_bit, pick, pick_today
from seatwarden.policy.worlds.formula import AllOf, AnyOf, Flag, Formula, Has, OnDays, Within
from seatwarden.policy.worlds.readings import is_read_or_counted, number_of, texts_read, unfound, values_of
from seatwarden.policy.worlds.state import State, Texts
from seatwarden.policy.worlds.texts import TextValues, fewest
from seatwarden.policy.worlds.translate import DIRECTORY, LICENSE_TYPE, LICENSES, NEVER_USED, USER_ID, USER_LAST_USED

ORDINARY_DAY = date(2026, 6, 15)
"""Today, where nothing says otherwise: a Monday in no season."""

_ORDINARY_TEXTS = {"user.userDirectory": "ACME", "user.userId": "somebody", "user.name": "Somebody"}
_LONG_AGO = 400


class World(Struct, frozen=True, dict=True):
    """Concrete facts about one user, one license and one day.

    `held` has the texts of the fields that the state speaks of, as bits in its pools. A fact that nothing speaks of
    has an ordinary value.
    """

    state: State
    held: Mapping[Field, int]
    flags: Mapping[Field, bool]
    days: Mapping[DayField, int]

    @cached_property
    def _values(self) -> dict[Field, tuple[Value, ...]]:
        """What was read: finding a text that fits all that is assumed of what it says takes a search of its own."""
        return {}

    def read(self, field: Field) -> tuple[Value, ...]:
        """The values of a field, as the evaluator reads facts."""
        found = self._values.get(field)
        if found is None:
            found = self._values[field] = self._read(field)
        return found

    def _read(self, field: Field) -> tuple[Value, ...]:
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
            case "user.unusedDays":
                return (self.days[DayField.TODAY] - self.days[DayField.USER_REFERENCE],)
            case "license.lastUsed":
                never = self.flags.get(NEVER_USED, False)
                return () if never else (date.fromordinal(self.days[DayField.REFERENCE]),)
            case "user.lastUsed":
                used = self.flags.get(USER_LAST_USED, False)
                return (date.fromordinal(self.days[DayField.USER_LAST_USED]),) if used else ()
            case "user.lastReleased":
                released = self.flags.get(field, False)
                return (date.fromordinal(self.days[DayField.USER_LAST_RELEASED]),) if released else ()
            case "license.createdDate":
                return (date.fromordinal(self.days[DayField.ALLOCATED]),)
            case "user.createdDate":
                return (date.fromordinal(self.days[DayField.USER_CREATED]),)
        if field.name in OF_POOL:
            return (number_of(self.state, field, self.read) or 0,)
        if field in IN_USE.values():  # somebody else at the site has whatever the policy asks for
            return tuple(asked.key for asked in self.state.pools if IN_USE.get(asked.name) == field and asked.key)
        if field in self.state.pools and self.state.pools[field].read_as:
            return texts_read(self.state, field, self.bits(field), self.read) or ()
        if field in self.state.pools:
            bits = self.bits(field)
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
        return several + sum(truth for field, truth in self.flags.items() if field != USER_LAST_USED)

    @cached_property
    def is_wild(self) -> bool:
        """Whether it proves nothing: a text may pass tests and may fail them, or one that says a date is not found."""
        wild = any(bits & self.state.pools[field].wild for field, bits in self.held.items())
        return wild or unfound(self.state, self.bits, self.read)

    def satisfies(self, formula: Formula) -> bool:
        """Whether the formula holds. A comparison of two open texts has to be assumed, in either way: it is not false
        because nobody asks."""
        match formula:
            case AllOf(parts):
                return all(self.satisfies(part) for part in parts)
            case AnyOf(parts):
                return any(self.satisfies(part) for part in parts)
            case Has(test, wanted):
                pool = self.state.pools[test.field]
                held = self.bits(test.field)
                # The wild text may pass and may fail: both are granted. A world with it proves nothing by itself;
                # whoever shows it to people evaluates the policies on it first.
                return bool(held & pool.wild) or bool(held & pool.masks[test]) == wanted
            case Flag(Comparison() as compared, wanted):
                assumed = self.state.flags.get(compared)
                return (assumed if assumed is not None else self._compares(compared)) is wanted
            case Flag(subject, wanted):
                return self.state.flags.get(subject, False) == wanted
            case Within(later, earlier, days):
                return self.days[later] - self.days[earlier] <= days
            case OnDays(dates, weekdays):
                return bool(dates & date_bit(self.today) and weekdays >> self.today.weekday() & 1)

    def _compares(self, compared: Comparison) -> bool | None:
        """Whether a comparison of what is read or counted holds here, though nobody has assumed it; None of others."""
        if not is_read_or_counted(compared) or self.is_wild:
            return None
        left, right = (values_of(side, self.read) for side in (compared.left, compared.right))
        return any(HOLDS[compared.operator](one, other) for one in left for other in right)

    def bits(self, field: Field) -> int:
        """The texts that a field has here, as bits of its pool."""
        return self.held[field] if field in self.held else self.state.pools[field].plainest


def world_of(state: State) -> World | None:
    """The world with the fewest facts in which a state's literals hold; None when there is none.

    Whether the license, and the user any, was ever used may still be open; then both are tried, used first.
    """
    for flag, first in ((NEVER_USED, False), (USER_LAST_USED, True)):
        if flag not in state.flags:
            for wanted in (first, not first):
                decided = state.assume(Flag(flag, wanted))
                if decided is not None:
                    return world_of(decided)
            return None
    held = {field: _texts(state.pools[field], known) for field, known in state.texts.items() if field != LICENSES}
    own = held.setdefault(LICENSE_TYPE, state.pools[LICENSE_TYPE].plainest)
    licenses = state.texts_of(state.pools[LICENSES])
    held[LICENSES] = own | fewest(licenses.allowed, tuple(need for need in licenses.needed if not need & own))
    flags = {subject: truth for subject, truth in state.flags.items() if isinstance(subject, Field)}
    return World(state, held, flags, _days(state.bounds, state.dates, state.weekdays))


def _texts(pool: TextValues, known: Texts) -> int:
    """The fewest and plainest texts that a field may have; the wild one, and what cannot be read, only where nothing
    else will do."""
    tame = known.allowed & ~pool.wild
    if pool.many:
        for usable in (tame & ~pool.unreadable, tame):
            if all(need & usable for need in known.needed):
                return fewest(usable, known.needed)
        return fewest(known.allowed, known.needed)
    usable = tame & ~pool.unreadable or tame or known.allowed
    return pool.plainest if usable & pool.plainest else usable & -usable


@lru_cache(maxsize=1024)
def _days(bounds: DayBounds, dates: int, weekdays: int) -> Mapping[DayField, int]:
    """The days: today near an ordinary one, the last use as late as it can be, the rest long ago."""
    today = pick_today(bounds, dates, weekdays, ORDINARY_DAY.toordinal())
    assert today is not None  # noqa: S101 - a state's days are possible
    days = {DayField.ORIGIN: 0}
    days[DayField.TODAY], bounds = pick(bounds, DayField.TODAY, today)
    long_ago = today - _LONG_AGO
    recent = (DayField.REFERENCE, DayField.LAST_USED, DayField.USER_LAST_USED, DayField.USER_REFERENCE)
    for moment in (*recent, *(moment for moment in DayField if moment not in (*recent, *days))):
        wish = today if moment in recent else long_ago
        days[moment], bounds = pick(bounds, moment, wish)
    return days
