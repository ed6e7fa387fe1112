"""Did you mean …? One place that decides which known word a mistyped one is near to."""

from collections.abc import Iterable

LONGEST = 200
"""Longest word for which a near one is looked for; comparing longer ones takes long and means nothing."""


NOTHING = ("null", "nil", "none", "empty", "blank", "undefined")
"""Words of other languages for no value."""


def nearest(word: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The known word most like `word`, or None when nothing is near; case counts less than letters.

    `least` is how much of both must be the same, from 0 to 1.
    """
    if len(word) > LONGEST:
        return None
    from difflib import get_close_matches  # takes longer to import than most policies to read, and most have no slip

    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=least)
    return by_folded[found[0]] if found else None


def no_value(field: str = "user.@Department") -> str:
    """A help line: how to say that a field has no value. Nothing is like a value that is missing."""
    return f"no value is written `{field} is empty`, any value `{field} is not empty`"


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help line naming the nearest known word, or None."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found is not None else None
