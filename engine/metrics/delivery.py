"""Delivering: every line goes through the spool, oldest first, and leaves it when the database has it.

A line carries its own time, so one that is sent again after a crash is stored once. Whatever the database does, a
delivery ends with a report and raises nothing: a run does not fail for its measurements.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from seatwarden.engine.common.text import plural
from seatwarden.engine.metrics.point import Point, line
from seatwarden.engine.metrics.spool import BATCH_LINES, SPOOL_FOLDER, PointBatch, Spool
from seatwarden.engine.metrics.writer import OpenWriter, Rejected, Unavailable, Writer
from seatwarden.engine.site.influxdb import InfluxTarget

MAX_TRIES = 200
"""Most requests that look for refused lines in a batch; twenty such lines take about as many."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of a delivery, in lines: `sent` now (older ones too), `waiting` on disk, `rejected` for ever,
    `dropped` for lack of room. `problem` says what is wrong, None when nothing is."""

    sent: int = 0
    waiting: int = 0
    rejected: int = 0
    dropped: int = 0
    problem: str | None = None

    def describe(self) -> str:
        """In words: `7 points written`, `3 points written, 4 wait: InfluxDB at … nothing listens there`."""
        parts = [f"{plural(self.sent, 'point')} written"]
        parts += [f"{self.waiting:,} waiting"] * bool(self.waiting)
        parts += [f"{self.rejected:,} rejected"] * bool(self.rejected)
        parts += [f"{self.dropped:,} lost"] * bool(self.dropped)
        return ", ".join(parts) + (f": {self.problem}" if self.problem else "")


def send(points: Iterable[Point], target: InfluxTarget, state: Path) -> Delivery:
    """Spools the points below a site's state folder and delivers all that waits there.

    No points at all delivers what an earlier outage has left.
    """
    lines = [text for point in points if (text := line(point))]
    with OpenWriter(target) as writer:
        return deliver(lines, writer, Spool(state / SPOOL_FOLDER))


def deliver(lines: Sequence[str], writer: Writer, spool: Spool) -> Delivery:
    """Spools the lines, then sends what waits, oldest first, until all is sent or the database is not there."""
    try:
        dropped = spool.add(lines) if lines else 0
    except OSError as error:  # a Timeout of the lock is one
        return _send_unspooled(lines, writer, spool, error)
    full = "the spool is full: the newest points are lost" if dropped else None
    work = _Delivering(writer, spool, dropped, [full] if full else [])
    try:
        work.send_waiting()
    except OSError as error:
        work.problem(f"the spool cannot be used: {_why(error)}")
    return work.report()


class _Delivering:
    def __init__(self, writer: Writer, spool: Spool, dropped: int, problems: list[str]) -> None:
        self._writer = writer
        self._spool = spool
        self._done: set[Path] = set()
        """Delivered, and their files are listed still: on Windows as long as somebody reads them."""
        self._sent = 0
        self._dropped = dropped
        self._rejected = 0
        self._problems = problems

    def send_waiting(self) -> None:
        """Empties the spool as far as the database lets us; where another process is at it, that one does."""
        lock = self._spool.delivery_lock()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._problems.append("another process is delivering, and takes these along")
            return
        try:
            # Once more for every batch another process adds meanwhile; each round takes the oldest.
            while batches := self._waiting():
                self._send(batches[0])
        except Unavailable as error:
            self._problems.append(str(error))
        finally:
            lock.release()

    def report(self) -> Delivery:
        problem = "; ".join(self._problems) or None
        try:
            waiting = sum(batch.lines for batch in self._waiting())
        except OSError:  # that has been said
            waiting = 0
        return Delivery(self._sent, waiting, self._rejected, self._dropped, problem)

    def problem(self, text: str) -> None:
        """Notes what is wrong."""
        self._problems.append(text)

    def _waiting(self) -> list[PointBatch]:
        return [batch for batch in self._spool.batches() if batch.path not in self._done]

    def _send(self, batch: PointBatch) -> None:
        lines = self._spool.read(batch)
        if lines is None:
            place = self._spool.put_aside(batch)
            self._problems.append(f"a damaged file of the spool was moved to `{place}`")
            return
        refused = list(refused_lines(self._writer, lines))
        if refused:
            self._spool.keep_rejected(batch, refused)
            reason = refused[0][1]
            self._problems.append(
                f"InfluxDB will never take some points ({reason}); see `{self._spool.rejected_folder}`"
            )
        self._done.add(batch.path)
        self._sent += len(lines) - len(refused)
        self._rejected += len(refused)
        try:
            if self._spool.remove(batch):
                self._done.remove(batch.path)  # the next batch can have this name
        except OSError as error:
            self._problems.append(f"`{batch.path}` is delivered, but cannot be deleted: {_why(error)}")


def refused_lines(writer: Writer, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Writes lines; those that the database refuses, with its reason, are found by halving. Raises Unavailable.

    Where very many are refused, such as after an outage longer than the retention, the search ends after MAX_TRIES
    requests: what is refused then counts as refused whole (the database has stored what is good in it).
    """
    parts = [lines]
    tries = 0
    while parts:
        part = parts.pop()
        tries += 1
        try:
            writer.write(part)
        except Rejected as error:
            if len(part) == 1 or tries > MAX_TRIES:
                yield from ((line, str(error)) for line in part)
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]  # the first half is the next


def _send_unspooled(lines: Sequence[str], writer: Writer, spool: Spool, error: OSError) -> Delivery:
    """The disk does not take the lines (or not all of them): straight to the database, out of order, or never."""
    problems = [f"points cannot be kept on disk: {_why(error)}"]
    sent = rejected = 0
    try:
        for start in range(0, len(lines), BATCH_LINES):
            part = lines[start : start + BATCH_LINES]
            refused = list(refused_lines(writer, part))
            rejected += len(refused)
            sent += len(part) - len(refused)
            problems += [f"InfluxDB will never take some points ({refused[0][1]})"] if refused else []
    except Unavailable as unavailable:
        problems.append(str(unavailable))
    try:
        waiting = spool.waiting()
    except OSError:
        waiting = 0
    return Delivery(sent, waiting, rejected, len(lines) - sent - rejected, "; ".join(problems))


def _why(error: OSError) -> str:
    return error.strerror or "it is locked"
