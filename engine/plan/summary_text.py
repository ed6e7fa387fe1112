"""The plan as text, for `summary.txt` of a run folder and for pipes."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import convert

from seatwarden.engine.common.tables import Column, plain_text
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.decide.class_counts import ClassCounts
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.states import counts_by_type
from seatwarden.engine.facts.day import Day
from seatwarden.engine.plan.findings import Finding, finding_lines
from seatwarden.engine.plan.free import free_seats
from seatwarden.engine.plan.given_back import GIVEN_BACK_BY, TakeBackCounts, take_back_cell, take_back_lines
from seatwarden.engine.plan.guarantees import GuaranteeJudged, broken_words, guarantee_lines
from seatwarden.engine.plan.listing import COLUMNS, Group, ListedGroup, Show, cells, left_out, sections
from seatwarden.engine.plan.modes import DRY_RUN, LIVE, WHAT_IF, Mode
from seatwarden.engine.plan.waiting import waiting_lines
from seatwarden.grammar.ast import LICENSE_TYPES

MOST_IN_FILE = 5_000
"""Most licenses that a file or a pipe lists; all of them are in the log, and in CSV and JSON."""


MODES: Mapping[Mode, str] = {
    LIVE: "live: can be applied",
    DRY_RUN: "dry run: nothing is released by itself",
    WHAT_IF: "what-if: of a file or for another moment, never applied",
}
"""What people read of a plan's mode."""


class ShownPlan(Protocol):
    """A plan just made, or one that was recorded: the same text is made of both."""

    @property
    def decisions(self) -> Sequence[Decision]: ...  # noqa: D102 - as of a Plan, all of them
    @property
    def findings(self) -> Sequence[Finding]: ...  # noqa: D102
    @property
    def guarantees(self) -> Sequence[GuaranteeJudged]: ...  # noqa: D102
    @property
    def compared(self) -> str: ...  # noqa: D102
    @property
    def is_stopped(self) -> bool: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def day(self) -> Day: ...  # noqa: D102
    @property
    def erased_words(self) -> str: ...  # noqa: D102 - of a plan that was recorded: how much is erased
    @property
    def classes(self) -> ClassCounts | None: ...  # noqa: D102 - of a plan with pseudonyms
    def run(self) -> Mapping[str, Any]: ...  # noqa: D102
    def summary(self) -> Mapping[str, Any]: ...  # noqa: D102


def plan_text(made: ShownPlan, show: Show = "brief", line: str = "─", width: int | None = None) -> str:
    """The whole text, for `summary.txt` and pipes: the totals, the licenses as far as people read, the plan in numbers.

    `width` is how many columns of a terminal there are; None: as many as it takes.
    """
    listed = sections(made.decisions, show, MOST_IN_FILE)
    lines = [*totals(made)]
    for section in listed:
        table = plain_text(*table_of(section), line, width)
        lines += ["", section.title, *table.rstrip("\n").split("\n")]
    return "\n".join([*lines, "", *closing_lines(made, listed)]) + "\n"


def table_of(section: ListedGroup) -> tuple[Sequence[Column], list[tuple[str, ...]]]:
    """The columns and rows of a group of licenses."""
    if all(decision.take_back is None for decision in section.licenses):
        return COLUMNS, [cells(decision) for decision in section.licenses]
    rows = [(*cells(decision), take_back_cell(decision)) for decision in section.licenses]
    return (*COLUMNS, GIVEN_BACK_BY), rows


def totals(made: ShownPlan) -> list[str]:
    """The three groups in numbers: first to be read, and again at the end."""
    summary = made.summary()
    counts: dict[tuple[Group, str], int] = {}
    for license_type, by_type in summary["byType"].items():
        counts["downgrade", license_type] = by_type.get("downgrade", 0)
        counts["release", license_type] = by_type["release"] - by_type.get("downgrade", 0)
        kept: dict[Group, int] = {
            "undetermined": by_type["undetermined"],
            "hold": by_type.get("held", 0),
            "not-now": by_type.get("notNow", 0),
            "notice": by_type.get("waiting", 0),
        }
        counts |= {(group, license_type): count for group, count in kept.items()}
        counts["kept", license_type] = by_type["keep"] - sum(kept.values())
    now = "" if summary["thisRun"] == summary["release"] else f", {summary['thisRun']:,} in this run"
    words: dict[Group, str] = {
        "release": f"due{now}",
        "downgrade": "due, to become Analyzer",
        "hold": "due, but held",
        "not-now": "due, but not now",
        "notice": "due, waiting for notice",
        "kept": "kept",
        "undetermined": "undetermined, so kept",
    }
    seldom: tuple[Group, ...] = ("downgrade", "hold", "not-now", "notice")
    for group in seldom:
        if not any(counts[group, one] for one in LICENSE_TYPES):
            del words[group]
    widest = max(map(len, words.values()))
    lines = []
    for group, word in words.items():
        by_type = [f"{counts[group, one]:,} {one}" for one in LICENSE_TYPES if counts[group, one]]
        total = sum(counts[group, one] for one in LICENSE_TYPES)
        lines.append(f"  {total:>7,}  {word:<{widest}}   {', '.join(by_type)}".rstrip())
    return lines


