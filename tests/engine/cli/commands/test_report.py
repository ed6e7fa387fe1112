"""`seatwarden report` from the outside."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.engine.history.sites import snapshot_of
from tests.engine.monitor.pools import write_past_pool
from tests.paths import EXAMPLES, ROOT

GIVEN = ("-p", EXAMPLES / "butler.yaml", "-s", EXAMPLES / "site.json")


@pytest.fixture
def plan(run: Run, tmp_path: Path) -> Path:
    run("plan", *GIVEN, "-o", tmp_path / "run")
    return tmp_path / "run"


def test_the_page_is_written_beside_the_plan(run: Run, plan: Path) -> None:
    ran = run("report", plan)
    assert (ran.code, ran.err) == (0, "")
    assert str(plan / "report.html") in ran.out
    page = (plan / "report.html").read_bytes()
    assert page.startswith(b"<!doctype html>")
    assert run("report", plan / "plan.jsonl", "-o", plan / "again.html").code == 0
    assert (plan / "again.html").read_bytes() == page


def test_plan_writes_the_same_page_on_request(run: Run, plan: Path, tmp_path: Path) -> None:
    ran = run("plan", *GIVEN, "-o", tmp_path / "other" / "run", "--report")
    assert ran.code == 0
    assert f"{tmp_path / 'other' / 'run'}, with report.html" in ran.out
    run("report", tmp_path / "other" / "run", "-o", tmp_path / "page.html")
    assert (tmp_path / "other" / "run" / "report.html").read_bytes() == (tmp_path / "page.html").read_bytes()


def test_with_a_history_the_page_says_when_licenses_run_out(run: Run, tmp_path: Path) -> None:
    site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
    overview = {"analyzerAccess": {"enabled": True, "total": 100, "available": 58}}
    (tmp_path / "site.json").write_text(json.dumps({**site, "accessTypeOverview": overview}), encoding="utf-8")
    write_past_pool(tmp_path / "history.sqlite", last=330)
    now = ("--now", "2026-11-21T04:00:00Z")
    run("plan", "-p", EXAMPLES / "butler.yaml", "-s", tmp_path / "site.json", "-o", tmp_path / "run", *now)
    page = tmp_path / "page.html"
    ran = run("report", tmp_path / "run", "--history", tmp_path / "history.sqlite", "-o", page)
    assert (ran.code, ran.err) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert text.count("Without further releases") == 1, "of professional licenses nobody knows how many are free"
    assert "from 350 days" in text, "what came after the plan is not known to it"
    ran = run("report", tmp_path / "run", "--history", tmp_path / "history.sqlite")
    assert (ran.code, "--output" in ran.err) == (2, True)
    assert run("report", tmp_path / "run", "--history", tmp_path / "none.sqlite", "-o", tmp_path / "b.html").code == 2
    assert not (tmp_path / "b.html").exists()


def test_a_history_of_another_site_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    other, page = tmp_path / "other.json", tmp_path / "page.html"
    other.write_bytes(snapshot_of(0, [], [], source="https://other.example.com:4242"))
    assert run("history", "add", other, "--history", tmp_path / "history.sqlite").code == 0
    run("plan", "-p", EXAMPLES / "butler.yaml", "-s", EXAMPLES / "site.json", "-o", tmp_path / "run")
    given = ("report", tmp_path / "run", "--history", tmp_path / "history.sqlite", "-o", page)
    ran = run(*given)
    assert (ran.code, page.exists()) == (2, False)
    said = " is of another site: https://qlik.example.com:4242; the history is of https://other.example.com:4242"
    assert said in " ".join(ran.err.split())
    # What the help says goes on.
    added = run("history", "add", EXAMPLES / "site.json", "--other-source", "--history", tmp_path / "history.sqlite")
    assert (added.code, run(*given).code, page.exists()) == (0, 0, True)


def test_a_report_needs_a_folder(run: Run) -> None:
    ran = run("plan", *GIVEN, "--report")
    assert ran.code == 2
    assert "-o DIR" in ran.err


def test_a_damaged_log_is_refused_as_log_verify_does(run: Run, plan: Path) -> None:
    log = plan / "plan.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"userId":"kchen"', b'"userId":"kchan"', 1))
    ran = run("report", plan)
    assert (ran.code, ran.out) == (1, "")
    said = [line.strip() for line in ran.err.splitlines() if "plan.jsonl:" in line]
    verified = [line.removeprefix("error: ") for line in run("log", "verify", plan).err.splitlines()]
    assert said[1:] == verified[: len(said) - 1] != [] or said == verified
    assert "<title>Damaged: " in (plan / "report.html").read_text(encoding="utf-8")


def test_no_plan_and_nowhere_to_write(run: Run, plan: Path, tmp_path: Path) -> None:
    assert run("report", tmp_path / "nowhere").code == 2
    (tmp_path / "file").touch()
    ran = run("report", plan, "-o", tmp_path / "file" / "page.html")
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert run("report", plan, "-o", tmp_path / "new folder" / "page.html").code == 0


def test_a_folder_above_the_run_is_named(run: Run, plan: Path) -> None:
    ran = run("report", plan.parent)
    assert ran.code == 2
    assert f"`{plan}`" in ran.err


def test_only_the_report_loads_templates() -> None:
    """Starting the command must stay quick."""
    code = "import sys, seatwarden.engine.cli.main; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
