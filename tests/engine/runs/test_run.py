"""One run after another, in memory: what is released, what is left, and how it ends."""

import logging
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.apply.apply import only_one
from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.errors import NotAuthorized, RemoteError
from tests.engine.apply.applying import LONG_AGO, POLICY, idle
from tests.engine.cli.applying import Journalled, read_outcomes
from tests.engine.runs.running import Running, Site
from tests.engine.support import license_row, user
from tests.strategies import NOW


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path, Site(idle(3)))


def _only(running: Running) -> Journalled:
    (folder,) = running.runs
    return read_outcomes(folder)


EARLIER = "an earlier run is brought to its end"
LEFT = "an earlier run is left as it is"


def test_a_run(running: Running) -> None:
    report = running.run()
    assert (report.outcome, report.why, report.counts, running.qrs.deletes) == (
        "done", (), {"released": 3}, ["l1", "l2", "l3"]
    )  # fmt: skip
    assert (_only(running).sealed, report.folder) == (True, running.runs[0])
    assert running.words() == ["plan sealed", "released", "released", "released"]
    report.applied[0].mark_published()
    again = running.run()
    assert (again.outcome, again.counts, running.qrs.events) == ("done", {}, ["connect", "snapshot"])


def test_a_dry_run_releases_nothing(running: Running) -> None:
    report = running.run(dry_run=True)
    assert (report.outcome, report.dry_run, running.qrs.events) == ("dry-run", True, ["connect", "snapshot"])
    assert [path.name for path in running.runs[0].iterdir() if path.name == "outcomes.jsonl"] == []


def test_a_dry_run_leaves_earlier_ones(running: Running) -> None:
    folder = running.crash()
    before = (folder / "outcomes.jsonl").read_bytes()
    assert running.run(dry_run=True).applied == ()
    assert running.qrs.events == ["connect", "snapshot"]
    assert (folder / "outcomes.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("limit", "outcome", "released"),
    [
        ("limit release to 2 per run", "over-limit", []),
        ("", "over-limit", []),  # the default: 10 % of 3 is none
        ("limit release to 3 per run", "done", ["l1", "l2", "l3"]),
        ("limit release to 2 per run, longest unused first", "done", ["l1", "l2"]),
    ],
)
def test_the_limits_of_the_policy(running: Running, limit: str, outcome: str, released: list[str]) -> None:
    running.policy = f"release analyzer when unused for 30 days\n{limit}\n"
    report = running.run()
    assert (report.outcome, running.qrs.deletes) == (outcome, released)
    assert bool(report.why) is bool(report.over) is (outcome == "over-limit")
    assert (running.runs[0] / "outcomes.jsonl").exists() is (outcome == "done")


