"""What commands import: nobody waits for libraries that a command does not use."""

import json
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from seatwarden.engine.cli.lazy import COMMANDS, FURTHER
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.paths import EXAMPLES, ROOT

HEAVY = frozenset(
    [
        *("requests", "urllib3", "cryptography", "influxdb_client", "apscheduler", "jinja2", "hypothesis", "zstandard"),
        *(
            "filelock",
            "platformdirs",
            "ruamel",
            "rich",
            "pydantic",
            "asyncio",
            "http",
            "email",
            "csv",
            "json",
            "difflib",
            "pygls",
            "lsprotocol",
            "attrs",
            "distributed",
            "pyarrow",
        ),
    ]
)
"""What neither `--version` nor `lint` of a policy text has a use for."""


def _modules(*arguments: object) -> set[str]:
    """The modules that a command imports, beyond those that Typer imports for the smallest program with an option."""
    script = (
        "import sys, typer\n"
        "app = typer.Typer()\n"
        "app.command()(lambda: None)\n"
        "def command(strict: bool = False) -> None: ...\n"
        "small = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)\n"
        "small.command()(command)\n"
        "small([], standalone_mode=False)\n"
        "before = set(sys.modules)\n"
        "from seatwarden.engine.cli.main import main\n"
        f"sys.argv = {['seatwarden', *map(str, arguments)]!r}\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n    assert not ended.code, ended.code\n"
        "print('\\n'.join(sorted(set(sys.modules) - before)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.splitlines()[1:])


def _heavy(modules: set[str]) -> set[str]:
    return {module for module in modules if any(module == name or module.startswith(f"{name}.") for name in HEAVY)}


def _libraries(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in _heavy(modules)}


def _rooms(modules: set[str]) -> set[str]:
    return {module.split(".")[2] for module in modules if module.startswith("seatwarden.engine.")}


@cache
def _of_msgspec() -> set[str]:
    """What msgspec imports itself: its older versions take json."""
    script = "import sys, msgspec; print('\\n'.join(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, encoding="utf-8")
    return _libraries(set(ran.stdout.splitlines()))


def _snapshot(folder: Path) -> Path:
    user = {"id": "u1", "userId": "ada", "userDirectory": "CORP", "name": "Ada"}
    file = folder / "site.json"
    file.write_text(json.dumps({"users": [user], "licenses": {"analyzer": [{"id": "l1", "user": user}]}}))
    return file


_DECIDING = frozenset(["cli", "common", "decide", "errors", "facts", "plan", "snapshot", "take_back", "version"])


def test_the_version_costs_next_to_nothing() -> None:
    modules = _modules("--version")
    assert not {m for m in modules if m.startswith(("rich", "lark", "ruamel"))}
    assert {m for m in modules if m.startswith("seatwarden.engine.cli.")} == {
        "seatwarden.engine.cli.called",
        "seatwarden.engine.cli.exits",
        "seatwarden.engine.cli.lazy",
        "seatwarden.engine.cli.main",
        "seatwarden.engine.cli.terminal",
        "seatwarden.engine.cli.terminal.output",
        "seatwarden.engine.cli.terminal.streams",
    }


def test_lint_imports_what_it_uses() -> None:
    modules = _modules("lint", EXAMPLES / "butler.policy")
    assert not _libraries(modules) - _of_msgspec()
    assert _rooms(modules) == {"cli", "common", "errors", "facts", "plan", "version"}
    assert not {m for m in modules if m.startswith("seatwarden.policy.butler")}, "YAML is read when there is YAML"
    assert not modules & _UNASKED


_UNASKED = {"seatwarden.grammar.slips", "seatwarden.policy.guarantees.proof", "seatwarden.policy.lint.guarantees"}
"""What knows how people slip, and what proves guarantees: a policy without either does not wait for them."""


_OF_PSEUDONYMS = {f"seatwarden.engine.{one}" for one in ("decide.disguise", "decide.coarse", "common.signing_key")}
"""What knows secrets: keys that sign, and how facts become coarse."""


def test_a_fix_imports_what_lint_does() -> None:
    assert not _libraries(_modules("fix", "--diff", EXAMPLES / "butler.policy")) - _of_msgspec()


def test_lint_of_yaml_reads_yaml_and_no_network() -> None:
    assert _libraries(_modules("lint", EXAMPLES / "butler.yaml")) == {"ruamel", "json"}


def test_a_plan_that_is_only_shown_writes_no_log_and_asks_no_site(tmp_path: Path) -> None:
    modules = _modules("plan", "-p", EXAMPLES / "butler.policy", "-s", _snapshot(tmp_path))
    assert _libraries(modules) == {"json", "csv", "rich"}
    assert _rooms(modules) == {*_DECIDING, "log"}
    assert not modules & {*_UNASKED, *_OF_PSEUDONYMS}
    assert {m for m in modules if m.startswith("seatwarden.engine.log.")} == {"seatwarden.engine.log.run_folder"}


def test_a_plan_of_a_site_reads_no_schedules_and_notifies_nobody(qrs: SimulatedQrs, site_file: SiteFile) -> None:
    modules = _modules("plan", "-p", EXAMPLES / "butler.policy", "--site", site_file(qrs.port))
    assert "seatwarden.engine.qrs.client" in modules
    # Not zstandard: some versions of urllib3 take it wherever it is installed.
    assert not _libraries(modules) & {"apscheduler", "influxdb_client", "jinja2", "filelock"}
    assert not {m for m in modules if m.endswith((".butler.jobs", ".site.alarms", ".site.influxdb", ".primitives.ssh"))}
    assert not {m for m in modules if "schedule" in m}


def test_an_explanation_reads_no_log(tmp_path: Path) -> None:
    modules = _modules("explain", "CORP\\ada", "-p", EXAMPLES / "butler.policy", "-s", _snapshot(tmp_path))
    assert _libraries(modules) == {"json", "rich"}
    assert _rooms(modules) == {*_DECIDING, "explain"}
    assert not modules & _OF_PSEUDONYMS


def test_the_check_of_a_log_needs_nothing_that_erases_from_it(tmp_path: Path, run: Run) -> None:
    made = run("plan", "-p", EXAMPLES / "butler.policy", "-s", _snapshot(tmp_path), "-o", tmp_path / "run")
    assert made.code == 0
    modules = _modules("log", "verify", tmp_path / "run")
    assert not _libraries(modules) & {"requests", "urllib3", "cryptography", "filelock", "zstandard"}
    assert not _rooms(modules) & {"runs", "apply", "metrics", "qrs", "notice", "audit"}


@pytest.mark.parametrize("name", ["verify", "forget"])
def test_a_group_in_several_modules_has_all_its_commands(run: Run, name: str) -> None:
    assert f"Usage: seatwarden log {name}" in run("log", name, "--help").out
    listed = run("log", "--help").out
    assert "verify" in listed
    assert "forget" in listed
    assert f"Did you mean '{name}'" in run("log", f"{name}t").err


@pytest.mark.parametrize("group", FURTHER)
def test_the_commands_of_a_group_are_where_the_table_says(group: str) -> None:
    for place in set(FURTHER[group].values()):
        module = import_module(f"seatwarden.engine.cli.commands.{place.partition(':')[0]}")
        there = {one.name for one in module.app.registered_commands}
        assert there == {name for name, named in FURTHER[group].items() if named == place}


def test_past_runs_are_listed_without_the_network(run: Run, tmp_path: Path) -> None:
    """Nor by the settings of a site, though commands of the same group read them."""
    policy, snapshot = EXAMPLES / "butler.policy", EXAMPLES / "site.json"
    assert run("plan", "--policy", policy, "--snapshot", snapshot, "-o", tmp_path / "plan").code == 0
    modules = _modules("log", "list", tmp_path)
    assert not {m for m in modules if m.partition(".")[0] in ("requests", "urllib3", "cryptography", "influxdb_client")}
    assert not modules & {"seatwarden.engine.cli.host", "seatwarden.engine.site.settings"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_called_and_helps(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    assert f"Usage: seatwarden {name}" in ran.out
    assert "--install-completion" not in ran.out


def test_help_lists_all_commands_in_their_order(run: Run) -> None:
    out = run("--help").out
    listed = [line.split()[0] for line in out[out.index("First steps:") :].splitlines()[1:] if line.strip()]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_a_mistyped_command_is_recognized(run: Run) -> None:
    ran = run("plann")
    assert ran.code == 2
    assert "Did you mean 'plan'" in ran.err
