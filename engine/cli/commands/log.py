"""`seatwarden log`: the decision log, its seal, and what past runs decided."""

import secrets
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from msgspec import to_builtins

from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import Format, RawOption
from seatwarden.engine.cli.terminal.csv_rows import print_csv
from seatwarden.engine.cli.terminal.output import note, print_result, say
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.common.way_out import KEY, write_out
from seatwarden.engine.decide.pseudonyms import load_pseudonyms
from seatwarden.engine.explain.people import MAX_CHOICES, AmbiguousUser, People
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
from seatwarden.engine.log.journal import check_journal, parse_journal, whole_lines
from seatwarden.engine.log.lines import OutcomeKind, PlanLog
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.replay import replay as replay_plan
from seatwarden.engine.log.run_folder import JOURNAL_FILE, log_path
from seatwarden.engine.plan.findings import finding_lines
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.grammar.builder import date_from
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError

app = typer.Typer(help="Check, read and search decision logs.", no_args_is_help=True, rich_markup_mode=None)

_MOST_LINES = 10
"""Most lines that a sentence lists."""
_COLUMNS = {
    "run": Column("Run", leaves=5),
    "folder": Column("Folder", least=16, stays="end"),
    "now": Column("Moment"),
    "site": Column("Site", leaves=4),
    "licenses": Column("Licenses", right=True, leaves=3),
    "release": Column("Release", right=True),
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


@app.command("verify")
def verify(place: RunArgument, format: TextFormat = "text") -> None:
    """Check that a plan and its journal are as they were written.

    Every line, their order, the seal.

    Example: seatwarden log verify plans/2026-11-21
    """
    log = read_log(place)
    journal = log.path.with_name(JOURNAL_FILE)
    if format == "text":  # before the journal, which may be damaged
        say(f"{log.path}: verified")
        say(printable(f"  run   {log.header.run_id}, {plural(len(log.decisions), 'decision')}"))
        say(f"  seal  {log.seal.digest}")
    state = _verified_journal(journal, log) if journal.exists() else None
    if format == "json":
        result = {"run": log.header.run_id, "decisions": len(log.decisions), "seal": log.seal.digest, "journal": state}
        print_result({**result, "findings": to_builtins(log.header.findings)})
    elif state is not None:
        say(f"{journal}: {state}")


def _verified_journal(path: Path, log: PlanLog) -> str:
    """The words for a journal that verifies. Raises DamagedLog."""
    data = path.read_bytes()
    state = parse_journal(path, data)
    if state is not None:
        check_journal(path, state, log.seal, log.releases)
    if state is not None and state.sealed:
        return "verified"
    torn = ", the last line torn" if whole_lines(data) != data else ""
    return f"verified, not ended yet{torn}; apply again to go on"


@app.command("replay")
def replay(place: RunArgument, format: TextFormat = "text") -> None:
    """Decide every license of a plan again.

    From its recorded facts and policy alone; all must agree.

    Example: seatwarden log replay plans/2026-11-21
    """
    count, differences, withheld = replay_plan(place)
    if format == "json":
        print_result({"decisions": count, "differences": differences, "withheld": withheld})
        raise typer.Exit(ExitCode.NO if differences else ExitCode.DONE)
    for difference in differences:
        note(printable(difference))
    if differences:
        note(f"{plural(len(differences), 'decision')} of {count:,} would be different")
        raise typer.Exit(ExitCode.NO)
    say(f"{log_path(place)}: {plural(count - len(withheld), 'decision')} decided again, all agree")
    if withheld:
        more = [f"{len(withheld) - _MOST_LINES:,} more"] if len(withheld) > _MOST_LINES else []
        lines = join_words([*map(str, withheld[:_MOST_LINES]), *more])
        say(f"{plural(len(withheld), 'decision')} cannot be decided again: the log withholds the facts of line {lines}")


@app.command("new-key")
def new_key(path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; must not exist yet.")]) -> None:
    """Write a new random key for --pseudonymize.

    Who loses it can never find the people again.

    Example: seatwarden log new-key site.key
    """
    write_out(path, secrets.token_hex(32).encode() + b"\n", KEY)
    say(f"{path}: new key written; keep a copy in a safe place")


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
    rows = [_run_row(run) for run in reversed(runs)]
    columns = ("run", "folder", "now", "site", "licenses", "release", "released", "state")
    _print_rows("runs", rows, format, columns, raw, [run for run in runs if isinstance(run, PastRun)])
    _end_if_damaged(runs)


@app.command("show")
def show(
    place: RunsArgument,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="DIRECTORY\\id, an id, a name, or a part of one.")
    ] = None,
    verdict: Annotated[Literal["keep", "release"] | None, typer.Option("--verdict", help="Only this verdict.")] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", metavar="NAME", help="Only where this rule or guard decided or matched.")
    ] = None,
    outcome: Annotated[OutcomeKind | None, typer.Option("--outcome", help="Only where an apply ended so.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Only runs of this day and later: 2026-11-21.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Only runs of this day and earlier.")] = None,
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
    asked = Question(_person(user, runs), verdict, rule, outcome, _day(since), _day(until))
    answers = list(select(runs, asked))
    columns = ("now", "user", "name", "license", "verdict", "outcome", "why")
    shown = {id(past.run) for past in answers}
    told = [run for run in runs if id(run) in shown]
    _print_rows("decisions", [_decision_row(past, format) for past in answers], format, columns, raw, told)
    for run in told if format == "table" else ():
        for line in finding_lines(run.header.findings):
            say(f"{run.header.run_id}: {line}" if not line.startswith(" ") else line)
    if not answers:
        note(f"No decision in {plural(len(found), 'run')} fits.")
    _end_if_damaged(found)


