"""Text fields: the few texts that stand for all, as far as some tests can tell.

Every text belongs to the set of tests it passes. For each such set that any text has, one text is kept; a field's
value is then one of a handful of texts (or several of them, where a user can have several), held as the bits of a
number.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

from msgspec import Struct

from seatwarden.grammar.ast import Field
from seatwarden.policy.operators import matches, read_text
from seatwarden.policy.vocabulary import VOCABULARY
from seatwarden.policy.worlds.formula import TextTest
from seatwarden.policy.worlds.patterns import combinations
from seatwarden.policy.worlds.spellings import another_spelling


class TextValues(Struct, frozen=True, dict=True):
    """The texts that stand for all values of one field.

    `masks` has for each test the bits of the texts that pass it; `plainest` is the bit of a text that passes the
    fewest, or 0 where a user need not have any. `wild` is 0, or the bit of a text that may pass or fail any test,
    needed where the patterns were too many to be looked through.
    """

    field: Field
    values: tuple[str, ...]
    masks: Mapping[TextTest, int]
    plainest: int
    wild: int = 0

    @property
    def all(self) -> int:
        """The bits of all texts."""
        return (1 << len(self.values)) - 1

    @property
    def read_as(self) -> frozenset[str]:
        """What the tests read these texts as: dates, numbers."""
        return frozenset(test.read_as for test in self.masks if test.read_as)

    @cached_property
    def unreadable(self) -> int:
        """The bits of texts that a test names and that do not say what they are read as."""
        named = {text.casefold() for test in self.masks for text in (*test.folded, *test.exact)}
        return sum(
            1 << bit
            for bit, text in enumerate(self.values)
            if text.casefold() in named and None in {read_text(kind, text) for kind in self.read_as}
        )

    @property
    def many(self) -> bool:
        """Whether a user can have several of them."""
        return VOCABULARY[self.field.name].many

    def passing(self, test: TextTest, wanted: bool) -> int:
        """The bits of the texts that may pass (`wanted`) or fail the test."""
        mask = self.masks[test]
        return (mask if wanted else self.all & ~mask) | self.wild


def text_values(field: Field, tests: Iterable[TextTest]) -> TextValues:
    """The texts that these tests of one field can tell apart."""
    tests = tuple(dict.fromkeys(tests))
    entry = VOCABULARY[field.name]
    if entry.values:
        masks = {
            test: sum((test.filled or value in test.exact) << bit for bit, value in enumerate(entry.values))
            for test in tests
        }
        return TextValues(field, entry.values, masks, 0 if entry.many else 1 << (len(entry.values) - 1))
    found, complete = _classes(tests)
    masks = {
        test: sum(1 << bit for bit, passed in enumerate(found) if passed >> number & 1)
        for number, test in enumerate(tests)
    }
    values = (*found.values(), *(() if complete else ("?",)))
    signatures = tuple(found)
    plainest = min(range(len(found)), key=lambda bit: (not values[bit].strip(), signatures[bit].bit_count()), default=0)
    return TextValues(field, values, masks, 0 if entry.many else 1 << plainest, wild=0 if complete else 1 << len(found))


def fewest(allowed: int, needed: tuple[int, ...]) -> int:
    """The smallest set of allowed bits that has one of each needed set."""
    if not needed:
        return 0
    best, stack = allowed, [(0, needed)]
    while stack:
        chosen, missing = stack.pop()
        if not missing:
            if chosen.bit_count() < best.bit_count():
                best = chosen
            continue
        if chosen.bit_count() + 1 >= best.bit_count() and best != allowed:
            continue
        # Of texts that meet the same needs one is tried: else a list of a thousand tags is a thousand branches.
        tried: dict[tuple[int, ...], int] = {}
        candidates = missing[0] & allowed
        while candidates:
            bit = candidates & -candidates
            candidates ^= bit
            tried.setdefault(tuple(need for need in missing if not need & bit), bit)
        stack.extend((chosen | bit, left) for left, bit in sorted(tried.items(), key=lambda t: -len(t[0])))
    return best


def _classes(tests: tuple[TextTest, ...]) -> tuple[dict[int, str], bool]:
    """The sets of tests (as bits) that one text can pass, each with such a text; and whether these are all sets."""
    patterns = sorted({pattern for test in tests for pattern in test.patterns})
    using = [sum((pattern in test.patterns) << n for n, test in enumerate(tests)) for pattern in patterns]
    by_folded, by_spelling, written = _named(tests)
    asked = sum(test.filled << number for number, test in enumerate(tests))
    if asked:
        for blank in ("", _unnamed_blank(by_folded)):
            by_folded.setdefault(blank, 0)

    def filling(text: str) -> int:
        return asked if text.strip() else 0

    found: dict[int, str] = {}
    spelled: dict[str, list[str]] = {}
    for text in by_spelling:
        spelled.setdefault(text.casefold(), []).append(text)
    for folded, passed in by_folded.items():
        for pattern, users in zip(patterns, using, strict=True):
            if matches(folded, pattern):
                passed |= users
        exact = spelled.get(folded, ())
        for text in exact:
            found.setdefault(passed | by_spelling[text] | filling(text), text)
        # Any other spelling passes the tests that ignore case, and none of the exact ones. There is none when all are
        # taken, as for a text of digits.
        passed |= filling(folded)
        if passed not in found:
            other = another_spelling(folded, exact) if exact else written.get(folded, folded)
            if other is not None:
                found[passed] = other
    # Texts that no test names differ only in the patterns that they match. Named ones were entered first: an example
    # with a name from the policy says more than one with an invented word.
    words, complete = combinations(patterns, by_folded)
    for signature, word in words.items():
        passed = 0
        for number, users in enumerate(using):
            if signature >> number & 1:
                passed |= users
        found.setdefault(passed | filling(word), word)
    return found, complete and (not asked or all(map(_is_plain, patterns)))


def _named(tests: tuple[TextTest, ...]) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
    """The tests (as bits) that each named text passes, by folded text and by spelling; folded texts as written."""
    by_folded: dict[str, int] = {}
    by_spelling: dict[str, int] = {}
    written: dict[str, str] = {}
    for number, test in enumerate(tests):
        for text in test.folded:
            by_folded[text] = by_folded.get(text, 0) | 1 << number
        for text in test.exact:
            by_spelling[text] = by_spelling.get(text, 0) | 1 << number
        for text in test.written:
            written.setdefault(text.casefold(), text)
    # A text that is only compared exactly can match patterns too, which is looked up by folded text below.
    for text in by_spelling:
        by_folded.setdefault(text.casefold(), 0)
    return by_folded, by_spelling, written


def _unnamed_blank(texts: Iterable[str]) -> str:
    return " " * (1 + max((len(text) for text in texts if not text.strip()), default=0))


def _is_plain(pattern: str) -> bool:
    """Whether a pattern does not tell one blank text from another, as `like " *"` does. Nobody writes that; a text
    that may be blank or not stands for all then."""
    return bool(pattern.replace("*", "").strip()) or not pattern.strip("*")
