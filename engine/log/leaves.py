"""Merkle trees as in RFC 6962: leaves, and the one root that stands for all of them in their order.

The hash of a leaf is SHA-256 over a zero byte and the leaf's data, that of a pair SHA-256 over a one byte and both
hashes; of n leaves the left subtree has the largest power of two that is smaller than n. So no pair can be taken for a
leaf, and the root of one list is that of no other.
"""

import hashlib
from collections.abc import Sequence
from functools import reduce

_sha256 = hashlib.sha256
BLOCK = 256
"""Leaves that are hashed level by level; a power of two."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf with that data: 32 bytes."""
    return _sha256(b"\0" + data).digest()


class Tree:
    """A tree that grows leaf by leaf. Of n leaves it remembers at most log2(n) + 1 hashes."""

    __slots__ = ("_subtrees", "size")

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []
        """The roots of the whole subtrees on the right edge, larger ones first: one for each bit of `size`."""

    def add(self, leaf: bytes) -> None:
        """Takes the hash of the next leaf."""
        self._add(leaf, 1)

    @classmethod
    def over(cls, leaves: Sequence[bytes]) -> "Tree":
        """The tree over some hashes of leaves."""
        tree = cls()
        tree.extend(leaves)
        return tree

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Takes the hashes of the next leaves: whole subtrees level by level, in half the time."""
        at = 0
        while at < len(leaves):
            if self.size % BLOCK or len(leaves) - at < BLOCK:
                self.add(leaves[at])
                at += 1
                continue
            level = leaves[at : at + BLOCK]
            while len(level) > 1:
                pairs = iter(level)
                level = [_sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            self._add(level[0], BLOCK)
            at += BLOCK

    def _add(self, subtree: bytes, leaves: int) -> None:
        """Takes the root of a whole subtree of that many leaves, a power of two by which `size` can be divided."""
        size, subtrees = self.size // leaves, self._subtrees
        while size & 1:
            subtree = _sha256(b"\1" + subtrees.pop() + subtree).digest()
            size >>= 1
        subtrees.append(subtree)
        self.size += leaves

    def root(self) -> bytes:
        """The root of all leaves so far: 32 bytes. Of none it is the hash of nothing, as RFC 6962 says."""
        if not self._subtrees:
            return _sha256().digest()
        return reduce(lambda right, left: _sha256(b"\1" + left + right).digest(), reversed(self._subtrees))


class InclusionPaths:
    """The proofs that leaves are under one root, as RFC 6962 has them, for many leaves of one tree.

    Level by level each hash has a sibling, or goes up as it is where it is the last of an odd number: that gives the
    same root as splitting at powers of two.
    """

    __slots__ = ("_levels",)

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels: list[Sequence[bytes]] = [leaves]
        while len(level := self._levels[-1]) > 1:
            above = [_pair(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            self._levels.append([*above, level[-1]] if len(level) % 2 else above)

    def of(self, index: int) -> list[bytes]:
        """The hashes beside the way up from a leaf, lowest first; the first leaf is 0."""
        path = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1])
            index //= 2
        return path


def root_above(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root of a tree of `size` leaves, as a leaf and the hashes beside its way up give it (RFC 6962, 2.1.1).

    None where there are more of these, or fewer, than there are on that way.
    """
    if not 0 <= index < size:
        return None
    found, beside, last = leaf, iter(path), size - 1
    for _ in range(size.bit_length()):
        if last == 0:
            break
        if index % 2 or index < last:
            sibling = next(beside, None)
            if sibling is None:
                return None
            found = _pair(sibling, found) if index % 2 else _pair(found, sibling)
        index, last = index // 2, last // 2
    return found if next(beside, None) is None else None


def _pair(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\1" + left + right).digest()
