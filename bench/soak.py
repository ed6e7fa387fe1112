"""The soak test: a day of the service on a simulated clock, while QRS and InfluxDB fail in every way they know.

python -m bench.soak [--seed N] [--hours H]

At the end: no point is lost, no license was deleted that no plan released, and nothing has grown.
"""

import argparse
import gc
import logging
import os
import random
import secrets
import sys
import tempfile
import threading
import time
import tracemalloc
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_SUBMITTED
from apscheduler.executors.pool import ThreadPoolExecutor

from bench.faulty_influxdb import MOODS, FaultyInfluxDB, parse_line
from bench.soak_site import SoakSite, WatchedQrs, random_fault
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import read_journal
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.plan.circumstances import NOBODY, Hand
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.runs.context import RunContext
from seatwarden.engine.service.jobs import ServiceJobs
from seatwarden.engine.service.service import JobFunction, Service
from seatwarden.engine.service.state import JobName, JobResult, ServiceState
from seatwarden.engine.site.settings import Settings, load_settings
from tests.engine.service.simulated_time import HandDriven, SimulatedClock, simulated

START = datetime(2026, 11, 21, tzinfo=UTC)
STEP = timedelta(minutes=5)
WARM_UP = 0.3
"""Share of the time after which nothing may grow any more."""

MAX_GROWTH = 600_000
"""Bytes that Python may hold more after a day than after the warm-up, in all that is not the test itself."""

POLICY = """\
keep "tag" when user.tags = "License do not release"
release analyzer when unused for 30 days
limit release to 6 per run, longest unused first
limit release to 100% of analyzer per run
"""
MOST_A_RUN = 6

SITE = """\
Butler:
  configQRS: {{host: 127.0.0.1, port: {qrs}, useSSL: false}}
  influxDb: {{enable: true, hostIP: 127.0.0.1, hostPort: {influxdb}, dbName: butler}}
  qlikSenseLicense:
    licenseRelease:
      enable: true
      frequency: every 15 minutes
      dryRun: false
      destination: &points {{influxDb: {{enable: true, tag: {{static: []}}}}}}
    licenseMonitor: {{enable: true, frequency: every 5 minutes, destination: *points}}
    serverLicenseMonitor:
      enable: true
      frequency: every 30 minutes
      alert: {{thresholdDays: 60}}
      destination:
        influxDb: {{enable: true, tag: {{static: []}}}}
        mqtt: &off {{enable: false, sendRecurring: {{enable: false}}, sendAlert: {{enable: false}}}}
        webhook: *off
seatwarden:
  policy: license.policy
  folder: state
  notifications: {{webhook: [{{url: "http://127.0.0.1:{influxdb}/hook"}}]}}
"""


@dataclass(frozen=True)
class Size:
    """How large the process is."""

    python: int
    resident: int
    threads: int
    files: int

    @classmethod
    def now(cls) -> "Size":
        """Measured after a garbage collection; of Python's memory what is not the test's own."""
        threads = files_open = 1_000_000
        for _ in range(50):  # servers notice a moment later that a client has gone
            time.sleep(0.02)
            threads = min(threads, threading.active_count())
            files_open = min(files_open, len(os.listdir("/proc/self/fd")))
        gc.collect()
        held = sum(trace.size for trace in tracemalloc.take_snapshot().traces if _counts(trace))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(held, pages * os.sysconf("SC_PAGE_SIZE"), threads, files_open)


_OWN = ("/bench/", "/tests/", "simulat", "socketserver", "tracemalloc")
_TABLE = 1_000_000


def _counts(trace: tracemalloc.Trace) -> bool:
    """Whether memory is not the test's own, nor Python's table of interned strings, which pathlib happens to fill.

    That table is made anew, twice as large, when it is full.
    """
    file = trace.traceback[0].filename
    return not any(name in file for name in _OWN) and not ("pathlib" in file and trace.size > _TABLE)


