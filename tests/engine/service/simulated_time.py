"""A clock that moves only when it is told to, for APScheduler too: a day of schedules takes as long as its work."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import patch

from apscheduler.schedulers.base import BaseScheduler


class SimulatedClock:
    """The time, as an instant; set `now` to move it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        """Moves on: `pass_by(hours=6)`."""
        self.now += timedelta(**span)


class HandDriven(BaseScheduler):  # type: ignore[misc] # APScheduler has no types
    """A real scheduler without a thread of its own: whoever holds it says when it looks what is due."""

    def __init__(self, clock: SimulatedClock, **options: Any) -> None:
        super().__init__(timezone=UTC, **options)
        self._clock = clock
        self.wakened = 0

    def wakeup(self) -> None:
        """Noted only: the next look comes anyway."""
        self.wakened += 1

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)

    def look(self) -> float | None:
        """Begins what is due now; the seconds until something is due next, None when nothing ever is."""
        seconds: float | None = self._process_jobs()
        return seconds

    def run_until(self, end: datetime) -> None:
        """Lets the time pass, and begins everything when it is due."""
        while True:
            seconds = self.look()
            due = end if seconds is None else self._clock.now + timedelta(seconds=max(seconds, 0.001))
            if due >= end:
                self._clock.now = max(self._clock.now, end)
                self.look()
                return
            self._clock.now = due


@contextmanager
def simulated(clock: SimulatedClock) -> Iterator[None]:
    """Within it APScheduler goes by that clock."""

    class Simulated(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now.astimezone(tz)

    with (
        patch("apscheduler.schedulers.base.datetime", Simulated),
        patch("apscheduler.executors.base.datetime", Simulated),
    ):
        yield
