"""What a backtest has found, in sentences that one can repeat."""

from collections.abc import Iterator

from seatwarden.engine.analysis.regret import WITHIN, BacktestRow, BackWithin, RegretDifference
from seatwarden.engine.common.text import plural

LEAST_OF_100 = 30
"""Of fewer releases no share is said, but how many they were."""


def row_words(row: BacktestRow, days: int) -> str:
    """What a policy frees and what it costs, over a history of so many days; the backlog of its first day apart."""
    return " ".join([f"{row.policy}: {_freed(row, days)}", *_regret(row)])


def average_seats(seat_days: int, days: int) -> str:
    """How many seats were free on an average day: `0.4`, `7.5`, `1,204`."""
    found = seat_days / days
    return f"{found:,.0f}" if found >= 10 else f"{found:.1f}"


def _freed(row: BacktestRow, days: int) -> str:
    if not row.all.releases:
        return f"no {row.license_type} license would have been released."
    first, later = row.backlog.releases, row.later
    people = f" of {plural(later.people, 'person').replace('persons', 'people')}" if later.repeats else ""
    return (
        f"{plural(first, f'{row.license_type} license')} would have been released on the first day, {later.releases:,} "
        f"later{people}; on an average day {average_seats(row.all.seat_days, days)} seats would have been free by that."
    )


def _regret(row: BacktestRow) -> Iterator[str]:
    """Who was back within 30 days: of what was released later, then of the backlog."""
    for part, words in ((row.later, "released later"), (row.backlog, "released on the first day")):
        back = within(part.back, WITHIN)
        if back.followed >= LEAST_OF_100:
            low, high = round(100 * (back.low or 0)), round(100 * (back.high or 0))
            yield (
                f"Of 100 {words}, {round(100 * (back.share or 0))} were used again within {WITHIN} days ({low} to "
                f"{high}; {back.followed:,} could be followed for so long)."
            )
        elif back.followed:
            yield (
                f"Of the {back.followed} {words} that could be followed for {WITHIN} days, "
                f"{back.back} {'was' if back.back == 1 else 'were'} used again by then."
            )


def within(found: list[BackWithin], days: int) -> BackWithin:
    """The one of so many days."""
    return next(one for one in found if one.days == days)


def difference_words(one: RegretDifference) -> str:
    """How two policies differ, or that no difference is shown."""
    pair = f"{one.policy} against {one.against}"
    pair += "" if one.license_type in pair else f", {one.license_type}"
    pair += ", released later"
    if not one.shown:
        return f"{pair}: no difference shown in who is back within {WITHIN} days ({one.low:+.1f} to {one.high:+.1f})."
    more = "more" if one.points > 0 else "fewer"
    low, high = sorted((abs(one.low), abs(one.high)))
    return f"{pair}: {abs(one.points):.1f} points {more} are back within {WITHIN} days ({low:.1f} to {high:.1f})."
