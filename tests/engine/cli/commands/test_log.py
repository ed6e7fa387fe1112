"""`seatwarden log` from the outside: verify, replay, list, show, and pseudonyms."""

import csv
import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.writer import write_plan
from tests.engine.cli.conftest import Run
from tests.engine.log.forging import relinked
from tests.engine.log.golden_site import golden_plan, write_golden_journal
from tests.engine.support import RECORDING
from tests.paths import EXAMPLES, ROOT

GIVEN = ("-p", EXAMPLES / "butler.yaml", "-s", EXAMPLES / "site.json")


@pytest.fixture
def plan(run: Run, tmp_path: Path) -> Path:
    run("plan", *GIVEN, "-o", tmp_path / "run")
    return tmp_path / "run"


def _records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "plan.jsonl").read_text(encoding="utf-8").splitlines()]


# verify --------------------------------------------------------------------------------------------------


def test_a_plan_verifies(run: Run, plan: Path) -> None:
    ran = run("log", "verify", plan)
    assert ran.code == 0
    assert "13 decisions" in ran.out
    assert run("log", "verify", plan / "plan.jsonl").out == ran.out


def test_an_edited_line_is_named(run: Run, plan: Path) -> None:
    log = plan / "plan.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"userId":"kchen"', b'"userId":"kchan"', 1))
    line = next(n for n, text in enumerate(log.read_bytes().split(b"\n"), 1) if b"kchan" in text)
    ran = run("log", "verify", plan)
    assert (ran.code, ran.out) == (1, "")
    assert f"plan.jsonl:{line}: " in ran.err
    for command in (("explain", "kchen", "--plan"), ("log", "replay"), ("log", "show"), ("log", "list")):
        assert run(*command, plan).code == 1, "nothing is told from a damaged log"


def test_no_plan_there(run: Run, tmp_path: Path) -> None:
    for command in ("verify", "replay", "list", "show"):
        ran = run("log", command, tmp_path)
        assert ran.code == 2
        assert "holds no plan" in ran.err


def test_a_file_that_is_no_log_is_not_listed_line_by_line(run: Run) -> None:
    ran = run("log", "verify", ROOT / "CHANGELOG.md")
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 7
    assert " more problems" in ran.err.splitlines()[-1]


