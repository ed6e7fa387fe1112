"""`seatwarden hold`, on a simulated QRS: what is refused, what is said, and who looks at holds."""

import json
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.cli.main import main
from seatwarden.engine.notice.holds import HOLDS_FILE, read_holds
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Processes, Ran, Run
from tests.engine.service.sites import write_site
from tests.platforms import WINDOWS

pytestmark = pytest.mark.usefixtures("quick")
WHO = "CORP\\user03"
POLICY = "release analyzer when unused for 30 days\nlimit release to 1000 per run\n"


def in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


@pytest.fixture
def site(idle_qrs: SimulatedQrs, tmp_path: Path) -> Path:
    return write_site(tmp_path, idle_qrs.port, policy=POLICY, release="dryRun: false")


@pytest.fixture
def hold(run: Run, site: Path) -> Callable[..., Ran]:
    def typed(*words: object, user: str = WHO, until: str | None = None, reason: str = "on leave") -> Ran:
        return run("hold", user, "--until", until or in_days(30), "--reason", reason, "--site", site, *words)

    return typed


Hold = Callable[..., Ran]


def state_of(site: Path) -> Path:
    return site.parent / "state"


# Holding -------------------------------------------------------------------------------------------------


def test_who_is_held_keeps_the_license(run: Run, hold: Hold, site: Path) -> None:
    ran = hold()
    assert ran.code == 0
    until = in_days(30)
    assert ran.out == f"Held: the licenses of {WHO} (User 03), up to and including {until}: on leave\n"
    planned = json.loads(run("plan", "--site", site, "--format", "json").out)
    (kept,) = [one for one in planned["decisions"] if one["verdict"] == "keep"]
    assert (kept["userId"], kept["because"], kept["rule"]) == ("user03", "hold", None)
    assert kept["reason"].startswith(f"held until {until} by ")
    assert kept["reason"].endswith("ago; 30 needed")
    assert planned["summary"]["byReason"] == {"hold": 1, "release analyzer": 5}
    ran = run("run", "--site", site)
    assert (ran.code, "5 released" in ran.out) == (0, True)


def test_the_word_add_may_be_left_out(run: Run, site: Path) -> None:
    until = in_days(3)
    assert run("hold", "add", WHO, "--until", until, "--reason", "x", "--site", site).code == 0
    assert run("hold", "--until", until, "--reason", "x", "--site", site, "user04").code == 0
    assert [one.user for one in read_holds(state_of(site) / HOLDS_FILE).holds()] == [WHO, "CORP\\user04"]


def test_a_hold_between_plan_and_apply(run: Run, hold: Hold, site: Path, tmp_path: Path) -> None:
    assert run("plan", "--site", site, "-o", tmp_path / "plan").code == 0
    assert hold().code == 0
    ran = run("apply", tmp_path / "plan", "--site", site, "--yes")
    assert ran.code == 0
    assert "now kept: held until" in ran.out + ran.err
    assert "5 released" in ran.out
    assert "1 skipped" in ran.out


def test_a_hold_of_the_other_type_keeps_nothing(run: Run, hold: Hold, site: Path) -> None:
    ran = hold("--type", "professional")
    assert "At the moment there is none of them" in ran.out
    assert json.loads(run("plan", "--site", site, "--format", "json").out)["summary"]["release"] == 6


def test_explain_tells_of_it_also_where_nothing_is_due(run: Run, hold: Hold, site: Path, tmp_path: Path) -> None:
    until = in_days(400)
    assert hold(until=in_days(300)).code == 0
    due = run("explain", WHO, "--site", site).out
    assert f"KEPT — held until {in_days(300)} by " in due
    assert "Would be released without the hold: release analyzer: last used" in due
    assert f"Would be released on {in_days(301)}, when the hold has ended, if it stays unused" in due
    other = tmp_path / "other.policy"
    other.write_text(f"keep until {until} when true\nrelease when unused for 30 days\n")
    not_due = json.loads(run("explain", WHO, "--site", site, "--policy", other, "--format", "json").out)
    (told,) = not_due["licenses"]
    assert (told["status"], told["hold"]["until"]) == ("protected", in_days(300))
    assert told["wouldChange"][-1].startswith("The license is held, too, whatever the rules say: held until ")
    assert any("Would also be kept if" in one and ": held (held until" in one for one in told["wouldChange"])
    assert run("explain", WHO, "--site", site, "--brief").out.startswith(f"{WHO} (User 03) · analyzer · KEPT — held")
    assert run("explain", WHO, "--site", site, "--full").code == 0


