"""Printing: results to stdout, errors to stderr, nothing that a terminal could be fooled by.

Lines without a style are written as they are: Rich takes a while to import, and has nothing to add to them.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from seatwarden.engine.cli.terminal.streams import code_of, is_quiet, is_utf8
from seatwarden.engine.common.text import escaped_json, plural, printable
from seatwarden.engine.errors import DamagedLog
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.diagnostics import Diagnostic, render
from seatwarden.policy.errors import InputError, PolicyError

if TYPE_CHECKING:
    from rich.console import Console

    from seatwarden.engine.common.way_out import Output

Part: TypeAlias = str | tuple[str, str]
"""Printable text; with the name of a style for terminals."""

MOST_OF_A_CODE = 5
"""Most findings of one code that a command lists which was not asked for them."""
MOST_DAMAGE = 5
"""Most bad lines of a log that are listed; a file that is no log at all has thousands."""


def console(stderr: bool = False) -> Console:
    """A console for stdout or stderr: colours only on a terminal, and none under NO_COLOR."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def is_terminal(stderr: bool = False) -> bool:
    """Whether stdout or stderr is a terminal, as Rich sees it; of a plain file or pipe that is clear without Rich."""
    stream = sys.stderr if stderr else sys.stdout
    if not stream.isatty() and os.environ.keys().isdisjoint(("FORCE_COLOR", "TTY_COMPATIBLE")):
        return False
    return console(stderr).is_terminal


def plain(part: Part) -> str:
    """The text of a part of a line, without its style."""
    return part if isinstance(part, str) else part[0]


def say(*parts: Part) -> None:
    """Prints a line of the result."""
    if not is_quiet():
        _print(parts)


def command_line(words: Sequence[str]) -> str:
    """A call of seatwarden as it is typed in this system's shell."""
    import shlex  # these two only for the few commands that say how to go on
    import subprocess

    typed = ["seatwarden", *words]
    return printable(subprocess.list2cmdline(typed) if os.name == "nt" else shlex.join(typed))


def note(text: str) -> None:
    """Prints a line beside the result, to stderr: warnings, why the answer is no."""
    _print([text], stderr=True)


_warnings: list[str] = []


def warn(text: str) -> None:
    """Prints a warning beside the result; results for machines have all of them, too."""
    _warnings.append(printable(text))
    note(f"warning: {_warnings[-1]}")


def warnings_said() -> list[str]:
    """The warnings of this command so far, in their order, each once."""
    return list(dict.fromkeys(_warnings))


def forget_warnings() -> None:
    """Begins a command: what was said before it, in the same process, is not about it."""
    _warnings.clear()


def _print(parts: Sequence[Part], stderr: bool = False) -> None:
    if any(not isinstance(part, str) for part in parts) and is_terminal(stderr):
        from rich.text import Text

        console(stderr).print(Text.assemble(*parts))
        return
    stream = sys.stderr if stderr else sys.stdout
    stream.write("".join(map(plain, parts)) + "\n")
    stream.flush()  # what a log gets from both streams stands there in the order in which it was said


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """A context in which a terminal shows that something is under way; what it yields shows something else."""
    if is_quiet() or not is_terminal(stderr=True):
        yield lambda what: None
        return
    with console(stderr=True).status(what) as status:
        yield status.update


def from_here(path: Path) -> Path:
    """A path as one would type it: from the working folder, where it is below that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def print_json(value: Any) -> None:
    """Prints a result as JSON, control and direction characters escaped; consoles that are not UTF-8 get ASCII."""
    import json

    typed = json.dumps(value, ensure_ascii=not is_utf8(), indent=2)
    sys.stdout.write(escaped_json(typed) + "\n")


def print_result(result: Mapping[str, Any]) -> None:
    """Prints the result of a command as JSON, with the warnings that were said beside it as `warnings`."""
    print_json({**result, "warnings": warnings_said()})


def write_or_print(text: str, output: Path | None, kind: Output, *, force: bool = False) -> None:
    """Writes a result to a file, or prints it exactly as it is. Raises InputError."""
    if output is None:
        encoding = sys.stdout.encoding or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError as error:  # with a stand-in it would be another policy
            lacking = code_of(text[error.start])  # what cannot be written could not be shown either
            raise InputError(f"{encoding} lacks the character {lacking}", "write to a file with --output") from None
        sys.stdout.write(text)
        return
    from seatwarden.engine.common.way_out import write_out

    write_out(output, text.encode(), kind, force=force)


def show_finding(finding: Diagnostic, sources: Mapping[str, str]) -> None:
    """Prints a finding that is the result of a command, with an empty line after it."""
    _show(render(finding, sources), "bold yellow" if finding.severity == "warning" else "bold red")
    say()


def complain(error: Diagnostic | SeatwardenError, sources: Mapping[str, str] | None = None) -> None:
    """Prints an error or warning on stderr: what, where, why, what to do."""
    if isinstance(error, Diagnostic):
        if error.severity == "warning":
            _warnings.append(printable(f"{error.code}: {error.message}"))
        text = render(error, sources or {})
        head = "bold yellow" if error.severity == "warning" else "bold red"
    else:
        text = f"error: {error.message}" + (f"\n  = help: {error.help}" if error.help else "")
        head = "bold red"
    _show(text, head, stderr=True)


def complain_of(error: SeatwardenError) -> None:
    """Prints all that an error says, on stderr."""
    match error:
        case PolicyError():
            _complain_of_findings(error)
        case DamagedLog():
            _complain_of_damage(error)
        case _:
            complain(error)


def _complain_of_findings(error: PolicyError) -> None:
    """Prints the findings, of each code the first few; `lint` lists them all."""
    counts = Counter(finding.code for finding in error.diagnostics)
    shown: Counter[str] = Counter()
    for finding in error.diagnostics:
        shown[finding.code] += 1
        if shown[finding.code] <= MOST_OF_A_CODE:
            complain(finding, error.sources)
    for code, count in counts.items():
        if count > MOST_OF_A_CODE:
            note(f"  and {count - MOST_OF_A_CODE} more {code}; `seatwarden lint` lists those of a policy")


def _complain_of_damage(error: DamagedLog) -> None:
    """Prints each bad line, up to `MOST_DAMAGE`."""
    note(f"error: {error.path} does not verify: it is not as it was written")
    for damage in error.damage[:MOST_DAMAGE]:
        whole = damage.problem.startswith("the file")
        note(printable(f"  {error.path}:{damage.line}: {'' if whole else 'this line '}{damage.problem}"))
    if len(error.damage) > MOST_DAMAGE:
        note(f"  and {plural(len(error.damage) - MOST_DAMAGE, 'more problem')}")


def _show(text: str, head: str, stderr: bool = False) -> None:
    """Prints a finding or an error; on a terminal the kind of it in the style `head`."""
    lines = text.replace("\t", "    ").split("\n")  # marks stand under their text: their line has the same tabs
    first, *rest = map(printable, lines)
    kind, separator, message = first.partition(":")
    _print([(kind, head), (separator + message, "bold"), *(f"\n{line}" for line in rest)], stderr)
