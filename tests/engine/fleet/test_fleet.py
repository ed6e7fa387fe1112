"""A fleet at work: healthy sites are planned and released whatever happens at the others, and the limit is one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.fleet.fleet import check_fleet, plan_fleet, report_fleet, run_fleet
from seatwarden.engine.fleet.settings import load_fleet
from seatwarden.engine.log.register import REGISTER_FILE, Attempt, read_register
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.report.write import possible_pages
from seatwarden.engine.runs import publish
from seatwarden.engine.simulator.server import Fault
from tests.engine.fleet.fleets import SimulatedFleet, by_name, simulated_fleet
from tests.engine.idle import LICENSES, POLICY
from tests.engine.service.sites import TO_INFLUX

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without pauses."""
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)


def _damage_register(one: SimulatedFleet, name: str) -> None:
    folder = one.folder / name / "state"
    folder.mkdir()
    (folder / REGISTER_FILE).write_text('{"n":1,"kind":"register"}\n', encoding="utf-8")


def _edit(one: SimulatedFleet, name: str, before: str, after: str) -> None:
    path = one.folder / name / "site.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


FAULTS: dict[str, Callable[[SimulatedFleet, str], Any]] = {
    "away": lambda one, name: _edit(one, name, f"port: {one.sites[name].port}", "port: 1"),
    "html": lambda one, name: one.sites[name].faults.append(Fault("html")),
    "refuses us": lambda one, name: one.sites[name].faults.append(Fault("status", status=403)),
    "breaks off": lambda one, name: one.sites[name].faults.append(Fault("truncate", path_contains="user/full")),
    "busy": lambda one, name: one.sites[name].faults.append(Fault("status", status=503)),
    "no site file": lambda one, name: (one.folder / name / "site.yaml").unlink(),
    "site file wrong": lambda one, name: _edit(one, name, "dryRun", "dryRnu"),
    "policy wrong": lambda one, name: (one.folder / name / "p.policy").write_text("release analyzr\n"),
    "register damaged": _damage_register,
    "empty": lambda one, name: one.sites[name].faults.append(Fault("status", status=200, body="[]")),
}
"""Ways in which a site is not well."""


def test_ten_faulty_sites_of_ten_kinds_keep_no_other_from_being_planned_and_released(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, len(FAULTS) + 3) as one:
        for number, put in enumerate(FAULTS.values()):
            put(one, f"s{number}")
        faulty = {f"s{number}": kind for number, kind in enumerate(FAULTS)}
        fleet = one.fleet()
        planned = by_name(plan_fleet(fleet, fleet.sites, one.means()).results)
        assert {name for name, result in planned.items() if result.outcome == "planned"} == set(one.sites) - set(faulty)
        assert one.released == dict.fromkeys(one.sites, 0)
        done = by_name(run_fleet(fleet, fleet.sites, one.means(), dry_run=False).results)
    for name, result in done.items():
        kind = faulty.get(name)
        if kind is None:
            assert (result.outcome, result.released, one.released[name]) == ("done", LICENSES, LICENSES)
        else:
            assert result.outcome == "failed", kind
            assert result.why, kind
            assert result.bad_input == (kind in ("no site file", "site file wrong", "policy wrong")), kind
            assert one.released[name] == 0, kind
    assert list(done) == sorted(done)
    wrong = next(name for name, kind in faulty.items() if kind == "policy wrong")
    assert "p.policy:1:9" in done[wrong].why[0]
    assert "did you mean `analyzer`?" in done[wrong].problems[0]


def test_each_site_keeps_its_own_record_which_verifies(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2) as one:
        fleet = one.fleet()
        run_fleet(fleet, fleet.sites, one.means(), dry_run=False)
    for name in one.sites:
        assert verify_record(one.folder / name / "state", possible_pages).faults == []
        register = read_register(one.folder / name / "state" / REGISTER_FILE)
        assert register is not None
        assert register.opened.site == one.sites[name].url


