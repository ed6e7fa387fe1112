"""`seatwarden fleet history` and `fleet backtest`: the past of many sites at once."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import to_builtins

from seatwarden.engine.cli.fleets import FLEET_FILE, FleetFormat, FleetOption, OnlyOption, fleet_and_sites, fleet_means
from seatwarden.engine.cli.histories import DaskOption, PoliciesOption, ThresholdOption, named_policies
from seatwarden.engine.cli.inputs import QuietOption
from seatwarden.engine.cli.terminal.output import note, print_result, say, warn
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.fleet import exit_code_of, fleet_to_json, warning_lines, wrong_lines
from seatwarden.engine.cli.views.fleet_past import (
    BACKTEST_COLUMNS,
    HISTORY_COLUMNS,
    backtest_rows,
    history_line,
    history_rows,
)

if TYPE_CHECKING:
    from seatwarden.engine.fleet.fleet import FleetReport


app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("history")
def history(
    fleet: FleetOption = FLEET_FILE, only: OnlyOption = None, format: FleetFormat = "table", quiet: QuietOption = False
) -> None:
    """Say what each site has kept of its past.

    No site is asked. `history list --site` lists the snapshots of one.

    Example: seatwarden fleet history --fleet fleet.yaml
    """
    from seatwarden.engine.fleet.past import fleet_history  # what reads a history takes a while to import

    found, sites = fleet_and_sites(fleet, only)
    with fleet_means("looking at", len(sites)) as means:
        past = fleet_history(found, sites, means)
    if format == "json":
        _end(past.report, {"histories": {name: to_builtins(one) for name, one in past.kept.items()}})
    print_rows(HISTORY_COLUMNS, history_rows(past))
    say(history_line(past))
    _end(past.report)


@app.command("backtest")
def backtest(
    fleet: FleetOption = FLEET_FILE,
    only: OnlyOption = None,
    policy: PoliciesOption = None,
    threshold: ThresholdOption = None,
    reallocates: Annotated[
        bool,
        typer.Option("--reallocates", help="Who logs in is given a license again; else as each site file says."),
    ] = False,
    dask: DaskOption = None,
    format: FleetFormat = "table",
    quiet: QuietOption = False,
) -> None:
    """Say what would have been released at each site.

    And who came back: the policies named, or else the one in force at each site, on that site's own history. The last
    rows are the sum. Limits are left out.

    Example: seatwarden fleet backtest --threshold analyzer=30,60,90 --fleet fleet.yaml
    """
    from seatwarden.engine.analysis.thresholds import asked_thresholds
    from seatwarden.engine.cli.cluster import spread_over
    from seatwarden.engine.fleet.past import PastQuestion, fleet_hindsight

    found, sites = fleet_and_sites(fleet, only)
    question = PastQuestion(named_policies(policy or []), asked_thresholds(threshold or []), reallocates)
    with fleet_means("looking back at", len(sites)) as means:
        past = fleet_hindsight(found, sites, means, question, spread_over(dask) if dask is not None else None)
    if format == "json":
        warned = {result.site: [one.text for one in result.warnings] for result in past.report.results}
        by_site = {name: {**to_builtins(one), "warnings": warned[name]} for name, one in past.sites.items()}
        _end(past.report, {"backtests": by_site, "total": [to_builtins(row) for row in past.total]})
    print_rows(BACKTEST_COLUMNS, backtest_rows(past))
    _end(past.report)


def _end(report: "FleetReport", printed: dict[str, Any] | None = None) -> None:
    """Ends with the code for that; before it says what is not as it should be, or prints all of it as JSON."""
    for line in warning_lines(report):
        warn(line)
    if printed is not None:
        told = fleet_to_json("report", report)
        kept = ("exit", "fleetFile", "started", "ended")
        sites = [{key: one[key] for key in _OF_SITE} for one in told["sites"]]
        print_result({**{key: told[key] for key in kept}, "sites": sites, **printed})
    else:
        for line in wrong_lines(report):
            note(line)
    raise typer.Exit(exit_code_of("report", report))


_OF_SITE = (
    *("site", "siteFile", "url", "code", "outcome", "badInput", "state", "seconds"),
    *("why", "help", "problems", "errors", "warnings"),
)
"""What of a site is told where nothing is planned."""
