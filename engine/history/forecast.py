"""When the licenses of a type run out, in two forecasts: without further releases, and with the policy going on.

Neither stands for the other: the first is what happens when nobody does anything, the second what happens when runs go
on as they have. A date is said only where the history is long enough; else it is said why there is none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from seatwarden.engine.common.text import plural
from seatwarden.engine.history.chance import YEAR, Unsaid
from seatwarden.engine.history.flows import Flows
from seatwarden.engine.history.running_out import LEAST_DAYS, RunningOut, running_out

SETTLING_DAYS = 28
"""Days after the first release that the second forecast leaves out: a policy begins with a backlog."""
MOST_BEHIND = 28
"""Days that the last snapshot may be old."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The licenses that are `free`, and when none is left any more, seen from `today`: `without` further releases, and
    with the policy `going_on`."""

    free: int
    today: date
    without: RunningOut | Unsaid
    going_on: RunningOut | Unsaid


def forecast(flows: Flows | None, free: int, today: date, horizon: int, seed: str) -> Forecast:
    """Both forecasts from the flows of a type (None: the history has none), for so many days ahead. The same seed draws
    the same."""
    if free <= 0:
        none = RunningOut(0, 0, 0, horizon, len(flows.arrivals) if flows else 0)
        return Forecast(free, today, none, none)
    if flows is None:
        unsaid = Unsaid("the history has no such license")
        return Forecast(free, today, unsaid, unsaid)
    if today.toordinal() - flows.last > MOST_BEHIND:
        unsaid = Unsaid(f"the history ends on {_day(date.fromordinal(flows.last), today)}")
        return Forecast(free, today, unsaid, unsaid)
    return Forecast(free, today, _without(flows, free, horizon, seed), _going_on(flows, free, today, horizon, seed))


def _without(flows: Flows, free: int, horizon: int, seed: str) -> RunningOut | Unsaid:
    if (days := len(flows.arrivals)) < LEAST_DAYS:
        return Unsaid(f"the history has {plural(days, 'day')}, and {LEAST_DAYS} are the least")
    return running_out(flows.arrivals, flows.exits, free, horizon, f"{seed} without")


def _going_on(flows: Flows, free: int, today: date, horizon: int, seed: str) -> RunningOut | Unsaid:
    if flows.since is None:
        return Unsaid("seatwarden has released none yet")
    days = min(len(flows.arrivals), max(flows.last - flows.since - SETTLING_DAYS, 0))
    if days < LEAST_DAYS:
        since = _day(date.fromordinal(flows.since), today)
        return Unsaid(
            f"the first release was on {since}; from {SETTLING_DAYS} days after it on {LEAST_DAYS} are the least, "
            f"and there {'is' if days == 1 else 'are'} {days}"
        )
    arrivals = [a + r for a, r in zip(flows.arrivals, flows.returned, strict=True)]
    exits = [e + r for e, r in zip(flows.exits, flows.released, strict=True)]
    return running_out(arrivals[-days:], exits[-days:], free, horizon, f"{seed} going on")


# In words ------------------------------------------------------------------------------------------------


def forecast_words(found: Forecast) -> Iterator[str]:
    """Both forecasts as sentences; one where none is left already, or nothing can be said of either."""
    if found.free <= 0:
        yield "None is left."
        return
    if isinstance(found.without, Unsaid) and found.without == found.going_on:
        yield f"When none is left is not known: {found.without.why}."
        return
    yield _words("Without further releases", found.without, found.today)
    yield _words("With the policy going on", found.going_on, found.today)


def _words(which: str, one: RunningOut | Unsaid, today: date) -> str:
    if isinstance(one, Unsaid):
        return f"{which} it is not known: {one.why}."
    horizon = "a year" if one.horizon == YEAR else plural(one.horizon, "day")
    source = f"from {plural(one.days, 'day')}{', so roughly' if one.rough else ''}"
    early, middle, late = (None if day is None else _day(_after(today, day), today) for day in one.bounds.values())
    if early is None:
        return f"{which} they do not run out within {horizon} ({source})."
    hold = "four such forecasts in five hold:"
    if late is not None:
        return f"{which} none is left around {middle} ({hold} {early} to {late}; {source})."
    open_ = f"{hold} from {early} on, or not within {horizon}"
    if middle is not None:
        return f"{which} none is left around {middle} ({open_}; {source})."
    return f"{which} they probably do not run out within {horizon} ({open_}; {source})."


def _day(day: date, today: date) -> str:
    """`14 March`, with the year where it is another one."""
    return f"{day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")


def _after(today: date, days: int) -> date:
    return date.fromordinal(today.toordinal() + days)


# For programs --------------------------------------------------------------------------------------------


def forecast_json(found: Forecast) -> dict[str, Any]:
    """Both forecasts for programs: `earliest`, `middle` and `latest` are days, null beyond the horizon; `why` says why
    there is no date."""
    return {
        "free": found.free,
        "withoutReleases": _json(found.without, found.today),
        "withPolicy": _json(found.going_on, found.today),
    }


def _json(one: RunningOut | Unsaid, today: date) -> Mapping[str, Any]:
    if isinstance(one, Unsaid):
        return {"why": one.why}
    named = {name: None if day is None else _after(today, day).isoformat() for name, day in one.bounds.items()}
    return {**named, "horizonDays": one.horizon, "fromDays": one.days, "rough": one.rough}
