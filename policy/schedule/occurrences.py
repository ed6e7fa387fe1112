"""The occurrences of a schedule in a time zone: from its wall clock to instants, over the clock's changes.

- A time that the clock skips does not fire. An hour or day of which it skips only the beginning fires as it begins.
- In an hour that the clock shows twice, times of day and days fire in the first; hours, minutes and seconds in both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from seatwarden.policy.schedule.schedule import Clauses, Schedule, Tick

_SECOND, _TWO_HOURS = timedelta(seconds=1), timedelta(hours=2)


def occurrences(schedule: Schedule, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants (UTC) at which the schedule fires, strictly after an instant (aware), in order.

    Without end if the schedule has none; a search that cannot succeed is given up as `Schedule.ticks_after` does.
    """
    # Where the clock shows a time twice, its ticks do not tell which showing is meant: there the walk takes one
    # instant, and begins anew from it.
    moment: datetime | None = after
    while moment is not None:
        local = moment.astimezone(zone)
        wall = local.replace(tzinfo=None, fold=0, microsecond=0)
        overlap = _overlap(wall, zone)
        found: Iterable[datetime]
        if overlap is None:
            found = _instants(schedule, wall, zone)
        else:
            found = _once_from_overlap(schedule, wall, local.fold == 1, overlap, zone)
        moment = None
        for instant in found:
            yield instant
            if overlap is not None or _overlap(_shown(instant, zone), zone) is not None:
                moment = instant
                break


def next_occurrence(schedule: Schedule, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first of the `occurrences`; None when the schedule never fires again."""
    return next(occurrences(schedule, after, zone), None)


def _instants(schedule: Schedule, wall: datetime, zone: ZoneInfo, first: datetime | None = None) -> Iterator[datetime]:
    """The instants at which the clock shows the schedule's ticks after `wall`, for the first time; none of the ticks
    before `first`."""
    passed: dict[Clauses, datetime] = {}
    for tick in schedule.ticks_after(wall):
        if not isinstance(tick, Tick):
            return
        due = [pattern for pattern in tick.due if passed.get(pattern, first or tick.at) <= tick.at]
        if not due:
            continue
        instant = _instant(tick.at, zone)
        shown = _shown(instant, zone)
        if shown == tick.at:
            yield instant
            continue
        # The clock skips the tick's start. Python, like JavaScript, takes it for the time as far behind the change as
        # it lies in the gap; looking for a time of day, `later` goes on from there and passes over what lies before.
        passed |= {pattern: shown for pattern in due if pattern.timed}
        change = _change(instant - (shown - tick.at), instant, zone)
        if any(_shown(change, zone) < pattern.tick.following(tick.at) for pattern in due):
            yield change


@dataclass(frozen=True, slots=True)
class _Overlap:
    """Times that the clock shows twice: from `first` up to and without `end`."""

    first: datetime
    end: datetime


def _once_from_overlap(
    schedule: Schedule, wall: datetime, again: bool, overlap: _Overlap, zone: ZoneInfo
) -> list[datetime]:
    """The next instant after a time that the clock shows twice; `again` when it is the second showing."""
    if not again:
        tick = next(schedule.ticks_after(wall), None)
        if isinstance(tick, Tick) and tick.at < overlap.end:
            return [_instant(tick.at, zone)]
        wall = overlap.first - _SECOND
    found = [
        instant
        for pattern in schedule.patterns
        for instant in _once_shown_again(pattern, schedule.exceptions, wall, again, overlap, zone)
    ]
    return [min(found)] if found else []


def _once_shown_again(
    pattern: Clauses, exceptions: tuple[Clauses, ...], wall: datetime, again: bool, overlap: _Overlap, zone: ZoneInfo
) -> list[datetime]:
    """The next instant of one pattern, from the second showing of `wall` on."""
    alone = Schedule((pattern,), exceptions)
    if pattern.repeats:
        tick = next(alone.ticks_after(wall), None)
        if isinstance(tick, Tick) and tick.at < overlap.end:
            return [_instant(tick.at, zone, fold=1)]
    elif again and pattern.timed:
        # Looking for a time of day in the hour's second showing, `later` lands two hours after twice that time, and
        # has passed over what lies before.
        tick = next(Schedule((pattern,), ()).ticks_after(wall), None)
        if isinstance(tick, Tick) and tick.at < overlap.end:
            midnight = tick.at.replace(hour=0, minute=0, second=0)
            wall = tick.at + (tick.at - midnight) + _TWO_HOURS - _SECOND
    return list(islice(_instants(alone, wall, zone, overlap.end), 1))


def _overlap(wall: datetime, zone: ZoneInfo) -> _Overlap | None:
    """The times around `wall` that the clock shows twice; None when it shows `wall` once, or never."""
    first, second = _instant(wall, zone), _instant(wall, zone, fold=1)
    if first >= second:
        return None
    start = _shown(_change(first, second, zone), zone)
    return _Overlap(start, start + (second - first))


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two at which the zone's offset changes, to the second."""
    # By halving, because `zoneinfo` tells the offset at an instant, but not when it changes.
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _instant(wall: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """The time that the zone's clock shows."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
