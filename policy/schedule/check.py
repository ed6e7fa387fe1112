"""The findings in a schedule text: errors, which `later` would refuse, and warnings, where it reads something else
than it looks like."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise

from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import in_file
from seatwarden.grammar.schedule.ast import Clause, Every, Listed, Pattern, Range, ScheduleTree, UnitName
from seatwarden.grammar.schedule.parser import parse_schedule
from seatwarden.grammar.spans import Locate, Span
from seatwarden.policy.diagnostics import Diagnostic, from_syntax
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.schedule.calendar import COUNTED_FROM_ONE_END, FIRST_YEAR, UNITS
from seatwarden.policy.schedule.coming import is_even, passed_over, place_of
from seatwarden.policy.schedule.schedule import Blocked, Schedule, Tick, compile_schedule

_LOOKED_AT = 10
"""Ticks of a schedule, and of each of its exceptions, that are looked at."""
_OFTEN = timedelta(minutes=1)
_EPOCH = datetime(FIRST_YEAR, 1, 1)
_COUNTED_IN: dict[UnitName, str] = {
    "second": "minute",
    "minute": "hour",
    "hour": "day",
    "day": "month",
    "day of the week": "week",
    "day instance": "month",
    "day of the year": "year",
    "week of the month": "month",
    "week of the year": "year",
    "month": "year",
    "year": "calendar",
}
_STEPS: dict[UnitName, str] = {
    "day": "for whole weeks name a day of the week: `on mon`",
    "day of the week": "name the days: `on sun,wed`",
    "day of the year": "the year has 365 days or 366: name days of the month, as `on the 1,15 day`",
    "week of the month": "name days of the month, as `on the 1,15 day`",
    "week of the year": "the year has 52 weeks or 53: name days of the month, as `on the 1,15 day`",
    "day instance": "name them: `on the 1,3 day instance`",
}
"""What to do instead of a step that does not come out even."""
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "june", "july", "aug", "sept", "oct", "nov", "dec")


def load_schedule(text: str, file: str) -> Schedule:
    """The schedule that a text means; `file` names it in messages. Raises PolicyError."""
    try:
        return compile_schedule(parse_schedule(text, in_file(file)))
    except PolicySyntaxError as error:
        raise PolicyError(tuple(from_syntax(problem) for problem in error.problems), {file: text}) from None


def check_syntax(text: str, locate: Locate) -> list[Diagnostic]:
    """The errors of a schedule text; `locate` turns places in the text into spans. The empty text has none."""
    try:
        parse_schedule(text, locate)
    except PolicySyntaxError as error:
        return [from_syntax(problem) for problem in error.problems]
    return []


def check_schedule(text: str, locate: Locate, now: datetime | None = None) -> list[Diagnostic]:
    """All findings in a schedule text: errors if it cannot be read, else warnings.

    With `now`, the time shown by the clock of the schedule's zone (without zone, or its zone is left out), a
    schedule that was over before counts as never firing.
    """
    errors = check_syntax(text, locate)
    if errors:
        return errors
    return list(_Checker(text, locate).findings(now.replace(tzinfo=None, microsecond=0) if now else _EPOCH))


class _Checker:
    def __init__(self, text: str, locate: Locate) -> None:
        self._lines = text.split("\n")
        self._locate = locate
        last = len(self._lines)
        self._whole = Span("", 1, 1, last, len(self._lines[-1]) + 1)
        # Spans here are within the text, to quote from it; findings get the caller's.
        self._tree = parse_schedule(text, in_file(""))

    def findings(self, now: datetime) -> Iterator[Diagnostic]:
        for pattern in (*self._tree.patterns, *self._tree.exceptions):
            for clause in pattern.clauses:
                yield from self._check_clause(clause)
            yield from self._check_order(pattern)
        for span in self._tree.idle:
            yield self._warning("SW509", "`except` is followed by nothing", span, "means nothing", "remove it")
        yield from self._check_times(self._tree, now)

    # clause by clause

    def _check_clause(self, clause: Clause) -> Iterator[Diagnostic]:
        match clause:
            case Every():
                yield from self._check_step(clause)
                if clause.unfinished is not None:
                    help_ = "write both ends, `between 8 and 18`, or remove it"
                    message = "`between` has one end only, and is ignored"
                    yield self._warning("SW509", message, clause.unfinished, "means nothing", help_)
            case Listed(_, ranges):
                for each in ranges:
                    yield from self._check_range(clause, each)

    def _check_step(self, clause: Every) -> Iterator[Diagnostic]:
        if clause.first is not None:
            return
        lowest, highest = UNITS[clause.unit].written
        values = list(range(lowest, highest + 1, clause.step or 1))
        if clause.step <= highest - lowest + 1 and is_even(clause):
            return
        label = f"{clause.unit} {lowest} only"
        if len(values) > 1:
            label = f"{clause.unit} {values[0]}, {values[1]}" + (f" … {values[-1]}" if len(values) > 2 else "")
        message = f"`{self._quote(clause.span)}` is counted anew in each {_COUNTED_IN[clause.unit]}"
        help_ = _STEPS.get(clause.unit)
        if clause.unit in ("second", "minute", "hour", "month"):
            count = highest - lowest + 1
            help_ = f"even steps divide {count}, as `every {count // 2} {clause.unit}s`"
        yield self._warning("SW507", message, clause.span, label, help_)

    def _check_range(self, clause: Listed, each: Range) -> Iterator[Diagnostic]:
        quoted = self._quote(each.span)
        lowest, highest = UNITS[clause.unit].written
        if each.first > each.last:
            message = f"`{quoted}` runs backwards, and holds no {clause.unit}"
            help_ = "a range goes up; the week starts on sunday, the year in january: `on sun-mon,fri-sat`"
            if quoted.lower() == "ma":
                message, help_ = "`ma` is no month", "write `mar` or `may`"
            yield self._warning("SW508", message, each.span, "no value", help_)
        elif each.first > highest or (each.last < lowest and not _is_last(clause, each)):
            message = f"there is no {clause.unit} {each.first}"
            yield self._warning("SW508", message, each.span, "never comes", f"they go from {lowest} to {highest}")

    def _check_order(self, pattern: Pattern) -> Iterator[Diagnostic]:
        for unit in dict.fromkeys(clause.unit for clause in pattern.clauses if isinstance(clause, Listed)):
            ranges = [each for clause in pattern.clauses if clause.unit == unit for each in _ranges(clause)]
            missing = set(passed_over(pattern, unit))
            if not missing:
                continue
            words = list(dict.fromkeys(word for each in ranges for word in self._words(each, unit, missing)))
            places = [each.span for each in ranges if not missing.isdisjoint(range(each.first, each.last + 1))]
            listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
            message = f"{listed} {'is' if len(words) == 1 else 'are'} passed over, since the list is out of order"
            place = places[0].to(places[-1])
            yield self._warning("SW508", message, place, "never comes", self._in_order(pattern, unit, ranges))

    def _words(self, each: Range, unit: UnitName, missing: set[int]) -> list[str]:
        """The values of a range that are missing: as they are written, or those of a part of it by their names."""
        values = range(each.first, each.last + 1)
        named = [value for value in values if value in missing]
        if len(named) == len(values):
            return [f"`{self._quote(each.span)}`"] if named else []
        return [f"`{_name_of(unit, value)}`" for value in named]

    def _in_order(self, pattern: Pattern, unit: UnitName, ranges: list[Range]) -> str:
        """The help: the text with its values in order, if that alone does it."""
        places = sorted((each.span for each in ranges), key=lambda span: (span.line, span.column))
        ordered = sorted((each for each in ranges), key=lambda each: place_of(unit, each.first))
        lines = list(self._lines)
        for place, each in reversed(list(zip(places, ordered, strict=True))):
            line = lines[place.line - 1]
            lines[place.line - 1] = line[: place.column - 1] + self._quote(each.span) + line[place.end_column - 1 :]
        text = " ".join(lines)
        tree = parse_schedule(text, in_file(""))
        right = not any(passed_over(one, unit) for one in (*tree.patterns, *tree.exceptions))
        return f"write `{text.strip()}`" if right else "write the values in ascending order"

    # the whole

    def _check_times(self, tree: ScheduleTree, now: datetime) -> Iterator[Diagnostic]:
        schedule = compile_schedule(tree)
        found = list(islice(schedule.ticks_after(now), _LOOKED_AT))
        ticks = [tick for tick in found if isinstance(tick, Tick)]
        end = next((tick.at for tick in found if isinstance(tick, Blocked)), None)
        if end is None and ticks:
            end = _end(schedule, now)
        if end is not None:
            message = f"an exception stops this schedule for good at {end:%Y-%m-%d %H:%M}"
            help_ = "an exception must last as long as what it leaves out: `every 6 hours except on the 6 hour`"
            yield self._warning("SW505", message, self._whole, "it is stuck there", help_)
        elif not ticks:
            message, help_ = "this schedule never fires", "no moment meets all of its parts"
            if not tree.patterns:
                help_ = "write when it fires, like `every 6 hours`"
            elif next(schedule.ticks_after(_EPOCH), None) is not None:
                message, help_ = "this schedule never fires again", "its last time is over"
            yield self._warning("SW504", message, self._whole, "never", help_)
        yield from self._check_often(ticks)

    def _check_often(self, ticks: list[Tick]) -> Iterator[Diagnostic]:
        steps = [later.at - tick.at for tick, later in pairwise(ticks)]
        if len(steps) < 2 or max(steps) > _OFTEN or all(pattern.timed for tick in ticks for pattern in tick.due):
            return
        often = "second" if min(steps) == timedelta(seconds=1) else "minute"
        message = f"this schedule fires every {often}"
        if timedelta(seconds=1) < min(steps) < _OFTEN:
            message = f"this schedule fires several times every {often}"
        help_ = "if that is not meant, name a longer unit, or a time: `every 6 hours`, `at 2:30`"
        yield self._warning("SW506", message, self._whole, f"every {often}", help_)

    def _warning(self, code: str, message: str, span: Span, label: str, help_: str | None) -> Diagnostic:
        place = self._locate(span.line, span.column, span.end_line, span.end_column)
        return Diagnostic(code, "warning", message, place, label, help_)

    def _quote(self, span: Span) -> str:
        line = self._lines[span.line - 1]
        return line[span.column - 1 : span.end_column - 1 if span.end_line == span.line else len(line)]


def _end(schedule: Schedule, now: datetime) -> datetime | None:
    """The moment at which one of the next exceptions stops the schedule for good; None when none does."""
    left_out = {
        tick.at
        for exception in schedule.exceptions
        for tick in islice(Schedule((exception,), ()).ticks_after(now), _LOOKED_AT)
    }
    for moment in sorted(left_out)[:_LOOKED_AT]:
        found = next(schedule.ticks_after(moment - timedelta(seconds=1)), None)
        if isinstance(found, Blocked):
            return found.at
    return None


def _ranges(clause: Clause) -> tuple[Range, ...]:
    return clause.ranges if isinstance(clause, Listed) else ()


def _name_of(unit: UnitName, value: int) -> str:
    """A value as it is written in a schedule."""
    match unit:
        case "day of the week":
            return _WEEKDAYS[value - 1]
        case "month":
            return _MONTHS[value - 1]
        case "time":
            return f"{value // 3600}:{value // 60 % 60:02}"
        case _:
            return str(value)


def _is_last(clause: Listed, each: Range) -> bool:
    """0 is the last of its kind."""
    return each.first == 0 and (clause.unit in COUNTED_FROM_ONE_END or clause.unit in ("day of the week", "month"))
