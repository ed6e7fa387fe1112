"""Completions that the shell offers while a command is typed: fields, codes, time zones, runs.

Everything else (commands, options, their values, files) Typer and the shell know by themselves. Imports are late: every
command has this module, and hardly ever needs what is in it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_MOST = 200
"""Suggestions: a shell shows no more at a time."""


def complete_fields(incomplete: str) -> list[tuple[str, str]]:
    """Names of fields, with what they are."""
    from seatwarden.policy.vocabulary import VOCABULARY

    typed = incomplete.casefold()
    return [(name, entry.doc) for name, entry in VOCABULARY.items() if name.casefold().startswith(typed)]


def complete_codes(incomplete: str) -> list[tuple[str, str]]:
    """Codes of diagnostics, with their titles."""
    from seatwarden.policy.codes import CODES

    typed = incomplete.upper()
    return [(code.name, code.title) for code in CODES.values() if code.name.startswith(typed)]


def complete_zones(incomplete: str) -> list[str]:
    """IANA names of time zones."""
    from seatwarden.policy.zones import timezone_names

    typed = incomplete.casefold()
    return [zone for zone in sorted(timezone_names()) if zone.casefold().startswith(typed)][:_MOST]


def complete_runs(incomplete: str) -> list[str]:
    """Run folders: under what is typed, else in this folder and among the runs of `run` and `serve`, newest first."""
    typed = Path(incomplete)
    start = typed if incomplete.endswith(("/", os.sep)) or not incomplete else typed.parent
    places = [(start, start)] if incomplete else [(start, start), *_state_folders()]
    found = [shown / run.relative_to(place) for place, shown in places for run in _runs_below(place)]
    names = [str(run) for run in found if str(run).startswith(str(typed)) or not incomplete]
    if "/" in incomplete:  # also on Windows; a shell takes only what goes on as it was typed
        names = [Path(name).as_posix() for name in names]
    return sorted(names, key=lambda name: Path(name).name, reverse=True)[:_MOST]


def _state_folders() -> Iterator[tuple[Path, Path]]:
    from platformdirs import user_state_path

    sites = user_state_path("seatwarden") / "sites"
    for folder in sites.glob("*/runs"):
        yield folder, folder


def _runs_below(place: Path) -> Iterator[Path]:
    """Run folders at most three levels down; hidden folders are passed by."""
    from seatwarden.engine.log.run_folder import PLAN_FILE

    for depth in ("*", "*/*", "*/*/*"):
        for path in place.glob(f"{depth}/{PLAN_FILE}"):
            if not any(part.startswith(".") for part in path.relative_to(place).parts):
                yield path.parent
