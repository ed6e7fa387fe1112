"""The pages of the service as HTML: its status, and the reports of its runs.

The status has no script and takes nothing from the network. What stands in it comes from outside: it is escaped by
the template engine, always, and what is invisible is spelled out, as in a report. A report is made anew of the run's
record, which is verified first. No file of the run folder is handed out: whatever lies there, a browser gets what we
write.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.register import REGISTER_FILE, RegisterState, read_register
from seatwarden.engine.report.model import report_of
from seatwarden.engine.report.render import block_digest, page_security, page_style, page_template, render
from seatwarden.engine.report.sources import read_sources
from seatwarden.engine.service.past_runs import find_run, last_runs
from seatwarden.engine.service.state import ServiceState
from seatwarden.engine.service.status import BandLevel, Record, Status, Trouble, status_of
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.version import VERSION
from seatwarden.policy.errors import InputError

MOST_RUNS = 10
"""Runs on the page."""
_SIGNS: dict[BandLevel, str] = {"well": "✓", "unknown": "…", "attention": "!", "wrong": "✗", "stopping": "■"}


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page, its security policy, and the status of the answer. Without a policy it is plain text."""

    content: bytes
    security: str | None = None
    status: int = 200

    @classmethod
    def word(cls, status: int, sentence: str) -> "WebPage":
        """An answer in one sentence."""
        return cls(f"{sentence}\n".encode(), None, status)


class ServicePages:
    """The pages of a service. `settings` gives those in force."""

    def __init__(self, state: ServiceState, settings: Callable[[], Settings]) -> None:
        self._state = state
        self._settings = settings
        self._one_at_a_time = threading.Lock()
        """A report of many licenses takes a second of work, which releases need, too."""
        self._register = _RegisterFile()

    def status(self, now: datetime) -> WebPage:
        """The status page."""
        settings = self._settings()
        return render_status(status_of(self._state, settings, self._record(settings), now))

    def report(self, run_id: str) -> WebPage:
        """The report of the run with that id, by its record as it is now."""
        settings = self._settings()
        if settings.http is None or not settings.http.reports:
            return WebPage.word(
                403, "reports name people: they are shown where the site file says `http: {port: …, reports: true}`"
            )
        try:
            register = self._register.read(settings.folder / REGISTER_FILE)
            run = find_run(register, settings.folder, run_id) if register else None
            if run is None or run.folder is None:
                return WebPage.word(404, "the register of runs knows no such run, or its folder is gone")
            with self._one_at_a_time:
                sources = read_sources(run.folder)
                if sources.plan.log.root != run.root:
                    return WebPage.word(409, "the plan in the folder of this run is not the one of the register")
                report = report_of(sources)
                return WebPage(render(report), page_security(report))
        except DamagedLog as damage:
            return WebPage.word(409, f"the record of this run is not as it was written: {damage.first}")
        except (InputError, OSError):
            return WebPage.word(409, "the record of this run cannot be read")

    def _record(self, settings: Settings) -> Record:
        try:
            register = self._register.read(settings.folder / REGISTER_FILE)
        except DamagedLog as damage:
            help_ = f"`seatwarden log verify {settings.folder}` says more; until then no license is released"
            return Record(damage=Trouble("The register of runs is not as it was written", (damage.first,), help_))
        except OSError as error:
            why = (error.strerror or str(error),)
            return Record(damage=Trouble("The register of runs cannot be read", why, f"it is in `{settings.folder}`"))
        if register is None:
            return Record()
        job = self._state.jobs().get("licenseRelease")
        under_way = job is not None and job.running_since is not None
        return Record(last_runs(register, settings.folder, MOST_RUNS, under_way=under_way))


class _RegisterFile:
    """The register, read again only when its file has changed: it grows for years, and is asked for each minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[Path, int, int] | None = None
        self._state: RegisterState | None = None

    def read(self, path: Path) -> RegisterState | None:
        """Raises DamagedLog, OSError."""
        with self._lock:
            try:
                status = path.stat()
            except FileNotFoundError:
                return None
            stamp = (path, status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._stamp = None
                self._state, self._stamp = read_register(path), stamp
            return self._state


def render_status(status: Status) -> WebPage:
    """The status page, UTF-8. The same status gives the same bytes."""
    style = page_style() + _text("status.css")
    security = f"default-src 'none'; style-src '{block_digest(style)}'; base-uri 'none'; form-action 'none'"
    page = page_template(_text("status.html.j2")).render(
        status=status,
        sign=_SIGNS[status.level],
        version=VERSION,
        security=security,
        style=Markup(style),  # noqa: S704 - our own files: a style block takes its text as it is
    )
    return WebPage(page.encode(), security)


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.service").joinpath(name).read_text(encoding="utf-8")
