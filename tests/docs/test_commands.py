"""The page of commands is current, and every command's help has a purpose on one line and an example."""

from typing import Any

import pytest
from typer.core import TyperGroup

from tests.docs.commands import PAGE, commands, page

LEAVES = [(name, command) for name, command, _ in commands() if not isinstance(command, TyperGroup)]


def test_the_page_is_what_the_commands_print() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.commands"


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=[name for name, _ in LEAVES])
def test_help(name: str, command: Any) -> None:
    text = command.help or ""
    purpose = text.split("\n\n", maxsplit=1)[0]
    assert purpose.endswith(".")
    assert len(purpose) <= 60, "the list of commands shows no more"
    assert f"\nExample: {name}" in text
    assert all(getattr(parameter, "help", None) for parameter in command.params), "every option says what it is"
