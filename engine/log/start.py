"""The start of a log: what kind it is of, in which format, and so whether we can read it."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.version import FORMAT
from seatwarden.policy.errors import InputError


class _Start(Struct):
    """Of a first line what says whether we can read the others."""

    kind: Any = None
    format: Any = None
    tool: Any = None


def start_of(path: Path, data: bytes) -> int | None:
    """The format that a log says it has. Raises InputError for a log of another kind, and for a newer one."""
    start = _start_of(data)
    if isinstance(start.kind, str) and start.kind != "plan":
        raise InputError(f"`{path}` is a sealed log, but not of a plan")
    if (newer := _newer(start)) is not None:
        raise InputError(f"`{path}` {newer}", "update seatwarden")
    return start.format if isinstance(start.format, int) else None


def refuse_newer(path: Path, data: bytes) -> None:
    """Raises DamagedLog for a journal or register of a newer version: nothing can be done by what it says."""
    if (newer := _newer(_start_of(data))) is not None:
        raise DamagedLog(path, [Damage(1, f"{newer}; update seatwarden")])


def _newer(start: _Start) -> str | None:
    is_newer = isinstance(start.format, int) and start.format > FORMAT
    return f"was written by a newer seatwarden ({start.tool})" if is_newer else None


def _start_of(data: bytes) -> _Start:
    try:
        end = data.find(b"\n")  # a partition would copy all the rest
        return msgspec.json.decode(data[:end] if end >= 0 else data, type=_Start)
    except UNREADABLE:
        return _Start()  # a start that cannot be read is damage: reading all lines names it
