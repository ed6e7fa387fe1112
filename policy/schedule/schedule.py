"""The meaning of a schedule text on a wall clock: the moments at which it fires, one after another.

A time zone, with its missing and repeated hours, is the engine's concern. The rules are those of the JavaScript
library `later`, oddities included, since Butler's schedules were tried out with it:

- a schedule fires at the start of each period of its *tick*, the shortest unit it names, in which all else holds;
- a list of values is searched backwards from its end, so a list out of order may miss some of its values;
- an exception that begins with a period but ends before it stops the schedule for good.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from seatwarden.grammar.schedule.ast import Bound, Clause, Edge, Every, Listed, Pattern, ScheduleTree
from seatwarden.policy.schedule.calendar import COUNTED_FROM_ONE_END, UNITS, Unit

MAX_STEPS = 1_000
"""After so many steps without a result a search is given up; `later` has the same limit."""
CALENDAR_CYCLE = timedelta(days=146_097)
"""The calendar repeats itself after 400 years, weekdays included: what does not come within them never comes."""
LAST_MOMENT = datetime(9_500, 1, 1)
"""Nothing is searched for beyond."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """Values of a unit, in the order written."""

    unit: Unit
    values: tuple[int, ...]
    _sought: dict[tuple[int, int], int | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def seconds(self) -> int:
        """The length of a period in seconds, roughly; the shortest of several constraints sets the tick."""
        return self.unit.seconds

    def wanted(self, at: datetime) -> int | None:
        """The value sought from `at` on; None of an empty list."""
        lowest, highest = self.unit.bounds(at)
        key = self.unit.value(at), highest
        if key not in self._sought:
            self._sought[key] = self._seek_value(key[0], lowest, highest)
        return self._sought[key]

    def _seek_value(self, now: int, lowest: int, highest: int) -> int | None:
        # As `later.array.next` does it: from the end, until a value lies behind. A list out of order loses what stands
        # before that value, and Butler's schedules were tried out with that.
        found = self.values[0] if self.values else None
        for value in reversed(self.values):
            if value == now:
                return value
            # 0, the last of its kind, is larger than any other.
            if value > now or (value == 0 != lowest and highest > now):
                found = value
            else:
                break
        return found

    def holds(self, at: datetime, value: int | None) -> bool:
        """Whether the constraint is met at `at`, for the value wanted there."""
        return self.unit.holds(at, value)

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        """The moment from which the search for the value goes on; None when it never comes."""
        return self.unit.seek(at, value)

    def end(self, at: datetime) -> datetime | None:
        """The first moment after `at` (which meets the constraint) that does not meet it; None when there is none."""
        # `later.array.nextInvalid` step by step, since its oddities decide where exceptions end. It goes through the
        # list and the unit's numbers side by side and ends where they part: at a gap, or where the list is out of
        # order. Outside of the list and for a 0 in it, JavaScript's `||` puts the highest number if the list ends in 0.
        lowest, highest = self.unit.bounds(at)
        now = value = self.unit.value(at)
        count = len(self.values)
        zero = highest if self.values and self.values[-1] == 0 != lowest else 0
        index = self.values.index(value) if value in self.values else -1
        while value == ((0 <= index < count and self.values[index]) or zero):
            value = value + 1 if value < highest else lowest
            index = index + 1 if index + 1 < count else 0
            if value == now:
                return None
        return self.seek(at, value)


@dataclass(frozen=True, slots=True)
class _After(Constraint):
    """From a value of a unit on, to the unit's end."""

    @property
    def seconds(self) -> int:
        return (self.unit.written[1] - self.values[0]) * self.unit.seconds

    def holds(self, at: datetime, value: int | None) -> bool:
        return self.unit.value(at) >= self.values[0]

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        return self.unit.seek(at, value if value == self.values[0] else self.unit.bounds(at)[0])


@dataclass(frozen=True, slots=True)
class _Before(Constraint):
    """From a unit's beginning up to a value, and without it."""

    @property
    def seconds(self) -> int:
        return (self.values[-1] - 1) * self.unit.seconds

    def holds(self, at: datetime, value: int | None) -> bool:
        return self.unit.value(at) < self.values[-1]

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        return self.unit.seek(at, self.unit.bounds(at)[0] if value == self.values[-1] else self.values[-1])


class Clauses(Struct, frozen=True):
    """Constraints that must all be met, longest periods first."""

    rules: tuple[Constraint, ...]

    @property
    def tick(self) -> Unit:
        """The unit at whose starts the pattern fires."""
        return self.rules[-1].unit

    @property
    def timed(self) -> bool:
        """Whether it names times of day."""
        return any(type(rule) is Constraint and rule.unit is UNITS["time"] for rule in self.rules)

    @property
    def repeats(self) -> bool:
        """Whether it fires again in an hour that the clock shows twice: hours, minutes and seconds do, times of day
        and days do not."""
        return self.tick.seconds <= 3600 and not self.timed

    def start(self, at: datetime) -> datetime | None:
        """The start of the first tick that meets all constraints, `at`'s own or a later one; None without any."""
        horizon = at + CALENDAR_CYCLE
        for _ in range(MAX_STEPS):
            # From the longest period on, and again from there after each step: a year that is out is left in one step,
            # not day by day.
            for rule in self.rules:
                value = rule.wanted(at)
                if not rule.holds(at, value):
                    break
            else:
                return self.tick.start(at)
            found = rule.seek(at, value)
            if found is None or found > horizon:
                return None
            if found == at:
                # Looking for an hour in an empty list, `later` stays at midnight, and in the end takes it for found.
                return self.tick.start(at)
            at = found
        return None

    def end(self, at: datetime) -> datetime | None:
        """The first moment after `at` (which meets all constraints) that does not; None when there is none."""
        ends = [end for rule in self.rules if (end := rule.end(at)) is not None]
        return min(ends, default=None)


