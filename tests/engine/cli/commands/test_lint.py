"""`seatwarden lint`: formats, exit codes, several files."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft4Validator

import seatwarden.engine.cli.commands.lint
from seatwarden.engine.cli.views.findings import github_command
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from tests.engine.cli.conftest import Run
from tests.paths import DATA, EXAMPLES, load_json

SNAPSHOT = EXAMPLES / "site.json"
RELEASE = "release analyzer when unused for 30 days\n"
WARNED = f'keep "x" when user.tags = ["vip", "VIP"]\n{RELEASE}'
ALLOWED = f'keep "x" when user.tags = ["vip", "VIP"] # seatwarden: allow SW315 both are used\n{RELEASE}'
SCHEDULED = "frequency: every 36 hours\nlicenseType:\n  analyzer: {enable: true, releaseThresholdDays: 30}\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes policies into the working folder."""
    monkeypatch.chdir(tmp_path)

    def writer(**texts: str) -> list[str]:
        for name, text in texts.items():
            (tmp_path / f"{name}.policy").write_text(text, encoding="utf-8")
        return [f"{name}.policy" for name in texts]

    return writer


@pytest.mark.parametrize("name", ["butler.yaml", "butler.policy", "season.policy", "both-types.policy"])
def test_examples_are_clean(run: Run, name: str) -> None:
    ran = run("lint", EXAMPLES / name, "--strict", "--now", "2026-11-21")
    assert (ran.code, ran.out.startswith("no findings"), ran.err) == (0, True, "")


def test_warnings_end_with_1_under_strict_only(run: Run, write: Any) -> None:
    files = write(a=WARNED, b=ALLOWED)
    ran = run("lint", *files)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\n1 warning in 2 files; 1 allowed\n")
    assert run("lint", *files, "--strict").code == 1
    assert run("lint", "b.policy", "--strict").code == 0


def test_errors_of_several_files(run: Run, write: Any) -> None:
    ran = run("lint", *write(a=WARNED, b="keep wen\nrelease analyzer when unused for 1.5 days\n"))
    assert (ran.code, ran.err) == (1, "")
    assert "error[SW001]" in ran.out
    assert "error[SW004]" in ran.out
    assert "2 errors, 1 warning" in ran.out


def test_an_unreadable_file_does_not_hide_the_others(run: Run, write: Any) -> None:
    ran = run("lint", "none.policy", *write(a=WARNED))
    assert ran.code == 2
    assert "`none.policy`" in ran.err
    assert "warning[SW315]" in ran.out


