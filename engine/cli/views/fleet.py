"""What `fleet` shows: a line a site with its own exit code, what is wrong where, and all of it for programs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import to_builtins

from seatwarden.engine.cli.exits import ExitCode, code_of_fleet, code_of_run
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.common.timestamps import format_instant, to_the_minute
from seatwarden.engine.plan.limits import describe_limits

if TYPE_CHECKING:
    from seatwarden.engine.cli.terminal.output import Part
    from seatwarden.engine.fleet.fleet import FleetReport
    from seatwarden.engine.fleet.result import SiteResult

FleetAction: TypeAlias = Literal["check", "plan", "run", "report"]

FLEET_MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "done at all sites",
    ExitCode.NO: "nothing failed, and a limit or a site said no",
    ExitCode.BAD_INPUT: "the fleet file cannot be used; nothing was begun",
    ExitCode.REMOTE_FAILED: "all sites failed",
    ExitCode.SOME_FAILED: "some sites or some releases failed; all else was done",
}
"""What the exit codes of a fleet say, as docs/fleet.md has it."""

_COLUMNS: Mapping[FleetAction, list[Column]] = {
    "check": [Column("Site", least=12), Column("Code", right=True), Column("Outcome"), Column("Address", leaves=1)],
    "plan": [
        Column("Site", least=12),
        Column("Code", right=True),
        Column("Licenses", right=True, leaves=2),
        Column("Undetermined", right=True, leaves=3),
        Column("Due", right=True),
        Column("In this run", right=True),
        Column("Outcome"),
    ],
    "report": [
        Column("Site", least=12),
        Column("Code", right=True),
        Column("When", leaves=1),
        Column("Due", right=True),
        Column("Released", right=True),
        Column("Failed", right=True, leaves=2),
        Column("Newest run"),
    ],
    "run": [
        Column("Site", least=12),
        Column("Code", right=True),
        Column("Due", right=True, leaves=2),
        Column("In this run", right=True),
        Column("Released", right=True),
        Column("Failed", right=True, leaves=1),
        Column("Outcome"),
    ],
}
_MOST_NAMED = 3
"""Most sites that a warning names."""
_STYLES = {ExitCode.DONE: "green", ExitCode.NO: "yellow"}


def columns(action: FleetAction) -> list[Column]:
    """The columns of the table."""
    return _COLUMNS[action]


def code_of(result: "SiteResult", action: FleetAction) -> ExitCode:
    """The exit code that the same would end with for this site alone; a report on failed releases has not failed."""
    code = code_of_run(result.outcome, bad_input=result.bad_input)
    return ExitCode.SOME_FAILED if code is ExitCode.DONE and result.failures and action == "run" else code


def exit_code_of(action: FleetAction, report: "FleetReport") -> ExitCode:
    """The exit code of the fleet."""
    return code_of_fleet([code_of(result, action) for result in report.results])


def table_rows(action: FleetAction, report: "FleetReport") -> list[list["Part"]]:
    """A line a site, by `columns`."""
    return [_row(action, result) for result in report.results]


def _row(action: FleetAction, result: "SiteResult") -> list["Part"]:
    code = code_of(result, action)
    style = _STYLES.get(code, "bold red")
    words = _outcome(action, result)
    head: list[Part] = [result.site, str(int(code))]
    if action == "check":
        return [*head, (words, style), printable(result.url or "")]
    if action == "report":
        at = to_the_minute(result.at) if result.at else ""
        return [*head, at, *_counts(result.due, *_done(result)), (words, style)]
    if action == "plan":
        counts = _counts(result.licenses, result.undetermined, result.due, result.in_this_run)
        return [*head, *counts, (words, style)]
    return [*head, *_counts(result.due, result.in_this_run, *_done(result)), (words, style)]


def _done(result: "SiteResult") -> tuple[int | None, int | None]:
    """The licenses released, and those that failed; nothing where none can be."""
    if result.dry_run or not result.is_planned:
        return None, None
    return result.released, result.failures


def _outcome(action: FleetAction, result: "SiteResult") -> str:
    if action == "check" and result.outcome == "done":
        return "reached"
    return result.words


def _counts(*counts: int | None) -> list[str]:
    return ["" if count is None else f"{count:,}" for count in counts]


def closing_lines(action: FleetAction, report: "FleetReport") -> Iterator[str]:
    """What the table comes to, in sentences."""
    results = report.results
    outcomes = Counter(_outcome(action, result) for result in results)
    yield f"{plural(len(results), 'site')}: {join_words([f'{count:,} {what}' for what, count in outcomes.items()])}"
    if action == "check":
        return
    due = f"{plural(_sum(results, 'due'), 'license')} due"
    yield f"{due} when they were planned" if action == "report" else f"{due}, {_chosen(action, results)}"
    if report.fleet.limits and action != "report":
        yield f"Limit of the fleet: {', '.join(describe_limits(report.fleet.limits))}"
    if action in ("run", "report"):
        counted: Counter[str] = Counter()
        for result in results:
            counted.update(result.results)
        yield ", ".join(f"{count:,} {what}" for what, count in counted.items()) or "Nothing has been released."
    else:
        yield "Nothing has been released."


def _chosen(action: FleetAction, results: Sequence["SiteResult"]) -> str:
    """How many licenses are in this run; what dry runs would release is said beside where others do release."""
    dry = sum(result.in_this_run or 0 for result in results if result.dry_run)
    live = sum(result.in_this_run or 0 for result in results if not result.dry_run)
    if action == "plan" or not any(result.is_planned and not result.dry_run for result in results):
        return f"{dry + live:,} in this run"
    return f"{live:,} in this run" + (f", {dry:,} in dry runs" if dry else "")


def _sum(results: Sequence["SiteResult"], name: str) -> int:
    return sum(getattr(result, name) or 0 for result in results)


def warning_lines(report: "FleetReport") -> Iterator[str]:
    """What is not well; what is so at several sites is said once."""
    by_text: dict[str, list[str]] = defaultdict(list)
    for result in report.results:
        for one in result.warnings:
            by_text[one.text].append(f"{result.site} ({one.at})" if one.at else result.site)
    for text, places in by_text.items():
        some = dict.fromkeys(places)
        more = f" and {len(some) - _MOST_NAMED:,} more" if len(some) > _MOST_NAMED else ""
        yield f"{', '.join([*some][:_MOST_NAMED])}{more}: {text}"


def wrong_lines(report: "FleetReport") -> Iterator[str]:
    """What is not as it should be, site by site: to be said beside the result."""
    for sentence in report.over:
        yield f"Nothing at all has been released: {sentence}."
    for result in report.results:
        over = tuple(result.why) == report.over
        if not result.is_well and not over:
            yield from _why(result)


def _why(result: "SiteResult") -> Iterator[str]:
    yield f"{result.site}: {printable(result.why[0]) if result.why else result.outcome}"
    yield from (f"  {printable(line)}" for line in result.why[1:])
    for problem in result.problems:
        yield from (f"  {printable(line)}" for line in problem.split("\n"))
    if result.help:
        yield f"  = help: {printable(result.help)}"


def fleet_to_json(action: FleetAction, report: "FleetReport") -> dict[str, Any]:
    """The object for a fleet: how it ended, and each site."""
    code = exit_code_of(action, report)
    results = report.results
    counted: Counter[str] = Counter()
    for result in results:
        counted.update(result.results)
    return {
        "exit": {"code": int(code), "meaning": FLEET_MEANINGS[code]},
        "fleetFile": str(report.fleet.file),
        "started": format_instant(report.started),
        "ended": format_instant(report.ended),
        "limits": describe_limits(report.fleet.limits),
        "overLimit": list(report.over),
        "licenses": _sum(results, "licenses"),
        "due": _sum(results, "due"),
        "allowed": sum(result.in_this_run or 0 for result in results),
        "results": dict(counted),
        "sites": [{**to_builtins(result), "code": int(code_of(result, action))} for result in results],
    }
