"""A past run in place of a snapshot, for `plan`, `explain` and `diff`; snapshots that runs keep; kinds of runs."""

import csv
import io
import json
from pathlib import Path

import pytest

from seatwarden.engine.log.run_folder import SNAPSHOT_FILE
from seatwarden.engine.simulator.server import SimulatedQrs
from seatwarden.engine.snapshot.reader import load_snapshot
from tests.engine.cli.conftest import Run, SiteFile
from tests.paths import EXAMPLES

POLICY, SITE = EXAMPLES / "season.policy", EXAMPLES / "site.json"


@pytest.fixture
def past(run: Run, tmp_path: Path) -> Path:
    """A run of the example site that has not kept its snapshot."""
    assert run("plan", "--policy", POLICY, "--snapshot", SITE, "-o", tmp_path / "past").code == 0
    return tmp_path / "past"


@pytest.fixture
def kept(run: Run, tmp_path: Path) -> Path:
    """One that has."""
    assert run("plan", "--policy", POLICY, "--snapshot", SITE, "-o", tmp_path / "kept", "--keep-snapshot").code == 0
    return tmp_path / "kept"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another policy, which reads nothing that the first one does not."""
    path = tmp_path / "other.policy"
    zone = next(line for line in POLICY.read_text(encoding="utf-8").splitlines() if line.startswith("timezone"))
    path.write_text(f"{zone}\nrelease when unused for 90 days\n", encoding="utf-8")
    return path


def test_diff_says_the_same_as_on_the_snapshot(run: Run, past: Path, kept: Path, other: Path) -> None:
    answers = [
        json.loads(run("diff", POLICY, other, "--snapshot", place, "--format", "json").out)
        for place in (SITE, past, kept)
    ]
    changes = [sorted(answer["changes"], key=lambda one: one["licenseId"]) for answer in answers]
    assert changes[0] == changes[1] == changes[2] != []
    assert answers[0]["summary"]["toRelease"] == answers[1]["summary"]["toRelease"]
    assert "has not kept its snapshot" in answers[1]["warnings"][0]
    assert answers[2]["warnings"] == answers[0]["warnings"]


def test_plan_says_the_same_as_on_the_snapshot(run: Run, past: Path, kept: Path, other: Path) -> None:
    plans = [
        json.loads(run("plan", "--policy", other, "--snapshot", place, "--format", "json").out)
        for place in (SITE, past, kept)
    ]
    decisions = [sorted(plan["decisions"], key=lambda one: one["licenseId"]) for plan in plans]
    assert decisions[0] == decisions[1] == decisions[2]
    assert [plan["run"]["runId"] for plan in plans] == 3 * [plans[0]["run"]["runId"]]
    assert {plan["run"]["mode"] for plan in plans} == {"what-if"}


def test_explain_says_the_same_as_on_the_snapshot(run: Run, past: Path, other: Path) -> None:
    told = [run("explain", "asvensson", "--policy", other, "--snapshot", place).out for place in (SITE, past)]
    assert told[0] == told[1] != ""


def test_a_plan_of_a_past_run_can_be_kept_and_verified(run: Run, past: Path, other: Path, tmp_path: Path) -> None:
    assert run("plan", "--policy", other, "--snapshot", past, "-o", tmp_path / "again").code == 0
    assert run("log", "verify", tmp_path / "again").code == 0
    assert run("log", "replay", tmp_path / "again").code == 0
    answer = run("plan", "--policy", other, "--snapshot", past, "-o", tmp_path / "no", "--keep-snapshot")
    assert (answer.code, answer.err.splitlines()[-2]) == (2, "error: there is no snapshot to keep")


@pytest.mark.parametrize("command", ["plan", "explain", "diff"])
def test_a_missing_fact_is_named_and_not_guessed(run: Run, past: Path, tmp_path: Path, command: str) -> None:
    policy = tmp_path / "new.policy"
    policy.write_text(
        POLICY.read_text(encoding="utf-8") + '\nkeep "none" when user.attributes.email = "x"\n', encoding="utf-8"
    )
    arguments = {
        "plan": ("--policy", policy),
        "explain": ("asvensson", "--policy", policy),
        "diff": (POLICY, policy),
    }[command]
    answer = run(command, *arguments, "--snapshot", past)
    assert answer.code == 2
    assert "error: the run did not record `user.attributes.email`: its policy did not read it" in answer.err


def test_another_moment_needs_the_snapshot_itself(run: Run, past: Path, kept: Path, other: Path) -> None:
    later = ("plan", "--policy", other, "--now", "2027-03-01", "--snapshot")
    assert run(*later, past).code == 2
    assert run(*later, kept).code == 0
    zone = run("diff", POLICY, other, "--snapshot", past, "--timezone", "Asia/Tokyo")
    assert (zone.code, "the run counted days in" in zone.err) == (2, True)


def test_what_is_kept_is_the_snapshot(run: Run, kept: Path) -> None:
    assert load_snapshot(kept / SNAPSHOT_FILE).users == load_snapshot(SITE).users
    assert run("log", "verify", kept).code == 0
    (kept / SNAPSHOT_FILE).write_bytes(b"other")
    assert run("log", "verify", kept).code == 1
    answer = run("plan", "--policy", POLICY, "--snapshot", kept)
    assert (answer.code, "was changed" in answer.err) == (2, True)


def test_wrong_ways_to_keep_it(run: Run, tmp_path: Path) -> None:
    plan = ("plan", "--policy", POLICY, "--snapshot", SITE, "--keep-snapshot")
    assert "needs a folder" in run(*plan).err
    run("log", "new-key", tmp_path / "key")
    answer = run(*plan, "-o", tmp_path / "run", "--pseudonymize", tmp_path / "key")
    assert (answer.code, "the snapshot names everybody" in answer.err) == (2, True)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("quick")
def test_a_run_keeps_it_where_the_site_file_says_so(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path
) -> None:
    site = site_file(qrs.port)
    text = site.read_text(encoding="utf-8")
    ours = f"seatwarden:\n  folder: state\n  policy: {POLICY}\n"
    site.write_text(f"{text}{ours}  keepSnapshot: true\n", encoding="utf-8")
    assert run("run", "--site", site, "--dry-run").code == 0
    (kept,) = (tmp_path / "state" / "runs").glob(f"*/{SNAPSHOT_FILE}")
    assert len(load_snapshot(kept).users) == len(load_snapshot(SITE).users)
    assert run("log", "verify", tmp_path / "state").code == 0
    assert run("plan", "--policy", POLICY, "--snapshot", kept.parent).code == 0
    run("log", "new-key", tmp_path / "key")
    site.write_text(f"{text}{ours}  keepSnapshot: true\n  pseudonyms: key\n", encoding="utf-8")
    answer = run("run", "--site", site, "--dry-run")
    assert (answer.code, "with `pseudonyms` no snapshot is kept" in answer.err) == (2, True)


# Which kind of run, and when -----------------------------------------------------------------------------


def test_a_what_if_is_called_so_everywhere(run: Run, past: Path) -> None:
    (listed,) = json.loads(run("log", "list", past, "--format", "json").out)["runs"]
    assert (listed["state"], listed["mode"]) == ("what-if", "what-if")
    assert listed["made"][:10] != listed["now"][:10]
    table = run("log", "list", past).out
    assert "Made" in table
    assert listed["made"][:10] in table
    shown = run("log", "show", past, "--verdict", "release")
    assert "what-if" in shown.out
    rows = list(csv.DictReader(io.StringIO(run("log", "show", past, "--format", "csv").out)))
    assert {row["mode"] for row in rows} == {"what-if"}
    assert all(row["rule"] for row in rows if row["verdict"] == "release")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--rule", "no such rule"), "no run was decided by a rule `no such rule`"),
        (("--user", "nobody at all"), "there is no user `nobody at all` in these runs"),
        (("--from", "2026-13-01"), "`2026-13-01` is not a day"),
        (("--from", "2026-12-01", "--to", "2026-11-01"), "--from 2026-12-01 is after --to 2026-11-01"),
        (("--outcome", "lost"), "'lost' is not one of"),
    ],
)
def test_what_cannot_be_asked_is_an_error(run: Run, past: Path, arguments: tuple[str, ...], problem: str) -> None:
    answer = run("log", "show", past, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert problem in answer.err
