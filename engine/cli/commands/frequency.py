"""`seatwarden frequency TEXT`: when a schedule fires."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from seatwarden.engine.cli.completion import complete_zones
from seatwarden.engine.cli.inputs import TextFormat, parse_now
from seatwarden.engine.cli.terminal.output import complain, print_result, say
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.grammar.parser import in_file
from seatwarden.policy.diagnostics import finding_to_json
from seatwarden.policy.schedule.check import check_schedule, load_schedule
from seatwarden.policy.schedule.occurrences import occurrences

_FILE = "frequency"
"""The text's file name in messages."""


def frequency(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A schedule, as in Butler: 'every 6 hours'.")],
    count: Annotated[int, typer.Option("--next", min=1, max=10_000, metavar="N", help="How many times to show.")] = 5,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            metavar="TIME",
            help="Show times later than this, not than now: a moment, or a day, which is the zone's midnight.",
        ),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="IANA zone whose clocks the schedule goes by.",
            autocompletion=complete_zones,
        ),
    ] = "UTC",
    format: TextFormat = "text",
) -> None:
    """Show when a schedule fires next.

    By the clocks of a time zone, and in UTC.

    Example: seatwarden frequency "at 2:30 on mon through fri" --timezone Europe/Stockholm
    """
    day = make_day(parse_now(after, "--after") if after is not None else datetime.now(UTC), timezone)
    schedule = load_schedule(text, _FILE)
    found = list(islice(occurrences(schedule, day.now, day.zone), count))
    warnings = check_schedule(text, in_file(_FILE), day.now.astimezone(day.zone))
    if format == "json":
        following = [format_instant(instant) for instant in found]
        findings = [finding_to_json(warning) for warning in warnings]
        print_result({"text": text, "timezone": timezone, "next": following, "findings": findings})
        return
    for warning in warnings:
        complain(warning, {_FILE: text})
    if not found:
        say(f"This schedule never fires after {format_instant(day.now)}.")
    for instant in found:
        say(_line(Day(instant, day.zone)))


def _line(day: Day) -> str:
    """`monday 2026-11-23 02:30:00 +01:00   2026-11-23T01:30:00.000Z`; %A would speak the machine's language."""
    local = day.now.astimezone(day.zone)
    clock = local.replace(tzinfo=None).isoformat(" ", "seconds")
    offset = local.isoformat(timespec="seconds")[19:]
    return f"{day.weekday:<9}  {clock} {offset}  {format_instant(day.now)}"
