"""`seatwarden fleet`: many sites at once, each by its own site file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.fleets import FLEET_FILE, FleetFormat, FleetOption, OnlyOption, fleet_and_sites, fleet_means
from seatwarden.engine.cli.inputs import ForceOption, QuietOption
from seatwarden.engine.cli.terminal.output import from_here, note, print_result, say, warn
from seatwarden.engine.cli.terminal.prose import WIDTH, broken, room
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.fleet import (
    FleetAction,
    closing_lines,
    columns,
    exit_code_of,
    fleet_to_json,
    table_rows,
    warning_lines,
    wrong_lines,
)
from seatwarden.engine.common.text import plural
from seatwarden.engine.common.way_out import FLEET as FLEET_OUTPUT
from seatwarden.engine.common.way_out import REPORT, check_way_out, write_out

if TYPE_CHECKING:
    from seatwarden.engine.fleet.fleet import FleetReport

app = typer.Typer(help="Many sites at once.", no_args_is_help=True, rich_markup_mode=None)


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the site files.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The fleet file to write.", show_default=True)
    ] = FLEET_FILE,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a fleet file from a folder of site files.

    It lists those in the folder and in the folders in it, and explains itself.

    Example: seatwarden fleet init sites -o fleet.yaml
    """
    from seatwarden.engine.fleet.starter import fleet_text, found_sites

    check_way_out(output, FLEET_OUTPUT, force=force)
    sites, left_out = found_sites(folder)
    for path, why in left_out:
        warn(f"`{path}` is left out: {why}")
    write_out(output, fleet_text(sites, output.parent).encode(), FLEET_OUTPUT, force=force)
    say(f"{plural(len(sites), 'site')} written to {from_here(output)}. Next: seatwarden fleet check --fleet {output}")


@app.command("check")
def check(
    fleet: FleetOption = FLEET_FILE, only: OnlyOption = None, format: FleetFormat = "table", quiet: QuietOption = False
) -> None:
    """Try the way to every site.

    Reads each site file and policy, and asks each site. Changes nothing. `site check` says more of a single one.

    Example: seatwarden fleet check --fleet fleet.yaml
    """
    from seatwarden.engine.fleet.fleet import check_fleet

    found, sites = fleet_and_sites(fleet, only)
    with fleet_means("checking", len(sites)) as means:
        report = check_fleet(found, sites, means)
    _end("check", report, format)


@app.command("plan")
def plan(
    fleet: FleetOption = FLEET_FILE,
    only: OnlyOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write each sealed plan into a folder in this one."),
    ] = None,
    format: FleetFormat = "table",
    quiet: QuietOption = False,
) -> None:
    """Say for every site what would be released.

    Releases nothing. With -o each site's plan is a run folder that `apply` takes.

    Example: seatwarden fleet plan --fleet fleet.yaml
    """
    from seatwarden.engine.fleet.fleet import plan_fleet

    found, sites = fleet_and_sites(fleet, only)
    with fleet_means("planning", len(sites)) as means:
        report = plan_fleet(found, sites, means, output)
    if output is not None:
        from seatwarden.engine.fleet.page import write_overview  # jinja2 takes a while to import

        path = write_overview(report, output, {}, force=True)
        if format == "table":
            say(f"Sealed plans written to {from_here(output)}, with {path.name}")
    _end("plan", report, format)


@app.command("run")
def run(
    fleet: FleetOption = FLEET_FILE,
    only: OnlyOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop after the plans, whatever site files say.")] = False,
    format: FleetFormat = "table",
    quiet: QuietOption = False,
) -> None:
    """Plan all sites, then release, for jobs.

    Nobody is asked. At each site it is a dry run unless its site file says `dryRun: false`. All sites are planned
    before anything is released, and the limit in the fleet file is held over all of them.

    Example: seatwarden fleet run --fleet fleet.yaml
    """
    from seatwarden.engine.fleet.fleet import run_fleet

    found, sites = fleet_and_sites(fleet, only)
    with fleet_means("running", len(sites)) as means:
        report = run_fleet(found, sites, means, dry_run=dry_run)
    _end("run", report, format)


@app.command("report")
def report(
    fleet: FleetOption = FLEET_FILE,
    only: OnlyOption = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The folder for the pages.", show_default=True)
    ] = Path("fleet-report"),
    format: FleetFormat = "table",
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a page on all sites, and one on each.

    Of the newest run that each site's register knows. No site is asked.

    Example: seatwarden fleet report --fleet fleet.yaml -o pages
    """
    from seatwarden.engine.fleet.fleet import report_fleet
    from seatwarden.engine.fleet.newest import page_name
    from seatwarden.engine.fleet.page import OVERVIEW_FILE, write_overview  # jinja2 takes a while to import

    found, sites = fleet_and_sites(fleet, only)
    check_way_out(output / OVERVIEW_FILE, REPORT, force=force)
    with fleet_means("looking at", len(sites)) as means:
        made = report_fleet(found, sites, means, output, force=force)
    pages = {one.site: page_name(one.site) for one in made.results if (output / page_name(one.site)).is_file()}
    path = write_overview(made, output, pages, force=force)
    if format == "table":
        say(f"Pages written; begin with {from_here(path)}")
    _end("report", made, format)


def _end(action: FleetAction, report: "FleetReport", format_: str) -> None:
    """Prints how it ended, and ends with the code for that."""
    for line in warning_lines(report):
        warn(line)
    if format_ == "json":
        print_result(fleet_to_json(action, report))
    else:
        print_rows(columns(action), table_rows(action, report))
        for line in broken(closing_lines(action, report), room() or WIDTH):
            say(line)
        for line in wrong_lines(report):
            note(line)
    raise typer.Exit(exit_code_of(action, report))