def _person(query: str | None, runs: list[PastRun]) -> tuple[str | None, str | None] | None:
    """The one person that is meant, among all whom the runs speak of. Raises InputError."""
    if query is None:
        return None
    hidden = any(run.header.pseudonyms is not None for run in runs)
    named = ": there are pseudonyms for names here", "--reveal KEYFILE SNAPSHOT finds the people"
    people: People[None] = People(*named) if hidden else People(" in these runs")
    # Each person once: a year of runs names everybody hundreds of times.
    for directory, user_id, name in {
        (decision.user_directory, decision.user_id, decision.user_name) for run in runs for decision in run.decisions
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


def _end_if_damaged(runs: list[PastRun | UnreadableRun]) -> None:
    damaged = [run for run in runs if isinstance(run, UnreadableRun)]
    for unreadable in damaged:
        note(f"error: {printable(unreadable.problem)}")
    if damaged:
        raise typer.Exit(ExitCode.NO)


def _run_row(run: PastRun | UnreadableRun) -> dict[str, Any]:
    if isinstance(run, UnreadableRun):
        return {"run": "?", "folder": str(run.folder), "state": "damaged", "problem": run.problem}
    results = Counter(line.result for line in run.journal.outcomes.values()) if run.journal else Counter()
    summary = run.seal.summary
    return {
        "run": run.header.run_id,
        "folder": str(run.folder),
        "now": run.header.now,
        "site": run.header.site,
        "licenses": summary.licenses,
        "release": summary.release,
        "released": results["released"] + results["gone"],
        "state": "planned" if run.journal is None else "applied" if run.journal.sealed else "not ended",
    }


def _decision_row(past: PastDecision, format: Format) -> dict[str, Any]:
    decision, outcome = past.decision, past.outcome
    detail = f" ({outcome.detail})" if outcome and outcome.detail else ""
    return {
        "run": past.run.header.run_id,
        "now": past.run.header.now,
        "user": past.user,
        "name": decision.user_name,
        "license": decision.license_type,
        "licenseId": decision.license_id,
        "verdict": decision.verdict,
        "rule": past.run.rule_of(decision),
        "outcome": outcome.result if outcome else None,
        "at": outcome.at if outcome else None,
        "why": decision.reason + detail,
        **({"facts": to_builtins(decision.facts)} if format == "json" else {}),
    }


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
        findings = [{"run": run.header.run_id, **to_builtins(found)} for run in runs for found in run.header.findings]
        print_result({what: rows, "findings": findings})
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
    if name == "now" and value:
        return printable(str(value)[:16].replace("T", " ") + "Z")  # to the minute; JSON and CSV have the instant
    return printable(str(value)) if value is not None else ""