def test_patterns_are_for_the_shell_and_on_windows_for_us(
    run: Run, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(a=WARNED, b=RELEASE)
    if os.name != "nt":
        assert run("lint", "*.policy").code == 2
        monkeypatch.setattr(seatwarden.engine.cli.commands.lint, "os", SimpleNamespace(name="nt", environ=os.environ))
    assert run("lint", "*.policy").out.endswith("1 warning in 2 files\n")
    assert run("lint", "[b-z]*.policy").out == "no findings in 1 file\n"
    ran = run("lint", "c*.policy")
    assert (ran.code, "`c*.policy`" in ran.err) == (2, True)


def test_nothing_to_lint(run: Run) -> None:
    ran = run("lint")
    assert ran.code == 2
    assert "no policy to check" in ran.err


def test_a_snapshot(run: Run) -> None:
    ran = run("lint", EXAMPLES / "butler.yaml", "--snapshot", SNAPSHOT)
    assert ran.code == 0
    assert "warning[SW401]" in ran.out
    assert "`some other tag`" in ran.out
    assert run("lint", EXAMPLES / "butler.yaml", "--snapshot", "none.json").code == 2


def test_now(run: Run, write: Any) -> None:
    (file,) = write(a=f'timezone "Asia/Tokyo"\nkeep "x" until 2026-11-20 when user.inactive\n{RELEASE}')
    assert run("lint", file, "--now", "2026-11-20T14:59:00Z", "--strict").code == 0
    assert "SW310" in run("lint", file, "--now", "2026-11-20T15:00:00Z").out


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_now_as_a_day_is_that_day_in_each_policys_zone(run: Run, write: Any, zone: str) -> None:
    (file,) = write(a=f'timezone "{zone}"\nkeep "x" until 2026-11-20 when user.inactive\n{RELEASE}')
    assert run("lint", file, "--now", "2026-11-20", "--strict").code == 0
    assert "today is 2026-11-21" in run("lint", file, "--now", "2026-11-21").out


def test_json(run: Run, write: Any) -> None:
    report = json.loads(run("lint", *write(a=WARNED, b=ALLOWED), "--format", "json").out)
    assert report["summary"] == {"files": 2, "errors": 0, "warnings": 1, "allowed": 1}
    (finding,) = report["findings"]
    assert finding == {
        "code": "SW315",
        "severity": "warning",
        "message": "`vip` and `VIP` are the same for `=`, which ignores case",
        "label": "again here",
        "help": "remove one of them",
        "file": "a.policy",
        "line": 1,
        "column": 35,
        "endLine": 1,
        "endColumn": 40,
        "related": [
            {"file": "a.policy", "line": 1, "column": 28, "endLine": 1, "endColumn": 33, "label": "first here"}
        ],
    }
    assert report["allowed"][0]["reason"] == "both are used"


def test_github(run: Run, write: Any) -> None:
    ran = run("lint", *write(a=WARNED), "--format", "github")
    assert ran.out == (
        "::warning file=a.policy,line=1,col=35,endColumn=40,title=SW315::`vip` and `VIP` are the same for `=`, "
        "which ignores case: again here%0Aa.policy:1:28: first here%0Ahelp: remove one of them\n"
    )


def test_github_escapes_what_could_end_the_command() -> None:
    span = Span("a,b:c%.policy", 1, 2, 3, 4)
    command = github_command(Diagnostic("SW101", "error", "100 %\n::error::x\x1b", span, "y\r"))
    assert command == (
        "::error file=a%2Cb%3Ac%25.policy,line=1,endLine=3,title=SW101::100 %25%0A::error::x\ufffd: y\ufffd"
    )


def test_sarif(run: Run, write: Any) -> None:
    schema = load_json(DATA / "sarif-2.1.0-rtm.5.json")  # as @microsoft/jest-sarif packs it
    bad = 'keep "ü" when user.directory = "Å"\n'
    files = write(a=WARNED, b=ALLOWED, c=bad)
    folder = Path.cwd() / "with space"
    folder.mkdir()
    (folder / "d.policy").write_text(WARNED, encoding="utf-8")
    Path("e.yaml").write_text(SCHEDULED, encoding="utf-8")
    others = ("with space/d.policy", "e.yaml", EXAMPLES / "butler.yaml")
    ran = run("lint", *files, *others, "-s", SNAPSHOT, "--format", "sarif")
    assert ran.code == 1
    log = json.loads(ran.out)
    Draft4Validator(schema).validate(log)
    (sarif_run,) = log["runs"]
    rules = [rule["id"] for rule in sarif_run["tool"]["driver"]["rules"]]
    defaults = [rule["defaultConfiguration"]["level"] for rule in sarif_run["tool"]["driver"]["rules"]]
    results = sarif_run["results"]
    assert {result["ruleId"] for result in results} == set(rules)
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in results)
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert {"a.policy", "with%20space/d.policy"} <= set(places)
    assert [r["suppressions"][0]["justification"] for r in results if "suppressions" in r] == ["both are used"]
    levels = {result["ruleId"]: result["level"] for result in results}
    assert levels == dict(zip(rules, defaults, strict=True))
    assert (levels["SW101"], levels["SW315"], levels["SW507"]) == ("error", "warning", "warning")


def test_sarif_without_findings(run: Run) -> None:
    ran = run("lint", EXAMPLES / "season.policy", "--format", "sarif", "--now", "2026-11-21")
    assert ran.code == 0
    assert json.loads(ran.out)["runs"][0]["results"] == []


def test_hostile_names_cannot_fool_a_terminal(run: Run, write: Any) -> None:
    ran = run("lint", *write(a=f'keep "\x1b[2J" when user.tags = ["\u202e", "\u202e"]\n{RELEASE}'))
    assert "SW315" in ran.out
    assert not {"\x1b", "\u202e"} & set(ran.out)
