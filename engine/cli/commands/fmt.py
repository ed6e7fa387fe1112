"""`seatwarden fmt`: policies in the one layout, comments kept."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.terminal.output import complain, note, say
from seatwarden.engine.cli.views.unified import show_change
from seatwarden.engine.common.files import replace_file
from seatwarden.engine.common.text import plural, printable
from seatwarden.grammar.errors import Defect, PolicySyntaxError
from seatwarden.grammar.formatter import format_policy
from seatwarden.policy.diagnostics import from_syntax, in_order
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.loading import YAML_SUFFIXES


@dataclass(frozen=True, slots=True)
class _Formatted:
    """A file's text before and after, and the bytes it should have."""

    path: Path
    before: str
    after: str
    data: bytes

    @property
    def differs(self) -> bool:
        """Whether the file has other bytes; where the text is the same, line ends or a byte order mark are not."""
        return self.path.read_bytes() != self.data


def fmt(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Policy files (.policy).")],
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; list the files that would change, and end with 1.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would change.")] = False,
) -> None:
    """Bring policies into the one layout.

    Meaning and comments stay as they are; YAML files are left alone.

    Example: seatwarden fmt --check site.policy
    """
    changed, failed = 0, False
    for path in files:
        if path.suffix.lower() in YAML_SUFFIXES:
            note(f"{path} is left alone: only policy text has a layout")
            continue
        try:
            formatted = _format(path)
            if not formatted.differs:
                continue
            if not check and not diff:
                _write(formatted)
        except PolicyError as error:
            for diagnostic in error.diagnostics:
                complain(diagnostic, error.sources)
            failed = True
        except InputError as error:
            complain(error)
            failed = True
        else:
            changed += 1
            _report(formatted, check, diff)
    note(f"{plural(changed, 'file')} {'would change' if check or diff else 'formatted'}")
    if failed:
        raise typer.Exit(ExitCode.BAD_INPUT)
    if check and changed:
        raise typer.Exit(ExitCode.NO)


def _format(path: Path) -> _Formatted:
    """A file in the one layout: UTF-8 without a byte order mark, its lines ending as its first one does."""
    text = read_text(path, "policy")
    first_end = re.search(r"\r\n?|\n", text)
    before = re.sub(r"\r\n?", "\n", text)
    try:
        after = format_policy(before, str(path))
    except PolicySyntaxError as error:
        raise PolicyError(in_order([from_syntax(p) for p in error.problems]), {str(path): before}) from None
    except Defect as defect:
        help_ = "this is a defect of seatwarden: please report it; the file is left as it was"
        raise InputError(f"policy `{path}` cannot be formatted: {defect}", help_) from None
    windows = first_end is not None and first_end[0] == "\r\n"
    return _Formatted(path, before, after, (after.replace("\n", "\r\n") if windows else after).encode())


def _write(formatted: _Formatted) -> None:
    try:
        replace_file(formatted.path, formatted.data)
    except OSError as error:
        raise InputError(f"policy `{formatted.path}` cannot be written: {error.strerror}") from None


def _report(formatted: _Formatted, check: bool, diff: bool) -> None:
    if not diff:
        say(f"would change {formatted.path}" if check else f"formatted {formatted.path}")
        return
    if formatted.before == formatted.after:
        say(printable(f"# {formatted.path}: only line ends or the byte order mark would change"))
    show_change(formatted.path, formatted.before, formatted.after, "formatted")
