"""The hash chain: JSON lines of which each carries the SHA-256 of the line before it, closed by a seal.

Every line is a JSON object with its number `n` and `prev`, the hexadecimal SHA-256 of the bytes of the line before
(64 zeros before the first; line breaks not counted). The last line is the seal: it has `seal`, the SHA-256 of itself
as it is without that field. So any edit, loss, doubling or reordering of lines is found, and its line named.
Lines of a journal, which has no seal while it grows, carry the SHA-256 of themselves in `sum`.
The chain shows accidents and careless edits; who can write the file can also forge it whole, so the seal is
printed with each plan, to be kept elsewhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.errors import Damage

FIRST = "0" * 64
SEAL, SUM = "seal", "sum"


_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class ChainEnd:
    """The end of a chain: how many lines it has, and the digest of the last one."""

    lines: int = 0
    digest: str = FIRST

    @classmethod
    def after(cls, data: bytes) -> "ChainEnd":
        """The end of a chain that is already written."""
        lines = _split(data)
        return cls(len(lines), _sha256(lines[-1]) if lines else FIRST)

    def link(self, record: Mapping[str, Any] | msgspec.Struct, witness: str | None = None) -> bytes:
        """The next line of the chain, for this record; `witness` names a field for the digest of the line itself.

        A record has none of the chain's own fields.
        """
        self.lines += 1
        # Written around the record's own JSON: a copy of each record with two more fields would take as long again.
        fields = _encode(record)[1:-1]
        comma = b"," if fields else b""
        line = b'{"n":%d,%b%b"prev":"%b"}' % (self.lines, fields, comma, self.digest.encode())
        if witness is not None:
            line = line[:-1] + _witnessed(witness, _sha256(line))
        self.digest = _sha256(line)
        return line + b"\n"


def chain_lines(
    records: Iterable[Mapping[str, Any] | msgspec.Struct], seal: Mapping[str, Any] | msgspec.Struct
) -> Iterator[bytes]:
    """The lines of a sealed chain: the records in order, then the seal record."""
    end = ChainEnd()
    for record in records:
        yield end.link(record)
    yield end.link(seal, SEAL)


def verify_chain(data: bytes, *, sealed: bool = True) -> list[Damage]:
    """All damage found, in line order; an empty list means that the chain is as it was written.

    With `sealed` False a chain that still grows (a journal) may lack its seal; its lines carry digests of their own.
    """
    if not data:
        return [Damage(1, "the file is empty")]
    lines = _split(data)
    with collector_off():
        links = list(map(_link, lines))
    damage = [Damage(n, "is not a line of this log") for n, link in enumerate(links, 1) if link is None]
    if not data.endswith(b"\n"):
        damage.append(Damage(len(lines), "is cut off"))
    damage += _seal_damage(links, sealed)
    if not sealed:  # or the last line could be edited, and nothing would tell
        damage += [
            Damage(n, "has no digest of its own")
            for n, link in enumerate(links, 1)
            if link is not None and link.seal is UNSET and link.sum is UNSET
        ]
    damage += [
        Damage(n, "was changed: its own digest does not fit")
        for n, (line, link) in enumerate(zip(lines, links, strict=True), 1)
        if link is not None and not _fits_itself(line, link)
    ]
    damage += [
        Damage(n, f"says it is line {link.n}: lines were lost, added or moved before it")
        for n, link in enumerate(links, 1)
        if link is not None and link.n != n
    ]
    # Backwards from the seal: a line is as written when the line after it, itself as written, carries its digest.
    for n in range(len(lines) - 1, 0, -1):
        following = links[n]
        if following is not None and following.prev != _sha256(lines[n - 1]):
            damage.append(Damage(n, "was changed, or is not the line that stood here"))
    first = links[0]
    if first is not None and first.prev != FIRST:
        damage.append(Damage(1, "is not the first line of this log"))
    return sorted(dict.fromkeys(damage), key=lambda d: d.line)


def read_chain(data: bytes, *, sealed: bool = True) -> tuple[list[bytes], list[Damage]]:
    """The lines of a chain without their line breaks, the seal last, or none and all damage that was found."""
    damage = verify_chain(data, sealed=sealed)
    return ([], damage) if damage else (_split(data), [])


class _Link(msgspec.Struct, gc=False):
    """The fields that make a line a part of the chain; its others are passed by, and never made."""

    n: Any = None
    prev: Any = None
    seal: Any = UNSET
    sum: Any = UNSET


_decode_link = msgspec.json.Decoder(_Link).decode


def _link(line: bytes) -> _Link | None:
    try:
        if not line.isascii():
            line.decode()  # msgspec does not look at the letters of fields that it passes by
        return _decode_link(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _seal_damage(links: list[_Link | None], sealed: bool) -> list[Damage]:
    seals = [n for n, link in enumerate(links, 1) if link is not None and link.seal is not UNSET]
    if seals:
        return [Damage(n, "stands behind the seal") for n in range(seals[0] + 1, len(links) + 1)]
    return [Damage(len(links), "is the last line and is no seal: the end of the log is missing")] if sealed else []


def _fits_itself(line: bytes, link: _Link) -> bool:
    witness = SEAL if link.seal is not UNSET else SUM if link.sum is not UNSET else None
    if witness is None:
        return True
    bare = line[: -len(_witnessed(witness, FIRST))] + b"}"
    return line == bare[:-1] + _witnessed(witness, _sha256(bare))


def _witnessed(witness: str, digest: str) -> bytes:
    """The end of a line that carries its own digest."""
    return b',"%b":"%b"}' % (witness.encode(), digest.encode())


def _split(data: bytes) -> list[bytes]:
    """Lines without their line breaks; only a line feed ends a line."""
    *lines, rest = data.split(b"\n")
    return [*lines, rest] if rest else lines


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
