"""A run in two steps: the second releases what is allowed of what the first has left, or nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from seatwarden.engine.apply.apply import PendingApply
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.log.register import REGISTER_FILE, Attempt, ClosedRun, read_register
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.runs import applying
from seatwarden.engine.runs.publish import events_of, points_of
from seatwarden.engine.runs.run_report import RunReport
from tests.engine.apply.applying import POLICY, idle
from tests.engine.cli.applying import read_outcomes
from tests.engine.runs.approving import Approving
from tests.engine.runs.running import Running, Site


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """A site with three licenses that are due."""
    return Running(tmp_path, Site(idle(3)))


def test_the_first_step_releases_nothing_and_says_what_is_left(running: Running) -> None:
    report = running.first_step()
    assert (report.outcome, running.qrs.deletes) == ("planned", [])
    assert report.left is not None
    assert [one.license_id for one in report.left.chosen] == ["l1", "l2", "l3"]
    assert all(one.unused_days > 0 and not one.announced for one in report.left.chosen)
    assert report.left.folder == report.folder == running.runs[0]
    assert not (running.runs[0] / JOURNAL_FILE).exists()


def test_the_second_step_releases_what_is_allowed_and_the_record_verifies(running: Running) -> None:
    report = running.second_step(running.first_step(), "l1", "l3")
    assert (report.outcome, running.qrs.deletes) == ("done", ["l1", "l3"])
    assert report.counts == {"released": 2}
    assert report.seals is not None
    assert verify_record(running.folder / "state", lambda folder: ()).faults == []
    register = read_register(running.folder / "state" / REGISTER_FILE)
    assert register is not None
    (closed,) = register.of_kind(ClosedRun)
    assert (closed.released, closed.settled) == ({"analyzer": 2}, True)
    assert running.run().outcome == "done"
    assert running.qrs.deletes == ["l2"]


def test_nothing_due_leaves_nothing(tmp_path: Path) -> None:
    report = Running(tmp_path, Site(idle(0))).first_step()
    assert (report.outcome, report.left) == ("done", None)


def _run_meanwhile(running: Running, first: RunReport) -> None:
    running.run(dry_run=True)


def _other_policy(running: Running, first: RunReport) -> None:
    running.policy = POLICY + "# another\n"
    running.policy = f'keep "all" when user.userDirectory = "ACME"\n{POLICY}'


def _dry_run(running: Running, first: RunReport) -> None:
    running.release = "dryRun: true"


def _forged_plan(running: Running, first: RunReport) -> None:
    plan = running.runs[-1] / PLAN_FILE
    plan.write_bytes(plan.read_bytes().replace(b'"release"', b'"keep"', 1))


def _another_plan(running: Running, first: RunReport) -> None:
    """A plan that the register knows, too, in the place of the one that was made."""
    other, mine = running.runs
    for name in (PLAN_FILE, "policy.policy", "summary.txt"):
        (mine / name).write_bytes((other / name).read_bytes())


def _no_plan(running: Running, first: RunReport) -> None:
    (running.runs[-1] / PLAN_FILE).unlink()


def _cut_register(running: Running, first: RunReport) -> None:
    register = running.folder / "state" / REGISTER_FILE
    register.write_bytes(register.read_bytes().splitlines(keepends=True)[0])


def _applied_already(running: Running, first: RunReport) -> None:
    running.second_step(first)
    running.qrs.events.clear()


@pytest.mark.parametrize(
    ("meanwhile", "outcome", "why"),
    [
        (_run_meanwhile, "refused", "another plan was made for this site meanwhile"),
        (_other_policy, "refused", "the policy has changed since the plan was made"),
        (_dry_run, "refused", "the site file says by now that nothing is to be released"),
        (_forged_plan, "refused", "the plan is damaged"),
        (_another_plan, "refused", "the plan on the disk is not the one that was written"),
        (_no_plan, "failed", "holds no plan"),
        (_cut_register, "refused", "another plan was made for this site meanwhile"),
        (_applied_already, "refused", "this plan was applied meanwhile"),
    ],
)
def test_whatever_changed_meanwhile_nothing_is_released(
    running: Running, meanwhile: Callable[[Running, RunReport], None], outcome: str, why: str
) -> None:
    running.first_step()
    first = running.first_step()
    meanwhile(running, first)
    report = running.second_step(first)
    assert (report.outcome, running.qrs.deletes) == (outcome, [])
    assert why in report.why[0]


def test_a_license_that_the_plan_does_not_release_is_released_by_nobodys_word(running: Running) -> None:
    running.policy = f'keep "one" when user.userId = "user2"\n{POLICY}'
    first = running.first_step()
    assert first.left is not None
    forged = first.left.chosen[0]
    left = type(first.left)(
        first.left.folder,
        first.left.root,
        first.left.allocated,
        (*first.left.chosen, type(forged)("analyzer", "l2", 500, "")),
        first.left.last_run,
    )
    object.__setattr__(first, "left", left)
    assert running.second_step(first).outcome == "done"
    assert running.qrs.deletes == ["l1", "l3"]
    assert set(read_outcomes(running.runs[0]).results) == {"l1", "l3"}


def test_over_a_limit_above_it_the_site_releases_nothing_and_notifies(running: Running) -> None:
    first = running.first_step()
    report = running.second_step(first, over=["at all sites, 9 licenses due; the limit of 5 per run allows 5"])
    assert (report.outcome, running.qrs.deletes) == ("over-limit", [])
    register = read_register(running.folder / "state" / REGISTER_FILE)
    assert register is not None
    assert [line.result for line in register.of_kind(Attempt)] == ["refused"]
    (event,) = events_of(report, running.settings)
    assert event.kind == "limit-hit"
    assert event.data["overLimit"] == list(report.why)


def test_killed_in_the_second_step_the_next_run_ends_what_was_allowed_and_no_more(running: Running) -> None:
    first = running.first_step()

    def killed(license_id: str) -> None:
        if license_id == "l3":
            raise MemoryError

    running.qrs.on_delete = killed
    with pytest.raises(MemoryError):
        running.second_step(first, "l1", "l3")
    assert running.qrs.deletes == ["l1", "l3"]
    running.qrs.on_delete = lambda license_id: None
    running.policy = f'keep "all" when user.userDirectory = "ACME"\n{POLICY}'  # nothing new is due
    running.run()
    assert set(read_outcomes(running.runs[0]).results) == {"l1", "l3"}
    assert "l2" not in running.qrs.deletes


def test_both_steps_together_are_one_run_in_numbers(running: Running) -> None:
    settings = running.settings
    first = running.first_step()
    second = running.second_step(first, "l1")
    points = [point for report in (first, second) for point in points_of(report, settings)]
    runs = [point for point in points if point.measurement == "seatwarden_run"]
    totals = [point for point in runs if "released" in point.fields]
    assert [dict(point.tags)["outcome"] for point in totals] == ["planned", "done"]
    for name, count in (("release", 3), ("released", 1), ("failures", 0)):
        assert sum(float(point.fields[name]) for point in totals) == count
    rules = [point for point in runs if dict(point.tags).get("verdict") == "release"]
    assert sum(float(point.fields["licenses"]) for point in rules) == 3
    assert sum(float(point.fields["licenses_released"]) for point in rules) == 1


def test_an_approved_plan_is_left_to_the_second_step_too(
    tmp_path: Path, key_folder: Path, signers: Mapping[str, SigningKey]
) -> None:
    site = Approving(tmp_path, Site(idle(3)), keys=key_folder, signers=signers)
    assert site.first_step().outcome == "waiting"
    (folder,) = site.runs
    for name in ("anna", "bert"):
        site.answer(folder, name)
    first = site.first_step()
    assert (first.outcome, site.qrs.deletes) == ("planned", [])
    assert first.left is not None
    assert first.left.folder == folder
    assert site.second_step(first, "l2").outcome == "done"
    assert site.qrs.deletes == ["l2"]
    assert site.verified().faults == []


@pytest.mark.parametrize("journal", [None, b"", b'{"n":1,"kind":"apply"'])
def test_killed_before_the_first_line_of_its_journal_it_is_closed_by_the_next_run(
    running: Running, monkeypatch: pytest.MonkeyPatch, journal: bytes | None
) -> None:
    first = running.first_step()

    def killed(pending: PendingApply, *rest: object) -> None:
        if journal is not None:
            pending.path.write_bytes(journal)
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(applying, "open_journal", killed)
        with pytest.raises(MemoryError):
            running.second_step(first, "l2")
    assert running.run().outcome == "done"
    assert sorted(running.qrs.deletes) == ["l1", "l2", "l3"]
    register = read_register(running.folder / "state" / REGISTER_FILE)
    assert register is not None
    assert register.open_runs() == {}
    assert verify_record(running.folder / "state", lambda folder: ()).faults == []