def test_a_plan_that_has_grown_old_is_refused(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has slept for a day, between reading the site and releasing."""

    def sleep() -> None:
        running.now += timedelta(hours=25)

    monkeypatch.setattr(running.qrs, "on_snapshot", sleep)
    report = running.run()
    assert (report.outcome, running.qrs.deletes) == ("refused", [])
    assert "the plan is 25.0 hours old" in report.why[0]


def test_while_another_is_at_work(running: Running) -> None:
    with only_one(running.lock, "test"):
        report = running.run()
    assert (report.outcome, running.qrs.events, running.runs) == ("refused", [], [])


@pytest.mark.parametrize("failure", [RemoteError("answered 500"), NotAuthorized("refused us")])
def test_a_site_that_cannot_be_read(running: Running, monkeypatch: pytest.MonkeyPatch, failure: RemoteError) -> None:
    def fail() -> None:
        raise failure

    monkeypatch.setattr(running.qrs, "on_snapshot", fail)
    report = running.run()
    assert (report.outcome, report.error, report.plan, running.runs) == ("failed", failure, None, [])


def test_how_it_ends(running: Running) -> None:
    running.qrs.on_delete = {"l2": (409, "in use")}.get
    report = running.run()
    assert (report.outcome, report.counts) == ("incomplete", {"released": 2, "failed": 1})
    assert report.why == ("some licenses are not released: see their outcomes",)
    assert [level for level, message, _ in running.said if message == "failed"] == [logging.WARNING]

    def refuse(license_id: str) -> None:
        raise NotAuthorized("refused us")

    running.qrs.on_delete = refuse
    report = running.run()
    assert (report.outcome, report.why) == ("failed", ("QRS does not accept us: the run was ended",))


# Asked to stop -------------------------------------------------------------------------------------------


def test_stopped_before_it_begins(running: Running) -> None:
    running.stop.set()
    assert running.run().outcome == "interrupted"
    assert (running.qrs.events, running.runs) == ([], [])


def test_stopped_when_the_plan_is_made(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is there, and no apply of it was begun."""
    monkeypatch.setattr(running.qrs, "on_snapshot", running.stop.set)
    report = running.run()
    assert (report.outcome, running.qrs.events, len(running.runs)) == ("interrupted", ["connect", "snapshot"], 1)
    assert not (running.runs[0] / "outcomes.jsonl").exists()


def test_stopped_in_the_middle(running: Running) -> None:
    running.qrs.on_delete = lambda license_id: running.stop.set()
    report = running.run()
    assert (report.outcome, running.qrs.deletes, _only(running).sealed) == ("interrupted", ["l1"], False)
    assert report.counts == {"released": 1}


def test_stopped_while_earlier_ones_are_finished(running: Running) -> None:
    """The one under way is finished as far as it was begun; the next is not begun, and no plan is made."""
    folders = [running.crash()]
    running.policy = POLICY.replace("30 days", "31 days")  # another plan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seatwarden.engine.runs.applying.unfinished_runs", lambda runs, now: [])
        folders.append(running.crash())
    before = (folders[1] / "outcomes.jsonl").read_bytes()
    running.qrs.on_look = lambda license_id: running.stop.set()
    report = running.run()
    assert (report.outcome, running.words().count(EARLIER)) == ("interrupted", 1)
    assert (running.qrs.deletes, len(running.runs)) == ([], 2)
    assert (folders[1] / "outcomes.jsonl").read_bytes() == before


# What an earlier run left --------------------------------------------------------------------------------


def test_it_is_brought_to_its_end_before_the_plan(running: Running) -> None:
    folder = running.crash()
    report = running.run()
    assert running.qrs.events.index("snapshot") > running.qrs.events.index("DELETE l3")
    assert (report.outcome, running.qrs.deletes) == ("done", ["l1", "l2", "l3"])
    assert read_outcomes(folder).sealed
    assert [applied.folder for applied in report.applied] == [folder]
    assert report.counts == {"released": 3}


def test_the_policy_has_changed_since(running: Running) -> None:
    """Nothing more is released by that plan, neither what it had tried nor what it had not come to."""
    folder = running.crash()
    running.policy = "keep when true\n"
    report = running.run()
    assert (report.outcome, running.qrs.deletes) == ("done", [])
    journal = read_outcomes(folder)
    assert (set(journal.results.values()), journal.sealed) == ({"skipped"}, True)
    assert journal.details["l1"] == "not tried again: the policy has changed since the plan was made"
    (withdrawn,) = [facts["withdrawn"] for _, message, facts in running.said if message == EARLIER]
    assert withdrawn == "the policy has changed since the plan was made"


def test_it_is_of_yesterday(running: Running) -> None:
    folder = running.crash()
    running.now += timedelta(hours=25)
    running.run()
    assert set(read_outcomes(folder).results.values()) == {"skipped"}
    assert running.qrs.deletes == ["l1", "l2", "l3"], "by the new plan"


def test_it_was_made_for_another_site(running: Running) -> None:
    folder = running.crash()
    before = (folder / "outcomes.jsonl").read_bytes()
    running.port += 1
    running.run()
    assert (folder / "outcomes.jsonl").read_bytes() == before
    (why,) = [facts["why"] for _, message, facts in running.said if message == LEFT]
    assert why == "the plan was made for http://127.0.0.1:4242"
    assert running.qrs.events[:2] == ["connect", "snapshot"]


def test_its_journal_is_of_another_plan(running: Running) -> None:
    first = running.crash()
    running.policy = POLICY.replace("30 days", "31 days")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seatwarden.engine.runs.applying.unfinished_runs", lambda runs, now: [])
        second = running.crash()
    (second / "outcomes.jsonl").write_bytes((first / "outcomes.jsonl").read_bytes())
    running.run()
    left = [facts["folder"] for level, message, facts in running.said if message == LEFT and level == logging.WARNING]
    assert left == [str(second)]


def test_it_was_done_and_nobody_was_told(running: Running) -> None:
    """It is told now; there is nothing to bring to an end."""
    report = running.run()
    (done,) = report.applied
    again = running.run()
    assert [(applied.folder, applied.outcomes) for applied in again.applied] == [(done.folder, done.outcomes)]
    assert EARLIER not in running.words()
    done.mark_published()
    assert running.run().applied == ()


def test_the_disk_is_full_in_the_middle(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was released until then is told all the same."""
    from seatwarden.engine.log.journal import Journal

    append = Journal.append

    def appending(journal: Journal, line: Any) -> None:
        if getattr(getattr(line, "person", None), "license_id", "") == "l3":
            raise OSError(28, "No space left on device")
        append(journal, line)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", appending)
        report = running.run()
    assert (report.outcome, report.counts) == ("incomplete", {"released": 2})
    assert report.why == ("the journal cannot be written: No space left on device",)
    assert running.run().outcome == "done"


def test_several_at_a_time(running: Running) -> None:
    """As many as the site file says."""
    running.ours = "parallel: 3"
    together = threading.Barrier(3)

    def on_delete(license_id: str) -> None:
        together.wait(5)

    running.qrs.on_delete = on_delete
    assert running.run().outcome == "done"


def test_people_have_pseudonyms(running: Running, tmp_path: Path) -> None:
    write_atomically(tmp_path / "people.key", b"k" * 32)
    running.ours = "parallel: 1\npseudonyms: people.key"
    running.qrs.site["users"].append(user(4))
    running.qrs.site["licenses"]["analyzer"].append(license_row(4, LONG_AGO))
    assert running.run().counts == {"released": 4}
    assert "user4" not in (running.runs[0] / "outcomes.jsonl").read_text()


WEEKLY = "limit release to 2 of analyzer per 7 days, longest unused first\nlimit release to 9 per run\n"


def test_a_limit_over_time_counts_all_runs(running: Running) -> None:
    running.policy = f"{WEEKLY}release analyzer when unused for 30 days\n"
    assert running.run(dry_run=True).counts == {}
    found = []
    for days in (0, 6, 7):
        running.now = NOW + timedelta(days=days, minutes=days)
        report = running.run()
        found.append((report.outcome, running.qrs.deletes))
        for applied in report.applied:
            applied.mark_published()
    assert found == [("done", ["l1", "l2"]), ("done", []), ("done", ["l3"])]


def test_a_reserve_is_reached_and_no_more(running: Running) -> None:
    running.policy = (
        "limit release to reach 5 free analyzer, longest unused first\nlimit release to 9 per run\n"
        "release analyzer when unused for 30 days\n"
    )
    assert running.run().counts == {}  # the site does not say how many are free
    running.qrs.site["accessTypeOverview"] = {"analyzerAccess": {"enabled": True, "available": 3}}
    report = running.run()
    assert (report.counts, running.qrs.deletes) == ({"released": 2}, ["l1", "l2"])
    assert report.plan is not None
    assert report.plan.summary()["reserves"] == [
        "5 free analyzer licenses are to be reached: 3 are free, 2 are needed, 2 in this run"
    ]


def test_how_many_are_free_decides_as_it_was_before_the_run(running: Running) -> None:
    running.policy = (
        "limit release to 9 per run\nlimit release to 100% of analyzer per run\n"
        "release analyzer when license.available < 4 and unused for 30 days\n"
    )
    assert running.run().counts == {}  # nobody says how many are free
    running.qrs.site["accessTypeOverview"] = {"analyzerAccess": {"enabled": True, "available": 3}}
    assert running.run().counts == {"released": 3}
