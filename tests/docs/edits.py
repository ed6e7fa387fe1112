"""Edits of a record: by accident, by a careless hand, and by one that computes every digest anew."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tests.paths import EXAMPLES

_spec = importlib.util.spec_from_file_location("check_record", EXAMPLES / "check_record.py")
assert _spec is not None
assert _spec.loader is not None
checker: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checker)

Line: TypeAlias = dict[str, Any]


def read(path: Path) -> list[Line]:
    """What the lines of a file say."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def relink(path: Path, lines: Sequence[Line]) -> None:
    """Writes a file of those lines, whole: every number, link, leaf and seal is computed anew."""
    written: list[bytes] = []
    leaves: list[str] = []
    before = "0" * 64
    for n, line in enumerate(lines, 1):
        new = {key: value for key, value in line.items() if key != "sum"}
        new |= {"n": n, "prev": before}
        if line["kind"] == "seal":
            new |= {"size": n - 1, "root": checker.root_of([bytes.fromhex(leaf) for leaf in leaves]).hex()}
        bare = json.dumps(new, ensure_ascii=False, separators=(",", ":")).encode()
        before = checker.read_line(bare)[1]
        leaves.append(before)
        written.append(b'%b,"sum":"%b"}' % (bare[:-1], before.encode()) if "sum" in line else bare)
    path.write_bytes(b"".join(line + b"\n" for line in written))


def change(path: Path, edit: Callable[[list[Line]], object]) -> None:
    """Edits what the lines of a file say, and links them anew."""
    lines = read(path)
    edit(lines)
    relink(path, lines)


def erase(path: Path, n: int) -> None:
    """Takes the personal part out of a line, as the format says, and nothing else."""
    rows = path.read_bytes().splitlines()
    head, personal = rows[n - 1].split(b',"person":{')
    tail = b""
    if b'},"sum":' in personal:
        personal, tail = personal[:-74], personal[-74:-1]
    else:
        personal = personal[:-1]
    digest = checker.sha256(b"{" + personal).encode()
    rows[n - 1] = head + b',"of":"' + digest + b'"' + tail + b"}"
    path.write_bytes(b"".join(row + b"\n" for row in rows))
