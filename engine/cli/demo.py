"""`seatwarden demo`: a tour on a simulated site. Real commands, a real HTTPS server, no real Qlik Sense."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from engine.cli.inputs import NowOption, parse_now
from engine.cli.output import say
from engine.days import format_instant
from policy.errors import InputError


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the demo keeps its files.")] = Path(
        "seatwarden-demo"
    ),
    now: NowOption = None,
) -> None:
    """Show the main job on a simulated site of 200 users: plan over HTTPS, explain, verify.

    Example: seatwarden demo
    """
    from engine.demo.files import write_config, write_demo_site
    from engine.demo.people import TELLING_USERS

    clock = datetime.now(UTC)
    moment = parse_now(now) if now else clock.replace(microsecond=0)
    tour = _Tour(context)
    try:
        site = write_demo_site(folder, now=moment, clock=clock)
        with site.serve() as qrs:
            write_config(site, port=qrs.port, now=moment)
            at = ["--now", format_instant(moment)] if now else []
            run = folder / "plans" / f"{moment:%Y%m%dT%H%M%S}-{qrs.port}"
            policy = ["--policy", str(site.config)]

            tour.stop(f"A simulated Qlik Sense site with 200 users answers on {qrs.url}.")
            tour.run("plan", "--site", str(site.config), *policy, *at, "--show", "release", "-o", str(run))
            tour.stop("Why? Four users tell the story, from the sealed plan and its own facts.")
            for user in (
                TELLING_USERS.protected,
                TELLING_USERS.leaver,
                TELLING_USERS.newcomer,
                TELLING_USERS.quarantined,
            ):
                tour.run("explain", user, "--plan", str(run))
            tour.stop("The plan on disk is sealed: a flipped byte, a lost or moved line would be found.")
            tour.run("log", "verify", str(run))
            asked = len(qrs.requests)
    except OSError as error:
        raise InputError(
            f"the demo cannot write to `{folder}`: {error.strerror}", "choose another with --folder"
        ) from None

    tour.stop(f"That took {asked} requests to QRS, and nothing was released: a plan only says what would be.")
    say("The simulated site is gone, its files stay. Try next:")
    snapshot = ["--policy", str(site.config), "--snapshot", str(site.snapshot)]
    for arguments in (
        ("plan", *snapshot),
        ("plan", *snapshot, "--format", "csv"),
        ("explain", "INTERNAL\\sa_api", *snapshot),
        ("plan", *snapshot, "--now", f"{moment.year + 1}-03-01"),
    ):
        say(f"  {_shown(arguments)}")
    say(f"Then edit {site.config} and plan again, or point --site at your own Butler config.")


class _Tour:
    """Runs seatwarden's own commands, in this process, and shows what was typed."""

    def __init__(self, context: typer.Context) -> None:
        self._command = context.find_root().command

    def stop(self, text: str) -> None:
        """Some words between commands."""
        say()
        say(Text(text, style="bold cyan"))

    def run(self, *arguments: str) -> None:
        """A command as a user would type it; its errors end the demo."""
        say()
        say(Text(f"$ {_shown(arguments)}", style="bold"))
        code = self._command.main(list(arguments), prog_name="seatwarden", standalone_mode=False)
        if code:
            raise typer.Exit(code)


def _shown(arguments: tuple[str, ...]) -> str:
    return "seatwarden " + " ".join(shlex.quote(a) if any(c in a for c in " \\\"'*") else a for a in arguments)
