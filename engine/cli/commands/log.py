"""`seatwarden log verify` and `replay`: whether runs are as they were written, and follow from what they say."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode, ended
from seatwarden.engine.cli.inputs import SealsOption, TextFormat
from seatwarden.engine.cli.keys import public_keys
from seatwarden.engine.cli.terminal.output import note, print_result, say
from seatwarden.engine.cli.views.record import record_lines, record_to_json
from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.seals import seals_in
from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.log.reader import open_log
from seatwarden.engine.log.run_folder import log_path
from seatwarden.engine.log.verify import VerifiedRecord, against_seals, verify_record
from seatwarden.policy.file_kinds import RECEIPT, kind_of
from seatwarden.policy.files import read_text

if TYPE_CHECKING:
    from seatwarden.engine.notice.verify import VerifiedBeside

MOST_FAULTS = 20

app = typer.Typer(help="Check, read and search decision logs.", no_args_is_help=True, rich_markup_mode=None)

_MOST_LINES = 10
"""Most lines that a sentence lists."""
RunArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Run folder, or a log file.", autocompletion=complete_runs)
]
KeysOption = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="PUB", help="A public key, or a file with it: each plan must be signed by it."),
]


@app.command("verify")
def verify(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|FOLDER|REGISTER|RECEIPT",
            help="Run folder, folder of runs, register (runs.jsonl, holds.jsonl, notices.jsonl), or receipt.",
            autocompletion=complete_runs,
        ),
    ],
    seals: SealsOption = None,
    key: KeysOption = None,
    format: TextFormat = "text",
) -> None:
    """Check that runs are as they were written.

    Every file of a run, every line, the seals, signatures and approvals, and the registers of runs, holds and notices
    where there are any; or a receipt, alone. With --key each plan must be signed by that key.

    Example: seatwarden log verify plans/2026-11-21
    """
    keys = public_keys(key or [])
    if place.is_file() and kind_of(place) is RECEIPT:
        from seatwarden.engine.cli.views.receipt import say_receipt  # the words of receipts: a run is asked about more

        raise typer.Exit(say_receipt(place, read_file(place), keys, format))
    beside = [] if place.is_dir() else _register_beside(place)
    if beside:
        found = VerifiedRecord(others=list(beside[0].faults))
    else:
        found = verify_record(place, _pages, keys=keys)
        if found.whole:
            from seatwarden.engine.notice.verify import verify_registers_beside  # most often a run is asked about

            beside = verify_registers_beside(found)
    if seals is not None:
        found.others += against_seals(found, seals_in(read_text(seals, "file of seals")))
    if format == "json":
        print_result(record_to_json(found, beside))
    else:
        for line in record_lines(found, beside):
            say(line)
        for doubt in found.notes:
            note(f"warning: {printable(str(doubt))}")
        for fault in found.faults[:MOST_FAULTS]:
            note(f"error: {printable(str(fault))}")
        if len(found.faults) > MOST_FAULTS:
            note(f"error: {len(found.faults) - MOST_FAULTS:,} more; --format json has all")
    raise ended(ExitCode.NO if found.faults else ExitCode.DONE)


def _register_beside(place: Path) -> "list[VerifiedBeside]":
    """The register of holds or notices in a file; none where it is another file."""
    from seatwarden.engine.notice.verify import kind_of_register, verify_beside  # as above

    kind = kind_of_register(place)
    return [verify_beside(kind, place)] if kind is not None else []


def _pages(folder: Path) -> Iterator[bytes]:
    """The pages that `report` makes of a run: as it is, and as it was before it was applied."""
    from seatwarden.engine.report.write import possible_pages  # jinja2 takes a while to import

    yield from possible_pages(folder)


@app.command("replay")
def replay(
    place: RunArgument,
    reference: Annotated[
        bool, typer.Option("--reference", help="By the evaluator that is what a policy means: slower, one by one.")
    ] = False,
    format: TextFormat = "text",
) -> None:
    """Decide every license of a plan again.

    From its recorded facts and policy alone; all must agree.

    Example: seatwarden log replay plans/2026-11-21
    """
    from seatwarden.engine.log.replay import replay_opened  # verifying, which is more frequent, decides nothing

    opened = open_log(place)
    count, differences, withheld = replay_opened(opened, reference=reference)
    if format == "json":
        counts = {"decisions": count, "erased": len(opened.log.erased)}
        print_result({**counts, "differences": differences, "withheld": withheld})
        raise typer.Exit(ExitCode.NO if differences else ExitCode.DONE)
    for difference in differences:
        note(printable(difference))
    if differences:
        note(f"{plural(len(differences), 'decision')} of {count:,} would be different")
        raise typer.Exit(ExitCode.NO)
    erased = f"; {opened.log.erased_words}, and cannot be" if opened.log.erased_words else ""
    say(f"{log_path(place)}: {plural(count - len(withheld), 'decision')} decided again, all agree{erased}")
    if withheld:
        more = [f"{len(withheld) - _MOST_LINES:,} more"] if len(withheld) > _MOST_LINES else []
        lines = join_words([*map(str, withheld[:_MOST_LINES]), *more])
        say(f"{plural(len(withheld), 'decision')} cannot be decided again: the log withholds the facts of line {lines}")
