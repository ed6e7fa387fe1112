"""`seatwarden report`: a run as one HTML page, for people who would rather look than read."""

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.completion import complete_runs
from engine.cli.inputs import QuietOption
from engine.cli.output import say
from engine.collector import collector_off
from engine.decision_log import log_path
from engine.plan import REPORT_FILE
from policy.errors import InputError


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
    quiet: QuietOption = False,
) -> None:
    """Write a page about a run, to look at in a browser.

    One self-contained HTML file: what will happen or did, to whom, and why. It names people.

    Example: seatwarden report plans/2026-11-21
    """
    path = output or log_path(place).with_name(REPORT_FILE)
    write_report(place, path, previous)
    say(f"Report written to {path}")


def write_report(place: Path, path: Path, previous: Path | None = None) -> None:
    """Writes the page of a run to a file, whole or not at all. Raises InputError, DamagedLog."""
    from engine.files import make_private_folder, write_atomically
    from engine.report.model import report_of
    from engine.report.render import render  # jinja2 takes a while to import
    from engine.report.sources import read_sources

    page = render(report_of(read_sources(place, previous)))
    try:
        make_private_folder(path.parent)
        write_atomically(path, page)
    except OSError as error:
        raise InputError(f"the report cannot be written to `{path}`: {error.strerror}") from None
