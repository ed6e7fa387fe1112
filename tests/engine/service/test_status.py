"""What the status page shows, and its HTML: without HTTP, for one moment."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.register import REGISTER_FILE, read_register
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.service.known import Known
from seatwarden.engine.service.past_runs import RegisteredRun, last_runs
from seatwarden.engine.service.state import JobResult, ServiceState
from seatwarden.engine.service.status import Record, Status, Trouble, distance, status_of
from seatwarden.engine.service.status_page import render_status
from seatwarden.engine.simulator.certificates import ThrowAwayAuthority, Validity
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import Seats
from tests.engine.report.runs import HOSTILE
from tests.engine.runs.running import Running
from tests.engine.service.past import LICENSES, free_analyzer, past_site, settings_for, state_at
from tests.engine.service.sites import settings_of, write_site

NOW = datetime(2026, 11, 21, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Running:
    return past_site(tmp_path_factory.mktemp("past"))


def _record(running: Running) -> Record:
    register = read_register(running.settings.folder / REGISTER_FILE)
    assert register is not None
    return Record(last_runs(register, running.settings.folder, 10))


@pytest.fixture
def settings(running: Running) -> Settings:
    return settings_for(running)


def _html(status: Status) -> str:
    return render_status(status).content.decode()


# The data ---------------------------------------------------------------------------------------------------------


def test_all_is_well(running: Running, settings: Settings) -> None:
    found = status_of(state_at(NOW), settings, _record(running), NOW)
    assert (found.level, found.word, found.wrong, found.soon) == ("well", "All is well", (), ())
    assert (found.site, found.zone, found.now.local) == (
        "http://127.0.0.1:4242",
        "Europe/Stockholm",
        "2026-11-21 23:00",
    )
    release, monitor = found.jobs
    assert (release.title, release.outcome, release.well, release.missed) == ("Release licenses", "done", True, 0)
    assert release.next is not None
    assert (release.next.local, release.next.utc, release.next.distance) == (
        "2026-11-22 03:12",
        "2026-11-22T02:12:00.000Z",
        "in 4 hours 12 minutes",
    )
    assert monitor.last is not None
    assert monitor.last.distance == "6 hours ago"
    assert (found.licenses, found.licenses_from) == (LICENSES, "read 6 hours ago by the license monitor")
    assert [(one.what, one.distance, one.warning) for one in found.endings] == [
        ("The site's license", "in 400 days", None)
    ]
    assert [row.report for row in found.runs] == [
        f"runs/{row.run.run_id}/report.html" if row.run.run_id else None for row in found.runs
    ]


def test_what_nobody_has_looked_at_is_not_called_well(settings: Settings) -> None:
    state = ServiceState(NOW)
    state.schedule({"licenseRelease": "at 02:30", "licenseMonitor": "every 6 hours", "serverLicenseMonitor": "daily"})
    state.due("licenseRelease", NOW + timedelta(hours=4, minutes=30))
    state.due("licenseMonitor", NOW + timedelta(hours=1))
    state.due("serverLicenseMonitor", None)
    found = status_of(state, settings, Record(), NOW)
    assert (found.level, found.word) == ("unknown", "Running, and not everything was looked at yet")
    assert found.not_looked == (
        "How many licenses are free: not looked yet; first look at 2026-11-22 00:00, in 1 hour",
        "The site's license: not looked yet; no job that looks is due again",
    )
    page = _html(found)
    assert '<div class="band unknown">' in page
    assert "first look at 2026-11-22 00:00, in 1 hour" in page
    state.begun("licenseMonitor", NOW)
    assert "a job is looking now" in status_of(state, settings, Record(), NOW).not_looked[0]
    known = Known(free=(), free_at=NOW, expires=NOW.date() + timedelta(days=400), expires_at=NOW)
    state.ended("licenseMonitor", NOW, JobResult("done", ok=True, known=known))
    found = status_of(state, settings, Record(), NOW)
    assert (found.level, found.not_looked) == ("well", ())
    assert "Not looked yet" not in _html(found)


def test_a_look_that_failed_is_none(settings: Settings) -> None:
    state = ServiceState(NOW)
    state.schedule({"licenseMonitor": "every 6 hours"})
    state.due("licenseMonitor", NOW + timedelta(hours=6))
    state.ended("licenseMonitor", NOW, JobResult("failed", ok=False))
    found = status_of(state, settings, Record(), NOW)
    assert (found.level, len(found.not_looked)) == ("wrong", 1)
    state.known = Known(free=(free_analyzer(5, NOW),), free_at=NOW)
    state.ended("licenseMonitor", NOW, JobResult("done", ok=True))
    assert status_of(state, settings, Record(), NOW).level == "attention"


def test_what_no_job_looks_at_is_not_waited_for(settings: Settings) -> None:
    found = status_of(ServiceState(NOW), settings, Record(), NOW)
    assert (found.level, found.not_looked) == ("well", ())


def test_what_is_wrong_and_what_to_do(running: Running, settings: Settings) -> None:
    found = status_of(state_at(NOW, wrong=True), settings, _record(running), NOW)
    assert (found.level, found.word) == ("wrong", "2 things are wrong")
    refused, job = found.wrong
    assert (refused.what, refused.help is not None) == ("A changed file is not in force: the old settings stay", True)
    assert job.what == "Watch license use: failed"
    assert job.why[0].startswith("QRS cannot be reached")
    assert job.help is not None
    assert "Repository Service" in job.help


@pytest.mark.parametrize("outcome", ["over-limit", "stopped", "refused", "failed", "incomplete", "crashed"])
def test_there_is_always_something_to_do(settings: Settings, outcome: str) -> None:
    state = state_at(NOW)
    state.ended("licenseRelease", NOW, JobResult(outcome, ok=False))
    (trouble,) = status_of(state, settings, Record(), NOW).wrong
    assert trouble.help


def test_wrong_is_what_health_says_and_a_damaged_register(settings: Settings) -> None:
    state = state_at(NOW)
    assert state.ok
    found = status_of(state, settings, Record(damage=Trouble("The register is damaged")), NOW)
    assert (found.level, found.word, [one.what for one in found.wrong]) == (
        "wrong",
        "Something is wrong",
        ["The register is damaged"],
    )


def test_stopping(settings: Settings) -> None:
    state = state_at(NOW, wrong=True)
    state.stopping = True
    found = status_of(state, settings, Record(), NOW)
    assert (found.level, found.word.partition(":")[0], len(found.wrong)) == ("stopping", "Stopping", 2)


@pytest.mark.parametrize(
    ("days", "expired", "level", "distance", "warning"),
    [
        (61, False, "well", "in 61 days", None),
        (60, False, "attention", "in 60 days", "soon"),
        (0, False, "attention", "today", "soon"),
        (-1, False, "attention", "1 day ago", "ended"),
        (400, True, "attention", "in 400 days", "ended"),
    ],
)
def test_the_sites_license(
    tmp_path: Path, days: int, expired: bool, level: str, distance: str, warning: str | None
) -> None:
    settings = settings_of(write_site(tmp_path, 4242, server_monitor="every 24 hours"))
    state = ServiceState(NOW)
    state.known = Known(expires=NOW.date() + timedelta(days=days), expired=expired, expires_at=NOW)
    found = status_of(state, settings, Record(), NOW)
    assert (found.level, found.endings[0].distance, found.endings[0].warning) == (level, distance, warning)


@pytest.mark.parametrize(
    ("monitor", "said"),
    [
        ("every 24 hours", "not read yet: the job that watches it does"),
        (None, "not read: no job watches it; `serverLicenseMonitor` in the site file does, with `enable: true`"),
    ],
)
def test_who_reads_the_sites_license(tmp_path: Path, monitor: str | None, said: str) -> None:
    settings = settings_of(write_site(tmp_path, 4242, server_monitor=monitor))
    found = status_of(ServiceState(NOW), settings, Record(), NOW)
    assert (found.endings[0].day, found.endings[0].distance) == (None, said)


def test_no_date_is_broken(running: Running, settings: Settings) -> None:
    page = _html(status_of(state_at(NOW), settings, _record(running), NOW))
    assert ".status time { white-space: nowrap; }" in page
    body = page.partition("</head>")[2]
    dates = re.findall(r"\d{4}-\d\d-\d\d", re.sub(r"<time[^>]*>[^<]*</time>|<[^>]*>", "", body))
    assert "2027-12-26" in body
    assert dates == []


def test_a_certificate_of_the_server_is_counted_from_today(settings: Settings) -> None:
    state, name = state_at(NOW), "the certificate of qlik.example.com:4242"
    ending = EndingCertificate(name, NOW.date() + timedelta(days=9), 20, "renew it in Qlik Sense before that")
    gone = EndingCertificate("the client certificate `old.pem`", NOW.date(), 0, "export a new one")
    state.known = replace(state.known, ending=(ending, gone), ending_at=NOW)
    found = status_of(state, settings, Record(), NOW)
    assert [one.what for one in found.soon] == [f"T{name[1:]} ends in 9 days, on 2026-11-30"]
    assert found.soon[0].help == "renew it in Qlik Sense before that"
    assert (found.level, found.word) == ("attention", "Running, with 1 thing to see to")
    assert found.endings[1].what == f"T{name[1:]}"


@pytest.mark.parametrize(("days", "warning"), [(3, "soon"), (300, None)])
def test_our_certificates(settings: Settings, tmp_path: Path, days: int, warning: str | None) -> None:
    validity = Validity(NOW - timedelta(days=1), NOW + timedelta(days=days, hours=1))
    files = ThrowAwayAuthority(now=NOW).export(tmp_path, client_validity=validity)
    site = replace(settings.site, use_tls=True, certificate=files.client, key=files.client_key, authority=files.root)
    ours = replace(settings, site=site)
    found = status_of(ServiceState(NOW), ours, Record(), NOW)
    assert [(one.distance, one.warning) for one in found.endings[1:]] == [
        (f"in {days} days", warning),
        ("in 365 days", None),
    ]
    assert (found.level == "attention") is (warning is not None)
    files.client.write_bytes(b"no certificate")
    found = status_of(ServiceState(NOW), ours, Record(), NOW)
    assert "every run will fail by it" in found.soon[0].why
    assert found.soon[0].help


def test_few_free_licenses_are_something_to_see_to(settings: Settings) -> None:
    state = state_at(NOW)
    assert status_of(state, settings, Record(), NOW).level == "well"
    state.known = replace(state.known, free=(free_analyzer(19, NOW),))
    found = status_of(state, settings, Record(), NOW)
    (trouble,) = found.soon
    assert (found.level, trouble.what) == (
        "attention",
        "Few licenses are left: analyzer: 19 of 200 free. That is low: below 10 %.",
    )
    assert trouble.why[0].startswith("Without further releases none is left around ")
    assert [sentence.partition(":")[0] for sentence in found.forecasts] == ["analyzer", "analyzer"]


def test_licenses_as_a_run_found_them(running: Running, settings: Settings) -> None:
    record = _record(running)
    found = status_of(ServiceState(NOW), settings, record, NOW)
    assert found.licenses == ()
    assert "not read yet" in found.licenses_from


def test_a_run_that_is_newer_than_the_monitor(
    running: Running, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = {"analyzer": Seats(total=10, allocated=4, available=6)}
    monkeypatch.setattr("seatwarden.engine.service.status.seats_before", lambda run: seats)
    record, state = _record(running), state_at(NOW)
    assert status_of(state, settings, record, NOW).licenses == LICENSES
    state.known = replace(state.known, licenses_at=NOW - timedelta(days=30))
    found = status_of(state, settings, record, NOW)
    assert [(one.name, one.total, one.allocated, one.free) for one in found.licenses] == [("analyzer", 10, 4, 6)]
    assert found.licenses_from.endswith("by a run, before it released any")


def test_a_service_that_has_just_begun(settings: Settings) -> None:
    found = status_of(ServiceState(NOW), settings, Record(), NOW)
    page = _html(found)
    assert found.level == "well"
    assert found.releases == "Releasing is not on schedule"
    for words in ("No job is on schedule.", "No run is on record.", "Not read yet"):
        assert words in page
    assert "None" not in page


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "now"),
        (timedelta(seconds=-59), "now"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=-61), "1 hour 1 minute ago"),
        (timedelta(days=1, minutes=5), "in 1 day"),
        (timedelta(days=-400, hours=-2, minutes=-9), "400 days 2 hours ago"),
    ],
)
def test_how_far_an_instant_is(span: timedelta, words: str) -> None:
    assert distance(span) == words


# The page ---------------------------------------------------------------------------------------------------------


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_hostile_texts_stay_text(settings: Settings) -> None:
    state = ServiceState(NOW)
    state.schedule({"licenseRelease": HOSTILE[2]})
    state.ended("licenseRelease", NOW, JobResult(HOSTILE[0], ok=False, why=HOSTILE, help=HOSTILE[0]))
    state.refused_change = "\n".join(HOSTILE)
    runs = [RegisteredRun(NOW, text, well=False, mode=text, run_id=text, folder=Path("/nowhere")) for text in HOSTILE]
    damage = Trouble(HOSTILE[1], HOSTILE, HOSTILE[7])
    status = status_of(state, settings, Record(runs, damage), NOW)
    shown = [replace(row, report=f"runs/{row.run.run_id}/report.html") for row in status.runs]
    given: dict[str, Any] = {"site": HOSTILE[0], "zone": HOSTILE[3], "folder": HOSTILE[5], "policy": HOSTILE[2]}
    page = _html(replace(status, runs=tuple(shown), **given))
    tags = _Tags(page).tags
    assert not {"script", "img", "iframe", "object", "link", "base"} & {tag for tag, _ in tags}
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style")], tag
        for name, value in attributes.items():
            if name == "href":
                assert re.match(r"#|runs/|health$|metrics$", value or ""), value
    assert "\u202e" not in page
    assert "⟨U+202E⟩" in page
    assert "{{ report }}" in page


def test_no_script_and_only_our_style(running: Running, settings: Settings) -> None:
    page = render_status(status_of(state_at(NOW), settings, _record(running), NOW))
    assert page.security is not None
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]+='; base-uri 'none'; form-action 'none'", page.security
    )
    assert page == render_status(status_of(state_at(NOW), settings, _record(running), NOW)), "the same bytes"


def test_nobody_is_named(running: Running, settings: Settings) -> None:
    page = _html(status_of(state_at(NOW, wrong=True), settings, _record(running), NOW))
    for user in running.qrs.site["users"]:
        assert user["userId"] not in page


def test_without_reports_there_are_no_links(running: Running) -> None:
    page = _html(status_of(state_at(NOW), settings_for(running, reports=False), _record(running), NOW))
    assert "report.html" not in page
    assert "Reports name people" in page
    assert running.runs[0].name in page
