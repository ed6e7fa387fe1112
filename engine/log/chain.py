"""The chain of lines: JSON lines that are linked one to the next, and of which one root stands for all.

Every line is the encoding of its type, to the byte: numbered by `n`, with its `kind`, and at its end `prev`, the leaf
of the line before (64 zeros before the first). What is about a person stands behind that, in `person`, with 16 random
bytes of salt. The *leaf* of a line is the RFC 6962 leaf hash of its leaf data: the line with `of`, the SHA-256 of the
bytes of `person`, in place of `person`. So the personal part of a line can be taken out, and everything else still
verifies: an erased line is its own leaf data. Without the salt nobody can guess what stood there.

A chain that is closed ends with a seal: the number of lines before it, and the RFC 6962 root of their leaves. The lines
of a chain that grows, a journal or a register, carry their own leaf in `sum` behind all this, since nothing stands
behind the last one that would show an edit.
The chain shows accidents and careless edits. Who can write the file can also write it anew as a whole: that only a root
or a head finds which was kept elsewhere.
"""

import hashlib
import re
from binascii import hexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.common.json_errors import UNREADABLE, is_not_utf8
from seatwarden.engine.errors import Damage
from seatwarden.engine.log.leaves import Tree, leaf_hash

FIRST, SEAL = "0" * 64, "seal"
SALT_BYTES = 16

_encode = msgspec.json.Encoder().encode
_sha256 = hashlib.sha256
_PERSON, _OPENED = b',"person":{', len(b"{")
"""Begins the personal part. It cannot stand within a text, where the quote would have a backslash before it; and where
else a name is free, as those of the policy's files are, no object stands behind it."""


class ChainLine(Struct, kw_only=True, rename="camel"):
    """A line of a chain: its number and kind. Types of lines end with `prev`, and with a part on a person if they have
    one: `person` and `of`. The chain puts in `n`, `prev` and `sum`."""

    n: int = 0
    kind: str


class SealLine(ChainLine, kw_only=True, rename="camel"):
    """The last line of a chain: how many lines stand before it, and the root of their leaves."""

    kind: str = SEAL
    size: int
    root: str
    prev: str = ""


@dataclass(slots=True)
class ChainEnd:
    """The end of a chain: how many lines it has, the leaf of the last one, and the tree over all of them."""

    lines: int = 0
    _tree: Tree = field(default_factory=Tree)
    _new: list[bytes] = field(default_factory=list)
    """The leaves that the tree has not yet."""
    _leaf: bytes = FIRST.encode()

    @classmethod
    def after(cls, data: bytes) -> "ChainEnd":
        """The end of a chain of lines with their own leaves that is already written, and verifies."""
        end = cls()
        for line in split_lines(data):
            end._take(leaf_of(without_sum(line)))
        return end

    @property
    def leaf(self) -> str:
        """The leaf of the last line; 64 zeros where there is none."""
        return self._leaf.decode()

    @property
    def root(self) -> str:
        """The root of all lines so far."""
        self._tree.extend(self._new)
        self._new.clear()
        return self._tree.root().hex()

    def link(self, line: ChainLine) -> bytes:
        """The line as it stands in a chain that is sealed when it is written."""
        return self._linked(line) + b"\n"

    def link_own(self, line: ChainLine) -> bytes:
        """The line as it stands in a chain that grows: with its own leaf."""
        return b'%b,"sum":"%b"}\n' % (self._linked(line)[:-1], self._leaf)

    def seal(self) -> SealLine:
        """The seal over all lines so far."""
        return SealLine(size=self.lines, root=self.root)

    def link_parts(self, fields: bytes, person: bytes) -> bytes:
        """The same line from its encoded parts: the fields between `n` and `prev`, and the personal part.

        A plan has as many of them as there are licenses: to encode each as a whole, and to look where its personal part
        begins, takes half as long again.
        """
        head = b'{"n":%d,%b,"prev":"%b",' % (self.lines + 1, fields, self._leaf)
        self._take(_sha256(b'\0%b"of":"%b"}' % (head, hexlify(_sha256(person).digest()))).digest())
        return b'%b"person":%b}\n' % (head, person)

    def _linked(self, line: ChainLine) -> bytes:
        line.n = self.lines + 1
        line.prev = self.leaf  # type: ignore[attr-defined]
        data = _encode(line)
        self._take(leaf_of(data))
        return data

    def _take(self, leaf: bytes) -> None:
        self.lines += 1
        self._leaf = hexlify(leaf)
        self._new.append(leaf)


