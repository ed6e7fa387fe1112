"""Writing chains anew, as somebody does who can write the files: every digest fits, whatever the lines say.

Said once more in plain Python, apart from the code that is tested.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

Line = dict[str, Any]
OF_THE_CHAIN = ("n", "prev", "sum")
"""What the chain puts into each line."""


def relinked(lines: Sequence[Line], *, own: bool) -> bytes:
    """Lines as a chain; `own`: each carries its own leaf. A seal is put right."""
    written, leaves = [], list[bytes]()
    for n, line in enumerate(lines, 1):
        prev = leaves[-1].hex() if leaves else "0" * 64
        link: Line = {"n": n}
        for key, value in line.items():
            if key in ("person", "of"):
                link["prev"] = prev
            if key not in OF_THE_CHAIN:
                link[key] = value
        if line.get("kind") == "seal" and "root" in line:
            link |= {"size": len(leaves), "root": root_of(leaves).hex()}
        link.setdefault("prev", prev)
        leaf = leaf_of(link)
        written.append(msgspec.json.encode({**link, "sum": leaf.hex()} if own else link) + b"\n")
        leaves.append(leaf)
    return b"".join(written)


def leaf_of(line: Line) -> bytes:
    """The leaf of a line: RFC 6962 over the line with the digest of its personal part in place of that part."""
    hidden = {key: value for key, value in line.items() if key not in ("person", "sum")}
    if "person" in line:
        hidden["of"] = hashlib.sha256(msgspec.json.encode(line["person"])).hexdigest()
    return hashlib.sha256(b"\0" + msgspec.json.encode(hidden)).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree, by its definition in RFC 6962."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()