@dataclass
class Soaked:
    """What happened, in numbers, and everything that must not have happened."""

    seed: int
    hours: float
    ended: Counter[str] = field(default_factory=Counter)
    """Jobs by name and outcome."""
    released: int = 0
    requests: int = 0
    points: int = 0
    rejected: int = 0
    hooks: int = 0
    restarts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    sizes: list[Size] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def soak(folder: Path, *, seed: int, hours: float) -> Soaked:
    """Lets the service run for so many simulated hours in a folder; Linux only."""
    with ExitStack() as stack:
        stack.enter_context(patch("urllib3.util.retry.Retry.sleep", lambda *_: None))  # pauses between tries
        library = logging.getLogger("urllib3")
        stack.callback(library.setLevel, library.level)
        library.setLevel("ERROR")  # as the service's log has it; whoever collects its warnings keeps connections open
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        database = stack.enter_context(FaultyInfluxDB())
        return _Soak(folder, seed, hours, database, stack).carry_out()


class _Soak:
    def __init__(self, folder: Path, seed: int, hours: float, database: FaultyInfluxDB, stack: ExitStack) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
        self._clock = SimulatedClock(START)
        stack.enter_context(simulated(self._clock))
        self._folder = folder
        self._runs = folder / "state" / "runs"
        self._site = SoakSite(random.Random(seed + 1), START)  # noqa: S311 - jobs use it from their threads
        self._qrs = WatchedQrs(self._site, self._runs)
        self._database = database
        self._hours = hours
        self._stack = stack
        self._found = Soaked(seed, hours)
        self._expected: set[tuple[str, str]] = set()
        """Measurement and time of each point of the monitors and runs."""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._stop_after = 0

    def carry_out(self) -> Soaked:
        self._stack.enter_context(self._qrs)
        (self._folder / "license.policy").write_text(POLICY)
        (self._folder / "site.yaml").write_text(SITE.format(qrs=self._qrs.port, influxdb=self._database.port))
        self._start()
        end = START + timedelta(hours=self._hours)
        warm = START + timedelta(hours=self._hours * WARM_UP)
        while self._clock.now < end:
            self._misbehave()
            self._clock.now += STEP
            self._step()
            if self._clock.now >= warm and not self._found.sizes:
                self._found.sizes.append(Size.now())
        self._behave()
        for _ in range(4):  # every job once more, and what was left open is settled
            self._clock.now += timedelta(minutes=30)
            self._step()
        self._found.sizes.append(Size.now())
        self._scheduler.shutdown()
        self._check()
        return self._found

    # the service --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """The service, as `serve` builds it, but for its clock."""
        self._stop = threading.Event()
        settings = self._load()
        jobs = ServiceJobs(self._context, self._connect, self._clock, self._log)
        work: dict[JobName, JobFunction] = {
            "licenseRelease": jobs.release,
            "licenseMonitor": jobs.watch_licenses,
            "serverLicenseMonitor": jobs.watch_server_license,
        }
        self._scheduler = HandDriven(self._clock, executors={name: ThreadPoolExecutor(1) for name in work})
        self._under_way = 0
        self._idle = threading.Condition()
        self._scheduler.add_listener(partial(self._count, 1), EVENT_JOB_SUBMITTED)
        self._scheduler.add_listener(partial(self._count, -1), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        self._service = Service(
            settings,
            load=self._load,
            work={name: partial(self._work, name, job) for name, job in work.items()},
            scheduler=self._scheduler,
            state=ServiceState(self._clock()),
            clock=self._clock,
            log=self._log,
        )
        self._service.schedule_all()
        self._scheduler.start()

    def _step(self) -> None:
        """Jobs that are due now, to their end."""
        self._service.watch_clock()
        self._service.look_at_files()
        self._scheduler.look()
        with self._idle:
            if not self._idle.wait_for(lambda: self._under_way == 0, timeout=300):
                raise TimeoutError("a job does not end")
        self._found.requests += self._qrs.forgetting
        if self._stop.is_set():
            self._scheduler.shutdown()
            self._found.restarts += 1
            self._start()

    def _count(self, change: int, event: object) -> None:
        with self._idle:
            self._under_way += change
            self._idle.notify_all()

    def _load(self) -> Settings:
        return load_settings(self._folder / "site.yaml", {}, default_folder=self._folder, scheduled=True)

    def _connect(self, settings: Settings) -> QrsClient:
        return QrsClient(settings.site, self._clock(), parallel=settings.parallel)

    def _context(self, settings: Settings) -> RunContext:
        hand = Hand(NOBODY, self._clock, secrets.token_bytes)
        return RunContext(lambda: self._connect(settings), hand, self._log, self._stop)

    def _work(self, name: JobName, work: JobFunction, settings: Settings) -> JobResult:
        """A job, and which points are to come of it."""
        moment = str(int(self._clock().timestamp() * 1000))
        result = work(settings)
        with self._lock:
            self._found.ended[f"{name} {result.outcome}"] += 1
            if name == "licenseRelease":
                self._expected.add(("seatwarden_run", moment))
            elif result.ok:
                measurement = "qlik_sense_license" if name == "licenseMonitor" else "qlik_sense_server_license"
                self._expected.add((measurement, moment))
        return result

    def _log(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        if message == "plan sealed":
            self._site.change_minds(self._qrs, self._clock.now)
        elif message == "released" and self._stop_after:
            self._stop_after -= 1
            if not self._stop_after:
                self._stop.set()  # as SIGTERM does
        elif "traceback" in facts or message == "job crashed":
            self._found.violations.append(f"a defect: {message}: {facts}")

    # what goes wrong ----------------------------------------------------------------------------------------

    def _misbehave(self) -> None:
        """Now and then the faults change; time after time all is well for a while."""
        self._site.live(self._qrs, self._clock.now)
        if self._chance.random() < 0.5:
            return
        self._qrs.faults[:] = [random_fault(self._chance) for _ in range(self._chance.choice((0, 1, 1, 2, 3)))]
        self._found.faults.update(fault.kind for fault in self._qrs.faults)
        self._database.mood = self._chance.choice(("well", *MOODS))
        self._found.faults[f"InfluxDB {self._database.mood}"] += 1
        self._stop_after = self._chance.randint(1, 5) if self._chance.random() < 0.1 else 0

    def _behave(self) -> None:
        self._qrs.faults.clear()
        self._database.mood = "well"
        self._stop_after = 0

    # what must hold -----------------------------------------------------------------------------------------

    def _check(self) -> None:
        found = self._found
        found.released = len(self._qrs.deleted)
        found.points = len(self._database.points)
        found.hooks = self._database.hooks
        found.violations += self._qrs.violations
        found.violations += self._check_releases()
        found.violations += self._check_points()
        found.violations += _check_growth(*found.sizes)

    def _check_releases(self) -> list[str]:
        """Every DELETE has a sealed plan that releases, and an intent; none is deleted twice; the limit holds."""
        wrong = [f"{key}: deleted twice" for key, count in Counter(self._qrs.deleted).items() if count > 1]
        planned: set[str] = set()
        released: set[str] = set()
        for folder in sorted(self._runs.iterdir()):
            plan = read_plan(folder)
            path = folder / "outcomes.jsonl"
            try:
                state = read_journal(path) if path.exists() else None
            except DamagedLog as error:
                wrong.append(f"{path}: {error.first}")
                continue
            if state is None:
                continue
            chosen = [plan.key_of[line] for line in state.chosen]
            verdicts = {decision.key: decision.verdict for decision in plan.decisions}
            wrong += [f"{key[1]}: chosen but kept" for key in chosen if verdicts[key] != "release"]
            wrong += [f"{folder.name}: over the limit"] * (len(state.chosen) > MOST_A_RUN)
            planned |= {license_id for _, license_id in chosen}
            released |= {plan.key_of[n][1] for n, line in state.outcomes.items() if line.result == "released"}
        deleted = set(self._qrs.deleted)
        wrong += [f"{license_id}: deleted without a plan" for license_id in deleted - planned]
        wrong += [f"{license_id}: deleted, and nobody knows" for license_id in deleted - released]
        wrong += [f"{license_id}: said to be released, and is not" for license_id in released - deleted]
        return wrong

    def _check_points(self) -> list[str]:
        """Every point that was to come is stored once, or among the rejected; those of a measurement in order."""
        spool = self._folder / "state" / "influxdb-spool"
        kept = [text for path in spool.rglob("rejected/*.lines") for text in path.read_text().splitlines()]
        rejected = {parse_line(text)[::2] for text in kept if not text.startswith("#")}
        self._found.rejected = len(rejected)
        wrong = [f"sent again with other fields: {line}" for line in self._database.conflicts]
        wrong += [f"still waiting: {path.name}" for path in spool.glob("*.lines")]
        keys = {*self._database.points, *rejected}
        come = {(series.partition(",")[0], moment) for series, moment in keys}
        wrong += [f"lost: {point}" for point in sorted(self._expected - come)]
        told = Counter(series.partition("user=")[2] for series, _ in keys if ",user=" in series)
        people = {self._site.user_of[license_id].replace("\\", "\\\\") for license_id in self._qrs.deleted}
        told = Counter({user.replace("\\\\", "\\").replace("\\", "\\\\"): count for user, count in told.items()})
        wrong += [f"lost: the release of {user}" for user in sorted(people - told.keys())]
        wrong += [f"told without a release: {user}" for user in sorted(told.keys() - people)]
        wrong += [f"{user}: told {count} times" for user, count in told.items() if count > 1]
        for measurement in ("seatwarden_run", "qlik_sense_license", "qlik_sense_server_license"):
            times = [int(moment) for series, moment in self._database.points if series.startswith(f"{measurement},")]
            wrong += [f"{measurement}: not in order"] * (times != sorted(times))
        return wrong


def _check_growth(warm: Size, end: Size) -> list[str]:
    wrong = []
    if end.python - warm.python > MAX_GROWTH:
        wrong.append(f"memory has grown by {end.python - warm.python:,} bytes")
    if end.threads > warm.threads + 2:
        wrong.append(f"threads have grown from {warm.threads} to {end.threads}")
    if end.files > warm.files + 4:
        wrong.append(f"open files have grown from {warm.files} to {end.files}")
    return wrong


def main() -> int:
    """The command; 1 when something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--hours", type=float, default=24)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(Path(folder), seed=options.seed, hours=options.hours)
    warm, end = found.sizes
    sys.stdout.write(
        f"{found.hours:g} hours in {time.monotonic() - began:.0f} s, seed {found.seed}\n"
        f"jobs     {', '.join(f'{count:,} {what}' for what, count in sorted(found.ended.items()))}\n"
        f"faults   {', '.join(f'{count:,} {what}' for what, count in sorted(found.faults.items()))}\n"
        f"restarts {found.restarts:,}\n"
        f"QRS      {found.requests:,} requests, {found.released:,} licenses released\n"
        f"points   {found.points:,} stored, {found.rejected:,} rejected\n"
        f"events   {found.hooks:,}\n"
        f"memory   {warm.python:,} bytes after the warm-up, {end.python:,} at the end; "
        f"resident {warm.resident / 1e6:.1f} and {end.resident / 1e6:.1f} MB\n"
        f"threads  {warm.threads} and {end.threads}, open files {warm.files} and {end.files}\n"
    )
    for violation in found.violations[:50]:
        sys.stdout.write(f"WRONG: {violation}\n")
    sys.stdout.write(f"{len(found.violations):,} wrong\n" if found.violations else "all is well\n")
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
