"""Texts as far as a policy can tell them apart: for each set of its tests that texts pass, one that stands for them.

What stands for a class is written by the policy itself, or a word made from its patterns, never a text of somebody's:
it is the same for everybody in the class.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Literal, TypeAlias

from msgspec import Struct

from seatwarden.grammar.ast import Operator
from seatwarden.policy.operators import HOLDS, Value, around, matches, read_text
from seatwarden.policy.worlds.patterns import combinations
from seatwarden.policy.worlds.spellings import spellings

How: TypeAlias = Literal["=", "==", "like", "is the pattern of", "is filled", "is there"]
"""`is the pattern of`: the field's value is a pattern, as in `"Ann B." like user.name`."""

_ORDINARY = ("other", "")
_MOST_SPELLINGS = 4
"""Of one text that are looked at: all lower case, all upper, titles, a mixed one."""
_MOST_SHOWN = 3
"""Of the texts that a policy names alike."""
_MOST_VARIANTS = 40
"""Of one text, when texts of several fields are to stay different from each other."""


class AskedOfText(Struct, frozen=True):
    """What one comparison asks of a single text; `texts` are those that the policy writes."""

    how: How
    texts: tuple[str, ...] = ()

    def predicate(self) -> Callable[[str], bool]:
        """Whether a text passes, made ready to be asked often: lists may be long."""
        texts, exact, folded = self.texts, frozenset(self.texts), frozenset(map(str.casefold, self.texts))
        match self.how:
            case "=":
                return lambda value: value.casefold() in folded
            case "==":
                return exact.__contains__
            case "like":
                return lambda value: any(matches(value, pattern) for pattern in texts)
            case "is the pattern of":
                return lambda value: any(matches(text, value) for text in texts)
            case "is filled":
                return lambda value: bool(value.strip())
            case _:
                return lambda value: True


class AskedOfReading(Struct, frozen=True):
    """What one comparison asks of a single text that it reads as a date or a number (`kind`).

    Without `operator` it asks whether the text says none.
    """

    kind: str
    operator: Operator | None = None
    values: tuple[Value, ...] = ()

    def predicate(self) -> Callable[[str], bool]:
        """Whether a text passes."""

        def passes(text: str) -> bool:
            read = read_text(self.kind, text)
            if read is None or self.operator is None:
                return read is None and self.operator is None
            return any(HOLDS[self.operator](read, value) for value in self.values)

        return passes


