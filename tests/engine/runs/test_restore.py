"""Restores in the record of a site: they age, and forget, and are verified as runs are."""

from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.register import PlannedRestore, read_register
from seatwarden.engine.log.restored import given_back
from seatwarden.engine.runs.forgotten import find_person
from seatwarden.engine.runs.restore import check_restorable
from seatwarden.engine.runs.retention import find_old
from seatwarden.engine.runs.traces import restore_folders_of, still_named
from tests.engine.runs.recorded import RecordedSite
from tests.engine.runs.restoring import restore

KEEP = timedelta(days=400)


@pytest.fixture
def site(tmp_path: Path) -> RecordedSite:
    made = RecordedSite(tmp_path)
    made.run()
    return made


def test_all_of_it(site: RecordedSite) -> None:
    (run,) = site.runs
    _, done = restore(site, run)
    assert done.counts == {"restored": 6, "held": 0, "skipped": 0, "failed": 0, "unknown": 0}
    assert site.verified().faults == []
    back = given_back(read_log(run))
    assert {one.result for one in back.values()} == {"restored"}
    assert all(one.is_regretted for one in back.values())


@pytest.mark.parametrize(("days", "regretted"), [(29, True), (30, False), (31, False)])
def test_what_is_given_back_within_30_days_is_regretted(site: RecordedSite, days: int, regretted: bool) -> None:
    """The run itself took a minute, so that 30 days after its end are a minute more than 30 days."""
    (run,) = site.runs
    site.now += timedelta(days=days)
    restore(site, run)
    assert {one.is_regretted for one in given_back(read_log(run)).values()} == {regretted}


def test_the_register_numbers_it(site: RecordedSite) -> None:
    (run,) = site.runs
    folder, _ = restore(site, run)
    site.run(dry_run=True)
    state = read_register(site.state / "runs.jsonl")
    assert state is not None
    (line,) = state.of_kind(PlannedRestore)
    assert (line.run, line.folder, line.licenses) == (2, f"runs/{folder.name}", 6)
    assert (state.last_run, state.open_runs()) == (3, {})
    assert site.verified().faults == []


def test_the_run_after_it_goes_on_as_ever(site: RecordedSite) -> None:
    """A restore is no plan: nobody takes it for the run before, or for one to be finished."""
    (run,) = site.runs
    restore(site, run)
    report = site.run()
    assert (report.outcome, report.why) == ("done", ())


def test_old_restores_go_with_the_runs(site: RecordedSite) -> None:
    (run,) = site.runs
    folder, _ = restore(site, run)
    site.now += timedelta(days=401)
    site.run(dry_run=True)
    with site.record() as record:
        old = record.old_runs(KEEP)
        assert {*old.due} == {f"runs/{run.name}", f"runs/{folder.name}"}
        assert record.prune(old, KEEP) == []
    assert not folder.exists()
    assert site.verified().faults == []


def test_an_open_restore_stays(site: RecordedSite) -> None:
    (run,) = site.runs
    folder, _ = restore(site, run)
    path = folder / "outcomes.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]))
    site.now += timedelta(days=401)
    site.run(dry_run=True)
    state = read_register(site.state / "runs.jsonl")
    assert state is not None
    old = find_old(site.state, state, KEEP)
    assert f"runs/{folder.name}" not in old.due
    assert any(left.folder == folder and "it is open" in left.why for left in old.kept)


def test_a_person_is_erased_from_it(site: RecordedSite) -> None:
    (run,) = site.runs
    folder, _ = restore(site, run)
    site.content["licenses"]["analyzer"] = []
    site.run(dry_run=True)
    person = find_person("CORP\\user03", [*site.runs, *restore_folders_of(site.state)])
    with site.record() as record:
        traces = record.traces(person, None)
        assert traces.left == []
        assert {f"runs/{folder.name}/{name}" for name in ("restore.jsonl", "outcomes.jsonl")} <= {*traces.files}
        record.erase(traces, "left")
    assert [str(place) for place in still_named(person, site.state)] == []
    assert site.verified().faults == []
    assert len(given_back(read_log(run))) == 6, "that it was given back still counts"


def test_a_person_whom_only_a_restore_names_is_found(site: RecordedSite) -> None:
    (run,) = site.runs
    restore(site, run)
    assert find_person("user 03", restore_folders_of(site.state)).user == "CORP\\user03"


def test_a_run_that_is_not_at_its_end_is_refused(tmp_path: Path) -> None:
    site = RecordedSite(tmp_path)
    site.run_killed()
    (run,) = site.runs
    with pytest.raises(PlanRefused, match="is not at its end"):
        check_restorable(read_log(run), site.settings.site.url)


@pytest.mark.parametrize(
    ("dry_run", "url", "why"), [(True, None, "is a dry run"), (False, "https://x", "not of https://x")]
)
def test_what_has_nothing_to_give_back(tmp_path: Path, dry_run: bool, url: str | None, why: str) -> None:
    site = RecordedSite(tmp_path)
    site.run(dry_run=dry_run)
    (run,) = site.runs
    with pytest.raises(PlanRefused, match=why):
        check_restorable(read_log(run), url or site.settings.site.url)