def test_over_the_fleets_limit_nothing_is_released_and_each_register_says_why(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 3) as one:
        fleet = one.fleet("17 per run")
        report = run_fleet(fleet, fleet.sites, one.means(), dry_run=False)
    assert report.over == ("at all sites, 18 licenses due; the limit of 17 per run allows 17",)
    assert {result.outcome for result in report.results} == {"over-limit"}
    assert sum(one.released.values()) == 0
    register = read_register(one.folder / "s0" / "state" / REGISTER_FILE)
    assert register is not None
    (attempt,) = register.of_kind(Attempt)
    assert attempt.result == "refused"
    assert attempt.person.reason == report.over[0]


def test_the_longest_unused_over_all_sites_are_released_and_the_rest_waits(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 3) as one:
        with one.sites["s2"].site_lock() as site:
            for row in site["licenses"]["analyzer"]:
                row["lastUsed"] = "2026-01-01T00:00:00.000Z"
        fleet = one.fleet("8 per run, longest unused first")
        first = by_name(run_fleet(fleet, fleet.sites, one.means(), dry_run=False).results)
        assert one.released == {"s0": 2, "s1": 0, "s2": 6}
        assert {name: (result.outcome, result.allowed) for name, result in first.items()} == {
            "s0": ("done", 2),
            "s1": ("done", 0),
            "s2": ("done", 6),
        }
        run_fleet(fleet, fleet.sites, one.means(), dry_run=False)
        assert one.released == {"s0": 6, "s1": 4, "s2": 6}
        run_fleet(fleet, fleet.sites, one.means(), dry_run=False)
        assert one.released == dict.fromkeys(one.sites, LICENSES)


def test_the_choice_is_the_same_whichever_site_is_slow(tmp_path: Path) -> None:
    found = []
    for slow in ("s0", "s2"):
        folder = tmp_path / slow
        folder.mkdir()
        with simulated_fleet(folder, 3) as one:
            one.sites[slow].faults.append(Fault("delay", seconds=0.3, path_contains="full"))
            fleet = one.fleet("8 per run, longest unused first")
            report = run_fleet(fleet, fleet.sites, one.means(), dry_run=False)
            assert one.told[-1].site != "s1" or len(one.told) > 3
            found.append([(result.site, result.allowed, one.released[result.site]) for result in report.results])
    assert found[0] == found[1] == [("s0", 6, 6), ("s1", 2, 2), ("s2", 0, 0)]


def test_dry_runs_leave_the_limit_to_those_that_release(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2) as one:
        _edit(one, "s0", "dryRun: false", "dryRun: true")
        fleet = one.fleet("6 per run")
        results = by_name(run_fleet(fleet, fleet.sites, one.means(), dry_run=False).results)
        assert one.released == {"s0": 0, "s1": LICENSES}
        assert (results["s0"].outcome, results["s1"].outcome) == ("dry-run", "done")
        again = run_fleet(fleet, fleet.sites, one.means(), dry_run=True)
        assert {result.outcome for result in again.results} == {"dry-run"}
        assert one.released == {"s0": 0, "s1": LICENSES}


def test_a_sites_own_limit_refuses_that_site_alone(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2) as one:
        (one.folder / "s0" / "p.policy").write_text(POLICY.replace("1000", "5"), encoding="utf-8")
        fleet = one.fleet("6 per run")
        results = by_name(run_fleet(fleet, fleet.sites, one.means(), dry_run=False).results)
    assert one.released == {"s0": 0, "s1": LICENSES}
    assert results["s0"].outcome == "over-limit"
    assert results["s0"].why == ["6 licenses due; the limit of 5 per run allows 5"]


def test_a_failed_release_is_counted_at_its_site(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2) as one:
        one.sites["s0"].faults.append(Fault("status", method="DELETE", status=500, times=1))
        fleet = one.fleet()
        results = by_name(run_fleet(fleet, fleet.sites, one.means(), dry_run=False).results)
    assert (results["s0"].outcome, results["s0"].failures, results["s0"].released) == ("incomplete", 1, LICENSES - 1)
    assert (results["s1"].outcome, results["s1"].released) == ("done", LICENSES)