def test_a_plan_of_a_file_knows_no_holds(run: Run, hold: Hold, site: Path, tmp_path: Path) -> None:
    hold()
    snapshot, policy = tmp_path / "site.json", tmp_path / "p.policy"
    policy.write_text(POLICY)
    assert run("snapshot", "--site", site, "-o", snapshot).code == 0
    planned = run("plan", "--policy", policy, "--snapshot", snapshot, "--format", "json")
    assert json.loads(planned.out)["summary"]["release"] == 6


def test_a_plan_of_the_site_is_explained_and_replayed(run: Run, hold: Hold, site: Path, tmp_path: Path) -> None:
    hold()
    plan = tmp_path / "plan"
    assert run("plan", "--site", site, "-o", plan).code == 0
    assert "KEPT — held until" in run("explain", WHO, "--plan", plan).out
    for more in ((), ("--reference",)):
        assert run("log", "replay", plan, *more).code == 0
    assert run("log", "verify", plan).code == 0
    assert run("report", plan, "-o", tmp_path / "r.html").code == 0
    assert "held until" in (tmp_path / "r.html").read_text()
    header = json.loads((plan / "plan.jsonl").read_bytes().splitlines()[0])
    assert header["heads"]["holds"] == {"lines": 2, "leaf": read_holds(state_of(site) / HOLDS_FILE).leaves[-1]}


def test_those_that_end_soon_are_named(run: Run, hold: Hold, site: Path) -> None:
    hold(until=in_days(7))
    hold(user="user04", until=in_days(8))
    said = f"the hold of 1 person ends within 7 days: `{WHO}` on {in_days(7)}"
    assert said in run("plan", "--site", site).out
    assert said in run("run", "--site", site, "--dry-run").out


# Refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"until": "tomorrow"}, "`tomorrow` is not a day"),
        ({"until": "2026-02-30"}, "`2026-02-30` is not a day"),
        ({"until": in_days(-1)}, "is over"),
        ({"until": in_days(367)}, "is more than 366 days away, and a hold must end"),
        ({"until": "9999-12-31"}, "is more than 366 days away"),
        ({"reason": ""}, "--reason is empty"),
        ({"reason": " \t"}, "--reason is empty"),
        ({"reason": "x" * 501}, "--reason has 501 characters"),
        ({"user": "CORP\\user3"}, "did you mean `CORP\\user0"),
        ({"user": "user"}, "`user` is a part of the names of 6 users"),
    ],
)
def test_what_is_refused(hold: Hold, site: Path, wrong: dict[str, str], said: str) -> None:
    ran = hold(**wrong)
    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert not (state_of(site) / HOLDS_FILE).exists()


def test_the_last_days_there_are(hold: Hold) -> None:
    assert hold(until=in_days(366)).code == 0
    assert hold(until=in_days(0)).code == 0


def test_a_reason_stands_on_one_line(hold: Hold, site: Path) -> None:
    assert hold(reason="on\nleave\x1b[31m").code == 0
    (one,) = read_holds(state_of(site) / HOLDS_FILE).holds()
    assert one.reason == "on leave\ufffd[31m"


def test_without_a_site(run: Run) -> None:
    assert run("hold", WHO, "--until", in_days(1), "--reason", "x").code == 2
    assert run("hold", "list").code == 2


def test_a_site_that_does_not_answer(run: Run, tmp_path: Path) -> None:
    site = write_site(tmp_path, 1, policy=POLICY)
    assert run("hold", WHO, "--until", in_days(1), "--reason", "x", "--site", site).code == 3


def test_the_reason_stands_in_the_personal_part_alone(hold: Hold, site: Path) -> None:
    """Not in the command that made it, which every line of the register of runs may have."""
    hold(reason="maternity")
    assert "maternity" not in (state_of(site) / "runs.jsonl").read_text()
    (line,) = [json.loads(one) for one in (state_of(site) / HOLDS_FILE).read_bytes().splitlines()[1:]]
    assert line["person"]["command"].startswith("seatwarden hold add … --until ")
    assert " --reason … " in line["person"]["command"]


# Lists and ends ------------------------------------------------------------------------------------------


