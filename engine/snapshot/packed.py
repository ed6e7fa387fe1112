"""Snapshots packed as zstd: of compressed files only these are written and read."""

import io
from typing import Protocol

from seatwarden.policy.errors import InputError

MAX_SNAPSHOT_BYTES = 4_000_000_000
"""Largest snapshot that is unpacked; a million users make about 2 GB."""
MAX_EXPANSION = 500
"""Most times its size that a snapshot may become by unpacking, beyond its first 50 MB; real ones become 10 to 50."""
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Source(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many; none at the end."""
        ...


def compress(data: bytes) -> bytes:
    """A snapshot as zstd."""
    import zstandard  # takes longer to import than most sites to decode

    return zstandard.ZstdCompressor().compress(data)


def is_packed(data: bytes) -> bool:
    """Whether it is zstd."""
    return data.startswith(_ZSTD_MAGIC)


def decompressed(data: bytes, what: str) -> bytes:
    """A snapshot as JSON, unpacked where it is zstd; `what` names it in messages. Raises InputError."""
    if data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise InputError(f"{what} is compressed as gzip or zip", "unpack it; of compressed files only zstd is read")
    if not is_packed(data):
        return data
    import zstandard  # as above

    try:
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
            allowed = _allowed(len(data))
            # One byte more than is allowed tells that there is more, without unpacking a bomb to its end.
            text = reader.read(allowed + 1)
    except zstandard.ZstdError as error:
        raise InputError(f"{what} is not whole zstd: {error}", "take it again") from None
    if len(text) > allowed:
        raise InputError(f"{what} is too large: more than {allowed:,} bytes when unpacked")
    return text


class Unpacking:
    """The JSON of a packed snapshot, unpacked as it is read."""

    def __init__(self, packed: Source, size: int) -> None:
        import zstandard  # as above

        self._problem = zstandard.ZstdError
        self._reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)  # type: ignore[arg-type]
        self._left = _allowed(size)

    def read(self, size: int, /) -> bytes:
        """The next bytes. Raises EOFError where it is not whole, or too large."""
        try:
            piece: bytes = self._reader.read(size)
        except self._problem:
            raise EOFError from None
        self._left -= len(piece)
        if self._left < 0:
            raise EOFError
        return piece


def _allowed(size: int) -> int:
    return min(MAX_SNAPSHOT_BYTES, 50_000_000 + MAX_EXPANSION * size)
