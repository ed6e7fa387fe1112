"""What was erased from the record: taking the personal parts out of lines, and what a register says of it.

A line whose personal part is gone is a stub. That one was meant to be erased only the register of runs can tell, so a
stub that it does not name is damage. Roots, links, counts and numbers of lines stay what they were.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from seatwarden.engine.log.chain import SEAL, ChainLine, erased, is_erased, leaf_of, split_lines, without_sum
from seatwarden.engine.log.leaves import Tree
from seatwarden.engine.log.register import REGISTER_FILE, ErasedLines, PrunedRuns, RegisterState
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE, RESTORE_FILE

_SEAL_KIND = b'"kind":"%b"' % SEAL.encode()


def erase_lines(data: bytes, numbers: Collection[int]) -> bytes:
    """A chain without the personal parts of the lines with these numbers, from 1. What is a stub already stays one."""
    wanted = frozenset(numbers)
    return b"\n".join(erased(line) if n in wanted else line for n, line in enumerate(data.split(b"\n"), 1))


def root_over(data: bytes) -> str:
    """The root over the lines of a chain, without its seal. Nothing of it is verified."""
    tree = Tree()
    lines = split_lines(data)
    if lines and _SEAL_KIND in lines[-1][:40]:
        lines.pop()
    for line in lines:
        tree.add(leaf_of(without_sum(line)))
    return tree.root().hex()


def stubs_in(lines: Collection[ChainLine]) -> frozenset[int]:
    """The numbers of the lines whose personal part is gone."""
    return frozenset(line.n for line in lines if is_erased(line))


@dataclass(frozen=True, slots=True)
class ErasedParts:
    """What a register says was erased from one run: lines of its plan or restore, of its journal, and by name the
    digests of files that were written anew without somebody."""

    sealed: frozenset[int] = frozenset()
    journal: frozenset[int] = frozenset()
    digests: Mapping[str, str] = field(default_factory=dict)


NOTHING_ERASED = ErasedParts()


class Erasures:
    """All that a register says was erased. What was begun and is not finished counts: that it is not, is said apart."""

    def __init__(self, register: RegisterState | None) -> None:
        self._lines: list[ErasedLines] = list(register.of_kind(ErasedLines)) if register else []

    @property
    def of_register(self) -> frozenset[int]:
        """The numbers of the register's own lines."""
        return self.of_file(REGISTER_FILE)

    def of_file(self, name: str) -> frozenset[int]:
        """The numbers of lines of a chain that stands in the state folder itself."""
        return frozenset(n for line in self._lines for n in line.files.get(name, ()))

    def of_run(self, root: str) -> ErasedParts:
        """What was erased from the run whose plan, or restore, has that root, wherever its folder is now."""
        sealed: set[int] = set()
        journal: set[int] = set()
        digests: dict[str, str] = {}
        for line, place in self._places(root):
            for file in (PLAN_FILE, RESTORE_FILE):
                sealed.update(line.files.get(place + file, ()))
            journal.update(line.files.get(place + JOURNAL_FILE, ()))
            digests |= {name.removeprefix(place): d for name, d in line.digests.items() if name.startswith(place)}
        if not (sealed or journal or digests):
            return NOTHING_ERASED
        return ErasedParts(frozenset(sealed), frozenset(journal), digests)

    def _places(self, root: str) -> Iterator[tuple[ErasedLines, str]]:
        """The lines on a run, each with the run's folder as the register named it then, up to the slash."""
        for line in self._lines:
            for name, of_file in line.roots.items():
                place, _, file = name.rpartition("/")
                if of_file == root and place and file in (PLAN_FILE, RESTORE_FILE):
                    yield line, f"{place}/"


def open_erasure(register: RegisterState) -> ErasedLines | None:
    """The erasure that was begun and is not finished, if there is one."""
    return _not_done(register, ErasedLines)


def open_pruning(register: RegisterState) -> PrunedRuns | None:
    """The same of runs that are pruned."""
    return _not_done(register, PrunedRuns)


_Line = TypeVar("_Line", ErasedLines, PrunedRuns)


def _not_done(register: RegisterState, kind: type[_Line]) -> _Line | None:
    """The last line of a kind, where no line that says it is done follows."""
    lines: list[_Line] = list(register.of_kind(kind))
    return lines[-1] if lines and not lines[-1].done else None