def test_listed_and_ended(run: Run, hold: Hold, site: Path) -> None:
    assert run("hold", "list", "--site", site).out == "0 holds\n"
    hold()
    hold("--type", "analyzer", user="user04", until=in_days(3))
    listed = json.loads(run("hold", "list", "--site", site, "--format", "json").out)["holds"]
    assert [(one["user"], one["licenseType"], one["inForce"]) for one in listed] == [
        ("CORP\\user04", "analyzer", True),
        (WHO, None, True),
    ]
    assert run("hold", "list", "--site", site).out.endswith("\n2 holds\n")
    ran = run("hold", "end", WHO, "--site", site, "--reason", "is back")
    assert (ran.code, ran.out.startswith(f"Ended: {WHO}, all licenses, held until ")) == (0, True)
    assert [
        one["user"] for one in json.loads(run("hold", "list", "--site", site, "--format", "json").out)["holds"]
    ] == ["CORP\\user04"]
    every = json.loads(run("hold", "list", "--site", site, "--all", "--format", "json").out)["holds"]
    assert [one["ended"] for one in every] == [None, datetime.now(UTC).date().isoformat()]
    again = run("hold", "end", WHO, "--site", site)
    assert (again.code, "nobody is held who is called `CORP\\user03`" in again.err) == (1, True)


def test_the_hold_of_one_type_is_ended_alone(run: Run, hold: Hold, site: Path) -> None:
    hold()
    refused = run("hold", "end", "user03", "--type", "analyzer", "--site", site)
    assert (refused.code, "No hold of analyzer licenses alone runs for CORP\\user03" in refused.err) == (1, True)
    hold("--type", "analyzer", until=in_days(3))
    assert run("hold", "end", "user03", "--type", "analyzer", "--site", site).code == 0
    (left,) = read_holds(state_of(site) / HOLDS_FILE).in_force(datetime.now(UTC).date())
    assert left.license_type is None


def test_a_longer_one_is_told(hold: Hold) -> None:
    hold(until=in_days(30))
    assert "An earlier hold lasts longer, and counts" in hold(until=in_days(3)).err


def test_several_of_that_name(run: Run, hold: Hold, site: Path) -> None:
    hold()
    hold(user="user04")
    ran = run("hold", "end", "user0", "--site", site)
    assert (ran.code, "can be 2 users who are held" in ran.err) == (2, True)


# Damage --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("plan",), ("run",), ("explain", WHO), ("hold", "list"), ("hold", "end", WHO)])
def test_nothing_goes_on_beside_a_register_that_is_gone(
    run: Run, hold: Hold, site: Path, command: tuple[str, ...]
) -> None:
    hold()
    (state_of(site) / HOLDS_FILE).unlink()
    ran = run(*command, "--site", site)
    assert (ran.code, "holds.jsonl` is missing, and had 2 lines" in ran.err) == (3, True), ran.err


def test_a_plan_is_not_applied_beside_a_damaged_register(run: Run, hold: Hold, site: Path, tmp_path: Path) -> None:
    hold()
    run("plan", "--site", site, "-o", tmp_path / "plan")
    path = state_of(site) / HOLDS_FILE
    path.write_bytes(path.read_bytes().replace(b"user03", b"user99"))
    ran = run("apply", tmp_path / "plan", "--site", site, "--yes")
    assert (ran.code, "is not as it was written: line 2" in ran.err) == (3, True), ran.err
    verified = run("log", "verify", path)
    assert (verified.code, "holds.jsonl:2: this line was changed" in verified.err) == (1, True)
    whole = json.loads(run("log", "verify", state_of(site), "--format", "json").out)
    assert any(one["path"].endswith(HOLDS_FILE) for one in whole["faults"])


def test_verified(run: Run, hold: Hold, site: Path, tmp_path: Path) -> None:
    hold()
    run("run", "--site", site)
    for place in (state_of(site), state_of(site) / HOLDS_FILE, state_of(site) / "runs.jsonl"):
        ran = run("log", "verify", place)
        assert (ran.code, "holds.jsonl: verified" in ran.out) == (0, True), ran
        assert "1 hold, line 2, as the register of runs has it" in ran.out
    copy = tmp_path / "elsewhere" / "copy.jsonl"
    copy.parent.mkdir()
    copy.write_bytes((state_of(site) / HOLDS_FILE).read_bytes())
    assert "the register of runs was not asked" in run("log", "verify", copy).out
    told = json.loads(run("log", "verify", state_of(site), "--format", "json").out)
    assert (told["holds"]["head"]["lines"], told["holds"]["erasedLines"], told["faults"]) == (2, 0, [])
    assert run("log", "audit", state_of(site)).code == 0


