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

from engine.damage import Damage

FIRST = "0" * 64
SEAL, SUM = "seal", "sum"


_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class ChainEnd:
    """Where a chain ends: how many lines it has, and the digest of the last one."""

    lines: int = 0
    digest: str = FIRST

    @classmethod
    def after(cls, data: bytes) -> "ChainEnd":
        """The end of a chain that is already written."""
        lines = _split(data)
        return cls(len(lines), _sha256(lines[-1].rstrip(b"\n")) if lines else FIRST)

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
            line = b'%b,"%b":"%b"}' % (line[:-1], witness.encode(), _sha256(line).encode())
        self.digest = _sha256(line)
        return line + b"\n"


def chain_lines(records: Iterable[Mapping[str, Any] | msgspec.Struct], seal: Mapping[str, Any]) -> Iterator[bytes]:
    """The lines of a sealed chain: the records in order, then the seal record."""
    end = ChainEnd()
    for record in records:
        yield end.link(record)
    yield end.link(seal, SEAL)


def verify_chain(data: bytes, *, sealed: bool = True) -> list[Damage]:
    """All damage found, in line order; an empty list means that the chain is as it was written.

    With `sealed` False a chain that still grows (a journal) may lack its seal.
    """
    if not data:
        return [Damage(1, "the file is empty")]
    lines = _split(data)
    records = [_decode(line) for line in lines]
    damage = [Damage(n, "is not a line of this log") for n, record in enumerate(records, 1) if record is None]
    if not lines[-1].endswith(b"\n"):
        damage.append(Damage(len(lines), "is cut off"))
    damage += _seal_damage(records, sealed)
    damage += [
        Damage(n, "was changed: its own digest does not fit")
        for n, (line, record) in enumerate(zip(lines, records, strict=True), 1)
        if record is not None and not _fits_itself(line, record)
    ]
    damage += [
        Damage(n, f"says it is line {record.get('n')}: lines were lost, added or moved before it")
        for n, record in enumerate(records, 1)
        if record is not None and record.get("n") != n
    ]
    # Backwards from the seal: a line is as written when the line after it, itself as written, carries its digest.
    for n in range(len(lines) - 1, 0, -1):
        following = records[n]
        if following is not None and following.get("prev") != _sha256(lines[n - 1].rstrip(b"\n")):
            damage.append(Damage(n, "was changed, or is not the line that stood here"))
    first = records[0]
    if first is not None and first.get("prev") != FIRST:
        damage.append(Damage(1, "is not the first line of this log"))
    return sorted(dict.fromkeys(damage), key=lambda d: d.line)


def read_chain(data: bytes) -> list[dict[str, Any]]:
    """The records of a chain that verifies, the seal last."""
    return [msgspec.json.decode(line) for line in _split(data)]


def _seal_damage(records: list[dict[str, Any] | None], sealed: bool) -> list[Damage]:
    seals = [n for n, record in enumerate(records, 1) if record is not None and SEAL in record]
    if seals:
        return [Damage(n, "stands behind the seal") for n in range(seals[0] + 1, len(records) + 1)]
    return [Damage(len(records), "is the last line and is no seal: the end of the log is missing")] if sealed else []


def _fits_itself(line: bytes, record: dict[str, Any]) -> bool:
    witness = SEAL if SEAL in record else SUM if SUM in record else None
    if witness is None:
        return True
    bare = {key: value for key, value in record.items() if key != witness}
    return line.rstrip(b"\n") == msgspec.json.encode(_witnessed(bare, witness))


def _witnessed(record: Mapping[str, Any], witness: str) -> dict[str, Any]:
    return {**record, witness: _sha256(msgspec.json.encode(record))}


def _split(data: bytes) -> list[bytes]:
    """Lines with their line breaks; only a line feed ends a line."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
