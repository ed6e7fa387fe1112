"""What is found in a plan stops a run: what the site file names, and a change that touches everybody, until somebody
accepts it once."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.reader import read_log
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.runs.publish import events_of
from seatwarden.engine.runs.run_report import RunReport
from tests.engine.apply.applying import POLICY, idle
from tests.engine.runs.running import Running, Site

LEAVERS = "release analyzer when user.removedExternally and unused for 7 days\nlimit release to 1000 per run\n"
DELETES = "release analyzer when unused for 30 days\nlimit release to 1000 per run\n"


def _codes(report: RunReport) -> list[str]:
    return [finding.code for finding in report.plan.findings] if report.plan else []


def _mark(running: Running, users: int, **facts: Any) -> None:
    for user in running.qrs.site["users"][:users]:
        user.update(facts)


@pytest.fixture
def leavers(tmp_path: Path) -> Running:
    """Ten users of whom one has left, after a first run that has released that one's license."""
    running = Running(tmp_path, Site(idle(11)), policy=LEAVERS)
    _mark(running, 1, removedExternally=True)
    report = running.run()
    assert (report.outcome, report.counts, running.qrs.deletes) == ("done", {"released": 1}, ["l1"])
    assert report.plan is not None
    assert report.plan.compared == "no earlier run to compare with"
    return running


def test_everybody_is_marked_as_removed(leavers: Running) -> None:
    first = leavers.runs[0].name
    _mark(leavers, 11, removedExternally=True)
    report = leavers.run()
    sentence = (
        "`user.removedExternally` has changed for 10 of 10 users, so that their licenses can be released "
        f"(since run {first})"
    )
    assert (report.outcome, report.why, leavers.qrs.deletes) == ("stopped", (f"SW407: {sentence}",), [])
    assert report.plan is not None
    assert report.plan.compared == f"compared with run {first}"
    assert (logging.WARNING, sentence) in [(level, said) for level, said, _ in leavers.said]
    (event,) = (event for event in events_of(report, leavers.settings) if event.kind == "run-stopped")
    assert event.lines[1] == "Nothing has been released."
    assert f"SW407: {sentence}" in event.lines_for(people=False)
    log = read_log(leavers.runs[-1])
    header = log.header
    assert header.found == ["SW407"]
    assert [(f.code, f.names) for f in log.findings] == [("SW407", ("user.removedExternally",))]
    assert (header.compared, header.accepted) == (f"compared with run {first}", False)


def test_a_night_later_it_is_no_ordinary_state(leavers: Running) -> None:
    _mark(leavers, 11, removedExternally=True)
    for _ in range(3):
        assert leavers.run().outcome == "stopped"
    assert leavers.run(dry_run=True).outcome == "dry-run"
    assert leavers.run().outcome == "stopped"
    assert leavers.qrs.deletes == []


def test_it_is_accepted_once(leavers: Running) -> None:
    _mark(leavers, 11, removedExternally=True)
    leavers.run()
    report = leavers.run(accept_mass_change=True)
    assert (report.outcome, len(leavers.qrs.deletes), _codes(report), report.stopped_by) == ("done", 10, ["SW407"], ())
    assert read_log(leavers.runs[-1]).header.accepted
    # From then on the accepted state is the measure.
    leavers.qrs.site = idle(12)
    _mark(leavers, 11, removedExternally=True)
    again = leavers.run()
    assert (again.outcome, _codes(again)) == ("done", [])


def test_who_accepts_nothing_accepts_nothing(leavers: Running) -> None:
    report = leavers.run(accept_mass_change=True)
    assert (report.outcome, _codes(report)) == ("done", [])
    assert not read_log(leavers.runs[-1]).header.accepted
    _mark(leavers, 11, removedExternally=True)
    assert leavers.run().outcome == "stopped"


def test_a_dry_run_tells_of_it(leavers: Running) -> None:
    _mark(leavers, 11, removedExternally=True)
    report = leavers.run(dry_run=True)
    assert (report.outcome, [finding.code for finding in report.stopped_by]) == ("dry-run", ["SW407"])
    assert [event.kind for event in events_of(report, leavers.settings)] == ["plan-ready", "run-stopped"]


@pytest.mark.parametrize(("percent", "outcome"), [(50, "done"), (49, "stopped"), (100, "done")])
def test_how_many_are_too_many_is_set(leavers: Running, percent: int, outcome: str) -> None:
    leavers.ours = f"massChange: {percent}"
    _mark(leavers, 6, removedExternally=True)
    assert leavers.run().outcome == outcome


