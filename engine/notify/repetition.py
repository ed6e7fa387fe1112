"""What was told when, kept in a site's state folder: so that nobody is told the same again too soon.

It is one file for service and commands, so that a service that was restarted, or a command called by cron, knows it
too. A file that cannot be read or written makes nobody silent: better told twice than never.
"""

import json
import threading
from datetime import date, datetime, timedelta
from pathlib import Path

from seatwarden.engine.common.files import make_private_folder, read_file, write_atomically
from seatwarden.engine.common.timestamps import format_instant, parse_timestamp

FILE = "notified.json"
_MOST = 1_000
"""Most things that are remembered; the latest stay."""
_lock = threading.Lock()


class Repetition:
    """The memory of one site. Its methods ask whether something may be told, and note that it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_due(self, what: str, now: datetime, seconds: int) -> bool:
        """Whether it was not told in the last seconds; a time that lies ahead, after a clock was set back, is none."""
        with _lock:
            told = self._read()
            before = parse_timestamp(told.get(what, ""))
            if before is not None and before <= now < before + timedelta(seconds=seconds):
                return False
            self._write(told | {what: format_instant(now)})
        return True

    def is_news(self, what: str, day: date) -> bool:
        """Whether it was not told on that day."""
        with _lock:
            told = self._read()
            if told.get(what) == day.isoformat():
                return False
            self._write(told | {what: day.isoformat()})
        return True

    def was_told(self, what: str) -> bool:
        """Whether it is noted as told, whenever that was."""
        with _lock:
            return what in self._read()

    def note(self, what: str, now: datetime) -> None:
        """Notes that it was told. Who is killed between telling and noting tells it again."""
        with _lock:
            self._write(self._read() | {what: format_instant(now)})

    def forget(self, what: str) -> None:
        """Notes that it is over, so that it is told when it comes again."""
        with _lock:
            told = self._read()
            if told.pop(what, None) is not None:
                self._write(told)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(read_file(self._folder / FILE))
        except (OSError, ValueError, RecursionError):
            return {}
        items = found.items() if isinstance(found, dict) else ()
        return {what: when for what, when in items if isinstance(when, str)}

    def _write(self, told: dict[str, str]) -> None:
        latest = sorted(told.items(), key=lambda item: item[1])[-_MOST:]
        try:
            make_private_folder(self._folder)
            write_atomically(self._folder / FILE, json.dumps(dict(latest), indent=2).encode())
        except OSError:
            return  # then it is told again, which is better than not at all
