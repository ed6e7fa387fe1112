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

from seatwarden.engine.cli.called import remember_call
from seatwarden.engine.common.collector import collector_off
from seatwarden.grammar.suggest import nearest

GROUPS: Mapping[str, Mapping[str, str]] = {
    "First steps": {"demo": "demo:demo", "init": "init:init", "site": "site:app"},
    "The policy": {
        "lint": "lint:lint",
        "fmt": "fmt:fmt",
        "fix": "fix:fix",
        "test": "test:run_tests",
        "diff": "diff:diff",
        "convert": "convert:convert_command",
        "fields": "fields:fields",
        "schema": "schema:schema",
        "frequency": "frequency:frequency",
        "lsp": "lsp:lsp",
    },
    "Releasing": {
        "plan": "plan:plan",
        "approve": "approve:approve",
        "review": "review:review",
        "apply": "apply:apply",
        "run": "run:run",
        "restore": "restore:restore",
    },
    "People": {"explain": "explain:explain", "notice": "notice:app", "hold": "hold:app"},
    "The record": {
        "report": "report:report",
        "log": "log:app",
        "snapshot": "snapshot:snapshot",
    },
    "Over time": {"history": "history:app", "backtest": "backtest:backtest"},
    "Many sites": {"fleet": "fleet:app"},
    "The service": {"serve": "serve:serve", "service": "service:app", "monitor": "monitor:monitor"},
}
"""The commands, each with its module in `commands` and the function or group in it, as an administrator meets them."""
COMMANDS: Mapping[str, str] = {name: place for group in GROUPS.values() for name, place in group.items()}
FURTHER: Mapping[str, Mapping[str, str]] = {
    "notice": dict.fromkeys(("list", "send", "cancel", "accept-damage"), "notice_register:app"),
    "log": {
        **dict.fromkeys(("list", "show", "audit"), "log_past:app"),
        **dict.fromkeys(("new-key", "keys"), "log_keys:app"),
        "receipt": "log_receipt:app",
        **dict.fromkeys(("forget", "prune"), "log_erasure:app"),
    },
    "fleet": dict.fromkeys(("history", "backtest"), "fleet_past:app"),
}
"""The commands of a group that are in other modules than the group is."""


_RELEASING = ("release", "releases", "deallocate", "revoke", "reclaim", "delete", "remove", "free", "execute")
_GIVING_BACK = ("give-back", "reinstate", "reallocate", "undo", "unrelease")
_INNER = {
    **dict.fromkeys(("verify", "replay", "list", "show", "new-key", "keys", "receipt", "forget", "prune"), "log"),
    **dict.fromkeys(("check", "notify"), "site"),
    **dict.fromkeys(("preview", "cancel", "accept-damage"), "notice"),
    **dict.fromkeys(("install", "start", "stop", "status"), "service"),
}
"""Commands of groups, which are often typed without the group."""


def _instead_of(word: str) -> str | None:
    """What to type for a word that is no command, where no command is called nearly so."""
    # Together, the nearest first: `relase` is nearly `restore`, too, which does the opposite.
    meant = nearest(word, [*_RELEASING, *_GIVING_BACK, *COMMANDS])
    if meant in COMMANDS:
        return None
    if meant in _GIVING_BACK:
        return "`restore` gives back what a run has released."
    if meant is not None:
        return "`plan` says what would be released, `apply` releases what a plan says, `run` does both."
    inner = nearest(word, _INNER)
    return f"Did you mean 'seatwarden {_INNER[inner]} {inner}'?" if inner else None


class LazyGroup(TyperGroup):
    """The root command, over `COMMANDS`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()  # type: ignore[assignment]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of the first word; of one that there is not, what does that here."""
        if args and args[0] not in COMMANDS and (said := _instead_of(args[0])):
            ctx.fail(f"No such command '{args[0]}'. {said}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, without importing them."""
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands group by group; all descriptions begin in one column."""
        widest = max(map(len, COMMANDS))
        room = formatter.width - 6 - widest
        for title, names in GROUPS.items():
            rows = [(name.ljust(widest), self.commands[name].get_short_help_str(room)) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows)


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


class _Inner(Mapping[str, Any]):
    """The commands of a group: those beside it, and those of FURTHER, imported when they are asked for."""

    def __init__(self, beside: Mapping[str, Any], further: Mapping[str, str]) -> None:
        self._made, self._further = dict(beside), further
        self._names = (*beside, *further)

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            group = typer.main.get_group(_attribute(self._further[name]))
            _let_remember(group)
            self._made.update(group.commands)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _attribute(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(f"seatwarden.engine.cli.commands.{module}"), attribute)


def _command(name: str, place: str) -> Any:
    with collector_off():  # it would look through what modules define, ten milliseconds long
        found = _attribute(place)
    if isinstance(found, typer.Typer):
        made: Any = typer.main.get_group(found)
    else:
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(found)
        made = typer.main.get_command(alone)
    made.name = name
    _let_remember(made)
    if name in FURTHER:  # after the line above, which would ask for all of them
        made.commands = _Inner(made.commands, FURTHER[name])
    return made


def _let_remember(command: Any) -> None:
    """Lets a command, and all in it, be remembered when it is run: what is written says by which command."""
    for inner in getattr(command, "commands", {}).values():
        _let_remember(inner)
    invoke = command.invoke

    def remembering(context: Any) -> Any:
        remember_call(context)
        return invoke(context)

    command.invoke = remembering