def test_in_processes_of_their_own_the_same(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2) as one:
        one.processes = 2
        fleet = one.fleet("7 per run, longest unused first")
        results = run_fleet(fleet, fleet.sites, one.means(), dry_run=False).results
    assert [(result.site, result.outcome, result.released) for result in results] == [
        ("s0", "done", 6),
        ("s1", "done", 1),
    ]


def test_check_asks_every_site_and_finds_one_that_is_there_twice(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 3) as one:
        _edit(one, "s2", f"port: {one.sites['s2'].port}", f"port: {one.sites['s0'].port}")
        one.sites["s1"].faults.append(Fault("status", status=403, path_contains="user/count"))
        fleet = one.fleet()
        results = by_name(check_fleet(fleet, fleet.sites, one.means()).results)
    assert results["s0"].outcome == "done"
    assert results["s1"].why[0].startswith("right to read users: ")
    assert results["s1"].help == "give the user in X-Qlik-User a role that may read `User_*`, such as RootAdmin"
    assert results["s2"].why == [f"it is the same site as `s0`: {one.sites['s0'].url}"]


def test_plans_in_a_folder_can_be_applied(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2) as one:
        fleet = one.fleet()
        report = plan_fleet(fleet, fleet.sites, one.means(), tmp_path / "plans")
        again = plan_fleet(fleet, fleet.sites, one.means(), tmp_path / "plans")
    for result in report.results:
        assert result.folder == str(tmp_path / "plans" / result.site)
        assert verify_record(Path(result.folder), possible_pages).faults == []
    assert {result.outcome for result in again.results} == {"failed"}
    assert "holds another plan already" in again.results[0].why[0]


def test_a_report_is_of_the_newest_run_of_each_and_asks_no_site(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 3) as one:
        fleet = one.fleet()
        run_fleet(fleet, fleet.sites[:2], one.means(), dry_run=False)
        asked = [len(qrs.requests) for qrs in one.sites.values()]
        results = report_fleet(fleet, fleet.sites, one.means(), tmp_path / "pages").results
        assert [len(qrs.requests) for qrs in one.sites.values()] == asked
    assert [(result.words, result.released, result.due) for result in results] == [
        ("applied", 6, 6),
        ("applied", 6, 6),
        ("no run yet", 0, None),
    ]
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["s0.html", "s1.html"]


def test_points_of_a_site_carry_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    def write(points: list[Any], *rest: object) -> bool:
        kept.extend(points)
        return True

    monkeypatch.setattr(publish, "write_points", write)
    with simulated_fleet(tmp_path, 2, release=f"dryRun: false\n{TO_INFLUX}") as one:
        fleet = one.fleet()
        run_fleet(fleet, fleet.sites, one.means(), dry_run=False)
        urls = {qrs.url for qrs in one.sites.values()}
    released = [point for point in kept if point.measurement == "qlik_sense_license_release"]
    assert len(released) == 2 * LICENSES
    assert {dict(point.tags)["site"] for point in kept} == urls
    runs = [point for point in kept if point.measurement == "seatwarden_run" and "released" in point.fields]
    assert sum(point.fields["released"] for point in runs) == 2 * LICENSES
    assert sum(point.fields["release"] for point in runs) == 2 * LICENSES


def test_one_that_is_let_down_in_the_second_step_says_so(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 2) as one:
        fleet = one.fleet()
        means = one.means()

        def tell(result: Any) -> None:
            if result.outcome == "planned" and result.site == "s0":
                (one.folder / "s0" / "p.policy").write_text(POLICY + "# edited meanwhile\n", encoding="utf-8")
                one.sites["s1"].faults.append(Fault("status", status=401))

        means = replace(means, tell=tell)
        results = by_name(run_fleet(load_fleet(one.file, {}), fleet.sites, means, dry_run=False).results)
    assert one.released == {"s0": LICENSES, "s1": 0}
    assert results["s1"].outcome == "failed"
    assert results["s1"].due == LICENSES
