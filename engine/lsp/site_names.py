"""The names that a snapshot has, as an editor completes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_NAMES = 5_000
"""Most texts of one field that are kept: nobody looks through more, and all of them are typed once."""


@dataclass(frozen=True, slots=True)
class SiteNames:
    """The texts that users have by field, as a rule writes it (`user.tags`, `user.@Department`), and the names of
    properties and attributes by family (`user.@`, `user.attributes`)."""

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
