"""`seatwarden site`: the way to a Qlik Sense site."""

from datetime import UTC, datetime

import typer
from rich.text import Text

from engine.cli.exits import ExitCode
from engine.cli.inputs import SiteOption, read_site
from engine.cli.output import printable, say
from policy.errors import InputError

app = typer.Typer(help="Check the way to a Qlik Sense site.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Keeps `check` a command of its own name."""


@app.command("check")
def check(site: SiteOption = None) -> None:
    """Try the way to a site step by step, and say what to mend. Changes nothing.

    Example: seatwarden site check --site butler.yaml
    """
    from engine.qrs.check import check_site  # requests takes a while to import

    if site is None:
        raise InputError("no site", "name the site file with --site")
    failed = False
    for step in check_site(read_site(site), datetime.now(UTC)):
        mark = ("✓", "green") if step.good else ("✗", "bold red")
        say(Text.assemble("  ", mark, f" {step.name}: {printable(step.found)}"))
        if step.help:
            say(f"    = help: {step.help}")
        failed = failed or not step.good
    if failed:
        raise typer.Exit(ExitCode.REMOTE_FAILED)
    say("The way to this site is free.")
