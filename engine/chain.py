"""The hash chain: JSON lines of which each carries the SHA-256 of the line before it, closed by a seal.

Every line is a JSON object with its number `n` and `prev`, the hexadecimal SHA-256 of the bytes of the line before
(with its line break; 64 zeros before the first). The last line is the seal: it has `seal`, the SHA-256 of itself
as it is without that field. So any edit, loss, doubling or reordering of lines is found, and its line named.
The chain shows accidents and careless edits; who can write the file can also forge it whole, so the seal is
printed with each plan, to be kept elsewhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a chain, and in which line (from 1)."""

    line: int
    problem: str


def chain_lines(records: Iterable[Mapping[str, Any]], seal: Mapping[str, Any]) -> Iterator[bytes]:
    """The lines of a sealed chain: the records in order, then the seal record."""
    previous, number = FIRST, 0
    for number, record in enumerate(records, 1):
        line = _line({"n": number, **record, "prev": previous})
        previous = _sha256(line)
        yield line
    unsealed = {"n": number + 1, **seal, "prev": previous}
    yield _line({**unsealed, "seal": _sha256(_line(unsealed))})


def verify_chain(data: bytes) -> list[Damage]:
    """All damage found, in line order; an empty list means that the chain is as it was written."""
    if not data:
        return [Damage(1, "the file is empty")]
    lines = _split(data)
    records = [_decode(line) for line in lines]
    damage = [Damage(n, "is not a line of this log") for n, record in enumerate(records, 1) if record is None]
    if not lines[-1].endswith(b"\n"):
        damage.append(Damage(len(lines), "is cut off"))
    damage += _seal_damage(lines, records)
    damage += [
        Damage(n, f"says it is line {record.get('n', '?')}: lines were lost, added or moved before it")
        for n, record in enumerate(records, 1)
        if record is not None and record.get("n") != n
    ]
    # Backwards from the seal: a line is as written when the line after it, itself as written, carries its digest.
    for n in range(len(lines) - 1, 0, -1):
        following = records[n]
        if following is not None and following.get("prev") != _sha256(lines[n - 1]):
            damage.append(Damage(n, "was changed, or is not the line that stood here"))
    first = records[0]
    if first is not None and first.get("prev") != FIRST:
        damage.append(Damage(1, "is not the first line of this log"))
    return sorted(dict.fromkeys(damage), key=lambda d: d.line)


def read_chain(data: bytes) -> list[dict[str, Any]]:
    """The records of a chain that verifies, the seal last."""
    return [msgspec.json.decode(line) for line in _split(data)]


def _seal_damage(lines: list[bytes], records: list[dict[str, Any] | None]) -> list[Damage]:
    early = [n for n, record in enumerate(records[:-1], 1) if record is not None and "seal" in record]
    if early:
        return [Damage(n, "stands behind the seal") for n in range(early[0] + 1, len(lines) + 1)]
    last = records[-1]
    if last is None or "seal" not in last:
        return [Damage(len(lines), "is the last line and is no seal: the end of the log is missing")]
    unsealed = {key: value for key, value in last.items() if key != "seal"}
    intact = lines[-1] == _line({**unsealed, "seal": _sha256(_line(unsealed))})
    return [] if intact else [Damage(len(lines), "was changed: the seal does not fit")]


def _split(data: bytes) -> list[bytes]:
    """Lines with their line breaks; only a line feed ends a line."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _line(record: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(record) + b"\n"


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
