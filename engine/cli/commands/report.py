"""`seatwarden report`: a run as one HTML page, for people who would rather look than read."""

from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.inputs import ForceOption, QuietOption
from seatwarden.engine.cli.terminal.output import say
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.way_out import PAGE_OF_RUN, REPORT
from seatwarden.engine.log.run_folder import REPORT_FILE, log_path
from seatwarden.policy.errors import InputError


@collector_off()
def report(
    place: Annotated[
        Path, typer.Argument(metavar="DIR", help="Run folder, or a log file.", autocompletion=complete_runs)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to. Default: report.html in the run folder."),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous",
            metavar="DIR",
            help="Compare with this run. Default: the newest older one beside DIR.",
            autocompletion=complete_runs,
        ),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option("--history", metavar="FILE", help="Say when licenses run out, by this history; with -o."),
    ] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a page about a run, to look at in a browser.

    One self-contained HTML file: what will happen or did, to whom, and why. It names people. The page in the run folder
    is made anew each time; with -o another report is overwritten with --force only.

    Example: seatwarden report plans/2026-11-21
    """
    from seatwarden.engine.report.write import write_report  # jinja2 takes a while to import

    if history is not None and output is None:
        help_ = "the page in the run folder is made of the record alone, so that it can be held against it"
        raise InputError("with --history the page goes elsewhere: name a file with --output", help_)
    path = output or log_path(place).with_name(REPORT_FILE)
    write_report(place, path, previous, PAGE_OF_RUN if output is None else REPORT, history=history, force=force)
    say(f"Report written to {path}")
