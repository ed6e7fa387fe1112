"""`seatwarden log`: the decision log and its seal."""

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import console, say
from engine.decision_log import DamagedLog, log_path, read_log
from engine.phrases import plural

app = typer.Typer(help="Check decision logs.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Keeps `verify` a command of its own name."""


@app.command("verify")
def verify(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder, or a log file.")],
) -> None:
    """Check that a plan is as it was written: every line, their order, the seal.

    Example: seatwarden log verify plans/2026-11-21
    """
    header, *decisions, seal = read_log(place)
    say(f"{log_path(place)}: verified")
    say(f"  run   {header['runId']}, {plural(len(decisions), 'decision')}")
    say(f"  seal  {seal['seal']}")


def report_damage(error: DamagedLog) -> None:
    """Each bad line on stderr."""
    out = console(stderr=True)
    out.print(f"error: {error.path} does not verify: it is not as it was written")
    for damage in error.damage:
        out.print(f"  {error.path}:{damage.line}: this line {damage.problem}")
