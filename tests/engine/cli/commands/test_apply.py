"""`seatwarden apply` against the real HTTPS simulator: the plan and nothing but the plan."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.history.store import History
from seatwarden.engine.log.register import LOCK_FILE, REGISTER_FILE
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from seatwarden.grammar.ast import LicenseType
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.conftest import Ran, Run, SiteFile
from tests.engine.idle import ALL, LICENSES, POLICY, idle_site

pytestmark = pytest.mark.usefixtures("quick")


class Tools:
    """Planning and applying on one site."""

    def __init__(self, run: Run, qrs: SimulatedQrs, site: Path, folder: Path) -> None:
        self.command, self.qrs, self.site, self.folder = run, qrs, site, folder
        self.policy = folder / "p.policy"
        self.policy.write_text(POLICY)

    def plan(self, name: str = "run", policy: str | None = None) -> Path:
        if policy is not None:
            self.policy.write_text(policy)
        ran = self.command("plan", "--policy", self.policy, "--site", self.site, "-o", self.folder / name)
        assert ran.code == 0
        return self.folder / name

    def apply(self, run: Path, *options: object) -> Ran:
        return self.command("apply", run, "--site", self.site, "--yes", *options)


@pytest.fixture
def tools(run: Run, certificates: CertificateFiles, site_file: SiteFile, tmp_path: Path) -> Iterator[Tools]:
    with SimulatedQrs(idle_site(), certificates=certificates) as qrs:
        yield Tools(run, qrs, site_file(qrs.port), tmp_path)


def test_a_plan_whose_guarantee_does_not_hold_is_not_applied(tools: Tools) -> None:
    promise = 'guarantee "admins" never release when user.roles = "RootAdmin"\n'
    run = tools.plan(policy=promise + POLICY)
    assert "REFUTED" in (run / "summary.txt").read_text(encoding="utf-8")
    ran = tools.apply(run)
    assert (ran.code, tools.qrs.deleted) == (1, [])
    assert "does not hold" in ran.err
    kept = tools.plan("kept", promise + 'keep when user.roles = "RootAdmin"\n' + POLICY)
    assert tools.apply(kept).code == 0
    assert sorted(tools.qrs.deleted) == ALL


def test_does_exactly_the_plan(tools: Tools) -> None:
    run = tools.plan()
    ran = tools.apply(run)
    assert ran.code == 0
    assert ran.err.count("\n") == ran.err.count("protects nobody") + ran.err.count("help: ") == 4
    assert sorted(tools.qrs.deleted) == ALL
    journal = read_outcomes(run)
    assert set(journal.results.values()) == {"released"}
    assert set(journal.intents.values()) == {1}
    assert journal.sealed
    again = tools.apply(run)
    assert (again.code, len(tools.qrs.deleted)) == (0, LICENSES)
    assert "applied already" in again.out
    (path,) = tools.folder.rglob("history.sqlite")
    with History(path) as history:
        assert sorted(license_ for _, license_, _ in history.releases()) == ALL


def test_a_new_policy_file_does_not_change_an_old_plan(tools: Tools) -> None:
    run = tools.plan()
    tools.policy.write_text("keep when true\n")
    assert tools.apply(run).code == 0
    assert len(tools.qrs.deleted) == LICENSES


@pytest.mark.parametrize(
    ("limits", "options", "code", "released"),
    [
        ("", (), 1, 0),  # the default: 10 % of 6 is none
        ("limit release to 5 per run", (), 1, 0),
        ("limit release to 6 per run", (), 0, 6),
        ("limit release to 0 per run", (), 1, 0),
        ("limit release to 50% of analyzer per run", (), 1, 0),
        ("limit release to 3 per run, longest unused first", (), 0, 3),
        ("limit release to 6 per run", ("--limit", "5"), 1, 0),
        ("limit release to 0 per run", ("--limit", "100%"), 0, 6),
    ],
)
def test_limits(tools: Tools, limits: str, options: tuple[str, ...], code: int, released: int) -> None:
    policy = POLICY.replace("limit release to 1000 per run\n", limits + "\n" if limits else "")
    ran = tools.apply(tools.plan(policy=policy), *options)
    assert (ran.code, len(tools.qrs.deleted)) == (code, released)
    if code:
        assert "over the limit" in ran.err
        assert "Nothing at all has been released" in ran.err


def test_the_longest_unused_go_first(tools: Tools) -> None:
    with tools.qrs.site_lock() as site:
        for n in (2, 5):
            site["licenses"]["analyzer"][n]["lastUsed"] = format_instant(datetime.now(UTC) - timedelta(days=200 + n))
    policy = POLICY.replace("1000 per run", "2 per run, longest unused first")
    assert tools.apply(tools.plan(policy=policy)).code == 0
    assert sorted(tools.qrs.deleted) == ["l-02", "l-05"]


# Drift ---------------------------------------------------------------------------------------------------


def _used_again(site: dict[str, Any]) -> None:
    site["licenses"]["analyzer"][0]["lastUsed"] = format_instant(datetime.now(UTC))


def _use_is_unreadable(site: dict[str, Any]) -> None:
    site["licenses"]["analyzer"][0]["lastUsed"] = "x"


def _tagged(site: dict[str, Any]) -> None:
    site["users"][0]["tags"] = [{"id": "t", "name": "License do not release"}]


def _tagged_otherwise(site: dict[str, Any]) -> None:
    site["users"][0]["tags"] = [{"id": "t", "name": "something else"}]


def _moved(site: dict[str, Any]) -> None:
    site["users"][0]["userDirectory"] = "INTERNAL"


def _moved_elsewhere(site: dict[str, Any]) -> None:
    site["users"][0]["userDirectory"] = "PARTNER"


def _quarantined(site: dict[str, Any]) -> None:
    site["licenses"]["analyzer"][0]["quarantined"] = True


def _user_deleted(site: dict[str, Any]) -> None:
    del site["users"][0]


def _row_gone(site: dict[str, Any]) -> None:
    del site["licenses"]["analyzer"][0]


def _row_given_to_another(site: dict[str, Any]) -> None:
    site["licenses"]["analyzer"][0]["user"] = site["licenses"]["analyzer"][1]["user"]


def _user_off_the_row(site: dict[str, Any]) -> None:
    site["licenses"]["analyzer"][0]["user"] = None


def _whose_is_unreadable(site: dict[str, Any]) -> None:
    site["licenses"]["analyzer"][0]["user"] = {"id": 5, "userId": "user00", "userDirectory": "CORP"}


def _tags_unreadable(site: dict[str, Any]) -> None:
    site["users"][0]["tags"] = "none"


def _quarantined_absent(site: dict[str, Any]) -> None:
    del site["licenses"]["analyzer"][0]["quarantined"]


DRIFT: dict[Callable[[dict[str, Any]], None], str] = {
    _used_again: "license.lastUsed was ",
    _use_is_unreadable: "is unknown; now kept: undetermined: `lastUsed` is unreadable: `x`",
    _tagged: 'user.tags was none, is "License do not release"; now kept: keep "tag"',
    _tagged_otherwise: 'user.tags was none, is "something else"',
    _moved: 'user.userDirectory was "CORP", is "INTERNAL"; now kept: keep "directory"',
    _moved_elsewhere: "the user was CORP\\user00, is PARTNER\\user00",
    _quarantined: "license.quarantined was false, is true",
    _user_deleted: "the user is gone",
    _row_gone: "the license is gone",
    _row_given_to_another: "the user was CORP\\user00, is CORP\\user01",
    _user_off_the_row: "the license has no user any more",
    _whose_is_unreadable: "`user` of the license is missing or unreadable",
    _tags_unreadable: "user.tags was none, is unknown",
    _quarantined_absent: "license.quarantined was false, is unknown",
}


@pytest.mark.parametrize("drift", DRIFT)
def test_what_has_changed_is_skipped(tools: Tools, drift: Callable[[dict[str, Any]], None]) -> None:
    run = tools.plan()
    with tools.qrs.site_lock() as site:
        drift(site)
    ran = tools.apply(run)
    assert ran.code == 0
    assert "l-00" not in tools.qrs.deleted
    assert len(tools.qrs.deleted) == LICENSES - 1, "one changed license does not stop the others"
    journal = read_outcomes(run)
    assert journal.results["l-00"] == "skipped"
    assert DRIFT[drift] in journal.details["l-00"]
    assert "l-00" not in journal.intents


def test_licenses_of_the_user_are_read_again(tools: Tools) -> None:
    """A rule on `user.licenses` is decided on what the user holds now."""
    professional = {**idle_site()["licenses"]["analyzer"][0], "id": "p-00"}
    with tools.qrs.site_lock() as site:
        site["licenses"]["professional"] = [professional]
    policy = 'release analyzer "holds both" when user.licenses = "professional"\nlimit release to 10 per run\n'
    run = tools.plan(policy=policy)
    with tools.qrs.site_lock() as site:
        site["licenses"]["professional"] = []
    assert tools.apply(run).code == 0
    assert tools.qrs.deleted == []
    assert 'user.licenses was "professional", "analyzer", is "analyzer"' in read_outcomes(run).details["l-00"]


# Faults --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "result", "deleted", "code"),
    [
        (Fault("status", method="DELETE", path_contains="l-00", status=500), "failed", False, 4),
        (Fault("status", method="DELETE", path_contains="l-00", status=409), "failed", False, 4),
        (Fault("status", method="DELETE", path_contains="l-00", status=429, times=2), "released", True, 0),
        (Fault("status", method="DELETE", path_contains="l-00", status=404), "gone", False, 0),
        (Fault("reset", method="DELETE", path_contains="l-00"), "failed", False, 4),
        (Fault("reset", method="DELETE", path_contains="l-00", times=1), "released", True, 0),
        (Fault("reset_after", method="DELETE", path_contains="l-00"), "released", True, 0),
        (Fault("status", method="GET", path_contains="l-00", status=500), "failed", False, 4),
        (Fault("truncate", method="GET", path_contains="l-00"), "failed", False, 4),
        (Fault("content_type", method="GET", path_contains="l-00"), "released", True, 0),
        (Fault("trickle", method="GET", path_contains="l-00", seconds=0.001, chunk=50), "released", True, 0),
    ],
)
def test_one_bad_license_does_not_stop_the_others(
    tools: Tools, fault: Fault, result: str, deleted: bool, code: int
) -> None:
    run = tools.plan()
    tools.qrs.faults.append(replace(fault))
    ran = tools.apply(run)
    journal = read_outcomes(run)
    assert (journal.results["l-00"], "l-00" in tools.qrs.deleted, ran.code) == (result, deleted, code)
    assert set(tools.qrs.deleted) >= set(ALL[1:])
    assert journal.sealed == (code == 0)


def test_failures_are_tried_again_by_the_next_apply(tools: Tools) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("status", method="DELETE", path_contains="l-03", status=500))
    assert tools.apply(run).code == 4
    tools.qrs.faults.clear()
    ran = tools.apply(run)
    assert ran.code == 0
    assert "(5 done " in ran.out
    assert sorted(tools.qrs.deleted) == ALL
    assert read_outcomes(run).sealed


def test_a_timeout_after_the_server_acted_is_looked_up(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.engine.qrs.client.TIMEOUT_SECONDS", (5, 0.3))
    run = tools.plan()
    tools.qrs.faults.append(Fault("delay", method="DELETE", path_contains="l-02", seconds=1))
    assert tools.apply(run).code == 0
    journal = read_outcomes(run)
    assert journal.results["l-02"] == "released"
    assert "looked up: the license is gone" in journal.details["l-02"]


def test_what_cannot_be_looked_up_is_unknown_and_found_out_later(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the DELETE is lost, and QRS does not answer the question either."""
    run = tools.plan()
    tools.qrs.faults.append(Fault("reset_after", method="DELETE", path_contains="l-04"))
    delete = QrsClient.delete

    def delete_then_blind(client: QrsClient, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        try:
            return delete(client, license_type, license_id)
        finally:
            if license_id == "l-04":
                tools.qrs.faults.append(Fault("status", method="GET", path_contains="l-04", status=500))

    with monkeypatch.context() as patched:
        patched.setattr(QrsClient, "delete", delete_then_blind)
        assert tools.apply(run).code == 4
    assert read_outcomes(run).results["l-04"] == "unknown"
    tools.qrs.faults.clear()
    assert tools.apply(run).code == 0
    assert read_outcomes(run).results["l-04"] == "released"
    assert tools.qrs.deleted.count("l-04") == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_in_the_middle_stops_the_run(tools: Tools, status: int) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("status", method="DELETE", path_contains="l-03", status=status))
    ran = tools.apply(run, "--parallel", "1")
    assert ran.code == 3
    assert tools.qrs.deleted == ["l-00", "l-01", "l-02"]
    assert "apply again" in ran.err
    assert not read_outcomes(run).sealed