class TextClasses:
    """The texts that some tests can tell apart.

    `tells_none_from_unnamed`: it shows that somebody has no value at all; else a value that no test names falls away.
    """

    def __init__(self, tests: Iterable[AskedOfText | AskedOfReading], known: Sequence[str] = ()) -> None:
        self.tests = tuple(dict.fromkeys(tests))
        self._predicates = [test.predicate() for test in self.tests]
        asked = [test for test in self.tests if isinstance(test, AskedOfText)]
        self._known = known
        self.named = frozenset(chain(known, *(test.texts for test in asked)))
        self.tells_none_from_unnamed = any(test.how in ("is filled", "is there") for test in asked)

    @cached_property
    def _members(self) -> Mapping[int, Sequence[str]]:
        """Texts of each class: found where somebody asks, since that looks through all letters there are."""
        asked = [test for test in self.tests if isinstance(test, AskedOfText)]
        values = (value for test in self.tests if isinstance(test, AskedOfReading) for value in test.values)
        read = chain.from_iterable(map(around, values))
        members: dict[int, list[str]] = {}
        for text in dict.fromkeys(chain(_candidates(asked, self._known), read)):
            members.setdefault(self.mask(text), []).append(text)
        return members

    def mask(self, value: str) -> int:
        """The tests that a text passes, as bits."""
        return sum(passes(value) << bit for bit, passes in enumerate(self._predicates))

    def of_one(self, value: str) -> str | None:
        """The text that stands for the class of a text; None where none is known."""
        members = self._members.get(self.mask(value))
        return members[0] if members else None

    def of_many(self, values: Iterable[str]) -> tuple[str, ...] | None:
        """The texts that pass together what the values pass: a comparison asks for any of them. None as above.

        What passes nothing falls away, and so does what another one passes anyway.
        """
        masks = set(map(self.mask, values))
        if not masks <= self._members.keys():
            return None
        union = 0
        for mask in masks:
            union |= mask
        within = [mask for mask in self._members if mask and mask & union == mask]
        largest = [mask for mask in within if not any(mask != other and mask & other == mask for other in within)]
        return tuple(sorted(self._members[mask][0] for mask in largest))

    def members(self, mask: int) -> Iterator[str]:
        """Texts of a class, as many as may be needed to keep several of them apart."""
        for text in self._members.get(mask, ()):
            for longer in (text, *_stretched(text)):
                variants = dict.fromkeys((longer, *islice(spellings(longer.casefold()), _MOST_SPELLINGS)))
                yield from (variant for variant in variants if self.mask(variant) == mask)

    def words(self, value: str) -> str:
        """The text that stands for a class, as people read it: with the others that the policy names alike."""
        if value not in self.named:
            return "(another)" if value.strip() else value
        alike = {text.casefold(): text for text in self._members.get(self.mask(value), ()) if text in self.named}
        shown = [value, *(text for folded, text in alike.items() if folded != value.casefold())]
        more = [f"{len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
        return " or ".join([*shown[:_MOST_SHOWN], *more])


def _candidates(tests: Sequence[AskedOfText], known: Sequence[str]) -> Iterator[str]:
    """Texts that may stand for classes; those that the policy writes come first."""
    yield from known
    plain = [text for test in tests if test.how != "like" for text in test.texts]
    patterns = [text for test in tests if test.how == "like" for text in test.texts]
    written = sorted({*plain, *(text for text in patterns if "*" not in text)})
    yield from written
    folded = sorted({text.casefold() for text in patterns if "*" in text})
    words, _ = combinations(folded, {text.casefold() for text in written})
    yield from words.values()
    yield from _ORDINARY
    yield from (" ", "*")
    # A text that is compared with its capitals has spellings that it is not.
    for text in sorted({text for test in tests if test.how == "==" for text in test.texts}):
        yield from islice(spellings(text.casefold()), _MOST_SPELLINGS)


def _stretched(text: str) -> Iterator[str]:
    for number in range(2, _MOST_VARIANTS):
        yield f"{text}{number}"
        yield f"{number}{text}"


TextsOfFields: TypeAlias = Mapping[str, tuple[str, ...]]
"""The values of several fields, by the fields' names."""


def kept_apart(classes: TextClasses, values: TextsOfFields, *, as_patterns: bool) -> dict[str, tuple[str, ...]] | None:
    """What stands for the texts of fields that a policy compares with each other; None where nothing is found.

    Each text keeps its class, and any two of them stay as equal, or as different, as they are; with `as_patterns` one
    matches the other where it did.
    """
    fields = list(values)
    places = {
        text: [number for number, name in enumerate(fields) if text in values[name]]
        for name in fields
        for text in values[name]
    }
    stands: dict[str, str] = {}
    # In an order that the texts themselves have no part in, as far as that goes; those with the least choice first.
    for text in sorted(places, key=lambda text: (-(mask := classes.mask(text)).bit_count(), mask, places[text])):
        found = next((c for c in classes.members(classes.mask(text)) if _fits(text, c, stands, as_patterns)), None)
        if found is None:
            return None
        stands[text] = found
    return {name: tuple(sorted({stands[text] for text in texts})) for name, texts in values.items()}


def _fits(text: str, candidate: str, stands: Mapping[str, str], as_patterns: bool) -> bool:
    if as_patterns and matches(candidate, candidate) is not matches(text, text):
        return False
    return all(
        _relation(text, other, as_patterns) == _relation(candidate, taken, as_patterns)
        for other, taken in stands.items()
    )


def _relation(one: str, other: str, as_patterns: bool) -> tuple[bool, ...]:
    equal = (one == other, one.casefold() == other.casefold())
    return (*equal, matches(one, other), matches(other, one)) if as_patterns else equal
