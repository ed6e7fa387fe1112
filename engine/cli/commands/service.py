"""`seatwarden service`: `serve` as a service of Windows, one for each site."""

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.host import (
    say_warnings,
    service_surroundings,
    settings_from,
    stopped_with_console,
)
from seatwarden.engine.cli.inputs import PolicyOption, SiteOption, needed
from seatwarden.engine.cli.state_folder import default_folder
from seatwarden.engine.cli.terminal.output import command_line, say, warn
from seatwarden.engine.common.rights import open_to_all, take_away
from seatwarden.engine.site.connection import Site, load_site
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.errors import InputError

app = typer.Typer(
    help="Run `serve` as a service of Windows, one for each site.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("install")
def install(site: SiteOption = None, policy: PolicyOption = None) -> None:
    """Install the service of a site; it is not started yet.

    It starts with Windows, runs as LocalSystem, and is started again a minute after a crash. Stop and shutdown finish
    the licenses under way.

    Example: seatwarden service install --site C:\\seatwarden\\site.yaml
    """
    from seatwarden.engine.service import windows_manager

    windows_manager.check_windows()
    site = needed(site).resolve()
    settings = settings_from(site, policy, scheduled=True)
    say_warnings(settings)
    if settings.folder.is_relative_to(default_folder()):
        warn("`seatwarden: folder:` is not set: the service keeps its runs in the profile of its own account")
    command = _command(site, policy)
    _refuse_what_all_can_change([Path(command[0]), Path(__file__), *settings.files])
    name = _name_of(settings.site)
    text = f"Releases and watches licenses of {settings.site.url} on schedule, by policy."
    windows_manager.install(name, f"seatwarden ({settings.site.slug})", text, command)
    say(f"The service `{name}` is installed. It starts with Windows.")
    say(f"Start it now: {command_line(['service', 'start', '--site', str(site)])}")


@app.command("start")
def start(site: SiteOption = None) -> None:
    """Start the service of a site, and wait until it works.

    Example: seatwarden service start --site C:\\seatwarden\\site.yaml
    """
    from seatwarden.engine.service import windows_manager

    _do(windows_manager.start, site, "runs")


@app.command("stop")
def stop(site: SiteOption = None) -> None:
    """Stop the service of a site; licenses under way are finished.

    Example: seatwarden service stop --site C:\\seatwarden\\site.yaml
    """
    from seatwarden.engine.service import windows_manager

    _do(windows_manager.stop, site, "has ended")


@app.command("status")
def status(site: SiteOption = None) -> None:
    """Say whether the service of a site runs.

    Ends with 0 if it runs, with 1 if not.

    Example: seatwarden service status --site C:\\seatwarden\\site.yaml
    """
    from seatwarden.engine.service import windows_manager

    windows_manager.check_windows()
    name = _name_of(load_site(needed(site), os.environ))
    found = windows_manager.status(name)
    say(f"{name}: {found}")
    if found != "running":
        raise typer.Exit(ExitCode.NO)


@app.command("remove")
def remove(site: SiteOption = None) -> None:
    """Stop and remove the service of a site; its runs stay.

    Example: seatwarden service remove --site C:\\seatwarden\\site.yaml
    """
    from seatwarden.engine.service import windows_manager

    _do(windows_manager.remove, site, "is removed")


@app.command("host", hidden=True)
def host(site: SiteOption = None, policy: PolicyOption = None) -> None:
    """Run as the service that Windows has started."""
    from seatwarden.engine.service.windows_host import host as host_service

    site = needed(site)

    def work(stop: threading.Event, begun: Callable[[], None]) -> None:
        # Not before: Windows wants to be spoken to within 30 seconds, and a virus scanner reads all that is imported.
        from seatwarden.engine.service.running import run_service

        given = service_surroundings(site, policy, stop)
        run_service(replace(given, load=lambda: _logging_to_file(given.load()), begun=begun))

    with stopped_with_console(threading.Event()):  # else it would end when anybody logs off
        host_service(work)


def _do(what: Callable[[str], None], site: Path | None, done: str) -> None:
    from seatwarden.engine.service import windows_manager

    windows_manager.check_windows()
    name = _name_of(load_site(needed(site), os.environ))
    what(name)
    say(f"The service `{name}` {done}.")


def _name_of(site: Site) -> str:
    return f"seatwarden-{site.slug}"


def _logging_to_file(settings: Settings) -> Settings:
    """The settings with a log file: a service has no other place to write."""
    return replace(settings, log=replace(settings.log, file=settings.service_log))


def _command(site: Path, policy: Path | None) -> list[str]:
    """What the service manager starts.

    In a virtual environment `python.exe` only starts another process, which the manager would not take for the service.
    """
    utf8 = ["-X", "utf8"] if sys.flags.utf8_mode else []
    python = [sys.executable, *utf8, "-P", "-m", "seatwarden"]
    if sys.prefix != sys.base_prefix:
        libraries = str(Path(sys.prefix, "Lib", "site-packages"))
        program = f"import site; site.addsitedir({libraries!r}); import seatwarden.engine.cli.main as cli; cli.main()"
        python = [getattr(sys, "_base_executable", sys.executable), *utf8, "-P", "-S", "-c", program]
    given = [] if policy is None else ["--policy", str(policy.resolve())]
    return [*python, "service", "host", "--site", str(site), *given]


def _refuse_what_all_can_change(files: list[Path]) -> None:
    """Refuses to have done as LocalSystem what every user of this machine can change. Raises InputError."""
    for path in (place for file in files for place in (file, file.parent)):
        if path.exists() and open_to_all(path, to_change=True):
            message = f"every user of this machine can change `{path}`, and with it what the service does"
            raise InputError(message, take_away(path))
