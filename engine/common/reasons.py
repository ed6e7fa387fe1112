"""Reasons that people give for what they do by hand: on one line, and short enough to stand in a record."""

from seatwarden.engine.common.text import one_line
from seatwarden.policy.errors import InputError

LONGEST_REASON = 500
"""Most characters of a reason: that of a hold stands in each plan, with every license that it keeps."""


def one_reason(written: str, named: str = "--reason") -> str:
    """A reason on one line; `named` is where it was written. Raises InputError for one that is too long."""
    if len(written) > LONGEST_REASON:
        raise InputError(f"{named} has {len(written):,} characters", f"{LONGEST_REASON} are the most")
    return one_line(written.strip(), LONGEST_REASON)


def needed_reason(written: str, example: str, named: str = "--reason") -> str:
    """A reason on one line, which must be there. Raises InputError."""
    why = one_reason(written, named)
    if not why:
        typed = f'{named} "{example}"' if named.startswith("-") else f'"{example}"'
        raise InputError(f"{named} is empty", f"say why, for who reads it in a year: {typed}")
    return why
