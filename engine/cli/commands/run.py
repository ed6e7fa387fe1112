"""`seatwarden run`: plan and apply in one, for cron and the Task Scheduler."""

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.cli.exits import code_of_run, exit_code
from seatwarden.engine.cli.host import context_for, log_warnings, say_warnings, settings_from, stopped_by_signals
from seatwarden.engine.cli.inputs import PolicyOption, QuietOption, SiteOption, TextFormat, needed
from seatwarden.engine.cli.terminal.output import complain, from_here, note, print_result, say
from seatwarden.engine.cli.terminal.streams import is_quiet
from seatwarden.engine.cli.views.capacity import say_free
from seatwarden.engine.cli.views.outcomes import say_outcome
from seatwarden.engine.cli.views.run_json import failed_to_json, run_to_json
from seatwarden.engine.cli.views.told import say_told
from seatwarden.engine.common.text import printable
from seatwarden.engine.plan.findings import finding_lines
from seatwarden.engine.plan.guarantees import broken_words
from seatwarden.engine.plan.summary_text import summary_lines
from seatwarden.grammar.errors import SeatwardenError

if TYPE_CHECKING:
    from seatwarden.engine.runs.run_report import RunReport
    from seatwarden.engine.site.settings import Settings


def run(
    site: SiteOption = None,
    policy: PolicyOption = None,
    dry_run: Annotated[
        bool | None,
        typer.Option("--dry-run/--no-dry-run", help="Stop after the plan, or do not, whatever the site file says."),
    ] = None,
    accept_mass_change: Annotated[
        bool,
        typer.Option("--accept-mass-change", help="Release although a fact has changed for very many users."),
    ] = False,
    format: TextFormat = "text",
    quiet: QuietOption = False,
) -> None:
    """Plan and release in one go, for jobs.

    Nobody is asked. A dry run unless the site file says `dryRun: false`.
    The plan and what became of it are kept in the folder that the site file names, else in the user's state folder:
    ~/.local/state/seatwarden on Linux, %LOCALAPPDATA%\\seatwarden\\seatwarden on Windows.

    Example: seatwarden run --site butler.yaml
    """
    from seatwarden.engine.runs.publish import publish_run
    from seatwarden.engine.runs.run import run_once

    site = needed(site)
    settings = _settings(site, policy, format)
    say_warnings(settings)
    stop = threading.Event()
    with stopped_by_signals(stop):
        report = run_once(
            settings,
            context_for(settings, _log, stop),
            dry_run=settings.dry_run if dry_run is None else dry_run,
            accept_mass_change=accept_mass_change,
        )
        publish_run(report, settings, _log, clock())
    code = code_of_run(report.outcome, bad_input=report.bad_input)
    if format == "json":
        print_result(run_to_json(report, code, site, settings.site.url))
    else:
        _say(report, settings, forced=dry_run is not None)
    raise typer.Exit(code)


def _settings(site: Path, policy: Path | None, format: str) -> "Settings":
    """The settings; who reads JSON is told so of what is wrong in them, too. Raises InputError, PolicyError."""
    try:
        return settings_from(site, policy)
    except SeatwardenError as error:
        if format == "json":
            print_result(failed_to_json(error, exit_code(error), site))
        raise


def _log(message: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Says meanwhile what an earlier run left, and what is not well; the report says what happened."""
    # Findings stand below the plan's numbers; who wants none of these is told of the findings alone.
    if "license" in facts or ("code" in facts and not is_quiet()):
        return
    if level >= logging.WARNING:
        log_warnings(message, level=level, **facts)
    elif "approved" in facts:
        note(printable(f"{message}: {facts['run']} ({facts['approved']})"))
    elif "left" in facts:
        why = f" ({facts['withdrawn']})" if facts["withdrawn"] else ""
        note(printable(f"{message}: {facts['folder']}{why}"))


def _say(report: "RunReport", settings: "Settings", *, forced: bool) -> None:
    from seatwarden.engine.runs.told import told_rows

    if report.plan is not None and report.folder is not None:
        for line in [*summary_lines(report.plan), *finding_lines(report.plan.findings)]:
            say(line)
        say(f"Sealed plan written to {from_here(report.folder)}")
    for applied in report.applied:
        for outcome in applied.outcomes:
            say_outcome(outcome)
    say_told(told_rows(report))
    if report.error is not None:
        complain(report.error)
    else:
        for sentence in report.why:
            note(f"{report.outcome.replace('-', ' ')}: {printable(sentence)}")
    if report.outcome == "over-limit":
        remedy = f"; {report.plan.remedy}" if report.plan is not None and report.plan.remedy else ""
        note(f"Nothing at all has been released: over the limit{remedy}.")
    if report.outcome == "waiting" and report.folder is not None:
        say(f"The plan waits for approval: seatwarden approve {from_here(report.folder)} --key KEY")
    if report.outcome == "stopped":
        note("Nothing at all has been released: what was found stops the run.")
    if report.outcome == "dry-run" and report.plan is not None and broken_words(report.plan.guarantees):
        note("A run that releases would be stopped by a guarantee that does not hold.")
    if report.outcome == "dry-run" and report.stopped_by:
        codes = ", ".join(dict.fromkeys(finding.code for finding in report.stopped_by))
        note(f"A run that releases would be stopped by {codes}.")
    if report.outcome == "dry-run":
        help_ = "" if forced else " `dryRun: false` in the site file releases."
        if not forced and settings.jobs.release.enabled is False:
            help_ = " The site file says `enable: false`."
        sent = " and nobody was told" if report.told.due else ""
        say(f"Dry run: nothing has been released{sent}.{help_}")
    elif report.applied or report.outcome == "done":
        counts = report.counts
        say(", ".join(f"{count:,} {result}" for result, count in counts.items()) or "Nothing was to be released.")
    say_free([one for one in report.free if one.says_more])
    if report.seals is not None:
        say(str(report.seals))
