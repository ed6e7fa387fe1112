"""The results that licenses have in journals, by what was done with them."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

ReleaseKind: TypeAlias = Literal["released", "gone", "skipped", "failed", "unknown"]
"""`gone`: QRS had no such license any more when we came to delete it. `unknown`: it could not be found out."""
DowngradeKind: TypeAlias = Literal["downgraded", "left"]
"""`downgraded`: the person has the other license and not this one. `left`: it has both; somebody has to look at it."""
RestoreKind: TypeAlias = Literal["restored", "held", "skipped", "failed", "unknown"]
"""`held`: the person had a license of the type again when we came to give it back."""
TakingKind: TypeAlias = Literal[ReleaseKind, DowngradeKind]
"""What an apply can come to."""
OutcomeKind: TypeAlias = Literal[TakingKind, RestoreKind]
GiftKind: TypeAlias = Literal["given", "there", "refused", "unknown"]
"""What the first half of an exchange came to. `there`: the person had such a license before we came."""

RESULTS: tuple[ReleaseKind, ...] = get_args(ReleaseKind)
DOWNGRADE_RESULTS: tuple[OutcomeKind, ...] = (*get_args(DowngradeKind), *RESULTS)
"""The results of a plan that downgrades."""
RESTORE_RESULTS: tuple[RestoreKind, ...] = get_args(RestoreKind)
RESULTS_OF_GIVING_BACK: tuple[OutcomeKind, ...] = (*RESTORE_RESULTS, "left")
"""The results of a restore that takes back what a downgrade gave."""


def counted_results(results: Mapping[Any, int]) -> dict[str, int]:
    """Results counted as people read them: those of releases always, those of downgrades where there is any."""
    named = [*RESULTS, *(one for one in DOWNGRADE_RESULTS if one not in RESULTS and results.get(one, 0))]
    return {one: results.get(one, 0) for one in named}


TAKEN: tuple[OutcomeKind, ...] = ("released", "downgraded")
"""The results after which the person has the license no more, and by us."""
