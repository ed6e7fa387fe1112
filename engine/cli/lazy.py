"""Commands that are imported when they are called, so that `lint` does not wait for what `apply` needs.

All commands together take half a second to import; each alone a fraction of that. Only `--help` and completion, which
tell of all commands, import all of them.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup

from seatwarden.engine.common.collector import collector_off

COMMANDS: Mapping[str, str] = {
    "demo": "demo:demo",
    "init": "init:init",
    "plan": "plan:plan",
    "explain": "explain:explain",
    "apply": "apply:apply",
    "run": "run:run",
    "serve": "serve:serve",
    "monitor": "monitor:monitor",
    "report": "report:report",
    "lint": "lint:lint",
    "fmt": "fmt:fmt",
    "convert": "convert:convert_command",
    "fields": "fields:fields",
    "schema": "schema:schema",
    "test": "test:run_tests",
    "diff": "diff:diff",
    "frequency": "frequency:frequency",
    "snapshot": "snapshot:snapshot",
    "site": "site:app",
    "log": "log:app",
}
"""In the order in which an administrator meets them: a module of `commands`, and the function or group in it."""


class LazyGroup(TyperGroup):
    """The root command, over `COMMANDS`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, without importing them."""
        return list(COMMANDS)


class _Commands(Mapping[str, Any]):
    """The commands by name, each made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _command(name, COMMANDS[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _command(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    with collector_off():  # it would look through what modules define, ten milliseconds long
        found = getattr(import_module(f"seatwarden.engine.cli.commands.{module}"), attribute)
    if isinstance(found, typer.Typer):
        made: Any = typer.main.get_group(found)
    else:
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(found)
        made = typer.main.get_command(alone)
    made.name = name
    return made
