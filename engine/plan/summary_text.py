"""The plan as text, for `summary.txt` of a run folder and for pipes."""

from collections.abc import Sequence
from typing import Literal

from seatwarden.engine.common.tables import Column, plain_text
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.decide.decision import LISTED_FIRST, Because, Decision, listing_order
from seatwarden.engine.plan.findings import finding_lines
from seatwarden.engine.plan.plan import Plan

Show = Literal["all", "release", "keep"]
"""The licenses that a listing has."""

VERDICT = Column("Verdict")
COLUMNS = (
    Column("User", folds=True),
    Column("Name", folds=True, leaves=1),
    Column("License"),
    VERDICT,
    Column("Unused days", right=True),
    Column("Why", folds=True),
)
MOST_IN_FILE = 5_000
"""Most licenses that a file or a pipe lists; all of them are in the log, and in CSV and JSON."""


def plan_text(made: Plan, show: Show = "all", line: str = "─") -> str:
    """The whole text, for `summary.txt` and pipes: the table, as far as people read, and the counts."""
    listed, more = listed_decisions(made, show, MOST_IN_FILE)
    table = plain_text(COLUMNS, [cells(decision) for decision in listed], line) if listed else ""
    return table + "\n".join(closing_lines(made, more)) + "\n"


def closing_lines(made: Plan, more: Sequence[str]) -> list[str]:
    """The lines below the table: what it leaves out (`more`), the plan in numbers, and the conclusion."""
    found = list(finding_lines(made.findings))
    return [*more, *summary_lines(made), *(["", *found, ""] if found else []), conclusion(made)]


def conclusion(made: Plan) -> str:
    """The last line: what a run of this plan does, and that nothing is done yet."""
    summary = made.summary()
    release, this_run = summary["release"], summary["thisRun"]
    if made.is_stopped:
        return "Nothing is released without --accept-mass-change: a fact has changed for very many users."
    if summary["overLimit"]:
        return f"Nothing is released: over the limit; {summary['remedy']}."
    if this_run < release:
        waiting = release - this_run
        verbs = "is" if this_run == 1 else "are", "waits" if waiting == 1 else "wait"
        count = f"{this_run:,} of {release:,} {verbs[0]} released in this run; {waiting:,} {verbs[1]}"
        return f"{count}. Nothing has been released yet."
    return f"{plural(release, 'license')} would be released. Nothing has been released."


def summary_lines(made: Plan) -> list[str]:
    """The plan in numbers: by license type, by reason, and against the limits."""
    summary = made.summary()
    run = made.run()
    lines = [
        f"Plan {run['runId']}",
        f"  site    {printable(made.source)}",
        f"  policy  {run['policy']['file']} (sha256 {run['policy']['sha256'][:12]}…)",
        f"  day     {made.day.today.isoformat()} in {run['timezone']}",
        *([f"  before  {printable(made.compared)}"] if made.compared else []),
        "",
    ]
    for license_type, counts in summary["byType"].items():
        waiting = counts["release"] - counts["thisRun"]
        waits = f" {waiting:>7,} {'over the limit' if summary['overLimit'] else 'to wait'}" if waiting else ""
        kept = [f"{counts[why]:,} {why}" for why in ("quarantined", "undetermined") if counts[why]]
        lines.append(
            f"  {license_type:<12} {counts['allocated']:>7,} allocated {counts['thisRun']:>7,} to release{waits} "
            f"{counts['keep']:>7,} to keep" + (f" ({', '.join(kept)})" if kept else "")
        )
    lines.append("")
    lines += [f"  {count:>7,}  {printable(reason)}" for reason, count in summary["byReason"].items()]
    if summary["holdBothTypes"]:
        lines += ["", f"  {plural(summary['holdBothTypes'], 'user')} with both license types"]
    if made.snapshot.held_by_nobody:
        count = plural(made.snapshot.held_by_nobody, "license")
        lines += ["", f"  {count} held by nobody: the users were deleted, and no quarantine has begun"]
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


def listed_decisions(made: Plan, show: Show, most: int) -> tuple[list[Decision], list[str]]:
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


def cells(decision: Decision) -> tuple[str, ...]:
    """The row of a decision."""
    return (
        printable(decision.user),
        printable(decision.user_name or ""),
        decision.license_type,
        decision.verdict,
        f"{decision.unused_days:,}" if decision.unused_days is not None else "?",
        printable(decision.reason),
    )
