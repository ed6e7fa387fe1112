"""Licenses that runs beside this one have released: who finds one gone need not suspect somebody else."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import read_journal
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.run_folder import JOURNAL_FILE


class ReleasedBeside:
    """The releases in the journals of some folders of runs. They are read when first asked for: mostly nobody asks."""

    def __init__(self, places: Iterable[Path]) -> None:
        self._places = tuple(places)

    def run_of(self, key: Key) -> str | None:
        """The id of the run that released a license; None where none is known."""
        return self._runs.get(key)

    @cached_property
    def _runs(self) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for path in sorted(path for place in self._places for path in place.glob(f"*/{JOURNAL_FILE}")):
            try:
                state = read_journal(path)
            except (DamagedLog, OSError):  # what it did is not known, and this is only a word on who it was
                continue
            if state is not None:
                released = (line.key for line in state.outcomes.values() if line.result in TAKEN)
                found.update({key: state.header.run_id for key in released if key is not None})
        return found
