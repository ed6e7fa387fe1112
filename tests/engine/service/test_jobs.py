"""The three jobs against the real simulator: what they answer, write, and tell people."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from seatwarden.engine.metrics.delivery import Delivery, send
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.context import RunContext
from seatwarden.engine.service.jobs import ServiceJobs
from seatwarden.engine.service.known import TypeOfLicense
from seatwarden.engine.service.state import JobResult
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from seatwarden.engine.site.capacity import Capacity, TypeCapacity, WarnBelow
from seatwarden.engine.site.settings import Settings
from tests.engine.idle import ALL, LICENSES, POLICY, idle_site
from tests.engine.metrics.servers import Answering
from tests.engine.notify.servers import receiver
from tests.engine.service.simulated_time import SimulatedClock
from tests.engine.service.sites import TO_INFLUX, settings_of, write_site
from tests.engine.support import hand_at

OVERVIEW = {"analyzerAccess": {"enabled": True, "allocated": 40, "available": 58, "used": 38, "total": 100}}
VALID_TO = {"keyDetails": "Valid To: 2027-01-10\n"}


class Bench:
    """The jobs on a site, with a database and somebody who is notified."""

    def __init__(self, folder: Path, qrs: SimulatedQrs, database: Answering, hook: Answering) -> None:
        self.folder, self.qrs, self.database, self.hook = folder, qrs, database, hook
        self.clock = SimulatedClock(datetime.now(UTC).replace(microsecond=0))
        self.logged: list[tuple[int, str, dict[str, object]]] = []
        self.stop = threading.Event()
        self.jobs = ServiceJobs(self._context, self._connect, self.clock, self._log)

    def settings(self, **changes: Any) -> Settings:
        hook = f'notifications: {{webhook: [{{url: "{self.hook.url}/"}}]}}'
        port = int(self.database.url.rpartition(":")[2])
        given = {
            "release": f"enable: true\nfrequency: every 6 hours\ndryRun: false\n{TO_INFLUX}",
            "license_monitor": "every 6 hours",
            "server_monitor": "every 24 hours",
        }
        return settings_of(write_site(self.folder, self.qrs.port, influx=port, ours=hook, **given | changes))

    def do(self, job: str, settings: Settings) -> JobResult:
        work: Callable[[Settings], JobResult] = getattr(self.jobs, job)
        return work(settings)

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["event"] for body in self.hook.bodies]

    @property
    def lines(self) -> list[str]:
        return [line for body in self.database.bodies for line in body.split("\n")]

    def _connect(self, settings: Settings) -> QrsClient:
        return QrsClient(settings.site, self.clock())

    def _context(self, settings: Settings) -> RunContext:
        return RunContext(lambda: self._connect(settings), hand_at(self.clock), self._log, self.stop)

    def _log(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        self.logged.append((level, message, facts))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)
    site = {**idle_site(), "accessTypeOverview": OVERVIEW, "license": VALID_TO}
    with SimulatedQrs(site) as qrs, Answering(204) as database, Answering(200) as hook:
        yield Bench(tmp_path, qrs, database, hook)


def test_release(bench: Bench) -> None:
    result = bench.do("release", bench.settings())
    assert (result.outcome, result.ok) == ("done", True)
    assert result.numbers == {"released": LICENSES, "to_release": LICENSES}
    assert sorted(bench.qrs.deleted) == ALL
    assert bench.events == ["releases-done"]
    run, rule = (line for line in bench.lines if line.startswith("seatwarden_run"))
    assert "dry_run=false,outcome=done" in run
    assert f"released={LICENSES}," in run
    assert f"licenses={LICENSES},licenses_released={LICENSES}" in rule
    assert sum(line.startswith("qlik_sense_license_release,") for line in bench.lines) == LICENSES


def test_dry_run(bench: Bench) -> None:
    settings = bench.settings(release=f"enable: true\nfrequency: every 6 hours\n{TO_INFLUX}")
    result = bench.do("release", settings)
    assert (result.outcome, result.ok, bench.qrs.deleted, bench.events) == ("dry-run", True, [], ["plan-ready"])
    assert "dry_run=true,outcome=dry_run" in bench.lines[0]


def test_over_the_limit(bench: Bench) -> None:
    policy = POLICY.replace("1000 per run", "3 per run")
    result = bench.do("release", bench.settings(policy=policy))
    assert (result.outcome, result.ok, bench.qrs.deleted, bench.events) == ("over-limit", False, [], ["limit-hit"])
    assert any(level == logging.ERROR and f"{LICENSES} licenses " in text for level, text, _ in bench.logged)
    assert result.why[0].startswith(f"{LICENSES} licenses due")
    assert result.help == 'add ", longest unused first" to `3 per run` to release 3 and leave 3'


def test_a_release_that_fails(bench: Bench) -> None:
    bench.qrs.faults.append(Fault("status", "DELETE", "l-01", status=409))
    result = bench.do("release", bench.settings())
    assert (result.outcome, result.ok) == ("incomplete", False)
    assert result.numbers["failed"] == 1
    assert bench.events == ["releases-done", "run-failed"]


def test_asked_to_stop_before_it_begins(bench: Bench) -> None:
    bench.stop.set()
    result = bench.do("release", bench.settings())
    assert (result.outcome, result.ok, bench.qrs.requests, bench.events) == ("interrupted", True, [], [])


def test_nothing_to_influxdb_where_it_is_not_switched_on(bench: Bench) -> None:
    off = TO_INFLUX.replace("true", "false")
    bench.do("release", bench.settings(release=f"enable: true\nfrequency: every 6 hours\ndryRun: false\n{off}"))
    assert (len(bench.qrs.deleted), bench.lines) == (LICENSES, [])


def test_the_database_is_down_and_the_next_run_delivers_in_order(bench: Bench) -> None:
    bench.database.status = 503
    settings = bench.settings()
    bench.do("watch_licenses", settings)
    bench.clock.pass_by(hours=6)
    bench.do("release", settings)
    assert [level for level, text, _ in bench.logged if "InfluxDB has not got everything" in text] == [
        logging.WARNING
    ] * 2
    bench.database.bodies.clear()
    bench.database.status = 204
    bench.clock.pass_by(hours=6)
    bench.do("watch_licenses", settings)
    kinds = [line.partition(",")[0] for line in bench.lines]
    assert kinds == [
        "qlik_sense_license",
        *["qlik_sense_license_release"] * LICENSES,
        *["seatwarden_run"] * 2,
        "qlik_sense_license",
    ]


def test_license_use(bench: Bench) -> None:
    result = bench.do("watch_licenses", bench.settings())
    assert (result.outcome, result.numbers["analyzer_used"]) == ("done", 38)
    (line,) = bench.lines
    assert line.startswith("qlik_sense_license,license_type=analyzer allocated=40,available=58,total=100,used=38 ")
    assert result.known.licenses == (TypeOfLicense("analyzer", 100, 40, 58),)
    assert result.known.licenses_at == bench.clock.now


def test_the_sites_license_expires(bench: Bench) -> None:
    settings = bench.settings()
    bench.clock.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    result = bench.do("watch_server_license", settings)
    assert (result.outcome, result.ok, result.numbers) == ("done", True, {"days_until_expiry": 70.0})
    assert (result.known.expires, result.known.expires_at) == (date(2027, 1, 10), bench.clock.now)
    assert bench.events == []
    bench.clock.now = datetime(2026, 11, 11, 0, tzinfo=UTC)
    for _ in range(4):  # every 6 hours: people hear of it once a day
        assert bench.do("watch_server_license", settings).outcome == "expiring"
        bench.clock.pass_by(hours=6)
    assert bench.events == ["license-expiring"]
    bench.do("watch_server_license", settings)
    assert bench.events == ["license-expiring"] * 2
    assert len(bench.lines) == 6


def test_what_qrs_calls_expired_is_told_whatever_the_threshold(bench: Bench) -> None:
    bench.clock.now = datetime(2026, 11, 1, tzinfo=UTC)
    with bench.qrs.site_lock() as site:
        site["license"]["isExpired"] = True
    assert bench.do("watch_server_license", bench.settings()).outcome == "expiring"
    assert bench.events == ["license-expiring"]


def test_few_free_licenses_are_told_once_and_known(bench: Bench) -> None:
    """By the monitor, and by a run, which finds the same message sent already."""
    settings = replace(bench.settings(), capacity=Capacity({"analyzer": TypeCapacity(WarnBelow(90))}))
    for _ in range(2):
        (free,) = bench.do("watch_licenses", settings).known.free
        assert (free.free, free.level, free.is_low) == (58, 90, True)
    assert bench.events == ["licenses-low"]
    assert any(line.startswith("seatwarden_capacity,license_type=analyzer,site=") for line in bench.lines)
    (free,) = bench.do("release", settings).known.free
    assert free.free == 58 + LICENSES
    assert bench.events == ["licenses-low", "releases-done"]


@pytest.mark.parametrize("job", ["watch_licenses", "watch_server_license"])
def test_a_site_that_is_down_is_told_once_a_day_until_it_is_there_again(bench: Bench, job: str) -> None:
    bench.clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    settings = bench.settings()
    bench.qrs.faults.append(Fault("status", status=500))
    for _ in range(288):
        result = bench.do(job, settings)
        assert (result.outcome, result.ok, bool(result.why)) == ("failed", False, True)
        bench.clock.pass_by(minutes=5)
    assert bench.events == ["run-failed"]
    bench.do(job, settings)
    assert bench.events == ["run-failed"] * 2
    bench.qrs.faults.clear()
    assert bench.do(job, settings).ok
    bench.qrs.faults.append(Fault("status", status=500))
    bench.clock.pass_by(seconds=1)
    bench.do(job, settings)
    assert bench.events == ["run-failed"] * 3


def test_two_jobs_at_once_deliver_one_after_the_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three are due at midnight: none leaves its points to one that just ends."""
    at_it, most = [0], [0]

    def sending(*arguments: Any) -> Delivery:
        at_it[0] += 1
        most[0] = max(most[0], at_it[0])
        time.sleep(0.05)
        delivery = send(*arguments)
        at_it[0] -= 1
        return delivery

    monkeypatch.setattr("seatwarden.engine.runs.publish.send", sending)
    settings = bench.settings()
    jobs = ("watch_server_license", "watch_licenses", "watch_licenses")
    threads = [threading.Thread(target=bench.do, args=(job, settings)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert len(bench.lines) == 3


def test_a_plan_is_dated_so_that_told_twice_is_stored_once(bench: Bench) -> None:
    settings = bench.settings()
    bench.do("release", settings)
    (published,) = (bench.folder / "state" / "published").iterdir()
    published.write_text("not a number")
    before = [line for line in bench.lines if "license_release" in line]
    bench.database.bodies.clear()
    bench.clock.pass_by(hours=6)
    bench.do("release", settings)
    assert [line for line in bench.lines if "license_release" in line] == before
    bench.database.bodies.clear()
    bench.clock.pass_by(days=40)
    published.unlink()
    bench.do("release", settings)
    assert not [line for line in bench.lines if "license_release" in line]  # what is so old is history


def test_whom_butler_tells_is_told_each_time(bench: Bench) -> None:
    """By the webhooks' own rate limit; our own notifications come once a day."""
    bench.clock.now = datetime(2026, 11, 11, 0, tzinfo=UTC)
    bench.settings()
    site = bench.folder / "site.yaml"
    on = "webhook: {enable: true, sendRecurring: {enable: true}, sendAlert: {enable: true}}"
    off = "webhook: {enable: false, sendRecurring: {enable: false}, sendAlert: {enable: false}}"
    with Answering(200) as butlers:
        hook = f"webhooks: [{{webhookURL: '{butlers.url}/', httpMethod: POST}}]"
        kinds = f"qlikSenseServerLicenseMonitor: {{{hook}}}, qlikSenseServerLicenseExpiryAlert: {{{hook}}}"
        text = site.read_text(encoding="utf-8").replace(off, on)
        text = text.replace("Butler:\n", f"Butler:\n  webhookNotification: {{enable: true, {kinds}}}\n")
        site.write_text(text, encoding="utf-8")
        for _ in range(4):
            assert bench.do("watch_server_license", settings_of(site)).outcome == "expiring"
            bench.clock.pass_by(hours=6)
        told = [json.loads(body)["event"] for body in butlers.bodies]
        assert sorted(told) == ["server license about to expire alert"] * 4 + ["server license status"] * 4
        butlers.status = 500
        assert bench.do("watch_server_license", settings_of(site)).ok
    assert bench.events == ["license-expiring"] * 2
    warned = [text for level, text, _ in bench.logged if level == logging.WARNING and "was not told to" in text]
    assert len(warned) == 2


def test_the_heartbeat(bench: Bench) -> None:
    bench.settings()
    site = bench.folder / "site.yaml"
    with receiver(200, 500, 500, 500, 200) as server:
        url = f"http://127.0.0.1:{server.port}/ping/s3cret"
        beat = f"heartbeat: {{enable: true, remoteURL: '{url}', frequency: every 30 seconds}}"
        site.write_text(site.read_text(encoding="utf-8").replace("Butler:\n", f"Butler:\n  {beat}\n"), encoding="utf-8")
        settings = settings_of(site)
        bench.clock.now = datetime(2026, 11, 11, 12, tzinfo=UTC)
        assert bench.do("beat", settings) == JobResult("done", ok=True)
        assert server.calls == [("GET", "/ping/s3cret")]
        assert bench.logged == []
        for _ in range(3):  # said once, and no failure of the service
            assert bench.do("beat", settings) == JobResult("not-taken", ok=True)
        assert bench.do("beat", settings) == JobResult("done", ok=True)
    levels = [(level, text.partition(":")[0]) for level, text, _ in bench.logged]
    assert levels == [
        (logging.WARNING, "the heartbeat was not taken at http"),
        (logging.INFO, "the heartbeat is taken again"),
    ]
    assert "s3cret" not in str(bench.logged)


def test_certificates_that_end_are_told_of_once_a_day_by_whoever_sees_them(bench: Bench) -> None:
    settings = bench.settings()
    bench.clock.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    ours = EndingCertificate("the client certificate `c.pem`", date(2026, 11, 11), 10, "export a new one")
    theirs = EndingCertificate("the certificate of h:4242", date(2026, 11, 20), 19, "renew it")

    class Ending(QrsClient):
        ending: ClassVar[list[EndingCertificate]] = [ours]

    bench.jobs = ServiceJobs(bench._context, lambda given: Ending(given.site, bench.clock()), bench.clock, bench._log)
    for _ in range(3):
        bench.do("watch_licenses", settings)
        bench.do("watch_server_license", settings)
    assert bench.events == ["certificate-expiring"]
    (body,) = bench.hook.bodies
    content = json.loads(body)
    assert content["subject"] == f"a certificate ends in 10 days on {settings.site.url}"
    sentence = "the client certificate `c.pem` ends in 10 days, on 2026-11-11: export a new one"
    assert content["data"] == {"certificates": [{"certificate": sentence, "lastDay": "2026-11-11", "days": 10}]}
    Ending.ending = [ours, theirs]
    bench.do("watch_licenses", settings)
    assert json.loads(bench.hook.bodies[-1])["data"]["certificates"][0]["days"] == 19, "another one is news"
    bench.clock.pass_by(days=1)
    bench.do("watch_licenses", settings)
    assert bench.events == ["certificate-expiring"] * 3
    assert len(json.loads(bench.hook.bodies[-1])["data"]["certificates"]) == 2
