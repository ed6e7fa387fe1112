"""The page on unattended work: its site file is right, its tables say what the code says."""

import re
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.views.run_json import EXIT_MEANINGS, failed_to_json, run_to_json
from seatwarden.engine.history.forecast import Forecast
from seatwarden.engine.history.running_out import RunningOut
from seatwarden.engine.monitor.capacity import FreeLicenses
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.service.known import Known
from seatwarden.engine.service.state import JobResult, ServiceState
from seatwarden.engine.service.status import Record, status_of
from seatwarden.engine.service.status_page import render_status
from seatwarden.engine.site.capacity import WarnBelow
from seatwarden.engine.site.settings import load_settings
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.errors import InputError, PolicyError
from tests.docs.blocks import BLOCK
from tests.engine.service.past import state_at
from tests.engine.service.sites import settings_of, write_site
from tests.engine.service.test_status_server import NOW
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")


def _file(name: str) -> str:
    return next(block["text"] for block in BLOCK.finditer(PAGE) if block["file"] == name)


def test_the_site_file_is_right(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(_file("site.yaml"))
    (tmp_path / "license.policy").write_text("release analyzer when unused for 30 days\n")
    settings = load_settings(tmp_path / "site.yaml", {}, default_folder=tmp_path, scheduled=True)
    assert settings.dry_run
    assert settings.jobs.server_monitor.threshold_days == 60
    assert settings.warnings == ()
    assert settings.notes == ()
    assert settings.http_port == 9464


def test_the_site_file_is_no_policy() -> None:
    framed = _file("site.yaml")
    butler, ours = framed.removeprefix("Butler:\n").split("seatwarden:\n")
    for text in (framed, f"{dedent(butler)}seatwarden:\n{ours}"):
        with pytest.raises(PolicyError) as raised:
            parse_butler(text, "site.yaml")
        (finding,) = raised.value.diagnostics
        assert (finding.code, finding.help) == ("SW209", "name that file instead")
    with_rules = f"licenseRelease: {{licenseType: {{}}}}\nseatwarden:\n{ours}"
    assert parse_butler(with_rules, "site.yaml").statements == ()


def test_the_metrics_are_those_that_there_are() -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    from seatwarden.engine.service.status_server import StateCollector

    state = ServiceState(NOW)
    state.schedule({"licenseRelease": "every 6 hours"})
    state.due("licenseRelease", NOW)
    state.ended("licenseRelease", NOW, JobResult("done", True, {"released": 1.0}))
    found = RunningOut(9, 12, None, 365, 365)
    free = FreeLicenses("analyzer", 5, 100, 10, WarnBelow(10), Forecast(5, NOW.date(), found, found))
    state.known = Known(free=(free,), free_at=NOW)
    registry = CollectorRegistry()
    registry.register(StateCollector(state))
    there = set(re.findall(r"^(seatwarden_\w+)", generate_latest(registry).decode(), re.MULTILINE))
    table = PAGE.split("| metric | what it is |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"`(seatwarden_\w+)", table)) == there


def test_exit_codes() -> None:
    table = PAGE.split("| exit code of `run` |", 1)[1].split("\n\n", 1)[0]
    said = re.findall(r"^\| (\d) \| (.+) \|$", table, re.MULTILINE)
    assert {int(code): meaning for code, meaning in said} == {int(code): said for code, said in EXIT_MEANINGS.items()}


def test_the_object_of_a_run_has_the_keys_that_the_page_names() -> None:
    table = PAGE.split("`run --format json` prints one object", 1)[1].split("\n\n", 2)[1]
    named = {key for row in re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
    report = RunReport("dry-run", True, NOW, NOW)
    there = run_to_json(report, ExitCode.DONE, Path("site.yaml"), "https://qlik.example.com")
    assert named == {*there, "warnings"}
    assert failed_to_json(InputError("no"), ExitCode.BAD_INPUT, Path("site.yaml")).keys() <= there.keys()


def test_the_status_page_has_the_parts_that_the_page_names(tmp_path: Path) -> None:
    settings = settings_of(write_site(tmp_path, 4242))
    status = status_of(state_at(NOW, wrong=True), settings, Record(), NOW)
    shown = render_status(
        replace(status, soon=status.wrong, not_looked=("How many licenses are free: not looked yet",))
    ).content.decode()
    table = PAGE.split("| part | what it shows |", 1)[1].split("\n\n", 1)[0]
    named = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    assert [part for part in named if part not in ("---", "the band")] == re.findall(r"<h2[^>]*>(.*?)</h2>", shown)
