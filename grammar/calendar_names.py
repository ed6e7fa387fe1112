"""Dates as they are written, and the English names of months and weekdays, whatever the machine's language."""

import re
from datetime import date

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def date_from(word: str) -> date | None:
    """The date written `2027-02-28`, or None when it is not one."""
    try:
        return date.fromisoformat(word) if _DATE.fullmatch(word) else None
    except ValueError:
        return None


def month_number(word: str) -> int | None:
    """The number of the month, 1 to 12, that a word of three letters or more begins; None where there is none."""
    found = [n for n, name in enumerate(MONTHS, 1) if len(word) >= 3 and name.startswith(word.lower())]
    return found[0] if found else None


def weekday_of(word: str) -> str | None:
    """The weekday that a word of two letters or more begins, or None."""
    found = [name for name in WEEKDAYS if len(word) >= 2 and name.startswith(word.lower())]
    return found[0] if found else None