def test_a_run_that_cannot_be_read_is_no_measure(leavers: Running) -> None:
    plan = leavers.runs[0] / "plan.jsonl"
    plan.write_bytes(plan.read_bytes().replace(b'"analyzer"', b'"analyser"', 1))
    report = leavers.run()
    assert (report.outcome, _codes(report)) == ("stopped", ["SW407"])
    assert "the runs before cannot be read" in report.why[0]
    assert leavers.run(accept_mass_change=True).outcome == "done"
    assert leavers.run().outcome == "done", "the newer one can be read"


def test_not_even_its_first_line(leavers: Running) -> None:
    (leavers.runs[0] / "plan.jsonl").write_bytes(b"\x00")
    assert leavers.run().outcome == "stopped"


def test_another_site_and_later_runs_are_no_measure(leavers: Running) -> None:
    _mark(leavers, 11, removedExternally=True)
    leavers.now -= timedelta(days=1)
    report = leavers.run()
    assert report.plan is not None
    assert report.plan.compared == "no earlier run to compare with"
    leavers.now += timedelta(days=2)
    leavers.port = 4243
    elsewhere = leavers.run()
    assert elsewhere.plan is not None
    assert elsewhere.plan.compared == "no earlier run to compare with"


def test_another_policy_reads_other_facts(leavers: Running) -> None:
    leavers.policy = LEAVERS.replace("removedExternally", "inactive")
    _mark(leavers, 11, inactive=True)
    report = leavers.run()
    assert report.plan is not None
    assert report.plan.compared.endswith("; not recorded there: user.inactive")
    assert report.outcome == "done"


# Findings that the site file names -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "outcome"), [("parallel: 1", "done"), ("stopOn: [sw405, SW404]", "stopped"), ("stopOn: [SW402]", "done")]
)
def test_a_finding_stops_a_run(tmp_path: Path, ours: str, outcome: str) -> None:
    running = Running(tmp_path, Site(idle(2)), policy=DELETES, ours=ours)
    _mark(running, 1, roles=["RootAdmin"])
    report = running.run()
    assert (report.outcome, _codes(report)) == (outcome, ["SW405"])
    assert sorted(running.qrs.deletes) == ([] if outcome == "stopped" else ["l1", "l2"])
    if outcome == "stopped":
        (event,) = events_of(report, running.settings)
        assert event.kind == "run-stopped"
        assert "user1" not in " ".join(event.lines_for(people=False)) + str(event.data_for(people=False))
        assert "`ACME\\user1`" in " ".join(event.lines_for(people=True)) + str(event.data_for(people=True))
        assert "run run-stopped" not in event.subject


def test_what_is_accepted_stops_nothing_else(leavers: Running) -> None:
    leavers.ours = "stopOn: [SW405, SW407]"
    _mark(leavers, 11, removedExternally=True)
    assert leavers.run().outcome == "stopped"
    assert leavers.run(accept_mass_change=True).outcome == "done"
    leavers.qrs.site = idle(2)
    _mark(leavers, 2, removedExternally=True, roles=["RootAdmin"])
    report = leavers.run(accept_mass_change=True)
    assert (report.outcome, [finding.code for finding in report.stopped_by]) == ("stopped", ["SW405"])


def test_releases_are_told_with_what_was_found(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(1)), policy=DELETES)
    _mark(running, 1, roles=["RootAdmin"])
    (event,) = events_of(running.run(), running.settings)
    assert (event.kind, [told.code for told in event.findings]) == ("releases-done", ["SW405"])
    assert event.lines_for(people=False)[-1].startswith("SW405: a service account or administrator loses a license (")


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(1)), policy=DELETES)
    _mark(running, 1, roles=["RootAdmin"])
    report = running.run()
    assert report.plan is not None
    recorded = read_log(running.runs[0]).findings
    assert (tuple(recorded), type(recorded[0])) == (report.plan.findings, Finding)


# Guarantees ----------------------------------------------------------------------------------------------

_GUARANTEED = 'guarantee "admins" never release when user.roles = "RootAdmin"\n'


def test_a_guarantee_that_does_not_hold_stops_a_run(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(2)))
    running.policy = _GUARANTEED + POLICY
    report = running.run()
    assert (report.outcome, running.qrs.deletes, report.stopped_by) == ("stopped", [], ())
    (why,) = report.why
    assert why.startswith('`guarantee "admins" never release when user.roles = "RootAdmin"` does not hold, for example')
    (event,) = (event for event in events_of(report, running.settings) if event.kind == "run-stopped")
    assert event.lines[0].endswith("was stopped by guarantees that do not hold.")
    assert why[:150] in event.lines[1]
    assert running.run(dry_run=True).outcome == "dry-run"


def test_a_guarantee_that_holds_stops_nothing(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(2)))
    running.policy = _GUARANTEED + 'keep when user.roles = "RootAdmin"\n' + POLICY
    assert (running.run().outcome, running.qrs.deletes) == ("done", ["l1", "l2"])
