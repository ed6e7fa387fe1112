"""An audit as text, at 80 columns or as many as asked for, and for programs."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from msgspec import to_builtins

from seatwarden.engine.audit.answers import Audit, AuditAnswer, AuditedRun, Listing
from seatwarden.engine.cli.terminal.prose import WIDTH
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.common.timestamps import to_the_minute

MOST_LISTED = 12
"""Most entries of a list in text; JSON and the page have them all."""


def audit_lines(found: Audit, width: int = WIDTH) -> Iterator[str]:
    """The whole audit."""
    yield from _wrapped(f"Audit of {found.place}", width)
    span = f", {found.since or 'the beginning'} to {found.until or 'now'}" if found.since or found.until else ""
    left = f"; {plural(found.left_out, 'run')} of other days left out" if found.left_out else ""
    yield from _wrapped(f"made {to_the_minute(found.at)} by {found.tool}{span}{left}", width, 2)
    for run in found.runs:
        yield from _wrapped(_run_words(run), width, 2, 4)
    for answer in found.answers:
        yield ""
        yield from _answer(answer, width)


def audit_to_json(found: Audit) -> dict[str, Any]:
    """The same for programs, with every entry."""
    shown: dict[str, Any] = to_builtins(found)
    return shown


def _run_words(run: AuditedRun) -> str:
    if run.run is None:
        return f"{run.folder}: {run.state}"
    number = f" (number {run.number} in its register)" if run.number is not None and not run.name else ""
    now, made_at = to_the_minute(run.now or ""), to_the_minute(run.made or "")
    made = f", made {made_at}" if run.made and made_at != now else ""
    released = f", {run.released:,} released" if run.released is not None else ""
    counted = f"{plural(run.licenses or 0, 'license')}{released}"
    where = f" [{run.folder}]" if run.folder not in (".", run.name) else ""
    name = f"{run.name}: " if run.name else ""
    return f"{name}run {run.run}{number}, {run.state}: for {now}{made}, {counted}, {run.site}{where}"


def _answer(answer: AuditAnswer, width: int) -> Iterator[str]:
    yield from _wrapped(f"{answer.number}. {answer.question}", width)
    yield from _wrapped(answer.short, width, 3)
    for statement in answer.statements:
        yield from _wrapped(f"- {statement.text}{_from(statement.sources)}", width, 3, 5)
    for listing in answer.listings:
        yield ""
        yield from _listing(listing, width)
    if answer.cannot_say:
        yield ""
        yield "   The record cannot say:"
        for sentence in answer.cannot_say:
            yield from _wrapped(f"- {sentence}", width, 3, 5)
    for command in answer.commands:
        yield printable(f"   $ {command}")


def _listing(listing: Listing, width: int) -> Iterator[str]:
    yield from _wrapped(f"{listing.title} ({len(listing.entries):,})", width, 3)
    for entry in listing.entries[:MOST_LISTED]:
        yield from _wrapped("  ".join(entry.cells), width, 5, 7)
        yield from _wrapped(f"{entry.words}{_from(entry.sources)}", width, 7)
    more = len(listing.entries) - MOST_LISTED
    if more > 0:
        yield from _wrapped(f"and {more:,} more: `--format json` and `-o page.html` have them all", width, 5)


def _from(sources: tuple[str, ...]) -> str:
    return f" [{', '.join(sources)}]" if sources else ""


def _wrapped(text: str, width: int, indent: int = 0, below: int | None = None) -> list[str]:
    first, rest = " " * indent, " " * (indent if below is None else below)
    return wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
