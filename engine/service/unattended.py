"""One unattended run: a plan, sealed on the disk, and its releases, unless it is a dry run.

What an earlier run of the last day left open is brought to its end first. Nothing in here asks anybody: what a
person would be asked is settled by the settings, and where they say nothing, nothing is released.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from engine.apply import Outcome, OverTheLimit, Qrs
from engine.apply_run import Done, Refused, Work, carry_out, check_plan, find_work, only_one, open_journal
from engine.decision_log import DamagedLog, RecordedPlan, read_plan
from engine.journal import JOURNAL_FILE, DamagedJournal, read_journal
from engine.plan import PLAN_FILE, Plan, day_for, make_plan, write_plan
from engine.qrs.errors import RemoteError
from engine.service.settings import Settings
from engine.snapshot import Snapshot
from policy.errors import InputError

MAX_AGE = timedelta(hours=24)
"""How old a plan may be whose releases are brought to their end."""

RunOutcome: TypeAlias = Literal["dry-run", "done", "over-limit", "refused", "failed", "incomplete", "interrupted"]
"""How a run ended. `incomplete`: some releases failed, or it is not known what became of them."""


class Connection(Qrs, Protocol):
    """What a run needs of QRS: to read the site, then to release."""

    def snapshot(self, now: datetime) -> Snapshot:
        """Users and licenses as they are now. Raises RemoteError."""
        ...


class Tell(Protocol):
    """Told what happens while it happens: a sentence, and facts by name."""

    def __call__(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        """Takes it; `level` is one of `logging`'s."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with: QRS, the clock, the lock of the site, how a plan is put into words, whom to tell.

    Once `stop` is set, no further license is begun.
    """

    connect: Callable[[], AbstractContextManager[Connection]]
    clock: Callable[[], datetime]
    lock_file: Path
    summarize: Callable[[Plan], str]
    tell: Tell
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan and how its apply ended."""

    plan: RecordedPlan
    done: Done


@dataclass(frozen=True, slots=True)
class Report:
    """How a run went. `plan` and `folder` are None when it failed before there was one, `why` are sentences.

    `applied` are the plans that were brought to their end: earlier ones first, the run's own last.
    """

    outcome: RunOutcome
    dry_run: bool
    started: datetime
    ended: datetime
    plan: Plan | None = None
    folder: Path | None = None
    applied: tuple[Applied, ...] = ()
    why: tuple[str, ...] = ()
    error: InputError | RemoteError | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Licenses by result, of this run's own plan and of what earlier ones had left."""
        counts: dict[str, int] = {}
        for applied in self.applied:
            for outcome in applied.done.outcomes:
                counts[outcome.result] = counts.get(outcome.result, 0) + 1
        return counts

    @property
    def over(self) -> list[str]:
        """The limits that the plan is over."""
        return list(self.plan.summary()["overLimit"]) if self.plan else []


def run_once(settings: Settings, means: Means, *, dry_run: bool) -> Report:
    """Plans, and releases unless `dry_run`. Never raises for what the site, the disk or another run does."""
    run = _Run(settings, means, dry_run)
    started = means.clock()
    error: InputError | RemoteError | None = None
    try:
        with only_one(means.lock_file, settings.site.url):
            outcome, why = run.carry_out()
    except Refused as refusal:
        outcome, why = "refused", (str(refusal),)
    except OverTheLimit as over:
        outcome, why = "over-limit", tuple(over.sentences)
    except (InputError, RemoteError) as problem:
        outcome, why, error = "failed", (problem.message,), problem
    except DamagedLog as damage:
        outcome, why = "refused", (f"the plan just written is damaged: {damage}",)
    except OSError as problem:
        outcome, why = (
            "incomplete",
            (f"`{problem.filename or 'the journal'}` cannot be written: {problem.strerror or problem}",),
        )
    return Report(outcome, dry_run, started, means.clock(), run.plan, run.folder, tuple(run.applied), why, error)