def test_a_login_page_in_the_middle_stops_the_run(tools: Tools) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("html", path_contains="l-05"))
    assert tools.apply(run, "--parallel", "1").code == 3
    assert len(tools.qrs.deleted) == 5


def test_a_full_disk_stops_before_the_delete(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tools.plan()
    write, lines = os.write, iter(range(1000))

    def full(descriptor: int, data: bytes) -> int:
        if next(lines) >= 5:  # the header, two intents, two outcomes
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        ran = tools.apply(run, "--parallel", "1")
    assert ran.code == 4
    assert "No space left" in ran.err
    assert tools.qrs.deleted == ["l-00", "l-01"]
    assert tools.apply(run).code == 0
    assert len(tools.qrs.deleted) == LICENSES


# Refusals ------------------------------------------------------------------------------------------------


def test_an_old_plan_is_refused(tools: Tools) -> None:
    run = tools.plan()
    ran = tools.apply(run, "--max-age", "0")
    assert (ran.code, tools.qrs.deleted) == (1, [])
    assert "hours old, more than 0" in ran.err


def test_a_plan_from_the_future_is_refused(tools: Tools) -> None:
    """The clock has gone backwards since: how old the plan is cannot be told."""
    later = format_instant(datetime.now(UTC) + timedelta(hours=1))
    folder = tools.folder / "future"
    tools.command("plan", "--policy", tools.policy, "--site", tools.site, "-o", folder, "--now", later)
    ran = tools.apply(folder)
    assert (ran.code, tools.qrs.deleted) == (1, [])
    assert "is this machine's clock right?" in ran.err


def test_a_plan_of_another_site_is_refused(tools: Tools, certificates: CertificateFiles) -> None:
    run = tools.plan()
    with SimulatedQrs(idle_site(), certificates=certificates) as other:
        site = tools.site.read_text().replace(f"port: {tools.qrs.port}", f"port: {other.port}")
        (tools.folder / "other.yaml").write_text(site)
        ran = tools.command("apply", run, "--site", tools.folder / "other.yaml", "--yes")
        assert (ran.code, other.deleted) == (1, [])
    assert "make one for this site" in ran.err


def test_a_damaged_plan_is_refused(tools: Tools) -> None:
    run = tools.plan()
    log = run / "plan.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"verdict":"release"', b'"verdict":"keep"', 1))
    ran = tools.apply(run)
    assert (ran.code, tools.qrs.deleted) == (1, [])
    assert "does not verify" in ran.err


def test_a_damaged_journal_is_refused(tools: Tools) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("status", method="DELETE", path_contains="l-03", status=500))
    tools.apply(run)
    journal = run / "outcomes.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"failed"', b'"faileb"', 1))
    before = len(tools.qrs.deleted)
    ran = tools.apply(run)
    assert (ran.code, len(tools.qrs.deleted)) == (1, before)
    assert "is not as it was written" in ran.err


