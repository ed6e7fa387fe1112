"""`seatwarden fix`: quick fixes that are proved to keep what a policy means; the others are shown."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import NowOption, SnapshotOption, choose_moment
from seatwarden.engine.cli.terminal.output import complain, note, say
from seatwarden.engine.cli.views.unified import show_change
from seatwarden.engine.common.files import replace_file
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.facts.day import make_day
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import encoded_like, read_source
from seatwarden.policy.fixes.fixes import FixedText, Fixer, QuickFix
from seatwarden.policy.loading import DEFAULT_TIMEZONE, load_text, shown_source

if TYPE_CHECKING:
    from seatwarden.engine.snapshot.model import Snapshot


@dataclass(frozen=True, slots=True)
class _File:
    """A file's bytes and text as they are, and what its fixes make of it."""

    path: Path
    data: bytes
    text: str
    fixed: FixedText


def fix(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Policies, in text or Butler's YAML.")],
    snapshot: SnapshotOption = None,
    now: NowOption = None,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would change.")] = False,
) -> None:
    """Tidy policies up without changing what they mean.

    Applies the quick fixes that keep every verdict, whatever the facts, unknown ones included; each is proved.
    What only the writer can decide is shown: a name that was mistyped, a rule that matches nobody.
    Ends with 1 when errors are left, with 2 when a file cannot be read or written.

    Example: seatwarden fix --diff site.policy
    """
    moment, site = choose_moment(now, None), None
    if snapshot is not None:
        from seatwarden.engine.snapshot.reader import load_snapshot

        site = load_snapshot(snapshot)
        moment = choose_moment(now, site)
    changed = offered = errors = 0
    failed = False
    for path in files:
        try:
            file = _fixed(path, site, moment)
            if file.fixed.applied and not diff:
                _write(file)
        except InputError as error:
            complain(error)
            failed = True
            continue
        changed += bool(file.fixed.applied)
        offered += len(file.fixed.offered)
        errors += sum(finding.severity == "error" for finding in file.fixed.findings)
        _report(file, diff=diff)
    left = f"; {offered:,} left to you" if offered else ""
    note(f"{plural(changed, 'file')} {'would change' if diff else 'changed'}{left}")
    if errors:
        note(f"{plural(errors, 'error')} left; `seatwarden lint` shows where")
    if failed:
        raise typer.Exit(ExitCode.BAD_INPUT)
    if errors:
        raise typer.Exit(ExitCode.NO)


def _fixed(path: Path, site: "Snapshot | None", moment: datetime | date) -> _File:
    data, text = read_source(path, "policy")
    try:
        policy = load_text(text, path)
    except PolicyError:
        fixer = Fixer(str(path), make_day(moment, DEFAULT_TIMEZONE).today)
    else:
        day = make_day(moment, policy.timezone)
        known = None
        if site is not None:
            from seatwarden.engine.analysis.known_names import known_names

            known = known_names(policy, site, day)
        fixer = Fixer(str(path), day.today, known)
    return _File(path, data, text, fixer.fix(text))


def _write(file: _File) -> None:
    """Writes the file in the encoding that it has."""
    try:
        replace_file(file.path, encoded_like(file.data, file.fixed.text))
    except OSError as error:
        raise InputError(f"policy `{file.path}` cannot be written: {error.strerror}") from None


def _report(file: _File, *, diff: bool) -> None:
    for applied in file.fixed.applied:
        say(printable(f"{'would fix' if diff else 'fixed'} {_headline(applied)}"))
    if diff and file.fixed.applied:
        before, after = (shown_source(text, str(file.path)) for text in (file.text, file.fixed.text))
        show_change(file.path, before, after, "fixed")
    for offered in file.fixed.offered:
        say(printable(f"left to you: {_headline(offered)} — {offered.left_to_you}"))


def _headline(fix: QuickFix) -> str:
    return f"{fix.finding.span.place}: {fix.finding.code} {fix.finding.message}: {fix.title}"
