"""The interval around a share that was counted."""

from math import sqrt

Z = 1.959964
"""Of a 95 % interval."""


def wilson(share: float, n: float) -> tuple[float, float]:
    """The Wilson interval of a share of `n`: open to the other side where all came back, or nobody."""
    if n <= 0:
        return 0.0, 1.0
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    # Rounded, an end may come to lie on the other side of the share.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))
