"""Every command that prints JSON has a list of what it found or warned of: no warning is lost for a script."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from seatwarden.engine.cli.main import app
from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.engine.signers import WORDS
from tests.paths import EXAMPLES

SITE, BUTLER = EXAMPLES / "site.json", EXAMPLES / "butler.yaml"
GIVEN = ("-p", BUTLER, "-s", SITE)
CALLS: dict[str, tuple[object, ...]] = {
    "plan": GIVEN,
    "explain": ("jdoe", *GIVEN),
    "run": ("--site", "site.yaml", "-p", BUTLER, "--dry-run"),
    "monitor": ("--site", "site.yaml", "--dry-run"),
    "lint": (BUTLER, "--snapshot", SITE),
    "fields": (),
    "test": (EXAMPLES / "butler.test.yaml",),
    "diff": (BUTLER, EXAMPLES / "vips.policy", "--snapshot", SITE),
    "frequency": ("on the 31st day of feb",),
    "site check": ("--site", "site.yaml"),
    "fleet check": ("--fleet", "fleet.yaml"),
    "fleet plan": ("--fleet", "fleet.yaml"),
    "fleet run": ("--fleet", "fleet.yaml", "--dry-run"),
    "fleet report": ("--fleet", "fleet.yaml", "-o", "pages"),
    "fleet history": ("--fleet", "fleet.yaml"),
    "fleet backtest": ("--fleet", "fleet.yaml"),
    "log verify": ("run",),
    "log replay": ("run",),
    "log list": ("run",),
    "log keys": ("--site", "approved.yaml"),
    "approve": ("waiting", "--key", "anna.key", "-y", "--passphrase-env", "PASS"),
    "log show": ("run",),
    "log audit": ("run",),
    "log forget": ("jdoe", "--site", "site.yaml", "--reason", "left", "--dry-run"),
    "hold list": ("--site", "site.yaml", "--all"),
    "notice list": ("--site", "site.yaml", "--all"),
    "notice send": ("--site", "told.yaml", "--dry-run"),
    "history list": ("--site", "site.yaml"),
    "backtest": ("-p", BUTLER, "--site", "site.yaml"),
    "log prune": ("--site", "site.yaml", "--keep", "400d", "--dry-run"),
}
"""A call of each command that has `--format json`."""


WITHOUT_FINDINGS = {
    *("fields", "monitor", "test", "site check", "history list", "backtest"),
    *("fleet check", "fleet plan", "fleet run", "fleet report", "fleet history", "fleet backtest"),
    *("log replay", "log keys", "log audit", "log forget", "log prune", "hold list", "notice list", "notice send"),
}


def _with_json(command: Any, name: str = "") -> Iterator[str]:
    """The names of the commands that print JSON."""
    context = typer.Context(command)
    if hasattr(command, "list_commands"):
        for below in command.list_commands(context):
            yield from _with_json(command.get_command(context, below), f"{name} {below}".strip())
    elif any("json" in getattr(p.type, "choices", ()) for p in command.params if "--format" in p.opts):
        yield name


def test_those_are_all_commands_that_print_json() -> None:
    assert set(_with_json(typer.main.get_command(app))) == set(CALLS)


@pytest.fixture
def folder(
    run: Run,
    qrs: SimulatedQrs,
    site_file: SiteFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key_folder: Path,
) -> Path:
    site = site_file(qrs.port)
    monkeypatch.setenv("PASS", WORDS)
    for name in ("anna.key", "anna.pub"):
        write_atomically(tmp_path / name, (key_folder / name).read_bytes())
    ours = f"seatwarden:\n  policy: {BUTLER}\n  folder: approved\n  approvals: {{required: 1, keys: [anna.pub]}}\n"
    (tmp_path / "approved.yaml").write_text(site.read_text(encoding="utf-8") + ours, encoding="utf-8")
    ours = f"seatwarden:\n  policy: {BUTLER}\n  notice: {{email: {{host: smtp.example.com, from: a@example.com}}}}\n"
    (tmp_path / "told.yaml").write_text(site.read_text(encoding="utf-8") + ours, encoding="utf-8")
    fleet = f"policy: {BUTLER}\nsites: {{one: site.yaml, another: told.yaml}}\n"
    (tmp_path / "fleet.yaml").write_text(fleet, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run("plan", *GIVEN, "-o", "run").code == 0
    assert run("run", "--site", "site.yaml", "-p", BUTLER, "--dry-run").code == 0
    assert run("plan", "--site", "approved.yaml", "-o", "waiting").code == 0
    return tmp_path


@pytest.mark.usefixtures("quick", "folder")
@pytest.mark.parametrize("command", CALLS)
def test_each_has_the_list(run: Run, command: str) -> None:
    ran = run(*command.split(), *CALLS[command], "--format", "json")
    printed = json.loads(ran.out)
    assert isinstance(printed["warnings"], list)
    if command not in WITHOUT_FINDINGS:
        assert isinstance(printed["findings"], list)
    said = [line for line in ran.err.splitlines() if line.startswith("warning: ")]
    assert said == [f"warning: {text}" for text in printed["warnings"]]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("command", [f"plan -p {BUTLER}", f"explain jdoe -p {BUTLER}", "monitor", "site check"])
def test_what_is_said_of_the_site(run: Run, qrs: SimulatedQrs, site_file: SiteFile, command: str) -> None:
    site = site_file(qrs.port, rejectUnauthorized="false")
    printed = json.loads(run(*command.split(), "--site", site, "--format", "json").out)
    assert any("rejectUnauthorized" in text for text in printed["warnings"]), printed["warnings"]


def test_one_command_after_another_in_one_process(run: Run, tmp_path: Path) -> None:
    """What one has said is not repeated by the next."""
    spoiled = json.loads(SITE.read_text(encoding="utf-8"))
    spoiled["users"][0].pop("userId")
    (tmp_path / "site.json").write_text(json.dumps(spoiled), encoding="utf-8")
    plans = [("plan", "-p", BUTLER, "-s", path, "--format", "json") for path in (tmp_path / "site.json", SITE)]
    first, second = (json.loads(run(*plan).out)["warnings"] for plan in plans)
    assert (len(first), second) == (1, [])
    diff = ("diff", BUTLER, BUTLER, "-s", tmp_path / "site.json", "--format", "json")
    assert json.loads(run(*diff).out)["warnings"] == first


def test_rows_that_no_case_reached(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.policy").write_text('keep "x" when user.inactive\nrelease when unused for 30 days\n')
    case = "  - {name: one, user: 'CORP\\jdoe', license: {type: analyzer, unusedDays: 40}, verdict: release}\n"
    cases = f"policy: p.policy\nnow: 2026-11-21\ncases:\n{case}"
    (tmp_path / "p.test.yaml").write_text(cases)
    ran = run("test", tmp_path / "p.test.yaml", "--format", "json", "-o", tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["summary"] == {"passed": 1, "failed": 0}
    assert ran.code == 0
    printed = json.loads(run("test", tmp_path / "p.test.yaml", "--format", "json").out)
    assert [case["passed"] for case in printed["files"][0]["cases"]] == [True]
    (tmp_path / "p.test.yaml").write_text(cases.replace("verdict: release", "verdict: keep"))
    failed = run("test", tmp_path / "p.test.yaml", "--format", "json")
    assert failed.code == 1
    (case,) = json.loads(failed.out)["files"][0]["cases"]
    assert (case["passed"], len(case["problems"])) == (False, 3)


def test_a_log_that_does_not_agree(run: Run, folder: Path) -> None:
    verified = json.loads(run("log", "verify", folder / "run", "--format", "json").out)
    assert (verified["decisions"], verified["journal"], len(verified["seal"])) == (13, None, 64)
    assert json.loads(run("log", "replay", folder / "run", "--format", "json").out)["differences"] == []