class Tick(Struct, frozen=True):
    """A schedule fires at `at`, by the patterns in `due`."""

    at: datetime
    due: tuple[Clauses, ...]


class Blocked(Struct, frozen=True):
    """A schedule never gets past `at`: an exception covers the start of that period, but not all of it."""

    at: datetime


class Schedule(Struct, frozen=True):
    """Fires when any of `patterns` does, but not during any of `exceptions`."""

    patterns: tuple[Clauses, ...]
    exceptions: tuple[Clauses, ...]

    def ticks_after(self, moment: datetime) -> Iterator[Tick | Blocked]:
        """The ticks later than a moment of the wall clock (without zone, whole seconds), in order.

        Ends when there is none any more, with a Blocked if an exception is why. Each step is bounded by MAX_STEPS.
        """
        starts = [pattern.start(moment) for pattern in self.patterns]
        breaks = [_Break(pattern, moment) for pattern in self.exceptions]
        steps, horizon = 0, moment + CALENDAR_CYCLE
        while (steps := steps + 1) <= MAX_STEPS:
            at = min((start for start in starts if start is not None), default=None)
            if at is None or at > min(horizon, LAST_MOMENT):
                return
            for exception in breaks:
                exception.reach(at)
            resume = _end_of(breaks, at)
            if resume is not None:
                again = [_again(*each, resume) for each in zip(self.patterns, starts, strict=True)]
                if again == starts:
                    # The exception ends within the tick whose start it covers: the search would come back to that
                    # start for ever. `later` gives up there too.
                    yield Blocked(at)
                    return
                starts = again
                continue
            if at > moment:  # otherwise it is the period in which `moment` is
                yield Tick(at, tuple(p for p, start in zip(self.patterns, starts, strict=True) if start == at))
                steps, horizon = 0, at + CALENDAR_CYCLE
            starts = [
                _next(pattern, at) if start == at else start
                for pattern, start in zip(self.patterns, starts, strict=True)
            ]


def compile_schedule(tree: ScheduleTree) -> Schedule:
    """The schedule that a text means."""
    return Schedule(
        tuple(_compile(pattern) for pattern in tree.patterns),
        tuple(_compile(pattern) for pattern in tree.exceptions),
    )


class _Break:
    """A stretch of time that an exception takes out: the one that the walk has reached, or the next one."""

    def __init__(self, pattern: Clauses, moment: datetime) -> None:
        self._pattern = pattern
        self._find(moment)

    def _find(self, moment: datetime) -> None:
        self.start = self._pattern.start(moment)
        self.end = self._pattern.end(self.start) if self.start is not None else None

    def reach(self, at: datetime) -> None:
        """Goes on to the stretch that `at` is in, or the next one."""
        if self.start is not None and self.start <= at:
            self._find(at)

    def covers(self, at: datetime) -> bool:
        """Whether `at` is taken out."""
        return self.start is not None and self.start <= at and (self.end is None or self.end > at)


def _end_of(breaks: list[_Break], at: datetime) -> datetime | None:
    """The end of the longest exception at `at`. One without end takes nothing out, as in `later`."""
    covering = [exception.end for exception in breaks if exception.covers(at)]
    # By `later`'s comparison, no end is later than any end, and any end is later than no end.
    found: datetime | None = None
    for end in covering:
        if found is None or end is None or end > found:
            found = end
    return found


def _again(pattern: Clauses, start: datetime | None, resume: datetime) -> datetime | None:
    return pattern.start(resume) if start is not None and start <= resume else start


def _next(pattern: Clauses, at: datetime) -> datetime | None:
    """The start of the pattern's period after the one that starts at `at`."""
    start = pattern.start(pattern.tick.following(at))
    return start if start is not None and start > at else None


def _compile(node: Pattern) -> Clauses:
    values: dict[tuple[type[Constraint], Unit], dict[int, None]] = {}
    for clause in node.clauses:
        unit = UNITS[clause.unit]
        values.setdefault((_kind(clause), unit), {}).update(dict.fromkeys(_values(clause, unit)))
    rules = [kind(unit, tuple(listed)) for (kind, unit), listed in values.items()]
    return Clauses(tuple(sorted(rules, key=lambda rule: -rule.seconds)))


def _kind(clause: Clause) -> type[Constraint]:
    if isinstance(clause, Bound):
        return _After if clause.side == "after" else _Before
    return Constraint


def _values(clause: Clause, unit: Unit) -> Iterable[int]:
    lowest, highest = unit.written
    match clause:
        case Every(step, _, first, last):
            # `every 0 hours` is read as every hour.
            end = highest if last is None else last
            return range(lowest if first is None else first, end + 1, step or 1)
        case Listed(_, ranges):
            return [value for each in ranges for value in range(each.first, each.last + 1)]
        case Edge("first"):
            return [lowest]
        case Edge(_, name):
            return [0 if name in COUNTED_FROM_ONE_END else highest]
        case Bound(_, _, value):
            return [value]
