"""What commands import: nobody waits for libraries that a command does not use."""

import subprocess
import sys

import pytest

from seatwarden.engine.cli.lazy import COMMANDS
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT

HEAVY = frozenset(
    [
        *("requests", "urllib3", "cryptography", "influxdb_client", "apscheduler", "jinja2", "hypothesis", "zstandard"),
        *(
            "filelock",
            "platformdirs",
            "ruamel",
            "rich",
            "msgspec",
            "pydantic",
            "asyncio",
            "http",
            "email",
            "csv",
            "json",
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
    assert not _heavy(modules)
    rooms = {module.split(".")[2] for module in modules if module.startswith("seatwarden.engine.")}
    assert rooms == {"cli", "common", "errors", "facts", "plan", "version"}
    assert not {m for m in modules if m.startswith("seatwarden.policy.butler")}, "YAML is read when there is YAML"


def test_lint_of_yaml_reads_yaml_and_no_network() -> None:
    heavy = _heavy(_modules("lint", EXAMPLES / "butler.yaml"))
    assert {module.partition(".")[0] for module in heavy} == {"ruamel", "json"}


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
