"""Days and numbers as far as a policy can tell them apart: the ranges between its own thresholds."""

from bisect import bisect_right
from collections.abc import Iterable

from msgspec import Struct

from seatwarden.grammar.ast import Operator


def cuts_of(operator: Operator, threshold: int) -> tuple[int, ...]:
    """Where a comparison with a threshold divides the numbers: each is the first of what comes behind it."""
    match operator:
        case "<" | ">=":
            return (threshold,)
        case "<=" | ">":
            return (threshold + 1,)
        case _:
            return threshold, threshold + 1


class Ranges(Struct, frozen=True):
    """The ranges between some cuts, in order; `base` stands for all numbers where there is no cut."""

    cuts: tuple[int, ...]
    base: int

    @classmethod
    def between(cls, cuts: Iterable[int], base: int) -> "Ranges":
        """The ranges between these cuts, given in any order."""
        return cls(tuple(sorted(set(cuts))), base)

    def number_of(self, value: int) -> int:
        """The range that a value lies in, counted from the lowest."""
        return bisect_right(self.cuts, value)

    def bounds(self, number: int) -> tuple[int | None, int | None]:
        """The first and the last value of a range; None where it is open."""
        first = self.cuts[number - 1] if number else None
        last = self.cuts[number] - 1 if number < len(self.cuts) else None
        return first, last

    def stands_for(self, value: int, rank: int = 0, ranks: int = 1) -> int:
        """The value that stands for the range of a value: its first one, or the last before the lowest cut.

        Of `ranks` different values in one range that are to stay in order, each has its `rank`.
        """
        first, last = self.bounds(self.number_of(value))
        if first is not None:
            return first + rank
        return (self.base if last is None or self.base + ranks - 1 <= last else last - ranks + 1) + rank
