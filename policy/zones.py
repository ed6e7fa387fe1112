"""IANA time zones: the one place that looks them up."""

import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from seatwarden.grammar.suggest import did_you_mean

_WRITE = "write an IANA name like Europe/Stockholm, or UTC"
_OF_THE_MACHINE = frozenset(("localtime", "posixrules", "factory"))
"""Files of the database that say what a machine is set to. A verdict must not depend on where it is made."""
_COPIES = ("posix/", "right/")
"""Folders that some systems have: the same zones once more, without leap seconds and with them."""


@lru_cache(maxsize=64)
def find_timezone(name: str) -> ZoneInfo | None:
    """The zone of that IANA name, or None. Data comes from the system or the `tzdata` package."""
    if not name or name.startswith(".") or not _is_everywhere(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # ValueError: a name that is a path; OSError: a folder of the database, such as "Europe".
        return None


def _is_everywhere(name: str) -> bool:
    """Whether the name means the same on every machine. Some look it up in any case."""
    folded = name.casefold()
    return folded not in _OF_THE_MACHINE and not folded.startswith(_COPIES)


def timezone_names() -> set[str]:
    """All names of zones, to suggest some of them."""
    return {name for name in available_timezones() if _is_everywhere(name)}


def is_timezone(name: str) -> bool:
    """Whether there is an IANA zone of that name."""
    return find_timezone(name) is not None


_OFFSET = re.compile(r"^(?!Etc/)\w*\s*[-+]\d")


def timezone_help(name: str) -> str:
    """A help line for a name that is no zone: Windows has names of its own, and people have abbreviations."""
    from tzlocal.windows_tz import win_tz  # only for this message

    if name in win_tz:
        return f"that is the name in Windows; write {win_tz[name]}"
    if not _is_everywhere(name):
        zone = name.partition("/")[2]
        return f"write {zone}" if is_timezone(zone) else f"that is what a machine is set to: {_WRITE}"
    if _OFFSET.search(name):
        return f"hours from UTC know no summer time: {_WRITE}"
    if name.isalpha() and name.isupper():  # CEST is not EST
        return f"an abbreviation is not enough: {_WRITE}"
    return did_you_mean(name, timezone_names()) or _WRITE
