"""The SHA-256 of a large file, worked out while something else is done with it."""

import hashlib
import threading


class DigestBeside:
    """Within `with`, another thread works the digest out: beside the decoding of a large site it costs no time."""

    def __init__(self, data: bytes) -> None:
        self._digest = hashlib.sha256()
        self._thread = threading.Thread(target=self._digest.update, args=(data,))

    def __enter__(self) -> "DigestBeside":
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._thread.join()

    @property
    def hexadecimal(self) -> str:
        """The digest; complete behind the block."""
        return self._digest.hexdigest()
