"""`seatwarden log`: the decision log, its seal, and what past runs decided."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from msgspec import to_builtins

from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import ForceOption, Format, RawOption
from seatwarden.engine.cli.keys import public_keys
from seatwarden.engine.cli.terminal.csv_rows import print_csv
from seatwarden.engine.cli.terminal.output import note, print_result, say, working
from seatwarden.engine.cli.terminal.prose import WIDTH, room
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.audit import audit_lines, audit_to_json
from seatwarden.engine.cli.views.past_runs import answer_lines, answer_to_json, given_back_to_json, restore_row, run_row
from seatwarden.engine.cli.views.receipt import say_receipt
from seatwarden.engine.cli.views.record import record_lines, record_to_json
from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.seals import seals_in
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.common.timestamps import parse_timestamp, to_the_minute
from seatwarden.engine.decide.pseudonyms import load_pseudonyms
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.explain.people import MAX_CHOICES, AmbiguousUser, People
from seatwarden.engine.facts.day import DaySpan
from seatwarden.engine.log.approval import answers_beside
from seatwarden.engine.log.history import (
    PastDecision,
    PastRun,
    Question,
    UnreadableRun,
    revealed,
    rules_in,
    runs_in,
    select,
)
from seatwarden.engine.log.reader import open_log
from seatwarden.engine.log.replay import replay_opened
from seatwarden.engine.log.restored import PastRestore, given_back_words, read_past_restore
from seatwarden.engine.log.results import TakingKind
from seatwarden.engine.log.run_folder import log_path, restore_folders
from seatwarden.engine.log.verify import VerifiedRecord, against_seals
from seatwarden.engine.notice.verify import kind_of_register, registers_beside, verify_all, verify_beside
from seatwarden.engine.plan.findings import finding_lines
from seatwarden.engine.plan.modes import LIVE, OTHER_MOMENT
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.grammar.ast import RuleKind
from seatwarden.grammar.calendar_names import date_from
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import RECEIPT, kind_of
from seatwarden.policy.files import read_text
from seatwarden.policy.loading import load_policy

MOST_FAULTS = 20

app = typer.Typer(help="Check, read and search decision logs.", no_args_is_help=True, rich_markup_mode=None)

_MOST_LINES = 10
"""Most lines that a sentence lists."""
_COLUMNS = {
    "run": Column("Run", leaves=5),
    "folder": Column("Folder", least=16, stays="end"),
    "now": Column("Moment"),
    "made": Column("Made", leaves=6),
    "site": Column("Site", leaves=4),
    "licenses": Column("Licenses", right=True, leaves=3),
    "release": Column("Due", right=True),
    "released": Column("Released", right=True),
    "state": Column("State", least=10),
    "user": Column("User", least=14),
    "name": Column("Name", least=10, leaves=3),
    "license": Column("License", least=8, leaves=2),
    "verdict": Column("Verdict"),
    "outcome": Column("Outcome"),
    "why": Column("Why", least=20),
}
"""Those of `list` and of `show`."""

RunArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Run folder, or a log file.", autocompletion=complete_runs)
]
TextFormat = Annotated[Literal["text", "json"], typer.Option("--format", help="How to print.")]
RunsArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="Run folder, or a folder of run folders.", autocompletion=complete_runs),
]
AuditArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RUN|FOLDER|STATE",
        help="Run folder, folder of runs, or a site's state folder with its register.",
        autocompletion=complete_runs,
    ),
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="Only runs of this day and later: 2026-11-21.")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Only runs of this day and earlier.")]
KeysOption = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="PUB", help="A public key, or a file with it: each plan must be signed by it."),
]
SealsOption = Annotated[
    Path | None,
    typer.Option("--seals", metavar="FILE", help="Hold against the seals in this file: a mailbox, a log, a table."),
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
        raise typer.Exit(say_receipt(place, read_file(place), keys, format))
    kind = kind_of_register(place)
    if kind is not None:
        beside = [verify_beside(kind, place)]
        found = VerifiedRecord(others=list(beside[0].faults))
    else:
        found = verify_all(place, _pages, keys=keys)
        beside = registers_beside(found)
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
    raise typer.Exit(ExitCode.NO if found.faults else ExitCode.DONE)


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


@app.command("list")
def list_(
    place: RunsArgument,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
    raw: RawOption = False,
) -> None:
    """List the runs in a folder.

    Newest first, with what they would release and what was released.

    Example: seatwarden log list plans
    """
    runs = runs_in(place)
    restores = list(map(_restore_in, restore_folders(place)))
    rows = [restore_row(one) if isinstance(one, PastRestore) else run_row(one) for one in (*restores, *reversed(runs))]
    rows.sort(key=lambda row: row.get("now") or "~", reverse=True)
    columns = ("run", "folder", "now", *_made_elsewhen(rows), "site", "licenses", "release", "released", "state")
    _print_rows("runs", rows, format, columns, raw, [run for run in runs if isinstance(run, PastRun)])
    _end_if_damaged([*runs, *(one for one in restores if isinstance(one, UnreadableRun))])


def _restore_in(folder: Path) -> PastRestore | UnreadableRun:
    try:
        return read_past_restore(folder)
    except (DamagedLog, OSError) as problem:
        return UnreadableRun(folder, str(problem))


@app.command("show")
def show(
    place: RunsArgument,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="DIRECTORY\\id, an id, a name, or a part of one.")
    ] = None,
    verdict: Annotated[RuleKind | None, typer.Option("--verdict", help="Only this verdict.")] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", metavar="NAME", help="Only where this rule or guard decided or matched.")
    ] = None,
    outcome: Annotated[TakingKind | None, typer.Option("--outcome", help="Only where an apply ended so.")] = None,
    since: FromOption = None,
    until: ToOption = None,
    reveal: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--reveal", metavar="KEYFILE SNAPSHOT", help="Find the people behind pseudonyms again."),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
    raw: RawOption = False,
) -> None:
    """Show decisions of one run, or across runs.

    When did a user lose her license, and why? JSON has the facts of that day, too.

    Example: seatwarden log show plans --user "CORP\\jdoe"
    """
    found = runs_in(place)
    runs = [run for run in found if isinstance(run, PastRun)]
    if reveal is not None:
        runs = revealed(runs, load_pseudonyms(reveal[0]), load_snapshot(reveal[1]))
    _check_rule(rule, runs)
    asked = Question(_person(user, runs), verdict, rule, outcome, _days(since, until))
    answers = list(select(runs, asked))
    rows = [_decision_row(past, format) for past in answers]
    columns = ("now", *_made_elsewhen(rows), "user", "name", "license", "verdict", "outcome", "why")
    shown = {id(past.run) for past in answers}
    told = [run for run in runs if id(run) in shown]
    _print_rows("decisions", rows, format, columns, raw, told)
    for run in told if format == "table" else ():
        for line in finding_lines(run.log.findings):
            say(f"{run.header.run_id}: {line}" if not line.startswith(" ") else line)
    for line in answer_lines(told) if format == "table" else ():
        say(printable(line))
    _say_erased(run for run in runs if asked.fits(run))
    if not answers:
        note(f"No decision in {plural(len(found), 'run')} fits.")
    _end_if_damaged(found)


def _say_erased(runs: Iterable[PastRun]) -> None:
    """Says beside the result which runs have lines that no question finds any more."""
    for run in runs:
        if run.log.erased_words:
            note(f"{run.header.run_id}: {run.log.erased_words}")


@app.command("audit")
def audit(
    place: AuditArgument,
    since: FromOption = None,
    until: ToOption = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", "-p", metavar="FILE", help="What would this policy have done?")
    ] = None,
    register: Annotated[
        Path | None, typer.Option("--register", metavar="FILE", help="The register of runs, where it stands elsewhere.")
    ] = None,
    seals: SealsOption = None,
    format: TextFormat = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it as a page to look at and to print.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Answer an auditor's ten questions from the record.

    Who lost a license, by which text, who ran it, could it have been changed: each answer with the lines that it
    follows from, or that the record cannot say. Ends with 1 where something does not verify.

    Example: seatwarden log audit plans/2026-11-21
    """
    from seatwarden.engine.audit.audit import AuditRequest
    from seatwarden.engine.audit.audit import audit as answer

    span = _days(since, until)
    kept = seals_in(read_text(seals, "file of seals")) if seals is not None else None
    other = load_policy(policy) if policy is not None else None
    with working(f"reading {place}"):
        found = answer(AuditRequest(place, span, register, kept, other), clock())
    if output is not None:
        from seatwarden.engine.audit.page import write_page  # jinja2 takes a while to import

        write_page(found, output, force=force)
        say(f"Audit written to {output}")
    elif format == "json":
        print_result(audit_to_json(found))
    else:
        for line in audit_lines(found, room() or WIDTH):
            say(line)
    raise typer.Exit(ExitCode.DONE if found.sound else ExitCode.NO)


