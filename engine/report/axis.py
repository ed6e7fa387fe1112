"""The axes of our pictures: where their numbers stand, and where they end."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A line or a number on an axis, at its place."""

    at: float
    value: int


def axis_end(most: float) -> int:
    """The end of an axis: the next number that is 1, 2, 4, 6 or 8 with zeros, at least 2, so that its half is whole."""
    for exponent in range(12):
        for digits in (1, 2, 4, 6, 8):
            if digits * 10**exponent >= most and digits * 10**exponent >= 2:
                return int(digits * 10**exponent)
    return round(most)
