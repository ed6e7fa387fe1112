"""The surroundings of `run` and `serve`, unattended work: the clock, the lock, the settings, a way to be stopped."""

import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from seatwarden.engine.cli.terminal.output import complain, warn
from seatwarden.engine.site.connection import Site
from seatwarden.engine.site.settings import Settings, load_settings, read_ours

if TYPE_CHECKING:
    from seatwarden.engine.plan.circumstances import Hand
    from seatwarden.engine.runs.run import Log, RunContext

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
"""Ctrl-C, what service managers send, and what Windows sends to a console that is closed."""


def settings_from(site: Path, policy: Path | None, *, scheduled: bool = False, needs_policy: bool = True) -> Settings:
    """The settings in a site file. Raises InputError, PolicyError."""
    folder = user_state_path("seatwarden") / "sites"
    return load_settings(
        site,
        os.environ,
        default_folder=folder,
        policy=policy,
        scheduled=scheduled,
        needs_policy=needs_policy,
    )


def state_of(file: Path, site: Site) -> tuple[Path, int]:
    """The state folder of a site, and the percentage from which on a change touches everybody, by its site file."""
    folder, percent = read_ours(file, "folder", "massChange", environment=os.environ)
    return folder or user_state_path("seatwarden") / "sites" / site.slug, percent


def say_warnings(settings: Settings) -> None:
    """Says what is not wrong in the settings, but may not be meant."""
    for warning in settings.warnings:
        complain(warning, settings.sources)
    for text in settings.notes:
        warn(text)


def log_warnings(message: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Says on stderr what is not well, and nothing else."""
    if level >= logging.WARNING:
        shown = [str(fact) for name, fact in facts.items() if fact not in (None, "") and name != "traceback"]
        warn(": ".join([message, *shown]))


def context_for(settings: Settings, log: "Log", stop: threading.Event) -> "RunContext":
    """The context of runs under these settings."""
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import
    from seatwarden.engine.runs.run import RunContext

    return RunContext(
        connect=lambda: QrsClient(settings.site, clock(), parallel=settings.parallel),
        hand=this_hand(settings.site.qlik_user),
        log=log,
        stop=stop,
    )


def this_hand(qlik_user: str | None = None) -> "Hand":
    """The hand of who runs this command; `qlik_user` is who QRS takes us for."""
    from seatwarden.engine.cli.circumstances import circumstances
    from seatwarden.engine.plan.circumstances import Hand

    return Hand(circumstances(qlik_user), clock, secrets.token_bytes)


def clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@contextmanager
def stopped_by_signals(stop: threading.Event, reload: threading.Event | None = None) -> Iterator[None]:
    """A context in which being asked to end sets `stop`; asked again, the process ends at once, as if killed.

    SIGHUP, where there is such a thing, sets `reload` if there is one.
    """

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            # The journal is made for it: the next run looks up what was under way.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    handlers: dict[int, Callable[[int, FrameType | None], None]] = dict.fromkeys(STOP_SIGNALS, ask)
    if reload is not None and hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = lambda number, frame: reload.set()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