def _person(query: str | None, runs: list[PastRun]) -> tuple[str | None, str | None] | None:
    """The one person that is meant, among all whom the runs speak of. Raises InputError."""
    if query is None:
        return None
    hidden = any(run.header.pseudonyms is not None for run in runs)
    named = ": there are pseudonyms for names here", "--reveal KEYFILE SNAPSHOT finds the people"
    people: People[None] = People(*named) if hidden else People(" in these runs")
    # Each person once: a year of runs names everybody hundreds of times.
    for directory, user_id, name in {
        (about.user_directory, about.user_id, about.user_name)
        for run in runs
        for about in (decision.about for decision in run.decisions)
    }:
        people.add(directory, user_id, name)
    try:
        holder, by_part = people.find(query)
    except AmbiguousUser as error:
        raise error.asking(error.listed([holder.label for holder in error.candidates])) from None
    if by_part:
        note(printable(f"`{query}` is {holder.label}"))
    return holder.user_directory, holder.user_id


def _check_rule(rule: str | None, runs: list[PastRun]) -> None:
    known = rules_in(runs)
    if rule is not None and rule not in known:
        help_ = did_you_mean(rule, known) or f"there are {join_words(sorted(known)[:MAX_CHOICES])}"
        raise InputError(f"no run was decided by a rule `{rule}`", help_)


