"""`like` patterns: which sets of patterns one text can match at once, with a word for each.

A pattern is a small automaton whose states are kept as the bits of a number; running all patterns side by side
over every word, shortest first, meets every combination there is. `*` stands for any characters, case is folded.
"""

from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from seatwarden.policy.operators import matches

MAX_STEPS = 100_000
"""Most steps of the automata; a dozen patterns need some thousand."""

_LETTERS = "xyzqwjkvbgpdfhlcumtnrsaeio0123456789" + "".join(map(chr, range(0xE0, 0x180)))
_ORDINARY = ("other", "other1", "other2", "other3")


class LikePattern(Struct, frozen=True):
    """A folded pattern; bit i of a state says that the first i of its characters can have been read.

    `places` has for each character the positions at which it is expected, `loops` those at which a `*` stands.
    """

    length: int
    places: Mapping[str, int]
    loops: int

    def step(self, state: int, character: str) -> int:
        """The state after one more character; what stands before the last `*` reached matters no more."""
        moved = state & self.loops | (state & self.places.get(character, 0)) << 1
        reached = (moved & self.loops).bit_length()
        return moved >> (reached - 1) << (reached - 1) if reached else moved

    def accepts(self, state: int) -> bool:
        """Whether the text may end here."""
        return bool(state >> self.length & 1)


START = 1
"""The state of any pattern before the first character."""


@lru_cache(maxsize=256)
def compile_pattern(folded: str) -> LikePattern:
    """The automaton of a folded pattern."""
    length, loops = 0, 0
    places: dict[str, int] = {}
    for character in folded:
        if character == "*":
            loops |= 1 << length
        else:
            places[character] = places.get(character, 0) | 1 << length
            length += 1
    return LikePattern(length, places, loops)


def combinations(patterns: Sequence[str], named: Container[str]) -> tuple[dict[int, str], bool]:
    """The sets of patterns (as bits) that one text can match at once, each with such a text that is not in `named`.

    All texts are folded, `named` ones too. The flag says whether these are all the sets there are; it is False
    when there are too many states, or a set for which only named texts were met.
    """
    compiled = [compile_pattern(pattern) for pattern in patterns]
    alphabet = sorted({character for pattern in compiled for character in pattern.places})
    # One letter stands for all that no pattern has: to the patterns they are the same.
    fresh = next(letter for letter in _LETTERS if letter not in alphabet)
    found: dict[int, str] = {}
    # Words that people can read, for the sets they happen to match (mostly the empty one).
    for word in _ORDINARY:
        signature = sum(matches(word, pattern) << i for i, pattern in enumerate(patterns))
        if word not in named:
            found.setdefault(signature, word)
    doubtful: set[int] = set()
    # Whether a word has the fresh letter belongs to the state: only such a word can be stretched into one that is not
    # named. A set that was met with named words alone is doubtful until such a word comes.
    start = (START,) * len(compiled), False
    seen, queue, steps = {start}, deque([(start, "")]), 0
    while queue:
        (states, has_fresh), word = queue.popleft()
        signature = sum(pattern.accepts(s) << i for i, (pattern, s) in enumerate(zip(compiled, states, strict=True)))
        if signature not in found:
            unnamed = next((w for w in _stretched(word, fresh if has_fresh else None) if w not in named), None)
            if unnamed is None:
                doubtful.add(signature)
            else:
                found[signature] = unnamed
        steps += len(compiled) * (len(alphabet) + 1)
        if steps > MAX_STEPS:
            return found, False
        for character in (fresh, *alphabet):
            after = tuple(pattern.step(s, character) for pattern, s in zip(compiled, states, strict=True))
            key = after, has_fresh or character == fresh
            if key not in seen:
                seen.add(key)
                queue.append((key, word + character))
    return found, doubtful <= found.keys()


def _stretched(word: str, fresh: str | None) -> Iterator[str]:
    """The word, and words that match the same patterns: no pattern can tell one fresh letter from many."""
    yield word
    length = 1
    while fresh is not None:
        length += 1
        yield word.replace(fresh, fresh * length, 1)
