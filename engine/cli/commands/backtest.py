"""`seatwarden backtest`: what policies would have released since, and who came back."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer
from msgspec import to_builtins

from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.cli.histories import (
    DaskOption,
    HistoryOption,
    PoliciesOption,
    ThresholdOption,
    history_and_settings,
    named_policies,
)
from seatwarden.engine.cli.inputs import ForceOption, QuietOption, RawOption, SiteOption
from seatwarden.engine.cli.terminal.csv_rows import print_csv
from seatwarden.engine.cli.terminal.output import print_result, say, warn, working
from seatwarden.engine.cli.terminal.prose import WIDTH, broken, room
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.backtest import CSV_COLUMNS, columns, csv_rows, lines_before, lines_behind, table_rows
from seatwarden.engine.common.timestamps import format_instant, to_the_minute
from seatwarden.engine.common.way_out import REPORT, check_way_out
from seatwarden.grammar.ast import Field
from seatwarden.grammar.builder import parse_field
from seatwarden.grammar.spans import NOWHERE
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError
from seatwarden.policy.vocabulary import VOCABULARY, entry_of

if TYPE_CHECKING:
    from seatwarden.engine.analysis.hindsight import Hindsight


BacktestFormat: TypeAlias = Annotated[
    Literal["table", "json", "csv", "html"], typer.Option("--format", help="How to print; html with -o.")
]
PageOption: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it as a page with the curve.")
]


def backtest(
    policy: PoliciesOption = None,
    threshold: ThresholdOption = None,
    history: HistoryOption = None,
    site: SiteOption = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="FIELD", help="Count in groups: user.@Department, user.userDirectory."),
    ] = None,
    reallocates: Annotated[
        bool,
        typer.Option("--reallocates", help="Who logs in is given a license again; else as the site file says."),
    ] = False,
    dask: DaskOption = None,
    format: BacktestFormat = "table",
    output: PageOption = None,
    force: ForceOption = False,
    raw: RawOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say what would have been released since, and who came back.

    For every recorded day. What was due on the first day and what later are counted apart. Limits are left out.

    Example: seatwarden backtest -p site.policy --threshold analyzer=30,60,90 --site butler.yaml -o backtest.html
    """
    from seatwarden.engine.analysis.hindsight import look_back  # what reads a history takes a while to import
    from seatwarden.engine.analysis.thresholds import asked_thresholds
    from seatwarden.engine.cli.cluster import spread_over
    from seatwarden.engine.history.store import History

    _check_output(format, output, force)
    if not policy:
        raise InputError("no policy", "name one with --policy; several are compared")
    policies = named_policies(policy)
    thresholds = asked_thresholds(threshold or [])
    group = _group(by or [])
    path, settings = history_and_settings(history, site)
    reallocates = reallocates or settings.reallocates
    with History(path) as opened, spread_over(dask) as spread, working("going through the history"):
        found = look_back(opened, policies, thresholds, group=group, reallocates=reallocates, spread=spread, tell=warn)
    if output is None:
        _print(found, format, raw)
        return
    from seatwarden.engine.report.backtest.page import write_backtest  # jinja2 takes a while to import

    grouped_by = by[0] if by else None
    write_backtest(found, output, to_the_minute(format_instant(clock())), grouped_by, force=force)
    say(f"Backtest written to {output}")


def _check_output(format_: str, output: Path | None, force: bool) -> None:
    """Raises InputError where no page can be written, before the work is done that would be lost."""
    if output is None:
        if format_ == "html":
            raise InputError("`--format html` is a page, and no file is named for it", "name one: -o backtest.html")
        return
    if format_ in ("json", "csv"):
        raise InputError(f"`-o` writes a page, and {format_.upper()} is printed", "leave one of them out")
    check_way_out(output, REPORT, force=force)


def _print(found: "Hindsight", format_: str, raw: bool) -> None:
    if format_ == "json":
        print_result(to_builtins(found))
        return
    if format_ == "csv":
        print_csv(CSV_COLUMNS, csv_rows(found), raw=raw)
        return
    for line in lines_before(found):
        say(line)
    print_rows(columns(found), table_rows(found))
    for line in broken(lines_behind(found), room() or WIDTH):
        say(line)


def _group(written: Sequence[str]) -> Field | None:
    """The field to count by; None where none is asked for. Raises InputError, also where there are several."""
    if len(written) > 1:
        named = " and ".join(f"`{one}`" for one in written)
        raise InputError(f"--by: groups are by one field, and here are {named}", "leave one, and ask once for each")
    return _field(written[0]) if written else None


def _field(written: str) -> Field:
    """The field of that name. Raises InputError."""
    field = parse_field(written, NOWHERE)
    if entry_of(field) is None:
        raise InputError(f"--by: there is no field `{written}`", did_you_mean(written, VOCABULARY))
    return field
