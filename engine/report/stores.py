"""Stores of the page: texts, trees and stories, each once, known by its index from then on.

Texts may have slots, which the page fills for the license that it shows: marks (`engine.explain.stand_ins`) become the
name of a column. Nothing else may look like a slot: a text with slots is a list, in turn of text and column.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from seatwarden.engine.explain.stand_ins import Marks
from seatwarden.engine.report.visible import shown
from seatwarden.policy.operators import Truth

_T = TypeVar("_T", bound=Hashable)

Template: TypeAlias = str | tuple[str, ...]
"""A text, or one with slots."""
PageNode: TypeAlias = tuple[Truth, int, tuple[int, ...]]
"""The truth of a condition, what was found (a text) and its parts (nodes)."""
Story: TypeAlias = tuple[int, tuple[int, ...]]
"""The headline and the advice of an explanation: texts."""


@dataclass(slots=True)
class Once(Generic[_T]):
    """Values, each stored once."""

    index: dict[_T, int] = field(default_factory=dict)

    def of(self, value: _T) -> int:
        """The index of a value."""
        return self.index.setdefault(value, len(self.index))

    def all(self) -> list[_T]:
        """The values by their index."""
        return list(self.index)


class Stores:
    """Everything that many licenses of a page share."""

    def __init__(self, marks: Marks) -> None:
        self.nodes: Once[PageNode] = Once()
        self.trees: Once[tuple[int, ...]] = Once()
        self.stories: Once[Story] = Once()
        self.texts: Once[Template] = Once()
        self._columns = {marks.user: "user", marks.name: "name", marks.reason: "reason", marks.state: "state"}
        self._slot = re.compile(f"({'|'.join(self._columns)})")
        self._known: dict[str, int] = {}

    def text(self, text: str) -> int:
        """The index of a text as readers may see it, with slots where it has marks."""
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self.texts.of(self._template(text))
        return found

    def _template(self, text: str) -> Template:
        pieces = self._slot.split(text)
        if len(pieces) == 1:
            return shown(text)
        return tuple(self._columns[piece] if n % 2 else shown(piece) for n, piece in enumerate(pieces))
