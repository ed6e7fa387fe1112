"""CSV and JSON with hostile names: nothing fools a terminal or a spreadsheet, unless asked for raw."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.cli.terminal.csv_rows import guarded
from seatwarden.engine.common.text import escaped_json
from tests.engine.cli.conftest import Run
from tests.engine.support import license_row, site_of, user

NAMES = [
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "  =1",
    "\n=1",
    "＝1",
    "a\u202eb",
    "a\u2066b",
    "a\x1b[2Jb",
    "a\x9bb",
    "a\u2028b",
    "a\U000e0041b",
    "it's 1-1=0",
    "Åsa 😀",
]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    path = tmp_path / "hostile.json"
    users = [user(n, name=name) for n, name in enumerate(NAMES)]
    path.write_text(json.dumps(site_of(users, [license_row(n) for n in range(len(NAMES))])), encoding="utf-8")
    (tmp_path / "p.policy").write_text("release when true\nlimit release to 100 per run\n", encoding="utf-8")
    return path


def _printed(run: Run, hostile: Path, command: str, *options: str) -> str:
    policy = hostile.with_name("p.policy")
    plan = ("plan", "--policy", policy, "--snapshot", hostile)
    if command == "plan":
        return run(*plan, *options).out
    run(*plan, "-o", hostile.with_name("run"))
    return run("log", "show", hostile.with_name("run"), *options).out


def _names(printed: str) -> list[str]:
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(printed, newline="")))
    return [row.get("userName", row.get("name")) or "" for row in rows]


@pytest.mark.parametrize("command", ["plan", "show"])
def test_csv_is_guarded(run: Run, hostile: Path, command: str) -> None:
    printed = _printed(run, hostile, command, "--format", "csv")
    assert all(map(str.isprintable, printed.split("\n")))
    guards = ["'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(A1)", "'\ufffdx", "'\ufffdx", "'  =1", "'\ufffd=1"]
    hidden = ["a\ufffdb", "a\ufffdb", "a\ufffd[2Jb", "a\ufffdb", "a\ufffdb", "a\ufffdb"]
    assert sorted(_names(printed)) == sorted([*guards, f"'{NAMES[8]}", *hidden, *NAMES[15:]])


@pytest.mark.parametrize("command", ["plan", "show"])
def test_raw_csv_is_as_it_is(run: Run, hostile: Path, command: str) -> None:
    assert sorted(_names(_printed(run, hostile, command, "--format", "csv", "--raw"))) == sorted(NAMES)


@pytest.mark.parametrize("command", ["plan", "show"])
def test_json_escapes_what_is_not_seen(run: Run, hostile: Path, command: str) -> None:
    printed = _printed(run, hostile, command, "--format", "json")
    assert all(map(str.isprintable, printed.split("\n")))
    rows = json.loads(printed)
    found = [row["userName" if command == "plan" else "name"] for row in rows["decisions"]]
    assert sorted(found) == sorted(NAMES)
    assert "Åsa 😀" in printed


def test_the_list_of_runs_is_guarded(run: Run, hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(hostile.parent)
    run("plan", "--policy", "p.policy", "--snapshot", "hostile.json", "-o", "=1")
    for options, folder in (((), "'=1"), (("--raw",), "=1")):
        (row,) = csv.DictReader(io.StringIO(run("log", "list", "=1", "--format", "csv", *options).out))
        assert row["folder"] == folder


@given(st.text())
def test_no_cell_is_a_formula_or_hides_anything(text: str) -> None:
    cell = guarded(text)
    assert isinstance(cell, str)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not set("\r\n\t\u202e\x1b") & set(cell)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaped_json_is_the_same_json(value: Any) -> None:
    typed = json.dumps(value, ensure_ascii=False, indent=2)
    assert json.loads(escaped_json(typed)) == value


def test_numbers_stay_numbers() -> None:
    assert guarded(-5) == -5