def leaf_of(line: bytes) -> bytes:
    """The leaf of a line without `sum`: 32 bytes."""
    return leaf_hash(leaf_data(line))


def leaf_data(line: bytes) -> bytes:
    """The line, without `sum`, in the form that is hashed: an erased line is this already."""
    at = line.find(_PERSON)
    if at < 0:
        return line
    of = _sha256(line[at + len(_PERSON) - _OPENED : -1])
    return b'%b,"of":"%b"}' % (line[:at], hexlify(of.digest()))


def erased(line: bytes) -> bytes:
    """The line without its personal part. Its leaf stays, also the one that it carries itself."""
    bare = without_sum(line)
    return leaf_data(bare)[:-1] + line[len(bare) - 1 :]


_SUM = b',"sum":"'
_BEHIND_SUM = 64 + len(b'"}')


def without_sum(line: bytes) -> bytes:
    """The line without the leaf that it carries itself."""
    at = len(line) - _BEHIND_SUM - len(_SUM)
    return line[:at] + b"}" if at > 0 and line[at:-_BEHIND_SUM] == _SUM else line


def salts(seed: bytes) -> Iterator[bytes]:
    """Salts without end, drawn from a seed of 32 random bytes; a seed is used for one chain and never written."""
    for block in range(1 << 40):
        drawn = hashlib.shake_256(b"salts%d\n" % block + seed).digest(_DRAWN * SALT_BYTES)
        yield from (drawn[at : at + SALT_BYTES] for at in range(0, len(drawn), SALT_BYTES))


_DRAWN = 4096
"""Salts that are drawn at a time."""


def shuffled(count: int, seed: bytes, of: str) -> Sequence[int]:
    """The numbers from 0 to count - 1 in an order drawn from the seed; `of` names what is put in that order."""
    drawn = hashlib.shake_256(b"order of %b\n" % of.encode() + seed).digest(8 * count)
    return sorted(range(count), key=lambda i: drawn[8 * i : 8 * i + 8])


# Verifying -----------------------------------------------------------------------------------------------

LineT = TypeVar("LineT", bound=ChainLine)


