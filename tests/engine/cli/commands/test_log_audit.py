"""`seatwarden log audit`, as an auditor types it."""

import json
from pathlib import Path

import pytest

from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from tests.engine.audit.records import POLICY, Record
from tests.engine.cli.conftest import Run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with one run that was applied."""
    record = Record(tmp_path / "state")
    record.apply(record.plan())
    return record.folder


def test_ten_answers_at_eighty_columns(run: Run, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(state.parent)
    answer = run("log", "audit", "state")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert [line.partition(".")[0] for line in lines if line[:1].isdecimal()] == [str(n) for n in range(1, 11)]
    assert max(len(line) for line in lines if not line.startswith("   $ ")) <= 80
    assert "   2 people lost 1 professional and 2 analyzer licenses." in lines


def test_json_has_everything(run: Run, state: Path) -> None:
    found = json.loads(run("log", "audit", state, "--format", "json").out)
    assert len(found["answers"]) == 10
    assert (found["sound"], found["runs"][0]["released"], found["warnings"]) == (True, 3, [])


def test_a_page(run: Run, state: Path, tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    assert run("log", "audit", state, "-o", page).out == f"Audit written to {page}\n"
    assert "2 people lost 1 professional and 2 analyzer licenses." in page.read_text(encoding="utf-8")
    assert run("log", "audit", state, "-o", page).code == 2
    assert run("log", "audit", state, "-o", page, "--force").code == 0


def test_what_does_not_verify_ends_with_1(run: Run, state: Path) -> None:
    (journal,) = state.rglob(JOURNAL_FILE)
    journal.unlink()
    answer = run("log", "audit", state)
    assert answer.code == 1
    assert "is missing: the register knows it" in answer.out


def test_another_policy(run: Run, state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.policy"
    other.write_text(POLICY.replace('keep "vip" when user.tags = "vip"\n', ""), encoding="utf-8")
    assert "By other.policy 1 license more would have been due" in run("log", "audit", state, "--policy", other).out


def test_days(run: Run, state: Path) -> None:
    assert "0 KB" not in run("log", "audit", state, "--from", "2026-11-21", "--to", "2026-11-21").out
    none = run("log", "audit", state, "--from", "2027-01-01")
    assert (none.code, "The record has no run of these days." in none.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--from", "today"), "`today` is not a day"),
        (("--from", "2026-12-01", "--to", "2026-11-01"), "--from 2026-12-01 is after --to 2026-11-01"),
        (("--policy", "none.policy"), "policy `none.policy` does not exist"),
        (("--register", "none.jsonl"), "the register `none.jsonl` cannot be read"),
        (("--seals", "none.txt"), "none.txt"),
    ],
)
def test_wrong_input(run: Run, state: Path, arguments: tuple[str, ...], problem: str) -> None:
    answer = run("log", "audit", state, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert problem in answer.err


def test_a_place_that_is_none(run: Run, state: Path, tmp_path: Path) -> None:
    assert "does not exist" in run("log", "audit", tmp_path / "none").err
    (tmp_path / "empty").mkdir()
    assert run("log", "audit", tmp_path / "empty").code == 2
    (plan,) = state.rglob(PLAN_FILE)
    assert run("log", "audit", state, "-o", plan).code == 2
