"""Pruning: whole runs go when their time is over, and nothing goes by a wrong clock alone."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.log.register import Planned, PrunedRuns, read_register
from seatwarden.engine.runs import retention
from seatwarden.engine.runs.retention import OldRuns, find_old
from seatwarden.policy.errors import PolicyError
from tests.engine.idle import idle_site
from tests.engine.runs.recorded import RecordedSite

KEEP = timedelta(days=400)


@pytest.fixture
def site(tmp_path: Path) -> RecordedSite:
    """Two old runs, the second of which released everything, and one of today."""
    made = RecordedSite(tmp_path)
    made.run(dry_run=True)
    made.run()
    made.content = idle_site()
    made.now += timedelta(days=401)
    made.run(dry_run=True)
    return made


def old(site: RecordedSite, keep: timedelta = KEEP) -> OldRuns:
    state = read_register(site.state / "runs.jsonl")
    assert state is not None
    return find_old(site.state, state, keep)


def prune(site: RecordedSite, keep: timedelta = KEEP) -> None:
    with site.record() as record:
        assert record.prune(record.old_runs(keep), keep) == []


def test_old_runs_go_and_their_roots_stay(site: RecordedSite) -> None:
    before = site.runs
    roots = {line.root for line in site.verified().register.of_kind(Planned)}  # type: ignore[union-attr]
    prune(site)
    assert site.runs == before[2:]
    assert [path.name for path in (site.state / "runs").iterdir()] == [before[2].name]
    assert not list((site.state / "published").iterdir())
    found = site.verified()
    assert found.faults == []
    assert found.register is not None
    begun, done = found.register.of_kind(PrunedRuns)
    assert (begun.done, done.done, begun.keep) == (False, True, "400d")
    assert {*begun.runs.values()} < roots
    assert [line.run for line in found.register.of_kind(Planned)] == [1, 2, 3]


def test_nothing_is_old_yet(site: RecordedSite) -> None:
    assert old(site, timedelta(days=402)).due == {}
    assert len(old(site, timedelta(days=400)).due) == 2


def test_a_run_that_is_missing_and_was_not_pruned_is_a_finding_still(site: RecordedSite) -> None:
    shutil.rmtree(site.runs[0])
    assert any("nobody has pruned it" in fault.problem for fault in site.verified().faults)


def test_what_a_loss_of_power_brings_back_is_deleted_again(site: RecordedSite) -> None:
    gone = site.runs[0]
    shutil.copytree(gone, site.folder / "copy")
    prune(site)
    shutil.copytree(site.folder / "copy", gone.with_name(f".{gone.name}.gone"))
    assert site.verified().faults == []
    site.run(dry_run=True)
    assert not gone.with_name(f".{gone.name}.gone").exists()


def test_what_is_marked_read_only_goes_too(site: RecordedSite) -> None:
    for path in site.runs[0].rglob("*"):
        if path.is_file():
            path.chmod(0o400)
    prune(site)
    assert len([*(site.state / "runs").iterdir()]) == 1


def test_no_path_is_longer_than_those_that_were_written(site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a path may have 260 characters: what could be written there can be moved aside there."""
    longer = []
    whole = os.rename

    def rename(source: Path, target: Path) -> None:
        longer.append(len(str(target)) - len(str(source)))
        whole(source, target)

    monkeypatch.setattr(os, "rename", rename)
    prune(site)
    assert len(longer) == 2
    assert max(longer) <= len("..part")


# Clocks --------------------------------------------------------------------------------------------------


def test_our_clock_alone_deletes_nothing(tmp_path: Path) -> None:
    """One night it is two years ahead; QRS knows better."""
    site = RecordedSite(tmp_path)
    site.run(dry_run=True)
    site.now += timedelta(days=730)
    site.site_ahead = -timedelta(days=730)
    site.run(dry_run=True)
    assert old(site, timedelta(days=31)).due == {}


def test_the_clock_of_qrs_alone_deletes_nothing(tmp_path: Path) -> None:
    site = RecordedSite(tmp_path)
    site.run(dry_run=True)
    site.site_ahead = timedelta(days=730)
    site.run(dry_run=True)
    assert old(site, timedelta(days=31)).due == {}


def test_a_run_planned_while_our_clock_was_behind_is_not_old(tmp_path: Path) -> None:
    site = RecordedSite(tmp_path)
    site.run(dry_run=True)
    site.now -= timedelta(days=730)
    site.site_ahead = timedelta(days=730)
    site.run(dry_run=True)
    site.now += timedelta(days=730)
    site.site_ahead = timedelta(0)
    site.run(dry_run=True)
    assert old(site, timedelta(days=31)).due == {}