def test_folders_that_are_closed(run: Run, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a place for a key, nor a folder beside a run, nor one that should hold a plan ends in a traceback."""
    closed = plan.parent / "closed"
    closed.mkdir(mode=0)

    def to_us(real: Callable[..., Any]) -> Callable[..., Any]:
        """Root may look into any folder: closed to us is what is refused here, whoever runs the tests."""

        def look(path: Any, *arguments: Any, **options: Any) -> Any:
            if isinstance(path, str | Path) and Path(path).is_relative_to(closed):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real(path, *arguments, **options)

        return look

    for module, name in ((os, "open"), (os, "stat"), (os, "scandir"), (os, "listdir"), (io, "open")):
        monkeypatch.setattr(module, name, to_us(getattr(module, name)))
    try:
        assert "cannot be written" in run("log", "new-key", closed / "key").err
        assert run("report", plan).code == 0
        ran = run("explain", "kchen", "--plan", closed / "plan.jsonl")
        assert (ran.code, "cannot be read" in ran.err) == (2, True)
    finally:
        monkeypatch.undo()
        closed.chmod(0o700)


def test_nobody_fits(run: Run, two_runs: Path) -> None:
    ran = run("log", "show", two_runs, "--rule", "undetermined", "--verdict", "release")
    assert (ran.code, ran.out) == (0, "0 rows\n")
    assert "in 2 runs" in ran.err


def test_a_log_of_a_newer_version_is_refused(run: Run, plan: Path) -> None:
    header, *decisions, seal = _records(plan)
    (plan / "plan.jsonl").write_bytes(relinked([{**header, "format": 99}, *decisions, seal], own=False))
    ran = run("log", "verify", plan)
    assert ran.code == 2
    assert "newer seatwarden" in ran.err


# replay --------------------------------------------------------------------------------------------------


def test_replay_agrees(run: Run, plan: Path) -> None:
    ran = run("log", "replay", plan)
    assert (ran.code, ran.err) == (0, "")
    assert "13 decisions decided again, all agree" in ran.out


@pytest.mark.parametrize(
    ("user", "change"),
    [
        ("jdoe", {"verdict": "release", "because": "release", "rule": None}),
        ("mlopez", {"facts": {"user.tags": []}}),
        ("hmeyer", {"row": {"quarantined": False}}),
        ("pnovak", {"reason": "because"}),
    ],
)
def test_a_forged_decision_does_not_agree(run: Run, plan: Path, user: str, change: dict[str, object]) -> None:
    """A log that was rewritten whole, seal and all: the chain fits, the decisions do not."""
    lines = _records(plan)
    line = next(line for line in lines if line.get("person", {}).get("userId") == user)
    for key, value in change.items():
        place = line if key in line else line["person"]
        old = place[key]
        place[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    (plan / "plan.jsonl").write_bytes(relinked(lines, own=False))
    ran = run("log", "replay", plan)
    assert ran.code == 1
    assert f"line {line['n']}: " in ran.err
    assert "1 decision of 13 would be different" in ran.err


# list and show -------------------------------------------------------------------------------------------


@pytest.fixture
def two_runs(run: Run, tmp_path: Path) -> Path:
    for day in ("2026-11-21", "2026-12-11"):
        run("plan", *GIVEN, "--now", day, "-o", tmp_path / "plans" / day)
    return tmp_path / "plans"


def _shown(run: Run, *arguments: object) -> list[dict[str, Any]]:
    decisions: list[dict[str, Any]] = json.loads(run("log", "show", *arguments, "--format", "json").out)["decisions"]
    return decisions


def test_the_newest_run_stands_on_top(run: Run, two_runs: Path) -> None:
    rows = json.loads(run("log", "list", two_runs, "--format", "json").out)["runs"]
    assert [row["now"][:10] for row in rows] == ["2026-12-11", "2026-11-21"]
    assert [(row["licenses"], row["release"], row["state"]) for row in rows] == [(13, 5, "what-if"), (13, 4, "what-if")]
    assert "2026-12-11 00:00Z" in run("log", "list", two_runs).out


def test_a_damaged_run_is_listed_not_passed_over(run: Run, two_runs: Path) -> None:
    (two_runs / "2026-11-21" / "plan.jsonl").write_text("{}\n")
    ran = run("log", "list", two_runs)
    assert ran.code == 1
    assert "damaged" in ran.out
    assert "line 1" in ran.err
    ran = run("log", "show", two_runs, "--user", "rhaddad")
    assert ran.code == 1
    assert "2026-12-11" in ran.out
    assert "2026-11-21" in ran.err


def test_a_user_across_runs(run: Run, two_runs: Path) -> None:
    """When did she lose her license, and why?"""
    rows = _shown(run, two_runs, "--user", "corp\\RHADDAD")
    assert [(row["now"][:10], row["verdict"]) for row in rows] == [("2026-11-21", "keep"), ("2026-12-11", "release")]
    assert "allocated 2026-11-11" in rows[1]["why"]


def test_show_filters(run: Run, two_runs: Path) -> None:
    def users(*options: str) -> set[str]:
        table = run("log", "show", two_runs / "2026-11-21", *options, "--format", "csv").out
        return {row["user"] for row in csv.DictReader(io.StringIO(table))}

    assert users("--verdict", "release") == {"CORP\\asvensson", "CORP\\obrien", "CORP\\pnovak", "CORP\\tyilmaz"}
    assert users("--rule", "tag") == {"CORP\\mlopez"}
    assert users("--rule", "quarantined") == {"CORP\\hmeyer"}
    assert users("--user", "Jane Doe") == {"ADMIN\\jdoe"}
    assert len(users()) == 12


def test_a_person_by_a_part_of_the_name(run: Run, two_runs: Path) -> None:
    ran = run("log", "show", two_runs, "--user", "haddad", "--format", "json")
    assert "`haddad` is CORP\\rhaddad (Rana Haddad)" in ran.err
    assert {row["user"] for row in json.loads(ran.out)["decisions"]} == {"CORP\\rhaddad"}
    ran = run("log", "show", two_runs, "--user", "an")
    assert (ran.code, "`an` is a part of the names of " in ran.err) == (2, True)
    assert "say which:" in ran.err
    assert "CORP\\rhaddad (Rana Haddad)" in ran.err


@pytest.mark.parametrize(
    ("option", "said", "help_"),
    [
        (("--user", "rhadda d"), "there is no user `rhadda d` in these runs", "did you mean `rhaddad`?"),
        (("--user", "CORP\\nobody"), "there is no user `CORP\\nobody` in these runs", "  = help: "),
        (("--rule", "tagg"), "no run was decided by a rule `tagg`", "did you mean `tag`?"),
        (("--rule", "x"), "no run was decided by a rule `x`", "there are customProperty, "),
        (("--from", "21.11.2026"), "`21.11.2026` is not a day", "write year-month-day"),
    ],
)
def test_what_does_not_exist_is_an_error(
    run: Run, two_runs: Path, option: tuple[str, str], said: str, help_: str
) -> None:
    ran = run("log", "show", two_runs, *option)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert help_ in ran.err


def test_days_are_those_of_the_policy_s_zone(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "p.policy"
    policy.write_text('timezone "Pacific/Auckland"\nrelease when unused for 30 days\n')
    for day in ("20", "21", "22"):
        options = ("--now", f"2026-11-{day}T12:00:00Z", "-o", tmp_path / "plans" / day)
        assert run("plan", "-p", policy, "-s", EXAMPLES / "site.json", *options).code == 0
    days = {
        day: {row["now"][8:10] for row in _shown(run, tmp_path / "plans", *options)}
        for day, options in {
            "one": ("--from", "2026-11-22", "--to", "2026-11-22"),
            "on": ("--from", "2026-11-22"),
            "until": ("--to", "2026-11-22"),
            "none": ("--from", "2026-11-24"),
        }.items()
    }
    assert days == {"one": {"21"}, "on": {"21", "22"}, "until": {"20", "21"}, "none": set()}


def test_facts_and_the_rule_of_a_release_are_told(run: Run, two_runs: Path) -> None:
    (row,) = _shown(run, two_runs / "2026-11-21", "--user", "pnovak")
    assert (row["verdict"], row["rule"]) == ("release", "release professional")
    assert row["facts"]["license.unusedDays"] == [144]
    table = run("log", "show", two_runs, "--user", "pnovak", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["rule"] for row in rows] == ["release professional"] * 2
    assert "facts" not in rows[0]
    assert len(_shown(run, two_runs, "--rule", "release professional")) > 2


def test_outcomes(run: Run, tmp_path: Path, two_runs: Path) -> None:
    plan, folder = golden_plan(), tmp_path / "applied"
    write_plan(plan, folder, "", RECORDING)
    write_golden_journal(folder / "outcomes.jsonl", plan, read_log(folder))
    one, other = (decision.license_id for decision in plan.chosen[:2])
    found = {
        o: [row["licenseId"] for row in _shown(run, folder, "--outcome", o)] for o in ("released", "skipped", "gone")
    }
    assert found == {"released": [one], "skipped": [other], "gone": []}
    assert _shown(run, two_runs, "--outcome", "released") == [], "nothing was applied"


# keys -----------------------------------------------------------------------------------------------------


def test_bad_keys(run: Run, tmp_path: Path) -> None:
    ran = run("plan", *GIVEN, "--pseudonymize", tmp_path / "none")
    assert ran.code == 2
    assert "seatwarden log new-key" in ran.err
    (tmp_path / "short").write_text("secret")
    assert run("plan", *GIVEN, "--pseudonymize", tmp_path / "short").code == 2
    run("log", "new-key", tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    assert run("log", "new-key", tmp_path / "key").code == 2
    assert (tmp_path / "key").read_bytes() == before


@pytest.mark.usefixtures("without_pywin32")
def test_that_rights_are_left_to_the_folder_is_said_once(run: Run, tmp_path: Path) -> None:
    ran = run("log", "new-key", tmp_path / "keys" / "people.key")
    assert (ran.code, ran.err.count("without pywin32")) == (0, 1)
    assert "pip install pywin32" in ran.err
    assert os.listdir(tmp_path / "keys") == ["people.key"]
