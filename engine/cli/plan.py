"""`seatwarden plan`: what would be released, what is kept, and why. Releases nothing."""

import csv
import sys
from heapq import nsmallest
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from engine.cli.exits import ExitCode
from engine.cli.inputs import (
    Format,
    NowOption,
    PolicyOption,
    PseudonymizeOption,
    SiteOption,
    SnapshotOption,
    TimezoneOption,
    gather,
)
from engine.cli.output import console, print_json, print_table, printable, say
from engine.cli.plain_table import plain_table
from engine.cli.report import REPORT_FILE, write_report
from engine.decide import Decision
from engine.phrases import plural
from engine.plan import Plan, decision_to_json, listing_order, make_plan, write_plan
from engine.pseudonyms import load_pseudonyms
from policy.errors import InputError

Show = Literal["all", "release", "keep"]
_DAYS = "Unused days"
_HEADS = ("User", "Name", "License", "Verdict", _DAYS, "Why")
_ROOM_FOR_NAMES = 110
"""Columns of a terminal from which on users' names are shown too."""
MOST_IN_FILE = 10_000
"""How many licenses a file or a pipe lists; all of them are in the log, and in CSV and JSON."""
MOST_ON_TERMINAL = 2_000
"""How many a terminal lists; laying out more takes seconds, and nobody scrolls through them."""
_STYLE = {"release": "bold red", "guard": "yellow", "default": "", "keep": "green"}


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
    if output is not None:
        write_plan(made, output, plan_text(made))
        if report:
            write_report(output, output / REPORT_FILE)
    if format == "json":
        decisions = [decision_to_json(decision) for decision in made.decisions]
        print_json({"run": made.run(), "decisions": decisions, "summary": made.summary()})
    elif format == "csv":
        _print_csv(made)
    else:
        _print_table(made, show)
        for line in summary_lines(made):
            say(line)
        say(_conclusion(made))
        if output is not None:
            say(f"Sealed plan written to {output}" + (f", with {REPORT_FILE}" if report else ""))
    if detailed_exitcode and made.summary()["release"]:
        raise typer.Exit(ExitCode.SOMETHING_TO_RELEASE)


def _listed(made: Plan, show: Show, most: int) -> tuple[list[Decision], str | None]:
    """The licenses to list, and a sentence when there are more of them than `most`.

    Releases first, longest unused first; then what the guards kept, then the rest.
    """
    shown = [decision for decision in made.decisions if show in ("all", decision.verdict)]
    listed = nsmallest(most, shown, key=listing_order)
    left = len(shown) - len(listed)
    return listed, f"… and {plural(left, 'license')} more; --format csv and json list all." if left else None


def _cells(decision: Decision) -> tuple[str, ...]:
    return (
        printable(decision.user),
        printable(decision.user_name or ""),
        decision.license_type,
        decision.verdict,
        f"{decision.unused_days:,}" if decision.unused_days is not None else "?",
        printable(decision.reason),
    )


def _print_table(made: Plan, show: Show) -> None:
    on_terminal = console().is_terminal
    listed, more = _listed(made, show, MOST_ON_TERMINAL if on_terminal else MOST_IN_FILE)
    if on_terminal:
        print_table(_table(listed, console().width))
    else:
        sys.stdout.write(plain_table(_HEADS, map(_cells, listed), _DAYS))
    if more:
        say(more)


def _table(listed: list[Decision], width: int) -> Table:
    """As wide as the terminal: where there is little room, the names make way, and only the last column folds."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown = [head for head in _HEADS if head != "Name" or width >= _ROOM_FOR_NAMES]
    for head in shown:
        right = head == _DAYS
        narrow = "Days" if right and width < _ROOM_FOR_NAMES else head
        folds = head in ("User", "Name", "Why")
        longest = max(width // 4, 16) if head in ("User", "Name") else None
        table.add_column(
            narrow,
            overflow="fold",
            no_wrap=not folds,
            max_width=longest,
            justify="right" if right else "left",
        )
    for decision in listed:
        cells: dict[str, str | Text] = dict(zip(_HEADS, _cells(decision), strict=True))
        cells["Verdict"] = Text(decision.verdict, style=_STYLE[decision.because])
        table.add_row(*(cells[head] for head in shown))
    return table


def plan_text(made: Plan) -> str:
    """What `summary.txt` holds: the table, as far as people read, and the counts."""
    listed, more = _listed(made, "all", MOST_IN_FILE)
    lines = [*([more] if more else []), *summary_lines(made), _conclusion(made)]
    return plain_table(_HEADS, map(_cells, listed), _DAYS) + "\n" + "\n".join(lines) + "\n"


def _conclusion(made: Plan) -> str:
    return f"{plural(made.summary()['release'], 'license')} would be released. Nothing has been released."


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
        lines += ["", "  This site runs on a signed license key. If other sites share it, a license that is released"]
        lines += ["  here is released there too."]
    lines += ["", f"Limits: {'; '.join(run['limits'])}"]
    if summary["overLimit"]:
        lines += [f"  OVER THE LIMIT: {sentence}" for sentence in summary["overLimit"]]
        lines.append("  As it stands this plan cannot be applied: over the limit nothing at all is released.")
    elif summary["thisRun"] < summary["release"]:
        waiting = summary["release"] - summary["thisRun"]
        lines.append(
            f"  {summary['thisRun']:,} of them in this run, longest unused first; {waiting:,} wait for the next runs."
        )
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
