"""Rows of a live site, decoded while the next answer is under way: with a server that takes its time it costs none."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import msgspec

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.snapshot.model import SnapshotFile, kinds_of_rows, with_rows

MOMENT = 0.01
"""Seconds that rows wait: the decoder keeps the interpreter to itself, and the next request is to leave before that."""


class EarlyRows:
    """Another thread decodes users and licenses as they come. Use as a context manager around the requests.

    The thread asks nothing of anybody: who is broken off waits for the rows in hand at most.
    """

    def __init__(self, *, attributes: bool) -> None:
        self._kinds = kinds_of_rows(attributes=attributes)
        self._rows: dict[str, Future[Any]] = {}
        self._all_here = Event()
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> "EarlyRows":
        return self

    def __exit__(self, *broken_off_by: object) -> None:
        self._all_here.set()
        self._thread.shutdown(cancel_futures=True)

    def take(self, name: str, data: bytes) -> bytes:
        """Has the users, or the licenses of a type, decoded; gives them back as they came."""
        self._rows[name] = self._thread.submit(self._decode, name, data)
        return data

    def _decode(self, name: str, data: bytes) -> Any:
        self._all_here.wait(MOMENT)
        with collector_off():
            return msgspec.json.decode(data, type=self._kinds[name])

    def file(self, rest: bytes) -> SnapshotFile | None:
        """The snapshot of all rows and the `rest`, a snapshot without any.

        None where something is not of its type: then the whole is to be read with more patience.
        """
        self._all_here.set()
        try:
            rows = {name: coming.result() for name, coming in self._rows.items()}
            return with_rows(msgspec.json.decode(rest, type=SnapshotFile), rows)
        except UNREADABLE:
            return None