def test_without_the_clock_of_qrs_nothing_is_deleted(tmp_path: Path) -> None:
    site = RecordedSite(tmp_path)
    site.site_ahead = None
    site.run(dry_run=True)
    site.now += timedelta(days=730)
    site.run(dry_run=True)
    assert (old(site).upto, old(site).due) == (None, {})


# What stays ----------------------------------------------------------------------------------------------


def test_a_disputed_run_stays_and_is_named(site: RecordedSite) -> None:
    (site.runs[0] / "summary.txt").write_text("nothing at all")
    found = old(site)
    assert [run.folder for run in found.kept] == [site.runs[0]]
    assert "disputed" in found.kept[0].why
    assert [*found.due] == [f"runs/{site.runs[1].name}"]


def test_an_open_run_stays_and_is_named(tmp_path: Path) -> None:
    site = RecordedSite(tmp_path)
    site.run_killed()
    site.now += timedelta(days=401)  # so long after, no run looks for it any more
    site.run(dry_run=True)
    found = old(site)
    assert (found.due, [run.folder for run in found.kept]) == ({}, site.runs[:1])
    assert "open" in found.kept[0].why


def test_a_run_that_was_killed_and_gone_on_with_goes_in_its_time(tmp_path: Path) -> None:
    """The register has it begun twice and closed once."""
    site = RecordedSite(tmp_path)
    site.run_killed()
    site.now += timedelta(minutes=1)
    site.run()
    site.now += timedelta(days=401)
    site.run(dry_run=True)
    state = read_register(site.state / "runs.jsonl")
    assert state is not None
    assert [line.kind for line in state.lines if getattr(line, "run", None) == 1][1:] == ["begun", "begun", "closed"]
    assert f"runs/{site.runs[0].name}" in old(site).due


def test_the_newest_run_stays_however_old(tmp_path: Path) -> None:
    """Whatever else stands in the register since: the next run is compared with it."""
    site = RecordedSite(tmp_path)
    site.run(dry_run=True)
    site.now += timedelta(days=1)
    site.run(dry_run=True)
    assert [run.why for run in old(site, timedelta(hours=1)).kept] == []
    assert len(old(site, timedelta(hours=1)).due) == 1
    site.now += timedelta(days=1)
    with site.record() as record:
        record.attempt("QRS is down", failed=True)
    assert len(old(site, -timedelta(days=1)).due) == 1


def test_the_measure_of_the_next_run_stays(tmp_path: Path) -> None:
    """The newest run has found a change that touches everybody: the one before is what the next is held against."""
    site = RecordedSite(tmp_path)
    for user in site.content["users"]:
        user["tags"] = [{"name": "License do not release"}]
    site.run(dry_run=True)
    site.now += timedelta(days=500)
    for user in site.content["users"]:
        user["tags"] = []
    report = site.run(dry_run=True)
    assert {finding.code for finding in report.stopped_by} == {"SW407"}
    found = old(site)
    assert (found.due, [run.folder for run in found.kept]) == ({}, site.runs[:1])
    assert "compared with" in found.kept[0].why


# By itself -----------------------------------------------------------------------------------------------


def test_a_run_prunes_when_the_site_file_says_so(site: RecordedSite) -> None:
    site.ours = "retention: 400d\n"
    report = site.run(dry_run=True)
    assert report.outcome == "dry-run"
    assert len(site.runs) == 2
    assert any("runs deleted whose time was over {'runs': 2" in said for said in site.said)
    assert site.verified().faults == []
    assert report.seals is not None
    assert site.verified().register.settings()["retention"] == "400d"  # type: ignore[union-attr]


def test_without_the_setting_everything_is_kept(site: RecordedSite) -> None:
    site.run(dry_run=True)
    assert len(site.runs) == 4


@pytest.mark.parametrize("written", ["30d", "400", "d", "1 year", "-5d", "99999d", "400d d"])
def test_no_time_to_keep_runs_for(tmp_path: Path, written: str) -> None:
    with pytest.raises(PolicyError) as refused:
        _ = RecordedSite(tmp_path, ours=f"retention: {written}\n").settings
    assert {finding.code for finding in refused.value.diagnostics} <= {"SW204", "SW205"}


def test_days_are_read(tmp_path: Path) -> None:
    assert RecordedSite(tmp_path, ours="retention: 400 d\n").settings.retention == KEEP
    assert RecordedSite(tmp_path).settings.retention is None


def test_a_pruning_that_is_held_does_not_change_how_a_run_ends(
    site: RecordedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(folder: Path) -> None:
        raise PermissionError(13, "held by another program")

    monkeypatch.setattr(retention, "_delete", held)
    site.ours = "retention: 400d\n"
    assert site.run(dry_run=True).outcome == "dry-run"
    assert any("cannot be deleted" in said for said in site.said)
    assert len(site.runs) == 4
    monkeypatch.undo()
    site.run(dry_run=True)
    assert len(site.runs) == 3
    assert site.verified().faults == []
