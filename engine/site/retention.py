"""For how long the runs of a site are kept."""

import re
from datetime import timedelta

from seatwarden.policy.yaml.kinds import TEXT
from seatwarden.policy.yaml.settings import Kind

LEAST_DAYS, MOST_DAYS = 31, 36_500
"""A month: so far back a run looks for what earlier ones have left open, or told nobody."""
HOW_WRITTEN = f"days, such as `400d`, at least {LEAST_DAYS}"
_SCHEMA = {"type": "string", "pattern": r"^\s*\d{1,5}\s*d\s*$"}


def read_keep(text: str) -> timedelta | None:
    """A span of days as it is written, `400d`; None for what is none, or is too short or too long."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*d\s*", text, re.ASCII)
    days = int(found[1]) if found else 0
    return timedelta(days=days) if LEAST_DAYS <= days <= MOST_DAYS else None


def keep_words(keep: timedelta) -> str:
    """The same as it is written."""
    return f"{keep.days}d"


RETENTION = (
    Kind(TEXT.read, _SCHEMA)
    .must(
        lambda text: read_keep(text) is not None,
        "`{key}` is no time to keep runs for",
        "nothing is pruned",
        HOW_WRITTEN,
    )
    .then(lambda reader, entry, text: read_keep(text))
)
