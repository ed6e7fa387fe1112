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
    Inputs,
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
from engine.collector import collector_off
from engine.decide import Because, Decision
from engine.phrases import plural
from engine.plan import LISTED_FIRST, Plan, decision_to_json, listing_order, make_plan, write_plan
from engine.pseudonyms import load_pseudonyms

Show = Literal["all", "release", "keep"]
_HEADS = ("User", "Name", "License", "Verdict", "Unused days", "Why")
MOST_IN_FILE = 5_000
"""How many licenses a file or a pipe lists; all of them are in the log, and in CSV and JSON."""
MOST_ON_TERMINAL = 1_000
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
    pseudonymize: PseudonymizeOption = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
    show: Annotated[Show, typer.Option("--show", help="Which licenses the table lists.")] = "all",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 5 instead of 0 when something is to be released.")
    ] = False,
) -> None:
    """Say for every license whether it is kept or released, and why. Releases nothing.

    Example: seatwarden plan --policy butler.yaml --snapshot site.json
    """
    with collector_off():
        to_release = _plan(gather(policy, snapshot, site, now, timezone), output, pseudonymize, format, show)
    if detailed_exitcode and to_release:
        raise typer.Exit(ExitCode.SOMETHING_TO_RELEASE)


def _plan(given: Inputs, output: Path | None, key_file: Path | None, format_: Format, show: Show) -> int:
    """Makes the plan, writes and prints it. How many licenses it releases."""
    made = make_plan(
        given.policy, given.snapshot, given.day, given.source, load_pseudonyms(key_file) if key_file else None
    )
    table = _PlainTable(made)
    if output is not None:
        write_plan(made, output, table.text("all") + "\n" + "\n".join(_summary(made)) + "\n")
    if format_ == "json":
        decisions = [decision_to_json(decision) for decision in made.decisions]
        print_json({"run": made.run(), "decisions": decisions, "summary": made.summary()})
    elif format_ == "csv":
        _print_csv(made)
    else:
        if console().is_terminal:
            _print_table(made, show)
        else:
            sys.stdout.write(table.text(show))
        for line in _summary(made):
            say(line)
        if output is not None:
            say(f"Sealed plan written to {output}")
    release: int = made.summary()["release"]
    return release


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
        listed += nsmallest(most - len(listed), alike, key=listing_order)
    left = sum(map(len, shown.values())) - len(listed)
    return listed, [f"… and {plural(left, 'license')} more: --format csv and json list all"] if left else []


def _cells(decision: Decision) -> tuple[str, ...]:
    return (
        printable(decision.user),
        printable(decision.user_name or ""),
        decision.license_type,
        decision.verdict,
        f"{decision.unused_days:,}" if decision.unused_days is not None else "?",
        printable(decision.reason),
    )


class _PlainTable:
    """The table for files and pipes. Laid out once for both: the summary's is the one that is printed."""

    def __init__(self, made: Plan) -> None:
        self._made = made
        self._texts: dict[Show, str] = {}

    def text(self, show: Show) -> str:
        """The table, as far as people read, ending in a line break."""
        if show not in self._texts:
            listed, more = _listed(self._made, show, MOST_IN_FILE)
            table = plain_table(_HEADS, map(_cells, listed), _HEADS[4])
            self._texts[show] = "\n".join([table.rstrip("\n"), *more, ""])
        return self._texts[show]


def _print_table(made: Plan, show: Show) -> None:
    listed, more = _listed(made, show, MOST_ON_TERMINAL)
    print_table(_table(listed))
    for line in more:
        say(line)


def _table(listed: list[Decision]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in _HEADS:
        folds = head in ("User", "Name", "Why")
        table.add_column(
            head, overflow="fold" if folds else "ellipsis", justify="right" if head == _HEADS[4] else "left"
        )
    for decision in listed:
        user, name, license_type, verdict, days, reason = _cells(decision)
        table.add_row(user, name, license_type, Text(verdict, style=_STYLE[decision.because]), days, reason)
    return table


def _summary(made: Plan) -> list[str]:
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
    lines.append(f"{plural(summary['release'], 'license')} would be released. Nothing has been released.")
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
