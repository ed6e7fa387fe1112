"""`seatwarden approve`: says that a plan may be applied, or not, signed by the key of a person."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.apply.approving import AnswerGiven, Approvable, answer, approvable, limits_asked
from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import QuietOption, TextFormat, parse_now
from seatwarden.engine.cli.keys import PassphraseOption, key_in
from seatwarden.engine.cli.terminal.confirm import confirm_number
from seatwarden.engine.cli.terminal.output import note, say
from seatwarden.engine.cli.terminal.prose import broken, room
from seatwarden.engine.cli.views.approval import say_answer
from seatwarden.engine.common.signing_key import public_key_in
from seatwarden.engine.common.text import join_words, printable
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.explain.people import people_of_plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.policy.errors import InputError


def approve(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of the plan.", autocompletion=complete_runs)
    ],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Your key; its passphrase is asked for.")],
    reject: Annotated[bool, typer.Option("--reject", help="Say no: the plan is not applied then.")] = False,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Stands in the record, beside you.")] = "",
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="USER", help="Not this person; several times.")
    ] = None,
    exclude_line: Annotated[
        list[int] | None,
        typer.Option("--exclude-line", metavar="N", help="Not this line of plan.jsonl; repeat."),
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", metavar="LIMIT", help='No more than this, too: "20", "5%".')
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="Counts until then, not as long as the plan.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether you have read it.")] = False,
    passphrase_env: PassphraseOption = None,
    format: TextFormat = "text",
    quiet: QuietOption = False,
) -> None:
    """Approve a plan, or reject it.

    Shows what stands in plan.jsonl, and asks. The answer is a signed note beside the plan, and counts for this plan
    alone; `apply` and `run` go by it where the site file demands approvals.

    Example: seatwarden approve runs/20261121T020000Z-0123456789ab --key anna.key --comment "as agreed"
    """
    try:
        it = approvable(folder, clock())
        it.refuse_key(public_key_in(key))
        out = [*(exclude_line or []), *_lines(it, exclude or [])]
        limits = limits_asked(limit or [])
        given = AnswerGiven("reject" if reject else "approve", out, limits, comment, _moment(expires))
        if format == "text":
            _show(it)
        _confirm(it, given, yes)
        signing = key_in(key, passphrase_env)
        path = answer(it, given, signing, clock(), this_hand(clock).draw)
    except PlanRefused as refusal:
        note(f"refused: {printable(str(refusal))}")
        raise typer.Exit(ExitCode.NO) from None
    say_answer(it, given, signing.public, path, format)


def _show(it: Approvable) -> None:
    """The plan as it is, what is demanded, and who has answered so far."""
    say("\n".join(broken(plan_text(it.plan).removesuffix("\n").split("\n"), room())))
    say("")
    if it.signed_by:
        say(printable(f"Signed by {join_words([key.name for key in it.signed_by])}"))
    for one in it.answers:
        say(printable(f"{one.words[0].upper()}{one.words[1:]}"))
    say(f"Needs {it.terms.approvals} approvals, has {len(it.approved_by)}; can be applied until {it.terms.expires}")


def _confirm(it: Approvable, given: AnswerGiven, yes: bool) -> None:
    """Says who is taken out, and asks for the number of licenses that would be released.

    Raises PlanRefused, InputError.
    """
    out = [decision for n, decision in it.releases if n in given.excluded]
    for decision in out:
        note(printable(f"taken out: {decision.label}, {decision.license_type}"))
    left = len(it.releases) - len(out)
    if not yes:
        purpose = "reject the plan" if given.answer == "reject" else "approve their release"
        confirm_number("licenses", left, purpose, "nothing has been signed")


def _lines(it: Approvable, wanted: list[str]) -> list[int]:
    """The lines of the plan whose licenses are taken out. Raises InputError."""
    releases = it.releases
    people = people_of_plan([decision for _, decision in releases])
    line_of = {decision.key: n for n, decision in releases}
    found = []
    for one in wanted:
        holder, _ = people.find(one)
        found += [line_of[decision.key] for decision in people.held_by(holder)]
    return found


def _moment(text: str | None) -> datetime | None:
    found = parse_now(text, "--expires") if text is not None else None
    if found is not None and not isinstance(found, datetime):
        raise InputError("--expires: a day has no time", "write 2026-11-21T18:00:00Z")
    if found is not None and found <= clock():
        raise InputError("--expires: that is over already", "name a later moment")
    return found
