"""A share or a difference beside its numbers: a dot, and the line of its interval."""

from dataclasses import dataclass

_WIDTH, _EDGE = 120, 5


@dataclass(frozen=True, slots=True)
class Whisker:
    """A dot and the interval around it, in a picture 120 wide; `zero` is where 0 stands."""

    dot: float
    low: float
    high: float
    zero: float


def whisker(share: float, low: float, high: float, least: float, most: float) -> Whisker:
    """The picture of a value between `low` and `high`, on an axis from `least` to `most`."""

    def at(value: float) -> float:
        part = (value - least) / (most - least)
        return round(_EDGE + (_WIDTH - 2 * _EDGE) * min(max(part, 0), 1), 2)

    return Whisker(at(share), at(low), at(high), at(0))
