"""Printing: results to stdout, errors to stderr, nothing that a terminal could be fooled by."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from engine.cli.streams import is_quiet, is_utf8
from engine.printable import printable as printable  # commands print by this module alone
from engine.qrs.errors import RemoteError
from policy.diagnostics import Diagnostic, PolicyError, render
from policy.errors import InputError

_RED, _YELLOW, _BOLD = Style(color="red", bold=True), Style(color="yellow", bold=True), Style(bold=True)


def console(stderr: bool = False) -> Console:
    """A console for stdout or stderr: colours only on a terminal, and none under NO_COLOR."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(text: str | Text = "") -> None:
    """A line of the result."""
    if not is_quiet():
        console().print(text)


def command_line(words: Sequence[str]) -> str:
    """A call of seatwarden as it is typed in this system's shell."""
    import shlex  # these two only for the few commands that say how to go on
    import subprocess

    typed = ["seatwarden", *words]
    return printable(subprocess.list2cmdline(typed) if os.name == "nt" else shlex.join(typed))


def note(text: str) -> None:
    """A line beside the result, to stderr: warnings, why the answer is no."""
    console(stderr=True).print(text)


@contextmanager
def working(what: str) -> Iterator[None]:
    """While it is left open, a terminal shows that something is under way."""
    out = console(stderr=True)
    if is_quiet() or not out.is_terminal:
        yield
        return
    with out.status(what):
        yield


def from_here(path: Path) -> Path:
    """A path as one would type it: from the working folder, where it is below that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def print_json(value: Any) -> None:
    """A result as JSON; consoles that are not UTF-8 get ASCII with escapes."""
    typed = json.dumps(value, ensure_ascii=not is_utf8(), indent=2)
    sys.stdout.write(typed + "\n")


def show_finding(finding: Diagnostic, sources: Mapping[str, str]) -> None:
    """A finding that is the result of a command, on stdout, with an empty line after it."""
    console().print(_highlighted(render(finding, sources), _YELLOW if finding.severity == "warning" else _RED))
    say()


def complain(error: Diagnostic | InputError | RemoteError, sources: Mapping[str, str] | None = None) -> None:
    """An error or warning on stderr: what, where, why, what to do."""
    if isinstance(error, Diagnostic):
        text = render(error, sources or {})
        head = _YELLOW if error.severity == "warning" else _RED
    else:
        text = f"error: {error.message}" + (f"\n  = help: {error.help}" if error.help else "")
        head = _RED
    console(stderr=True).print(_highlighted(text, head))


def complain_of(error: PolicyError | InputError | RemoteError) -> None:
    """All that an error says, on stderr."""
    if isinstance(error, PolicyError):
        for diagnostic in error.diagnostics:
            complain(diagnostic, error.sources)
    else:
        complain(error)


def _highlighted(text: str, head: Style) -> Text:
    first, *rest = text.replace("\t", "    ").split("\n")  # marks stand under their text: their line has the same tabs
    kind, separator, message = first.partition(":")
    message = printable(separator + message)
    return Text.assemble((kind, head), (message, _BOLD), *(f"\n{printable(line)}" for line in rest))
