"""The floor of a past plan: a process that reads its log and does with each line once what its format demands.

A line is decoded with typed structs, both its digests are worked out, it is encoded again, and the root of all is
found; nothing is compared, and nobody is told.

python -m bench.log_floor FILE
"""

import gc
import sys
from hashlib import sha256
from pathlib import Path

import msgspec


class Row(msgspec.Struct, gc=False, rename="camel"):
    """The state of a license row."""

    quarantined: bool | None
    quarantine_end: str | None
    user: str
    deleted_user: str | None
    listed_once: bool


class Person(msgspec.Struct, gc=False, rename="camel"):
    """What a decision says about a person."""

    salt: str
    license_id: str
    user_directory: str | None
    user_id: str | None
    user_name: str | None
    rule: str | None
    rules: list[str]
    reason: str
    unused_days: int | None
    last_used: str | None
    at: str | None
    row: Row
    facts: dict[str, list[str | int | bool]]


class Decision(msgspec.Struct, gc=False, rename="camel"):
    """A line on a license."""

    n: int
    kind: str
    license_type: str
    verdict: str
    because: str
    prev: str
    person: Person


def work_out(path: Path) -> bytes:
    """The root of a log, with the garbage collector off."""
    gc.disable()
    decode, encode = msgspec.json.Decoder(Decision).decode, msgspec.json.Encoder().encode
    leaves = []
    for line in path.read_bytes().split(b"\n"):
        at = line.find(b',"person":')
        if line.startswith(b'"kind":"decision"', line.find(b",") + 1):
            encode(decode(line))
        of = sha256(line[at + len(b',"person":') : -1]).hexdigest()
        leaves.append(sha256(b'\0%b,"of":"%b"}' % (line[:at], of.encode())).digest())
    while len(leaves) > 1:
        pairs = iter(leaves)
        above = [sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        leaves = above + leaves[2 * len(above) :]
    return leaves[0]


if __name__ == "__main__":
    work_out(Path(sys.argv[1]))
