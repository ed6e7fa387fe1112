"""`seatwarden log verify` from the outside."""

from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES


@pytest.fixture
def plan(run: Run, tmp_path: Path) -> Path:
    run("plan", "-p", EXAMPLES / "butler.yaml", "-s", EXAMPLES / "site.json", "-o", tmp_path / "run")
    return tmp_path / "run"


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
    assert f"plan.jsonl:{line}: this line was changed" in ran.err
    assert run("explain", "kchen", "--plan", plan).code == 1, "nothing is explained from a damaged log"


def test_no_plan_there(run: Run, tmp_path: Path) -> None:
    ran = run("log", "verify", tmp_path)
    assert ran.code == 2
    assert "holds no plan" in ran.err
