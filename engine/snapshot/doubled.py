"""Keys that stand twice in an object of JSON: which of the two values is meant, nobody can know."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

MOST_CHECKED = 5_000_000
"""Size up to which every snapshot is looked through; it takes a tenth of a second."""
OWN_FORM = b'{"takenAt":"'
"""How a snapshot begins that seatwarden has written, with the rows as QRS sent them: QRS writes no key twice."""


class Keys(Struct, frozen=True):
    """What is wrong with the keys of an object: those that stand twice, and those in whose values any does."""

    twice: frozenset[str] = frozenset()
    within: frozenset[str] = frozenset()

    @property
    def doubtful(self) -> frozenset[str]:
        """The keys whose values cannot be known."""
        return self.twice | self.within


_NOTHING = Keys()


def keys_of(data: bytes) -> Keys:
    """The keys that stand twice in a JSON object, with values that differ, or further within it."""
    text = data.decode("utf-8", "replace")
    # Numbers stay texts: those beyond all bounds are no reason to fail here.
    found = json.loads(text, object_pairs_hook=_keys, parse_int=str, parse_float=str, parse_constant=str)
    return found if isinstance(found, Keys) else _NOTHING


def is_to_be_checked(data: bytes) -> bool:
    """Whether a snapshot is looked through: not a large one that seatwarden has written."""
    return len(data) <= MOST_CHECKED or not data.startswith(OWN_FORM)


def _keys(pairs: Sequence[tuple[str, Any]]) -> Keys:
    values = dict(pairs)
    within = [key for key, value in pairs if value.__class__ in (list, Keys) and _has_any(value)]
    if len(values) == len(pairs) and not within:
        return _NOTHING
    counts = Counter(key for key, _ in pairs)
    twice = [key for key, count in counts.items() if count > 1 and not _is_one_value(key, pairs)]
    return Keys(frozenset(twice), frozenset(within)) if twice or within else _NOTHING


def _is_one_value(key: str, pairs: Sequence[tuple[str, Any]]) -> bool:
    """Whether a key has the same plain value each time. Of lists and objects that is not looked into."""
    values = [value for name, value in pairs if name == key]
    return not isinstance(values[0], list | Keys) and all(value == values[0] for value in values)


def _has_any(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_any(item) for item in value)
    return isinstance(value, Keys) and value is not _NOTHING
