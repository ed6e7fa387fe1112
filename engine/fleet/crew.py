"""Those who do the work of many sites: 16 sites wait for their Qlik Sense at once, and at most two compute.

A site's work is mostly waiting, so each has a thread; and one interpreter computes one thing at a time, so there are
two processes with eight threads each. A process that dies takes the sites with it that it was at, and no other: it is
replaced. Whoever is not done at the deadline is asked to stop, and given up when even that takes long.
"""

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

AnswerT = TypeVar("AnswerT")
SiteStep = Callable[[threading.Event], AnswerT]
"""The work of one site. It ends soon after the event is set. It can be pickled, as its answer can."""

PROCESSES, PLACES = 2, 16
"""How many compute, and how many wait."""
FEW = 4
"""So many sites are done by this process alone: to start others takes longer than they need."""
GRACE_SECONDS = 15
"""From the deadline until a site that was asked to stop is given up."""
_LOOK_SECONDS = 0.2
_LAST_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Crashed:
    """What a worker answers for a step that a defect of ours has ended: what kind of error it was."""

    error: str


class _Way:
    """One end of the way between master and worker. To a thread of the same process things go as they are; to another
    process they are pickled. `bell` is what can be waited for."""

    def __init__(self, bell: Connection, here: "tuple[deque[Any], deque[Any]] | None" = None) -> None:
        self.bell = bell
        self._here = here

    def send(self, message: object) -> None:
        """Sends something. Raises OSError where nobody is there any more."""
        if self._here is None:
            self.bell.send(message)
        else:
            self._here[0].append(message)
            self.bell.send_bytes(b"1")

    def recv(self) -> Any:
        """Waits for something. Raises EOFError, OSError where nobody is there any more."""
        if self._here is None:
            return self.bell.recv()
        self.bell.recv_bytes()
        return self._here[1].popleft()

    def close(self) -> None:
        """Closes this end."""
        self.bell.close()


@dataclass(eq=False)
class _Worker:
    """A worker as its master sees it: the way to it, its process (None: a thread of this one), what it is at since
    when, by the monotonic clock."""

    way: _Way
    process: BaseProcess | None
    busy: dict[str, float] = field(default_factory=dict)

    def end(self) -> None:
        with suppress(OSError):
            self.way.send(None)
        if self.process is not None:
            self.process.join(_LAST_SECONDS)
            if self.process.is_alive():  # somebody whom no stop has reached: the journal is made for it
                self.process.kill()
                self.process.join()
        self.way.close()


class Crew(Generic[AnswerT]):
    """Workers, as many as that many sites need. Use as a context manager.

    `begin` is called in each process that is started, before anything else. `lost` makes the answer for a site, by its
    name, that gives none, with the reason in words.
    """

    def __init__(
        self,
        sites: int,
        begin: Callable[[], None],
        lost: Callable[[str, str], AnswerT],
        *,
        processes: int | None = None,
        places: int = PLACES,
    ) -> None:
        self._begin = begin
        self._lost = lost
        self._processes = processes if processes is not None else 0 if sites <= FEW else PROCESSES
        self._places = places // max(self._processes, 1)
        self._workers: list[_Worker] = []

    def __enter__(self) -> "Crew[AnswerT]":
        self._workers = [self._new() for _ in range(max(self._processes, 1))]
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.end()
        self._workers = []

    def do(
        self, steps: Mapping[str, SiteStep[AnswerT]], deadline: float, stop: threading.Event
    ) -> Iterator[tuple[str, AnswerT]]:
        """The answers by site as they come, one for each step. Sites are begun in the order of their names.

        Once `stop` is set no site is begun, and those under way are asked to stop.
        """
        waiting, told = deque(sorted(steps)), False
        while waiting or any(worker.busy for worker in self._workers):
            if stop.is_set():
                yield from ((name, self._lost(name, "asked to stop before it was begun")) for name in waiting)
                waiting.clear()
                told = told or self._tell_to_stop()
            self._give(waiting, steps, deadline)
            rang = wait([worker.way.bell for worker in self._workers], _LOOK_SECONDS)
            for worker in [worker for worker in self._workers if worker.way.bell in rang]:
                yield from self._heard(worker)
            yield from self._overdue(deadline)

    def _give(self, waiting: deque[str], steps: Mapping[str, SiteStep[AnswerT]], deadline: float) -> None:
        while waiting:
            worker = min(self._workers, key=lambda one: len(one.busy))
            if len(worker.busy) >= self._places:
                return
            name = waiting.popleft()
            worker.busy[name] = time.monotonic()
            with suppress(OSError):  # one that has died is noticed where it is heard
                worker.way.send((name, steps[name], deadline))

    def _heard(self, worker: _Worker) -> Iterator[tuple[str, AnswerT]]:
        try:
            name, answer = worker.way.recv()
        except (EOFError, OSError):
            yield from ((name, self._lost(name, "its process has ended unexpectedly")) for name in worker.busy)
            worker.end()
            self._workers[self._workers.index(worker)] = self._new()
            return
        if worker.busy.pop(name, None) is None:
            return  # it was given up
        if isinstance(answer, Crashed):
            answer = self._lost(name, f"a defect of seatwarden: {answer.error}")
        yield name, answer

    def _overdue(self, deadline: float) -> Iterator[tuple[str, AnswerT]]:
        until = time.monotonic() - deadline - GRACE_SECONDS
        for worker in self._workers:
            for name in [name for name, since in worker.busy.items() if since < until]:
                del worker.busy[name]
                yield name, self._lost(name, f"no end within {deadline:g} seconds")

    def _tell_to_stop(self) -> bool:
        for worker in self._workers:
            with suppress(OSError):
                worker.way.send("stop")
        return True

    def _new(self) -> _Worker:
        ours, theirs = multiprocessing.Pipe()
        if not self._processes:
            to, back = deque[Any](), deque[Any]()
            thread = threading.Thread(target=_work, args=(_Way(theirs, (back, to)),), name="fleet", daemon=True)
            thread.start()
            return _Worker(_Way(ours, (to, back)), None)
        # Not forked: there are threads here, and Windows cannot.
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(_Way(theirs), self._begin), name="fleet", daemon=True
        )
        process.start()
        theirs.close()  # so that its end is seen when it dies
        return _Worker(_Way(ours), process)


def _work(way: _Way, begin: Callable[[], None] = lambda: None) -> None:
    """Does the steps that come this way, each in a thread of its own, until None comes or nobody is there any more."""
    begin()
    answering, stops, threads = threading.Lock(), dict[str, threading.Event](), list[threading.Thread]()

    def do(name: str, step: SiteStep[Any], deadline: float, stop: threading.Event) -> None:
        late = threading.Timer(deadline, stop.set)
        late.daemon = True
        late.start()
        try:
            answer = step(stop)
        except Exception as error:  # noqa: BLE001 - a defect of ours: it is told of, and the other sites go on
            answer = Crashed(type(error).__name__)
        late.cancel()
        with answering, suppress(OSError):
            way.send((name, answer))

    with suppress(EOFError, OSError):
        while (message := way.recv()) is not None:
            if message == "stop":
                for stop in stops.values():
                    stop.set()
                continue
            name, step, deadline = message
            stops[name] = threading.Event()
            threads.append(threading.Thread(target=do, args=(name, step, deadline, stops[name]), daemon=True))
            threads[-1].start()
    for stop in stops.values():
        stop.set()
    for thread in threads:  # the licenses under way are finished, whoever has gone
        thread.join(_LAST_SECONDS)
