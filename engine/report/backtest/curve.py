"""The curve of a backtest: over the threshold, what it frees and who comes back.

Lengths are in the units of a picture `WIDTH` wide, as in all our pictures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from seatwarden.engine.analysis.hindsight import SaidChance
from seatwarden.engine.analysis.hindsight_words import average_seats, within
from seatwarden.engine.analysis.regret import WITHIN, BacktestRow, BackWithin, ReleasedCounts
from seatwarden.engine.common.text import one_line
from seatwarden.engine.report.axis import Mark, axis_end
from seatwarden.engine.report.pool import WIDTH

_LEFT, _TOP, _HEIGHT = 44, 24, 150
RIGHT = WIDTH - 92
"""Where the days end: behind them lines are named."""
BOTTOM = _TOP + _HEIGHT
_INSET = 26
"""Room for half a bar, and half of what stands above a line, at the ends of the days."""
_LABELS_APART = 15
_DIGIT = 8
"""Room between two names of lines, and what a digit below the axis takes."""
_LONGEST = 10
"""Letters of a line's name; below the picture it stands whole."""
_MONTH = 30
_WIDEST, _SLIM = 13, 0.72
_GAP = 1.5
LOOKS = ("first", "second", "third", "fourth")
"""How the lines of several policies are told apart; more than these are not drawn."""
_WINDOWS = ((90, "second"), (30, "first"), (7, "third"))

BacktestPart: TypeAlias = Literal["later", "backlog"]
PARTS: tuple[BacktestPart, ...] = ("later", "backlog")
_Value: TypeAlias = tuple[int, float, float, float, str]
"""A threshold, the share that was back, its interval, and what the point says."""
_Found: TypeAlias = tuple[str, str, list[_Value]]
"""A line: what it is called, how it looks, its values."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of a line, and what it says."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class CurveLine:
    """The share that was back, over the threshold, with the band of its intervals. `look` is the class it is drawn
    with; `line` and `band` are the points of a polyline and of a polygon."""

    label: str
    label_at: float
    look: str
    points: tuple[CurvePoint, ...]
    line: str
    band: str


@dataclass(frozen=True, slots=True)
class SeatBar:
    """The seats that a threshold frees on an average day: the backlog's below, those released later above."""

    x: float
    width: float
    backlog_height: float
    later_height: float
    words: str

    @property
    def lift(self) -> float:
        """How far above the ground the upper part begins."""
        return self.backlog_height + _GAP if self.backlog_height else 0


@dataclass(frozen=True, slots=True)
class Curve:
    """The pictures of one license type, all over the same days: who of those released `later` and of the `backlog` came
    back, the `chance` to come back whatever the policy, and the seats that are free.

    `days`, `shares` and `seats` are the numbers on the axes, `own` the thresholds that the policies have as they are.
    `names` are the looks and names of several policies, in the order of their bars; `not_drawn` counts those beyond.
    """

    later: tuple[CurveLine, ...]
    backlog: tuple[CurveLine, ...]
    chance: tuple[CurveLine, ...]
    bars: tuple[SeatBar, ...]
    shares: tuple[Mark, ...]
    seats: tuple[Mark, ...]
    days: tuple[Mark, ...]
    own: tuple[Mark, ...]
    names: tuple[tuple[str, str], ...]
    not_drawn: int


def curve_of(rows: Sequence[BacktestRow], chances: Sequence[SaidChance], own: Sequence[int], days: int) -> Curve | None:
    """The pictures of the rows of one license type, of which each has a threshold; None for fewer than two of them.

    `days` is how long the history is.
    """
    thresholds = sorted({row.threshold for row in rows if row.threshold is not None})
    if len(thresholds) < 2:
        return None
    axis = _Axis(thresholds[0], thresholds[-1])
    by_file: dict[str, list[BacktestRow]] = {}
    for row in sorted(rows, key=_threshold):
        by_file.setdefault(row.file, []).append(row)
    drawn = list(by_file.values())[: len(LOOKS)]
    later, backlog = (_of_part(drawn, part) for part in PARTS)
    known = [_of_chance(one) for one in chances if one.share is not None and one.days in thresholds]
    asked: list[_Found] = [("", "first", known)] if len(known) > 1 else []
    values = [value for lines in (later, backlog, asked) for *_, found in lines for value in found]
    top = axis_end(100 * max((high for *_, high, _ in values), default=0))
    most = axis_end(max(row.all.seat_days for row in rows) / days)
    drawn_later, drawn_backlog, drawn_chance = (
        tuple(_apart([_line(*line, axis, top) for line in lines if line[2]])) for lines in (later, backlog, asked)
    )
    return Curve(
        drawn_later,
        drawn_backlog,
        drawn_chance,
        tuple(_bars(drawn, axis, thresholds, most, days)),
        _marks(top),
        _marks(most),
        tuple(_labelled(axis, thresholds, own)),
        tuple(Mark(axis.at(day), day) for day in own if thresholds[0] <= day <= thresholds[-1]),
        tuple(zip(LOOKS, [_name(rows[0]) for rows in drawn], strict=False)) if len(drawn) > 1 else (),
        len(by_file) - len(drawn),
    )


