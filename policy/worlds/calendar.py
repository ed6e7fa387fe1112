"""What a formula asks of the calendar: the days on which it can hold, whatever the other facts are."""

from datetime import date

from seatwarden.policy.worlds.days import DayField, date_bit
from seatwarden.policy.worlds.formula import TRUE, AllOf, AnyOf, Formula, OnDays, Within, all_of, any_of


def calendar_of(formula: Formula) -> Formula:
    """The formula with all but the calendar taken as true: on a day on which this does not hold, it cannot hold."""
    match formula:
        case AllOf(parts):
            return all_of(map(calendar_of, parts))
        case AnyOf(parts):
            asked = [calendar_of(part) for part in parts]
            return TRUE if TRUE in asked else any_of(asked)
        case OnDays() | Within(DayField.TODAY, DayField.ORIGIN) | Within(DayField.ORIGIN, DayField.TODAY):
            return formula
        case _:
            return TRUE


def holds_on(calendar: Formula, today: date) -> bool:
    """Whether what is asked of the calendar alone holds on a day."""
    match calendar:
        case AllOf(parts):
            return all(holds_on(part, today) for part in parts)
        case AnyOf(parts):
            return any(holds_on(part, today) for part in parts)
        case OnDays(dates, weekdays):
            return bool(dates & date_bit(today) and weekdays >> today.weekday() & 1)
        case Within(DayField.TODAY, _, days):
            return today.toordinal() <= days
        case Within(_, _, days):
            return -today.toordinal() <= days
        case _:
            return True
