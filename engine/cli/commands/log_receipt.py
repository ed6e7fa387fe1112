"""`seatwarden log receipt`: one person's decision, with its proof, and nobody else's data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.inputs import ForceOption
from seatwarden.engine.cli.terminal.output import note, say
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.common.way_out import RECEIPT, check_way_out, write_out
from seatwarden.engine.decide.decision import user_of
from seatwarden.engine.explain.people import AmbiguousUser, People
from seatwarden.engine.log.receipt import ReceiptMaker, read_receipt, receipt_bytes
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.log.decision_lines import RecordedDecision

app = typer.Typer(rich_markup_mode=None)
"""Commands of the group `log`."""

FORMS = (".json", ".txt", ".html")


@app.command("receipt")
def receipt(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of the run.", autocompletion=complete_runs)],
    user: Annotated[str, typer.Argument(metavar="USER", help="DIRECTORY\\id, a name, an id, or a part of one.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Where to: .html, .txt or .json."),
    ],
    force: ForceOption = False,
) -> None:
    """Write one person's receipt, with its proof.

    What a run decided about that person, and why. It has no data of anybody else. Whoever has the public key of the
    plan's signature can check it without the record: `seatwarden log verify FILE --key PUB`.

    Example: seatwarden log receipt runs/20261121T020000Z-0123456789ab "CORP\\jdoe" -o jdoe.html
    """
    check_way_out(output, RECEIPT, force=force)
    if output.suffix.lower() not in FORMS:
        raise InputError(f"`{output}` has no ending of a receipt", f"name it with one of these: {', '.join(FORMS)}")
    maker = ReceiptMaker(folder)
    lines, label = _lines_of(maker, user)
    made = read_receipt(receipt_bytes(maker.of(lines)))
    if output.suffix.lower() == ".json":
        data = receipt_bytes(made.receipt)
    elif output.suffix.lower() == ".txt":
        from seatwarden.engine.log.receipt_words import receipt_text

        data = receipt_text(made).encode()
    else:
        from seatwarden.engine.report.receipt import receipt_page  # jinja2 takes a while to import

        data = receipt_page(made)
    write_out(output, data, RECEIPT, force=force)
    say(printable(f"{output}: receipt about {label}, {plural(len(lines), 'license')}"))
    if made.receipt.plan.note is None:
        note("warning: the plan is not signed: the receipt shows that its lines fit, not who has written them")


def _lines_of(maker: ReceiptMaker, user: str) -> tuple[list["RecordedDecision"], str]:
    """The lines about the person who is meant. Raises InputError."""
    people: People[RecordedDecision] = People(" whose licenses this run has decided on")
    for line in maker.log.decisions:
        about = line.about
        people.give(people.add(about.user_directory, about.user_id, about.user_name), line)
    try:
        holder, _ = people.find(user)
    except AmbiguousUser as error:
        raise error.asking(error.listed([one.label for one in error.candidates])) from None
    lines = people.held_by(holder)
    return lines, holder.label if lines else user_of(None, user)