def closing_lines(made: ShownPlan, listed: Sequence[ListedGroup]) -> list[str]:
    """The lines below the licenses: what is not listed, the plan in numbers, what was found, and the conclusion."""
    more, found = left_out(len(made.decisions), listed), list(finding_lines(made.findings))
    erased = [f"{made.erased_words}; the numbers below count all", ""] if made.erased_words else []
    return [
        *([*more, ""] if more else []),
        *erased,
        *summary_lines(made),
        *(["", *found] if found else []),
        "",
        *totals(made),
        conclusion(made),
    ]


def conclusion(made: ShownPlan) -> str:
    """The last line: what a run of this plan does, and that nothing is done yet."""
    summary = made.summary()
    release, this_run = summary["release"], summary["thisRun"]
    if broken_words(made.guarantees):
        return "Nothing is released: the rules do not keep what the policy guarantees."
    if made.is_stopped:
        return "Nothing is released without --accept-mass-change: a fact has changed for very many users."
    if summary["overLimit"]:
        return f"Nothing is released: over the limit; {summary['remedy']}."
    if this_run < release:
        waiting = release - this_run
        waits = "waits" if waiting == 1 else "wait"
        are = "is" if this_run == 1 else "are"
        return f"{this_run:,} of {release:,} due {are} in this run; {waiting:,} {waits}. Nothing has been released yet."
    told = summary["notice"]["thisRun"] if "notice" in summary else 0
    sent = f", and {plural(told, 'message')} sent" if told else ""
    return f"{_taken(release, summary.get('downgrade', 0))}{sent}. Nothing has been released."


def _taken(release: int, downgraded: int) -> str:
    """What would be taken, in words: `3 licenses would be released`, and how many of them downgraded."""
    if not downgraded:
        return f"{plural(release, 'license')} would be released"
    if downgraded == release:
        return f"{plural(release, 'license')} would be downgraded"
    return f"{plural(release - downgraded, 'license')} would be released and {downgraded:,} downgraded"


def summary_lines(made: ShownPlan) -> list[str]:
    """The plan in numbers: by license type, by reason, and against the limits."""
    summary = made.summary()
    run = made.run()
    lines = [
        f"Plan {run['runId']}",
        f"  site    {printable(made.source)}",
        f"  policy  {run['policy']['file']} (sha256 {run['policy']['sha256'][:12]}…)",
        f"  day     {made.day.today.isoformat()} in {run['timezone']}",
        f"  kind    {MODES[run['mode']]}",
        *([f"  before  {printable(made.compared)}"] if made.compared else []),
        "",
    ]
    for license_type, counts in summary["byType"].items():
        lines.append(f"  {license_type:<12}  {counts_by_type(counts)}")
    seats = free_seats(run["overview"], summary["byType"], made.decisions)
    lines += ["", *(f"  {one.license_type:<12}  {one.words}" for one in seats)] if seats else []
    if "takeBack" in summary:
        counts = convert(summary["takeBack"], TakeBackCounts)
        lines += ["", *(f"  {line}" for line in take_back_lines(counts, made.decisions))]
    lines.append("")
    lines += [f"  {count:>7,}  {printable(reason)}" for reason, count in summary["byReason"].items()]
    if "notice" in summary:
        lines += ["", *waiting_lines(summary["notice"])]
    if summary["holdBothTypes"]:
        lines += ["", f"  {plural(summary['holdBothTypes'], 'user')} with both license types"]
    if summary["heldByNobody"]:
        count = plural(summary["heldByNobody"], "license")
        lines += ["", f"  {count} held by nobody: the users were deleted, and no quarantine has begun"]
    if summary["signedKey"]:
        lines += ["", "  This site runs on a signed license key. If other sites share it, a license"]
        lines += ["  that is released here is released there too."]
    if made.classes:
        lines += ["", f"Pseudonyms: {made.classes.sentence}"]
    lines += ["", "Guarantees", *guarantee_lines(made.guarantees)] if made.guarantees else []
    lines += ["", f"Limits: {'; '.join(run['limits'])}"]
    lines += [f"  {sentence}" for sentence in summary.get("reserves", ())]
    if summary["overLimit"]:
        lines += [f"  OVER THE LIMIT: {sentence}" for sentence in summary["overLimit"]]
        lines.append("  As it stands this plan cannot be applied: over the limit nothing at all is released.")
    elif summary["thisRun"] < summary["release"]:
        waiting = summary["release"] - summary["thisRun"]
        waits = "waits" if waiting == 1 else "wait"
        this_run = f"  {summary['thisRun']:,} of them in this run, longest unused first; "
        lines.append(f"{this_run}{waiting:,} {waits} for the next runs.")
    return lines
