"""The man page of the commands, packaging/man/seatwarden.1, made from the program itself. Run as a module, this writes
the page anew:

python -m tests.docs.man
"""

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

from typer.core import TyperGroup

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.version import VERSION
from tests.docs.commands import commands
from tests.paths import ROOT

PAGE = ROOT / "packaging" / "man" / "seatwarden.1"
_OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
_FILES = """\
.SH FILES
.TP
.I ~/.local/state/seatwarden
Runs, locks and what waits for the database, unless the site file names a folder; $XDG_STATE_HOME moves it.
.SH SEE ALSO
The documentation lies in docs/ of the source; docs/operations.md and docs/service.md are for whoever runs this.
"""


def page() -> str:
    """The page as it should be."""
    (_, root, _), *below = commands()
    parts = [
        f'.TH SEATWARDEN 1 "" "seatwarden {VERSION}" "User Commands"',
        ".SH NAME",
        "seatwarden \\- gives Qlik Sense access licenses back after disuse, by a written policy",
        ".SH SYNOPSIS",
        ".B seatwarden",
        r".RI [ OPTIONS ]\ COMMAND\ [ ARGS ]...",
        ".SH DESCRIPTION",
        _roff(root.help),
        ".SH COMMANDS",
    ]
    for name, command, context in below:
        if not isinstance(command, TyperGroup):
            parts += _command(name, command, context)
    parts += [".SH EXIT STATUS", *_exit_codes(), _FILES.rstrip()]
    return "\n".join(parts) + "\n"


def _command(name: str, command: Any, context: Any) -> Iterator[str]:
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield f".SS {_roff(name)}"
    yield f".B {_roff(' '.join(usage.split()))}"
    for paragraph in re.split(r"\n\s*\n", dedent(command.help).strip()):
        yield ".PP"
        yield _roff(" ".join(paragraph.split()))
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record:
            yield from (".TP", f".B {_roff(record[0])}", _roff(" ".join(record[1].split())))


def _exit_codes() -> Iterator[str]:
    """The table in docs/operations.md."""
    table = _OPERATIONS.split("## Exit codes", 1)[1]
    rows = re.findall(r"^\| (\d) \| (.+) \|$", table, re.MULTILINE)[: len(ExitCode)]
    for code, meaning in rows:
        yield from (".TP", f".B {code}", _roff(meaning.replace("`", "")))


def _roff(text: str) -> str:
    """A text in which nothing is a request: every backslash and hyphen is itself."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("’", "'")
    return "\n".join(rf"\&{line}" if line.startswith((".", "'")) else line for line in text.split("\n"))


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
