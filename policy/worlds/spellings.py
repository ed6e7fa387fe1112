"""Other spellings of a text: texts that are equal to it for `=` and different for `==`."""

from collections.abc import Container, Iterator
from functools import lru_cache

_LAST_CASED = 0x1F000
"""No character from here on has a case."""


def another_spelling(folded: str, taken: Container[str]) -> str | None:
    """A text that folds to `folded` and is not taken; None when there is none."""
    return next((text for text in spellings(folded) if text not in taken), None)


def spellings(folded: str) -> Iterator[str]:
    """Every text that folds to `folded`; the plainest ones come first."""
    seen = set()
    for text in (folded, folded.upper(), folded.title()):
        if text not in seen and text.casefold() == folded:
            seen.add(text)
            yield text
    for text in _spelled(folded):
        if text not in seen:
            yield text


def _spelled(folded: str) -> Iterator[str]:
    """By depth first over the pieces, without recursion: lists of them may be long."""
    stack = [("", 0)]
    while stack:
        text, position = stack.pop()
        if position == len(folded):
            yield text
            continue
        for length in range(1, min(_longest(), len(folded) - position) + 1):
            piece = folded[position : position + length]
            stack.extend((text + before, position + length) for before in _sources().get(piece, ()))
        stack.append((text + folded[position], position + 1))


@lru_cache(maxsize=1)
def _sources() -> dict[str, tuple[str, ...]]:
    """For each folded piece the characters that fold to it, itself not counted."""
    found: dict[str, list[str]] = {}
    for character in map(chr, range(_LAST_CASED)):
        piece = character.casefold()
        if piece != character:
            found.setdefault(piece, []).append(character)
    return {piece: tuple(characters) for piece, characters in found.items()}


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(map(len, _sources()))
