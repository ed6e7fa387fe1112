"""IANA time zones: the one place that looks them up."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from grammar.suggest import did_you_mean

_WRITE = "write an IANA name like Europe/Stockholm, or UTC"


@lru_cache(maxsize=64)
def find_timezone(name: str) -> ZoneInfo | None:
    """The zone of that IANA name, or None. Data comes from the system or the `tzdata` package."""
    try:
        return ZoneInfo(name) if name and not name.startswith(".") else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # ValueError: a name that is a path; OSError: a folder of the database, such as "Europe".
        return None


def is_timezone(name: str) -> bool:
    """Whether there is an IANA zone of that name."""
    return find_timezone(name) is not None


def timezone_help(name: str) -> str:
    """What to write instead of a name that is no zone: Windows has names of its own, and people have abbreviations."""
    from tzlocal.windows_tz import win_tz  # only for this message

    if name in win_tz:
        return f"that is the name in Windows; write {win_tz[name]}"
    if name.isalpha() and name.isupper():  # CEST is not EST
        return f"an abbreviation is not enough: {_WRITE}"
    return did_you_mean(name, available_timezones()) or _WRITE
