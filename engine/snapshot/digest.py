"""The SHA-256 of a large file, worked out while something else is done with it."""

import hashlib
import threading
from queue import SimpleQueue


class DigestBeside:
    """Another thread works the digest out, piece by piece: beside the decoding of a large site it costs no time.

    Use as a context manager around all pieces, or the thread goes on waiting for the next.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._pieces: SimpleQueue[bytes] = SimpleQueue()
        self._thread = threading.Thread(target=self._work_out)

    @classmethod
    def of(cls, data: bytes) -> "DigestBeside":
        """The digest of data that is there as a whole."""
        with cls() as digest:
            digest.take(data)
        return digest

    def __enter__(self) -> "DigestBeside":
        self._thread.start()
        return self

    def __exit__(self, *broken_off_by: object) -> None:
        self._pieces.put(b"")

    def take(self, piece: bytes) -> None:
        """Takes the next piece; an empty one is the end."""
        self._pieces.put(piece)

    def _work_out(self) -> None:
        # `hashlib` lets go of the interpreter's lock for more than 2 KB, so the thread runs beside the decoder.
        while piece := self._pieces.get():
            self._digest.update(piece)

    @property
    def hexadecimal(self) -> str:
        """The digest; who asks too early waits."""
        self._thread.join()
        return self._digest.hexdigest()