def _day(written: str | None) -> date | None:
    day = date_from(written) if written is not None else None
    if written is not None and day is None:
        raise InputError(f"`{written}` is not a day", "write year-month-day: 2026-11-21")
    return day


def _days(since: str | None, until: str | None) -> DaySpan:
    """The days asked for. Raises InputError for what is no day, and for a span that ends before it begins."""
    return DaySpan(_day(since), _day(until))


def _end_if_damaged(runs: list[PastRun | UnreadableRun]) -> None:
    damaged = [run for run in runs if isinstance(run, UnreadableRun)]
    for unreadable in damaged:
        note(f"error: {printable(unreadable.problem)}")
    if damaged:
        raise typer.Exit(ExitCode.NO)


def _decision_row(past: PastDecision, format: Format) -> dict[str, Any]:
    decision, about, outcome = past.decision, past.decision.about, past.outcome
    detail = f" ({outcome.detail})" if outcome and outcome.detail else ""
    back = past.given_back
    return {
        "run": past.run.header.run_id,
        "now": past.run.header.now,
        "made": past.run.header.clocks.ours or None,
        "mode": past.run.header.mode,
        "user": past.user,
        "name": about.user_name,
        "license": decision.license_type,
        "licenseId": about.license_id,
        "verdict": decision.verdict,
        "rule": past.run.rule_of(decision),
        "outcome": outcome.result if outcome else None,
        "at": outcome.at if outcome else None,
        "why": about.reason + detail + (f"; {given_back_words(back)}" if back else ""),
        "givenBack": given_back_to_json(back) if back else None,
        **({"facts": to_builtins(about.facts)} if format == "json" else {}),
    }


def _made_elsewhen(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """The column for when plans were made, where one was made for another moment than its own."""
    for row in rows:
        now, made = parse_timestamp(row.get("now") or ""), parse_timestamp(row.get("made") or "")
        if now is not None and made is not None and abs(made - now) > OTHER_MOMENT:
            return ("made",)
    return ()


def _print_rows(
    what: str,
    rows: list[dict[str, Any]],
    format: Format,
    columns: tuple[str, ...],
    raw: bool,
    runs: list[PastRun],
) -> None:
    """Rows as a table of some columns, or whole as JSON or CSV; JSON also has what was found when runs were planned."""
    if format == "json":
        findings = [{"run": run.header.run_id, **to_builtins(found)} for run in runs for found in run.log.findings]
        answers = [{"run": run.header.run_id, **answer_to_json(one)} for run in runs for one in answers_beside(run.log)]
        print_result({what: rows, "findings": findings, "approvals": answers})
    elif format == "csv":
        names = list(dict.fromkeys(name for row in rows for name in row)) or list(columns)
        print_csv(names, rows, raw=raw)
    else:
        if rows:
            cells = [[_shown(row, name) for name in columns] for row in rows]
            print_rows([_COLUMNS[name] for name in columns], cells)
        say(plural(len(rows), "row"))


def _shown(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if name == "outcome" and value is None and row.get("mode") not in (None, LIVE):
        return str(row["mode"])  # nothing can have come of it
    if name in ("now", "made") and value:
        return printable(to_the_minute(str(value)))  # JSON and CSV have the instant
    return printable(str(value)) if value is not None else ""