def _lock(tools: Tools) -> Path:
    (found,) = tools.site.parent.rglob(REGISTER_FILE)
    return found.with_name(LOCK_FILE)  # on Windows there is none while nobody holds it


def test_only_one_apply_at_a_time(tools: Tools) -> None:
    """Also for two different plans of one site."""
    first, second = tools.plan("one"), tools.plan("two")
    assert tools.apply(first, "--limit", "0").code == 1, "refused, but it has made the folder for its lock"
    with FileLock(_lock(tools)):
        ran = tools.apply(second)
    assert (ran.code, tools.qrs.deleted) == (1, [])
    assert "another apply is at work" in ran.err
    assert tools.apply(second).code == 0


def test_nothing_happens_unasked(tools: Tools) -> None:
    run = tools.plan()
    ran = tools.command("apply", run, "--site", tools.site)
    assert (ran.code, tools.qrs.deleted) == (2, [])
    assert "--yes" in ran.err
    assert "CORP\\user03 (User 03)" in ran.out
    assert not (run / "outcomes.jsonl").exists()


@pytest.mark.parametrize(("typed", "code", "released"), [("6\n", 0, 6), ("5\n", 1, 0), ("yes\n", 1, 0), ("\n", 1, 0)])
def test_confirmation_asks_for_the_number(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, released: int
) -> None:
    run = tools.plan()
    monkeypatch.setattr("sys.stdin", _Terminal(typed))
    ran = tools.command("apply", run, "--site", tools.site)
    assert (ran.code, len(tools.qrs.deleted)) == (code, released)


