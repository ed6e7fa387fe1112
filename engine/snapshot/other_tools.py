"""Snapshots that other tools have rewritten: what is wrong with the whole, and how to make a right one."""

import re
from collections import Counter
from collections.abc import Sequence

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.snapshot.model import License

_LOOKED_AT = 500
"""The most licenses that are looked at."""
_FEWEST = 3
"""Fewer dates that are unreadable in the same way show no tool's hand."""
_AGAIN = "take it anew with `seatwarden snapshot`"
_QLIK_CLI = f"this looks like Qlik-Cli without `-raw`: take it with `-raw`, or {_AGAIN}"
_TOOLS = (
    (re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d"), _QLIK_CLI),
    (re.compile(r"/Date\(-?\d+([+-]\d{4})?\)/"), f"PowerShell's ConvertTo-Json writes them so: {_AGAIN}"),
)


def rewritten_dates(rows: Sequence[License]) -> str | None:
    """A sentence when most dates of licenses are unreadable in the same way."""
    step = max(1, len(rows) // _LOOKED_AT)
    dates = [date for row in rows[::step] for date in (row.last_used, row.created_date) if isinstance(date, str | int)]
    wrong = [str(date) for date in dates if not isinstance(date, str) or parse_timestamp(date) is None]
    if len(wrong) < _FEWEST or 2 * len(wrong) <= len(dates):
        return None
    ((form, _),) = Counter(map(_form, wrong)).most_common(1)
    alike = [date for date in wrong if _form(date) == form]
    if 2 * len(alike) <= len(dates):
        return None
    tool = next((help_ for known, help_ in _TOOLS if known.fullmatch(alike[0])), None)
    help_ = tool or f"QRS writes them otherwise: {_AGAIN}"
    return f"most dates of licenses are unreadable in the same way, such as `{alike[0][:40]}`; {help_}"


def unwrapped(problem: str) -> str | None:
    """Help where something stands in place of a list."""
    if problem.startswith("expected a list, found an object"):
        return f"QRS sends a list, also of one, and PowerShell tools unwrap it or wrap it in `value`: {_AGAIN}; {_RAW}"
    if problem.startswith("expected a list, found `null`"):
        return f"QRS sends an empty list, and PowerShell tools make it null: {_AGAIN}; {_RAW}"
    return None


_RAW = "with Qlik-Cli, give it `-raw`"


def _form(text: str) -> str:
    return re.sub(r"\d", "0", text[:40])