class SkimmedLine(ChainLine, kw_only=True, gc=False):
    """A line of which no more is known than that it is the one that stood here: its number, kind and bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ReadChain(Generic[LineT]):
    """A chain that was read: its lines without the seal, the seal if there is one, and all damage in line order."""

    lines: list[LineT]
    seal: SealLine | None
    root: str
    """The root of the lines before the seal, or of all where there is none."""
    leaves: list[str]
    """The leaves of the lines, where they carry them."""
    damage: list[Damage]


_BEGINNING = re.compile(rb'\{"n":\d{1,12},"kind":"([a-z-]{1,20})"')
_read_seal = msgspec.json.Decoder(SealLine).decode


class ChainReader(Generic[LineT]):
    """Reads chains of one sort: by the kind of a line, the type that it has."""

    def __init__(self, kinds: Iterable[type[LineT]], *, own_leaves: bool) -> None:
        self._read: dict[bytes, Callable[[bytes], LineT | SealLine]] = {
            msgspec.structs.fields(kind)[1].default.encode(): msgspec.json.Decoder(kind).decode for kind in kinds
        }
        self._read[SEAL.encode()] = _read_seal
        self._own_leaves = own_leaves

    def read(self, data: bytes, skim: str | None = None) -> ReadChain[LineT]:
        """The lines of a chain, each held against its place, its type and our own encoding.

        A chain without own leaves must have its seal: without it nothing shows that its end was cut off. Lines of the
        kind `skim` that have a personal part are held against their place alone, and not decoded: `lines` has them as
        SkimmedLine.
        """
        found: ReadChain[LineT] = ReadChain([], None, FIRST, [], [])
        lines = split_lines(data)
        damage = found.damage
        if not lines:
            damage.append(Damage(1, "the file is empty"))
            return found
        leaves, seal, prev = list[bytes](), None, FIRST
        for n, line in enumerate(lines, 1):
            if seal is not None:
                damage.append(Damage(n, "stands behind the seal"))
                continue
            if skim is not None and (skimmed := _skimmed(n, line, skim, prev)) is not None:
                found.lines.append(SkimmedLine(n=n, kind=skim, data=line))  # type: ignore[arg-type]
                leaves.append(skimmed)
                prev = skimmed.hex()
                continue
            bare = without_sum(line) if self._own_leaves else line
            read = self._line(bare)
            if isinstance(read, str):
                damage.append(Damage(n, read))
                leaf = leaf_of(bare)
            else:
                leaf = self._held(n, line, bare, read, prev, damage)
                if isinstance(read, SealLine):
                    seal = read
                    continue
                found.lines.append(read)
            leaves.append(leaf)
            prev = leaf.hex()
            if self._own_leaves:
                found.leaves.append(prev)
        if not data.endswith(b"\n"):
            damage.append(Damage(len(lines), "is cut off"))
        return self._ended(found, Tree.over(leaves), seal, prev, len(lines))

    def _line(self, bare: bytes) -> LineT | SealLine | str:
        """The line as what it says, or what is wrong with it."""
        beginning = _BEGINNING.match(bare)
        reader = self._read.get(beginning[1]) if beginning else None
        if reader is None:
            return NO_LINE
        try:
            return reader(bare)
        except UNREADABLE as error:
            if is_not_utf8(error):
                return NO_LINE
            return f"{FOREIGN}: {str(error)[:_MOST_LETTERS]}" if bare.endswith(b"}") else NO_LINE

    def _held(self, n: int, line: bytes, bare: bytes, read: LineT | SealLine, prev: str, damage: list[Damage]) -> bytes:
        """The leaf of a line; what is wrong with its place and its bytes is added to the damage."""
        leaf = leaf_of(bare)
        if read.n != n:
            damage.append(Damage(n, f"says it is line {read.n}: lines were lost, added or moved before it"))
        if _encode(read) != bare:
            damage.append(Damage(n, f"{FOREIGN}: it is not written as we write it"))
        if getattr(read, "person", UNSET) is not UNSET and read.of is not UNSET:  # type: ignore[union-attr]
            damage.append(Damage(n, f"{FOREIGN}: it has both `person` and `of`"))
        if not isinstance(read, SealLine) and read.prev != prev:  # type: ignore[attr-defined]
            first = "is not the first line of this log"
            damage.append(Damage(max(n - 1, 1), CHANGED if n > 1 else first))
        if self._own_leaves and line != b'%b,"sum":"%b"}' % (bare[:-1], leaf.hex().encode()):
            damage.append(Damage(n, UNFIT if bare is not line else "has no digest of its own"))
        return leaf

    def _ended(
        self, found: ReadChain[LineT], tree: Tree, seal: SealLine | None, prev: str, count: int
    ) -> ReadChain[LineT]:
        root, sealed, damage = tree.root().hex(), tree.size + 1, found.damage
        if seal is None and not self._own_leaves:
            damage.append(Damage(count, "is the last line and is no seal: the end of the log is missing"))
        elif seal is not None and (seal.size, seal.root) != (tree.size, root):
            damage.append(Damage(sealed, "is a seal over other lines than these"))
            damage += [Damage(tree.size, CHANGED)] if seal.prev != prev else []
        elif seal is not None and seal.prev != prev:  # the lines before are those that it seals: it is the seal itself
            damage.append(Damage(sealed, UNFIT))
        in_order = sorted(dict.fromkeys(damage), key=lambda one: one.line)
        return ReadChain(found.lines, seal, root, found.leaves, in_order)


def _skimmed(n: int, line: bytes, kind: str, prev: str) -> bytes | None:
    """The leaf of a line of that kind with a personal part that stands in its place; None for any other."""
    at, link = line.find(_PERSON), b',"prev":"%b"' % prev.encode()
    is_whole = at >= 0 and line.endswith(b"}}")  # the last brace stands in no digest
    if not is_whole or not line.startswith(b'{"n":%d,"kind":"%b",' % (n, kind.encode())):
        return None
    return leaf_of(line) if line[at - len(link) : at] == link else None


NO_LINE = "is not a line of this log"
CHANGED = "was changed, or is not the line that stood here"
UNFIT = "was changed: its own digest does not fit"
FOREIGN = "is damaged or made by another program"
"""The fault of a line whose digests may fit and that cannot be what we wrote."""
_MOST_LETTERS = 200
"""Of a message that repeats what a line says."""


def split_lines(data: bytes) -> list[bytes]:
    """Lines without their line breaks; only a line feed ends a line."""
    *lines, rest = data.split(b"\n")
    return [*lines, rest] if rest else lines


def is_erased(line: object) -> bool:
    """Whether the personal part of a line has been taken out."""
    person: object | UnsetType = getattr(line, "person", None)
    return person is UNSET and getattr(line, "of", UNSET) is not UNSET
