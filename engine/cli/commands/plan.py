"""`seatwarden plan`: what would be released, what is kept, and why. Releases nothing."""

import csv
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import (
    Format,
    NowOption,
    PolicyOption,
    PseudonymizeOption,
    QuietOption,
    SiteOption,
    SnapshotOption,
    TimezoneOption,
    gather,
)
from seatwarden.engine.cli.terminal.output import Part, is_terminal, print_json, printable, say
from seatwarden.engine.cli.terminal.streams import is_quiet, is_utf8
from seatwarden.engine.cli.terminal.tables import Column, plain_text, print_rows
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decision import LISTED_FIRST, Because, Decision, listing_order
from seatwarden.engine.decide.phrases import plural
from seatwarden.engine.decide.pseudonyms import load_pseudonyms
from seatwarden.engine.log.run_folder import REPORT_FILE
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.plan import Plan, make_plan
from seatwarden.engine.plan.records import decision_to_json
from seatwarden.policy.errors import InputError

Show = Literal["all", "release", "keep"]
_COLUMNS = (
    Column("User", folds=True),
    Column("Name", folds=True, leaves=1),
    Column("License"),
    Column("Verdict"),
    Column("Unused days", right=True),
    Column("Why", folds=True),
)
MOST_IN_FILE = 5_000
"""How many licenses a file or a pipe lists; all of them are in the log, and in CSV and JSON."""
MOST_ON_TERMINAL = 1_000
"""How many a terminal lists; laying out more takes seconds, and nobody scrolls through them."""
_STYLE = {"release": "bold red", "guard": "yellow", "default": "", "keep": "green"}


