"""The rows of a site on their way through a history: only what changed is decoded anew, and uses are not."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.history.packing import NO_ROWS, TimeColumn
from seatwarden.engine.history.walk import HistoryStep
from seatwarden.engine.snapshot.model import License, User
from seatwarden.policy.errors import InputError

RowKind = TypeVar("RowKind", User, License)
_UNREAD = re.compile(rb'"modifiedDate"\s*:\s*$')
"""What stands before a timestamp that no fact is read from; a directory connector changes it for everybody."""
_LAST_USED = re.compile(rb'"lastUsed"\s*:\s*$')
_LONGEST = 40
"""Bytes before a timestamp in which its name stands; more space than that within a row nobody sends."""


@dataclass(slots=True)
class _Hole:
    """The rows by what the timestamp in a hole says of them: a last use, or nothing that is read; of others a fact."""

    uses: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)


class LiveTimes:
    """What the timestamps that change say, step by step."""

    def __init__(self) -> None:
        self._holes: dict[int, _Hole] = defaultdict(_Hole)

    def take(self, step: HistoryStep) -> tuple[set[int], list[TimeColumn]]:
        """The rows of which a step changes a fact other than the last use, and the last uses of any rows."""
        changed, used = set(step.skeletons), []
        for hole in self._holes.values():
            hole.uses -= changed
            hole.unread -= changed
        for number, numbers in step.holes.items():
            hole = self._holes[number]
            self._learn(step, numbers - hole.uses - hole.unread)
            if numbers <= hole.unread:
                continue
            column = step.times(number)
            if not column.rows <= hole.uses:
                changed |= column.rows - hole.uses - hole.unread
                column = column.within(hole.uses & column.rows)
            used.append(column)
        return changed, used

    def _learn(self, step: HistoryStep, numbers: Set[int]) -> None:
        """Notes what the timestamps of some rows say; nothing of those that are facts."""
        for number in numbers:
            row = step.rows.row(number)
            for place, before in enumerate(row.skeleton.split(b'"%b"')[:-1] if row is not None else ()):
                if _LAST_USED.search(before, len(before) - _LONGEST):
                    self._holes[place].uses.add(number)
                elif _UNREAD.search(before, len(before) - _LONGEST):
                    self._holes[place].unread.add(number)


class LiveRows(Generic[RowKind]):
    """The rows of a list, step by step."""

    def __init__(self, kind: type[list[RowKind]], decode: Callable[[bytes, str], RowKind]) -> None:
        self._kind: type[list[RowKind]] = kind
        self._decode_one: Callable[[bytes, str], RowKind] = decode
        self._list = NO_ROWS
        self.listed: set[int] = set()
        """The numbers of the rows that are there."""

    def take(self, step: HistoryStep, name: str, changed: set[int]) -> dict[int, RowKind | None]:
        """Takes a step over, with the rows of which a fact has changed: those of this list that are otherwise, by
        number. None: gone, or cannot be read."""
        now = step.lists.get(name, NO_ROWS)
        came, gone = now.moved_since(self._list)
        self._list = now
        self.listed -= gone
        self.listed |= came
        # A row that comes, or comes again, may have changed while it was not there.
        return {**dict.fromkeys(gone), **dict(self._decoded(step, sorted(came | (changed & self.listed))))}

    def _decoded(self, step: HistoryStep, numbers: Sequence[int]) -> Iterator[tuple[int, RowKind | None]]:
        texts = step.rows.texts(numbers)
        try:
            yield from zip(numbers, msgspec.json.decode(b"[%s]" % b",".join(texts), type=self._kind), strict=True)
        except UNREADABLE:
            for number, text in zip(numbers, texts, strict=True):
                try:
                    yield number, self._decode_one(text, "a row")
                except InputError:
                    yield number, None
