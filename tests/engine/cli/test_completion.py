"""What the shells are offered, asked as they ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seatwarden.engine.cli.completion import complete_runs
from tests.paths import ROOT


def _asked(shell: str, line: str, folder: Path) -> list[str]:
    """What the program answers to a shell whose user has typed that line and pressed tab."""
    words = line.split(" ")
    asking = {"_SEATWARDEN_COMPLETE": f"complete_{shell}", "PYTHONPATH": str(ROOT)}
    if shell == "bash":
        asking |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    else:
        asking |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1]}
        asking |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    main = "import sys; sys.argv[0] = 'seatwarden'; from seatwarden.engine.cli.main import main; main()"
    command = [sys.executable, "-c", main]
    ran = subprocess.run(
        command, env={**os.environ, **asking}, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert "Traceback" not in ran.stderr
    return ran.stdout.splitlines()


CASES = [
    ("seatwarden ex", "explain", "plan"),
    ("seatwarden plan --show re", "release", "keep"),
    ("seatwarden fields user.ta", "user.tags", "user.roles"),
    ("seatwarden lint --explain SW30", "SW301", "SW101"),
    ("seatwarden frequency --timezone Europe/St", "Europe/Stockholm", "Europe/Paris"),
    ("seatwarden apply plans/2026-1", "plans/2026-11-21", "plans/2025-01-01"),
]
OTHERS = [(shell, *CASES[2]) for shell in ("zsh", "fish", "powershell", "pwsh")]


@pytest.mark.parametrize(("shell", "typed", "offered", "not_offered"), [("bash", *case) for case in CASES] + OTHERS)
def test_offers(shell: str, typed: str, offered: str, not_offered: str, tmp_path: Path) -> None:
    for name in ("2026-11-21", "2025-01-01"):
        _plan(tmp_path / "plans" / name)
    said = "\n".join(_asked(shell, typed, tmp_path)).replace("\\", "/")
    assert offered in said
    assert not_offered not in said


def _plan(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "plan.jsonl").touch()


def test_runs_newest_first_and_those_of_run_and_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    state = tmp_path / "state"
    monkeypatch.setattr("platformdirs.user_state_path", lambda name: state)
    for folder in (Path("20261119T020000Z-a"), state / "sites" / "qlik-4242" / "runs" / "20261120T020000Z-b"):
        _plan(folder)
    _plan(Path(".hidden/20261121T020000Z-c"))
    found = complete_runs("")
    assert [Path(run).name for run in found if "state" not in Path(run).parts[:1]] == [
        "20261120T020000Z-b",
        "20261119T020000Z-a",
    ]
    assert complete_runs("no/such") == []


def test_slashes_stay_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _plan(Path("runs", "20261119T020000Z-a"))
    for typed in ("runs/", "runs/2026"):
        assert complete_runs(typed) == ["runs/20261119T020000Z-a"]
    assert complete_runs(f"runs{os.sep}") == [f"runs{os.sep}20261119T020000Z-a"]
