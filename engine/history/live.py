"""The rows of a site on their way through a history: only what changed is decoded anew, and uses are not."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.history.walk import HistoryStep
from seatwarden.engine.snapshot.model import License, User
from seatwarden.policy.errors import InputError

RowKind = TypeVar("RowKind", User, License)
_UNREAD = re.compile(rb'"modifiedDate"\s*:\s*$')
"""What stands before a timestamp that no fact is read from; a directory connector changes it for everybody."""
_LAST_USED = re.compile(rb'"lastUsed"\s*:\s*$')


class RowMoves(NamedTuple, Generic[RowKind]):
    """What a step changes: rows by number (None: gone, or cannot be read), and rows of which only the last use is
    another one, with its timestamps."""

    rows: dict[int, RowKind | None]
    used: list[int]
    uses: list[str]


class LiveRows(Generic[RowKind]):
    """The rows of a kind, step by step."""

    def __init__(self, kind: type[list[RowKind]], decode: Callable[[bytes, str], RowKind]) -> None:
        self._kind: type[list[RowKind]] = kind
        self._decode_one: Callable[[bytes, str], RowKind] = decode
        self._listed: set[int] = set()
        self._holes: dict[int, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
        """By hole: the rows that have no fact there, and those of them that have the last use."""

    def take(self, step: HistoryStep, numbers: Collection[int]) -> RowMoves[RowKind]:
        """Takes a step over; `numbers` are those of the rows that are there."""
        listed = set(numbers)
        for sets in self._holes.values():
            for numbers_of_hole in sets:
                numbers_of_hole -= step.skeletons
        # A row that comes, or comes again, may have changed while it was not there.
        came, gone = listed - self._listed, self._listed - listed
        changed = (step.skeletons & listed) | came
        used = {hole: self._used(step, hole, moved, changed) for hole, moved in step.times.items()}
        changed &= listed
        moves = RowMoves({**dict.fromkeys(gone), **dict(self._decoded(step, sorted(changed)))}, [], [])
        self._listed = listed
        for hole, found in used.items():
            if found:
                # Not `listed - changed`, which would copy the whole site for each hole.
                numbers_used = list((found & listed) - changed)
                moves.used.extend(numbers_used)
                moves.uses.extend(step.rows.times(hole, numbers_used))
        return moves

    def _used(self, step: HistoryStep, hole: int, moved: set[int], changed: set[int]) -> set[int]:
        """Those of the rows whose timestamp in a hole is the last use; those where it is another fact are changed."""
        no_fact, uses = self._holes[hole]
        for number in moved - no_fact:
            row = step.rows.row(number)
            before = row.skeleton.split(b'"%b"')[hole] if row is not None else b""
            if _LAST_USED.search(before):
                uses.add(number)
            elif not _UNREAD.search(before):
                changed.add(number)
                continue
            no_fact.add(number)
        return moved & uses

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