class _Run:
    """The steps of a run; what there is when it ends early stays readable."""

    def __init__(self, settings: Settings, means: Means, dry_run: bool) -> None:
        self._settings = settings
        self._means = means
        self._dry_run = dry_run
        self._runs = settings.folder / "runs"
        self.plan: Plan | None = None
        self.folder: Path | None = None
        self.applied: list[Applied] = []

    def carry_out(self) -> tuple[RunOutcome, tuple[str, ...]]:
        with self._means.connect() as qrs:
            if not self._dry_run:
                self._finish_earlier(qrs)
            plan = self._make_plan(qrs)
            if self._dry_run:
                return "dry-run", ()
            if not self._means.stop.is_set():
                recorded = read_plan(plan)
                check_plan(recorded, self._settings.site.url, MAX_AGE, self._means.clock())
                self._apply(find_work(recorded, plan, self.plan.limits if self.plan else ()), qrs)
        return self._outcome()

    def _make_plan(self, qrs: Connection) -> Path:
        now = self._means.clock()
        policy, site = self._settings.policy, self._settings.site
        snapshot = qrs.snapshot(now)
        plan = make_plan(policy, snapshot, day_for(policy, now, None), site.url, self._settings.pseudonyms)
        folder = self._runs / plan.run_id
        write_plan(plan, folder, self._means.summarize(plan))
        self.plan, self.folder = plan, folder
        summary = plan.summary()
        counts = {name: summary[name] for name in ("licenses", "keep", "release", "thisRun")}
        self._means.tell("plan sealed", run=plan.run_id, policy=policy.digest, folder=str(folder), **counts)
        return folder

    def _finish_earlier(self, qrs: Connection) -> None:
        """Brings to their end the runs of the last day that a crash or a stop has left in the middle."""
        for folder in self._left_open():
            try:
                recorded = read_plan(folder)
                check_plan(recorded, self._settings.site.url, MAX_AGE, self._means.clock())
                work = find_work(recorded, folder, ())
            except (Refused, DamagedLog, InputError) as problem:
                facts: dict[str, Any] = {"folder": str(folder), "why": str(problem)}
                self._means.tell("an earlier run is left as it is", level=logging.WARNING, **facts)
                continue
            self._means.tell("an earlier run is brought to its end", folder=str(folder), left=len(work.left))
            self._apply(work, qrs)

    def _left_open(self) -> list[Path]:
        """Folders of young runs with a license whose outcome nobody knows, or that was not begun."""
        oldest = f"{self._means.clock() - MAX_AGE:%Y%m%dT%H%M%SZ}"
        folders = sorted(self._runs.iterdir()) if self._runs.is_dir() else []
        return [folder for folder in folders if folder.name >= oldest and _is_left_open(folder)]

    def _apply(self, work: Work, qrs: Qrs) -> None:
        if not work.chosen or (work.state is not None and work.state.sealed):
            return
        run = work.plan.header["runId"]

        def progress(outcome: Outcome) -> None:
            license_type, license_id = outcome.key
            facts: dict[str, Any] = {"type": license_type, "license": license_id, "detail": outcome.detail}
            self._means.tell(outcome.result, run=run, **facts)

        journal = open_journal(work, self._means.clock())
        try:
            done = carry_out(
                work,
                qrs,
                journal,
                pseudonyms=self._settings.pseudonyms,
                parallel=self._settings.parallel,
                clock=self._means.clock,
                progress=progress,
                stop=self._means.stop,
            )
        finally:
            journal.close()
        self.applied.append(Applied(work.plan, done))

    def _outcome(self) -> tuple[RunOutcome, tuple[str, ...]]:
        if any(applied.done.refused for applied in self.applied):
            return "failed", ("QRS does not accept us: the run was ended",)
        if self._means.stop.is_set():
            return "interrupted", ("asked to stop: the licenses under way were finished",)
        if not all(applied.done.settled for applied in self.applied):
            return "incomplete", ("some licenses are not released: see their outcomes",)
        return "done", ()


def _is_left_open(folder: Path) -> bool:
    """What failed is not open: the next plan decides on it anew."""
    path = folder / JOURNAL_FILE
    if not path.exists() or not (folder / PLAN_FILE).exists():
        return False
    try:
        state = read_journal(path.read_bytes())
    except (DamagedJournal, OSError):
        return True  # `find_work` will say what is wrong with it
    if state is None:
        return False
    outcomes = {key: line["result"] for key, line in state.outcomes.items()}
    return not state.sealed and any(outcomes.get(key, "unknown") == "unknown" for key in state.chosen)