# Forgotten -----------------------------------------------------------------------------------------------


def test_who_is_held_is_not_forgotten(run: Run, hold: Hold, site: Path) -> None:
    hold(reason="maternity")
    run("run", "--site", site, "--dry-run")
    for more in (["--yes"], ["--dry-run"]):
        ran = run("log", "forget", WHO, "--site", site, "--reason", "left", *more)
        assert (ran.code, "is held until" in ran.err, "hold end" in ran.err) == (1, True, True)
    run("hold", "end", WHO, "--site", site, "--reason", "back from maternity")
    ran = run("log", "forget", WHO, "--site", site, "--reason", "left", "--yes")
    assert (ran.code, "holds.jsonl: 2 lines" in ran.out) == (0, True), ran
    said = b"".join(path.read_bytes() for path in state_of(site).rglob("*.jsonl"))
    assert b"user03" not in said
    assert b"maternity" not in said
    verified = run("log", "verify", state_of(site))
    assert (verified.code, "2 lines erased, as the register of runs says" in verified.out) == (0, True), verified
    assert hold().code == 0  # and the register goes on


def test_who_is_named_in_the_reason_of_another_is_not_forgotten_yet(run: Run, hold: Hold, site: Path) -> None:
    """The line goes with the name in it, and with the line the hold of the other."""
    run("run", "--site", site, "--dry-run")
    hold(user="user04", reason="stands in for user03")
    forget = ("log", "forget", WHO, "--site", site, "--reason", "left", "--yes")
    refused = run(*forget)
    assert (refused.code, "is named in the reason of a hold that runs: that of CORP\\user04" in refused.err) == (
        1,
        True,
    )
    run("hold", "end", "user04", "--site", site)
    hold(user="user04", reason="stands in for a colleague")
    assert run(*forget).code == 0
    assert b"user03" not in (state_of(site) / HOLDS_FILE).read_bytes()
    assert json.loads(run("plan", "--site", site, "--format", "json").out)["summary"]["byReason"]["hold"] == 1


def test_whom_only_a_hold_names_is_found(run: Run, hold: Hold, site: Path) -> None:
    hold()
    run("hold", "end", WHO, "--site", site)
    ran = run("log", "forget", "user03", "--site", site, "--reason", "left", "--yes")
    assert (ran.code, "holds.jsonl: 2 lines" in ran.out) == (0, True), ran


# Two processes -------------------------------------------------------------------------------------------


def _hold(site: str, user: str, until: str) -> None:
    sys.argv = ["seatwarden", "hold", user, "--until", until, "--reason", "two at once", "--site", site, "--quiet"]
    main()


def test_two_at_once(site: Path, processes: Processes) -> None:
    users = [f"user{n:02}" for n in range(4)]
    workers: list[Any] = [processes(target=_hold, args=(str(site), user, in_days(9))) for user in users]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    state = read_holds(state_of(site) / HOLDS_FILE)
    assert sorted(one.user for one in state.holds()) == [f"CORP\\{user}" for user in users]


# Killed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_killed_at_any_point(run: Run, site: Path, idle_qrs: SimulatedQrs, processes: Processes, seed: int) -> None:
    """A hold is there whole or not at all; the register of runs never knows more of it than there is."""
    chance = random.Random(seed)  # noqa: S311 - a kill needs no cryptography
    kills = 0
    for n in range(20):
        process = processes(target=_hold, args=(str(site), f"user{n % 6:02}", in_days(9)))
        asked = len(idle_qrs.requests)
        process.start()
        while process.is_alive() and len(idle_qrs.requests) == asked:
            process.join(0.005)
        process.join(chance.random() * 0.15)
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        listed = run("hold", "list", "--site", site, "--format", "json")
        assert listed.code == 0, listed.err
        assert {one["reason"] for one in json.loads(listed.out)["holds"]} <= {"two at once"}
        if kills == (2 if WINDOWS else 4):  # there a process takes seconds to begin
            break
    assert run("hold", "add", WHO, "--until", in_days(1), "--reason", "after all", "--site", site).code == 0
    assert run("log", "verify", state_of(site)).code == 0
    assert json.loads(run("plan", "--site", site, "--format", "json").out)["summary"]["byReason"]["hold"] >= 1
