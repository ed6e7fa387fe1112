"""The SHA-256 of a large file, worked out while something else is done with it."""

import hashlib
import threading


class DigestBeside:
    """Another thread works the digest out: beside the decoding of a large site it costs no time."""

    def __init__(self, data: bytes) -> None:
        # `hashlib` lets go of the interpreter's lock for more than 2 KB, so the thread runs beside the decoder.
        self._digest = hashlib.sha256()
        self._thread = threading.Thread(target=self._digest.update, args=(data,))
        self._thread.start()

    @property
    def hexadecimal(self) -> str:
        """The digest; who asks too early waits."""
        self._thread.join()
        return self._digest.hexdigest()