def counts_of(row: BacktestRow, part: BacktestPart) -> ReleasedCounts:
    """What was released later, or on the first day."""
    return row.later if part == "later" else row.backlog


@dataclass(frozen=True, slots=True)
class _Axis:
    """The axis of days."""

    first: int
    last: int

    def at(self, day: int) -> float:
        part = (day - self.first) / (self.last - self.first)
        return round(_LEFT + _INSET + (RIGHT - _LEFT - 2 * _INSET) * part, 2)


def _threshold(row: BacktestRow) -> int:
    return row.threshold or 0


def _of_part(drawn: Sequence[Sequence[BacktestRow]], part: BacktestPart) -> list[_Found]:
    """The lines of one picture: of a single policy within 7, 30 and 90 days, of several ones within 30."""
    if len(drawn) == 1:
        wanted = [(f"in {days} days", look, drawn[0], days) for days, look in _WINDOWS]
    else:
        names = [one_line(_name(rows[0]), _LONGEST) for rows in drawn]
        wanted = [(name, look, rows, WITHIN) for name, look, rows in zip(names, LOOKS, drawn, strict=False)]
    found = []
    for label, look, rows, days in wanted:
        backs = [(row, within(counts_of(row, part).back, days)) for row in rows]
        found.append((label, look, [_of_row(row, back) for row, back in backs if back.followed]))
    return found


def _of_row(row: BacktestRow, back: BackWithin) -> _Value:
    share, low, high = back.share or 0, back.low or 0, back.high or 0
    return _threshold(row), share, low, high, f"{row.policy}: {_percent(share, low, high)} within {back.days} days"


def _of_chance(said: SaidChance) -> _Value:
    share, low, high = said.share or 0, said.low or 0, said.high or 0
    words = f"unused for {said.days} days: {_percent(share, low, high)} within {WITHIN} days"
    return said.days, share, low, high, words


def _percent(share: float, low: float, high: float) -> str:
    return f"{100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f}) back"


def _name(row: BacktestRow) -> str:
    """What the policy is called, without its threshold."""
    return row.policy.rsplit(", ", 1)[0]


def _line(label: str, look: str, found: Sequence[_Value], axis: _Axis, top: int) -> CurveLine:
    points = tuple(CurvePoint(axis.at(day), _height(100 * share, top), words) for day, share, _, _, words in found)
    low = [f"{axis.at(day)},{_height(100 * value, top)}" for day, _, value, _, _ in found]
    high = [f"{axis.at(day)},{_height(100 * value, top)}" for day, _, _, value, _ in found]
    line = " ".join(f"{point.x},{point.y}" for point in points)
    return CurveLine(label, points[-1].y + 4, look, points, line, " ".join([*high, *reversed(low)]))


def _apart(lines: Sequence[CurveLine]) -> Iterator[CurveLine]:
    """The lines, their names pushed apart where they would stand on each other."""
    placed = sorted(lines, key=lambda line: line.label_at)
    ats = [line.label_at for line in placed]
    for number in range(1, len(ats)):
        ats[number] = max(ats[number], ats[number - 1] + _LABELS_APART)
    over = max(ats[-1] - BOTTOM, 0) if ats else 0
    for line, at in zip(placed, ats, strict=True):
        yield replace(line, label_at=round(at - over, 2))


def _height(value: float, top: float) -> float:
    """Where a value stands, from above."""
    return round(_TOP + _HEIGHT - _HEIGHT * min(value / top, 1), 2)


def _bars(
    drawn: Sequence[Sequence[BacktestRow]], axis: _Axis, thresholds: Sequence[int], most: int, days: int
) -> Iterator[SeatBar]:
    """The bars, those of several policies beside each other."""
    closest = min(axis.at(after) - axis.at(before) for before, after in pairwise(thresholds))
    room = min(closest * _SLIM, _WIDEST * len(drawn))
    width = room / len(drawn)
    for place, rows in enumerate(drawn):
        for row in rows:
            x = axis.at(_threshold(row)) - room / 2 + place * width
            backlog, later = (_HEIGHT * counts_of(row, part).seat_days / days / most for part in reversed(PARTS))
            words = f"{row.policy}: {average_seats(row.all.seat_days, days)} seats on an average day"
            yield SeatBar(round(x, 2), round(width * 0.92, 2), round(backlog, 2), round(later, 2), words)


def _marks(top: int) -> tuple[Mark, ...]:
    return tuple(Mark(_height(value, top), value) for value in sorted({0, top // 2, top}))


def _labelled(axis: _Axis, thresholds: Sequence[int], own: Sequence[int]) -> Iterator[Mark]:
    """The thresholds under which a number stands: first the policies' own, then all others for which there is room."""
    placed: list[Mark] = []
    first = [day for day in thresholds if day in own] + [thresholds[0], thresholds[-1]]
    for day in [*first, *sorted(thresholds, key=lambda day: day % _MONTH != 0)]:
        at, digits = axis.at(day), len(str(day))
        if all(abs(at - other.at) >= _DIGIT * (digits + len(str(other.value)) + 1) / 2 for other in placed):
            placed.append(Mark(at, day))
    yield from sorted(placed, key=lambda mark: mark.at)