class _Terminal:
    """A terminal on which somebody types."""

    def __init__(self, typed: str) -> None:
        self._typed = typed

    def isatty(self) -> bool:
        return True

    def readline(self, *args: int) -> str:
        return self._typed


def test_no_secret_or_filter_text_goes_astray(tools: Tools) -> None:
    run = tools.plan()
    tools.apply(run)
    assert all("User%20" not in path and "user0" not in path for _, path in tools.qrs.requests), (
        "never user text in a URL"
    )
    log = (run / "outcomes.jsonl").read_text() + (run / "plan.jsonl").read_text()
    assert json.dumps("X-Qlik-User") not in log


@pytest.mark.parametrize(
    ("limit", "code", "released"), [("0", 1, 0), ("4", 1, 0), ("6", 0, 6), ("50%", 1, 0), (None, 0, 6)]
)
def test_a_limit_is_a_brake_on_an_apply_that_goes_on(tools: Tools, limit: str | None, code: int, released: int) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("status", method="DELETE", status=500))
    assert tools.apply(run).code == 4
    tools.qrs.faults.clear()
    ran = tools.apply(run, *(("--limit", limit) if limit else ()))
    assert (ran.code, len(tools.qrs.deleted)) == (code, released)
    assert ("Nothing further" in ran.err) is (code == 1)


