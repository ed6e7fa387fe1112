"""`seatwarden log`: what past runs decided, and the auditor's questions."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import to_builtins

from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import ForceOption, Format, RawOption, SealsOption, TextFormat
from seatwarden.engine.cli.terminal.csv_rows import print_csv
from seatwarden.engine.cli.terminal.output import note, print_result, say, working
from seatwarden.engine.cli.terminal.prose import WIDTH, room
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.audit import audit_lines, audit_to_json
from seatwarden.engine.cli.views.past_runs import answer_lines, answer_to_json, given_back_to_json, restore_row, run_row
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
from seatwarden.engine.log.restored import PastRestore, given_back_words, read_past_restore
from seatwarden.engine.log.results import TakingKind
from seatwarden.engine.log.run_folder import restore_folders
from seatwarden.engine.plan.findings import finding_lines
from seatwarden.engine.plan.modes import LIVE, OTHER_MOMENT
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.grammar.ast import RuleKind
from seatwarden.grammar.calendar_names import date_from
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError
from seatwarden.policy.files import read_text
from seatwarden.policy.loading import load_policy

app = typer.Typer(rich_markup_mode=None)

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
