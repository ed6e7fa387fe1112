"""docs/commands.md: the help of every command, as it is printed. Run as a module, this writes the page anew:

python -m tests.docs.commands
"""

from collections.abc import Iterator
from typing import Any

import typer.main
from typer.core import TyperGroup

from seatwarden.engine.cli.main import app
from tests.paths import ROOT

PAGE = ROOT / "docs" / "commands.md"
_WIDTH = 100
_HEAD = """\
# Commands

What `seatwarden COMMAND --help` prints, all on one page. It is made from the program itself.

Its words are explained in the [glossary](glossary.md).

Completion of commands, options, fields, codes, time zones and past runs, for bash, zsh, fish and PowerShell:

```sh
seatwarden --install-completion
```
"""


def commands() -> Iterator[tuple[str, Any, typer.Context]]:
    """Every command that people call with its full name, in the order of the help; groups before what is in them."""
    root = typer.main.get_command(app)
    settings = {**root.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    yield from _below(root, typer.Context(root, info_name="seatwarden", **settings))


def page() -> str:
    """The page as it should be."""
    parts = [_HEAD]
    for name, command, context in commands():
        if name == "seatwarden" or not isinstance(command, TyperGroup):
            parts.append(f"## {name}\n\n```text\n{command.get_help(context).strip()}\n```\n")
    return "\n".join(parts)


def _below(command: Any, context: typer.Context) -> Iterator[tuple[str, Any, typer.Context]]:
    yield context.command_path, command, context
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            if below.hidden:
                continue
            yield from _below(below, typer.Context(below, parent=context, info_name=name, **below.context_settings))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