def test_what_is_released_already_counts_against_a_limit(tools: Tools) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("status", method="DELETE", path_contains="l-05", status=500))
    assert tools.apply(run).code == 4
    tools.qrs.faults.clear()
    assert tools.apply(run, "--limit", "1").code == 1
    assert tools.apply(run, "--limit", "6").code == 0
    assert tools.apply(run, "--limit", "0").code == 0, "nothing is left to do"


@pytest.mark.parametrize("hours", ["nan", "inf", "1e300", "-1", "many"])
def test_odd_ages(tools: Tools, hours: str) -> None:
    ran = tools.apply(tools.plan(), "--max-age", hours)
    assert (ran.code, tools.qrs.deleted) == (2, [])
    assert "--max-age" in ran.err


def test_quiet_says_what_is_wrong(tools: Tools) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("status", method="DELETE", path_contains="l-03", status=500, body="no"))
    ran = tools.apply(run, "--quiet")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.endswith("\nfailed: analyzer license of CORP\\user03: QRS answered 500\n")
    assert ran.err.count("\n") == 1 + ran.err.count("protects nobody") + ran.err.count("help: ")


def test_a_site_that_is_gone(tools: Tools) -> None:
    run = tools.plan()
    tools.qrs.faults.append(Fault("reset"))
    ran = tools.apply(run)
    assert ran.code == 3
    assert ran.err.endswith("QRS could not be reached. Nothing was released; apply again when it is there.\n")
