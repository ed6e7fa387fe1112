"""The names that the users of a snapshot have, for the checks of SW4xx."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from seatwarden.grammar.ast import Field, Rule
from seatwarden.grammar.printer import print_field


class KnownNames(Struct, frozen=True):
    """The texts that some user of a snapshot has.

    `texts` holds them by field as it is written in a rule (`user.tags`, `user.@Department`, `user` as
    `DIRECTORY\\userId`); `keys` the names of custom properties (`user.@`) and attributes (`user.attributes`).
    `may_match` says whether a rule matches some license of the snapshot, or may; it may take its time.
    """

    texts: Mapping[str, frozenset[str]]
    keys: Mapping[str, frozenset[str]]
    may_match: Callable[[Rule], bool]

    def of(self, field: Field) -> frozenset[str]:
        """The texts some user has in that field."""
        return self.texts.get(print_field(field), frozenset())
