"""From Lark's parse tree of a schedule text to its tree."""

from collections.abc import Callable
from typing import Any, Literal, cast

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from seatwarden.grammar.errors import SyntaxProblem
from seatwarden.grammar.schedule.ast import Bound, Clause, Edge, Every, Listed, Pattern, Range, ScheduleTree, UnitName
from seatwarden.grammar.spans import Span

MAX_IN_RANGE = 9_999
"""The highest end of a range; `later` writes a range out, and hangs on far longer ones."""

_UNITS: dict[str, UnitName] = {
    "SECONDS": "second",
    "MINUTES": "minute",
    "HOURS": "hour",
    "DAYS": "day",
    "DAYS_OF_WEEK": "day of the week",
    "DAY_INSTANCE": "day instance",
    "DAYS_OF_YEAR": "day of the year",
    "WEEKS_OF_MONTH": "week of the month",
    "WEEKS": "week of the year",
    "MONTHS": "month",
    "YEARS": "year",
}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class BuildError(Exception):
    """Words of the right kind that say nothing together (two `except`, a range that ends before it starts)."""

    def __init__(self, problem: SyntaxProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@v_args(meta=True)
class ScheduleBuilder(Transformer_NonRecursive[Token, Any]):
    """One method a grammar rule."""

    def __init__(self, locate: Callable[[int, int, int, int], Span]) -> None:
        super().__init__()
        self._locate = locate

    def schedule(self, meta: Meta, parts: list[Any]) -> ScheduleTree:
        sorter = _Sorter(self)
        for part in parts:
            sorter.take(part)
        return sorter.done()

    # clauses

    def every(self, meta: Meta, parts: list[Any]) -> Every:
        return Every(_number(parts[1]), _unit(parts[2]), None, None, None, self._span(meta))

    def starting(self, meta: Meta, parts: list[Any]) -> Every:
        _, step, unit, _, first, again = parts
        if unit.type != again.type:
            message = f"this is counted in `{unit}`, and started in `{again}`"
            help_ = f"write `{unit}` here too"
            raise self.error(again, "SW501", message, "another unit", help_)
        return Every(_number(step), _unit(unit), _number(first), None, None, self._span(meta))

    def between(self, meta: Meta, parts: list[Any]) -> Every:
        _, step, unit, between, first, *end = parts
        if not end:
            return Every(_number(step), _unit(unit), None, None, self.token_span(between), self._span(meta))
        last = self._end(end[1])
        return Every(_number(step), _unit(unit), _number(first), last, None, self._span(meta))

    def weekday(self, meta: Meta, parts: list[Token]) -> Listed:
        span = self._span(meta)
        return Listed("day of the week", (Range(2, 6, span),), span)

    def weekend(self, meta: Meta, parts: list[Token]) -> Listed:
        span = self._span(meta)
        return Listed("day of the week", (Range(1, 1, span), Range(7, 7, span)), span)

    def edge(self, meta: Meta, parts: list[Token]) -> Edge:
        return Edge(cast(Literal["first", "last"], str(parts[1])), _unit(parts[2]), self._span(meta))

    def listed(self, meta: Meta, parts: list[Any]) -> Listed:
        return Listed(_unit(parts[2]), parts[1], self._span(meta))

    def named_days(self, meta: Meta, parts: list[Any]) -> Listed:
        return Listed("day of the week", parts[1], self._span(meta))

    def named_months(self, meta: Meta, parts: list[Any]) -> Listed:
        return Listed("month", parts[1], self._span(meta))

    def named_years(self, meta: Meta, parts: list[Any]) -> Listed:
        return Listed("year", parts[1], self._span(meta))

    def times(self, meta: Meta, parts: list[Token]) -> Listed:
        tokens = parts[1::2]
        ranges = [Range(_seconds(token), _seconds(token), self.token_span(token)) for token in tokens]
        return Listed("time", tuple(ranges), self._span(meta))

    def bound(self, meta: Meta, parts: list[Token]) -> Bound:
        return Bound(_side(parts[0]), _unit(parts[2]), _number(parts[1]), self._span(meta))

    def time_bound(self, meta: Meta, parts: list[Token]) -> Bound:
        return Bound(_side(parts[0]), "time", _seconds(parts[1]), self._span(meta))

    # values

    def ranks(self, meta: Meta, parts: list[Any]) -> tuple[Range, ...]:
        return tuple(part for part in parts if isinstance(part, Range))

    day_names = months = years = ranks

    def rank_range(self, meta: Meta, parts: list[Token]) -> Range:
        first = _number(parts[0])
        return Range(first, self._end(parts[2]) if len(parts) > 1 else first, self._span(meta))

    year_range = rank_range

    def day_range(self, meta: Meta, parts: list[Token]) -> Range:
        return Range(_name(_DAYS, parts[0]), _name(_DAYS, parts[-1]), self._span(meta))

    def month_range(self, meta: Meta, parts: list[Token]) -> Range:
        if "ma" in parts:
            return Range(1, 0, self._span(meta))  # `later` takes `ma` for a month, and then knows none of that name
        return Range(_name(_MONTHS, parts[0]), _name(_MONTHS, parts[-1]), self._span(meta))

    def unit(self, meta: Meta, parts: list[Token]) -> Token:
        return parts[0]

    # places

    def _end(self, token: Token) -> int:
        value = _number(token)
        if value > MAX_IN_RANGE:
            help_ = f"a range ends at {MAX_IN_RANGE} at the latest"
            raise self.error(token, "SW502", f"a range up to `{token}` is too long", "too large", help_)
        return value

    def error(self, token: Token, code: str, message: str, label: str, help_: str | None) -> BuildError:
        return BuildError(SyntaxProblem(code, message, label, help_, self.token_span(token)))

    def _span(self, meta: Meta) -> Span:
        return self._locate(meta.line, meta.column, meta.end_line, meta.end_column)

    def token_span(self, token: Token) -> Span:
        return self._locate(token.line or 1, token.column or 1, token.end_line or 1, token.end_column or 1)


class _Sorter:
    """Puts clauses into patterns: `also` starts another pattern, `except` turns to exceptions for good."""

    def __init__(self, builder: ScheduleBuilder) -> None:
        self._builder = builder
        self._patterns: list[list[Clause]] = []
        self._exceptions: list[list[Clause]] = []
        self._into = self._patterns
        self._current: list[Clause] | None = None
        self._opened_by: Token | None = None
        self._idle: list[Span] = []

    def take(self, part: Token | Clause) -> None:
        match part:
            case Token(type="AND"):
                pass
            case Token(type="ALSO"):
                self._refuse_empty_also()
                self._current = []
                self._into.append(self._current)
                self._opened_by = part
            case Token():
                self._refuse_empty_also()
                self._note_idle_except()
                self._into, self._current, self._opened_by = self._exceptions, None, part
            case _:
                if self._current is None:
                    if self._into:
                        raise self._second_except()
                    self._current = []
                    self._into.append(self._current)
                self._current.append(part)

    def done(self) -> ScheduleTree:
        self._refuse_empty_also()
        self._note_idle_except()
        return ScheduleTree(_patterns(self._patterns), _patterns(self._exceptions), tuple(self._idle))

    def _refuse_empty_also(self) -> None:
        if self._opened_by is not None and self._current == []:
            help_ = "write behind it what else counts, or remove it"
            raise self._builder.error(self._opened_by, "SW503", "`also` is followed by nothing", "nothing here", help_)

    def _note_idle_except(self) -> None:
        if self._opened_by is not None and self._current is None:
            self._idle.append(self._builder.token_span(self._opened_by))

    def _second_except(self) -> BuildError:
        assert self._opened_by is not None  # noqa: S101 - for the type checker: exceptions are opened by `except`
        help_ = "all that follows the first `except` is excepted; join exceptions with `also`"
        return self._builder.error(self._opened_by, "SW503", "a second `except`", "once is enough", help_)


def _patterns(groups: list[list[Clause]]) -> tuple[Pattern, ...]:
    return tuple(Pattern(tuple(group), group[0].span.to(group[-1].span)) for group in groups)


def _unit(token: Token) -> UnitName:
    return _UNITS[token.type]


def _number(token: Token) -> int:
    return int(token.rstrip("dhnrst"))  # 1st, 2nd, 3rd, 4th


def _name(names: tuple[str, ...], token: Token) -> int:
    return names.index(token[:3]) + 1


def _seconds(token: Token) -> int:
    """A time of day in seconds; twelve o'clock am is midnight."""
    hour, _, rest = token.partition(":")
    hours, minutes = int(hour), int(rest[:2])
    if rest.endswith("m"):
        hours = hours % 12 + (12 if rest.endswith("pm") else 0)
    return hours * 3600 + minutes * 60


def _side(token: Token) -> Literal["after", "before"]:
    return "after" if token.type == "AFTER" else "before"