@collector_off()
def plan(
    policy: PolicyOption = None,
    snapshot: SnapshotOption = None,
    site: SiteOption = None,
    now: NowOption = None,
    timezone: TimezoneOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the sealed plan into this folder.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="With -o: write report.html into the folder too, a page to look at.")
    ] = False,
    pseudonymize: PseudonymizeOption = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
    show: Annotated[Show, typer.Option("--show", help="Which licenses the table lists.")] = "all",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 5 instead of 0 when something is to be released.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Say for every license whether it is kept or released.

    And why. Releases nothing.

    Example: seatwarden plan --policy butler.yaml --snapshot site.json
    """
    if report and output is None:
        raise InputError("--report needs a folder for the page", "name one with -o DIR")
    given = gather(policy, snapshot, site, now, timezone)
    pseudonyms = load_pseudonyms(pseudonymize) if pseudonymize else None
    made = make_plan(given.policy, given.snapshot, given.day, given.source, pseudonyms)
    written = None
    if output is not None:
        written = plan_text(made)
        write_plan(made, output, written)
    _print(made, format, show, written)
    if output is not None and report:
        from seatwarden.engine.cli.commands.report import write_report

        write_report(output, output / REPORT_FILE)
    if output is not None and format == "table":
        say(f"Sealed plan written to {output}" + (f", with {REPORT_FILE}" if report else ""))
    if detailed_exitcode and made.summary()["release"]:
        raise typer.Exit(ExitCode.SOMETHING_TO_RELEASE)


def _print(made: Plan, format_: Format, show: Show, written: str | None) -> None:
    """Prints the plan; `written` is the text of its `summary.txt`, if one was made."""
    if format_ == "json":
        decisions = [decision_to_json(decision) for decision in made.decisions]
        print_json({"run": made.run(), "decisions": decisions, "summary": made.summary()})
    elif format_ == "csv":
        _print_csv(made)
    elif is_quiet():
        return
    elif is_terminal():
        listed, more = _listed(made, show, MOST_ON_TERMINAL)
        if listed:
            print_rows(_COLUMNS, [_cells(decision) for decision in listed])
        say("\n".join(_closing_lines(made, more)))
    elif written is not None and show == "all" and is_utf8():
        say(written.removesuffix("\n"))
    else:
        say(plan_text(made, show, "─" if is_utf8() else "-").removesuffix("\n"))


def _listed(made: Plan, show: Show, most: int) -> tuple[list[Decision], list[str]]:
    """The licenses to list, and a line when there are more of them than `most`.

    Releases first, longest unused first; then what the guards kept, then the rest.
    """
    shown: dict[Because, list[Decision]] = {because: [] for because in LISTED_FIRST}
    for decision in made.decisions:
        ruling = decision.ruling
        if show in ("all", ruling.verdict):
            shown[ruling.because].append(decision)
    listed: list[Decision] = []
    for alike in shown.values():
        listed += _first(alike, most - len(listed))
    left = sum(map(len, shown.values())) - len(listed)
    return listed, [f"… and {plural(left, 'license')} more: --format csv and json list all"] if left else []


def _first(alike: list[Decision], most: int) -> list[Decision]:
    """The first of some decisions that one kind of reason decided; of very many without putting all in order."""
    if most <= 0:
        return []
    if len(alike) > most:
        least = sorted((decision.unused_days or 0 for decision in alike), reverse=True)[most - 1]
        alike = [decision for decision in alike if (decision.unused_days or 0) >= least]
    return sorted(alike, key=listing_order)[:most]


def _cells(decision: Decision) -> tuple[Part, ...]:
    return (
        printable(decision.user),
        printable(decision.user_name or ""),
        decision.license_type,
        (decision.verdict, _STYLE[decision.because]),
        f"{decision.unused_days:,}" if decision.unused_days is not None else "?",
        printable(decision.reason),
    )


def plan_text(made: Plan, show: Show = "all", line: str = "─") -> str:
    """What `summary.txt` and pipes are given: the table, as far as people read, and the counts."""
    listed, more = _listed(made, show, MOST_IN_FILE)
    table = plain_text(_COLUMNS, [_cells(decision) for decision in listed], line) if listed else ""
    return table + "\n".join(_closing_lines(made, more)) + "\n"


def _closing_lines(made: Plan, more: list[str]) -> list[str]:
    conclusion = f"{plural(made.summary()['release'], 'license')} would be released. Nothing has been released."
    return [*more, *summary_lines(made), conclusion]


def summary_lines(made: Plan) -> list[str]:
    """The plan in numbers: by license type, by reason, and against the limits."""
    summary = made.summary()
    run = made.run()
    lines = [
        f"Plan {run['runId']}",
        f"  site    {printable(made.source)}",
        f"  policy  {run['policy']['file']} (sha256 {run['policy']['sha256'][:12]}…)",
        f"  day     {made.day.today.isoformat()} in {run['timezone']}",
        "",
    ]
    for license_type, counts in summary["byType"].items():
        kept = [f"{counts[why]:,} {why}" for why in ("quarantined", "undetermined") if counts[why]]
        lines.append(
            f"  {license_type:<12} {counts['allocated']:>7,} allocated {counts['release']:>7,} to release "
            f"{counts['keep']:>7,} to keep" + (f" ({', '.join(kept)})" if kept else "")
        )
    lines.append("")
    lines += [f"  {count:>7,}  {printable(reason)}" for reason, count in summary["byReason"].items()]
    if summary["holdBothTypes"]:
        lines += ["", f"  {plural(summary['holdBothTypes'], 'user')} with both license types"]
    if summary["signedKey"]:
        lines += ["", "  This site runs on a signed license key. If other sites share it, a license"]
        lines += ["  that is released here is released there too."]
    lines += ["", f"Limits: {'; '.join(run['limits'])}"]
    if summary["overLimit"]:
        lines += [f"  OVER THE LIMIT: {sentence}" for sentence in summary["overLimit"]]
        lines.append("  As it stands this plan cannot be applied: over the limit nothing at all is released.")
    elif summary["thisRun"] < summary["release"]:
        waiting = summary["release"] - summary["thisRun"]
        waits = "waits" if waiting == 1 else "wait"
        this_run = f"  {summary['thisRun']:,} of them in this run, longest unused first; "
        lines.append(f"{this_run}{waiting:,} {waits} for the next runs.")
    return lines


def _print_csv(made: Plan) -> None:
    rows = [decision_to_json(decision) for decision in made.decisions]
    columns = [
        "licenseId", "licenseType", "userDirectory", "userId", "userName", "verdict", "because", "rule", "rules",
        "reason", "unusedDays", "lastUsed", "at",
    ]  # fmt: skip
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "rules": "; ".join(row["rules"])})
