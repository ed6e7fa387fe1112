"""`seatwarden review`: a plan in the browser of this machine, to be approved there, or rejected."""

import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.apply.approving import Approvable, approvable
from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.terminal.output import note, say, warn
from seatwarden.engine.cli.views.approval import say_answer
from seatwarden.engine.common.signing_key import public_key_in
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.errors import PlanRefused
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.web.holding import SiteHolds
    from seatwarden.engine.web.review import Review

_LEADING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<title>Review</title><meta http-equiv="refresh" content="0; url={address}"><a href="{address}">The plan</a>
"""
"""A page that leads to ours."""


def review(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of the plan.", autocompletion=complete_runs)
    ],
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Your key; its passphrase is typed on the page. Default: none."),
    ] = None,
    site: Annotated[
        Path | None, typer.Option("--site", metavar="FILE", help="Site file of the plan: people can be held, too.")
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", min=0, max=65_535, help="Default: any port that is free.", show_default=False
        ),
    ] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
) -> None:
    """Review a plan in the browser, and approve or reject it.

    The page is for one browser of this machine, and ends with the answer, or after half an hour without a question.
    Without --key it is only to be read; with --site people can be held there, too.

    Example: seatwarden review runs/20261121T020000Z-0123456789ab --key anna.key --site butler.yaml
    """
    try:
        it = approvable(folder, clock())
        if key is not None:
            it.refuse_key(public_key_in(key))
        holding = _holding(site, it) if site is not None and key is not None else None
    except PlanRefused as refusal:
        note(f"refused: {printable(str(refusal))}")
        raise typer.Exit(ExitCode.NO) from None
    from seatwarden.engine.web.review import Review, ReviewSetting  # jinja2 takes a while to import
    from seatwarden.engine.web.session import PageSession

    draw = this_hand(clock).draw
    found = Review(ReviewSetting(folder, key, holding, clock, draw), PageSession(draw))
    try:
        _serve(found, port, no_browser)
    except KeyboardInterrupt:
        note("ended")
    _tell(found, reads_only=key is None)


def _holding(site: Path, it: Approvable) -> "SiteHolds":
    """The way to the register of holds of the site of a plan. Raises InputError for another site."""
    from seatwarden.engine.cli.by_hand import open_record, site_settings
    from seatwarden.engine.facts.day import day_for
    from seatwarden.engine.log.register import REGISTER_FILE, read_register
    from seatwarden.engine.web.holding import SiteHolds

    settings = site_settings(site)
    register = read_register(settings.folder / REGISTER_FILE)
    if register is None or register.id != it.register.id:
        help_ = "name the site file that the plan was made with"
        raise InputError(f"the plan is not in the register of `{settings.folder}`, which `{site}` names", help_)
    return SiteHolds(lambda: day_for(settings.policy, clock(), None).today, lambda: open_record(settings))


def _serve(found: "Review", port: int, no_browser: bool) -> None:
    """Serves the page until it is over. Raises InputError where the port is taken."""
    from seatwarden.engine.web.server import IDLE, review_server

    with ExitStack() as stack:
        try:
            running = stack.enter_context(review_server(port, found, clock, _say_defect))
        except OSError as error:
            help_ = "name another port, or none: then any that is free is taken"
            raise InputError(f"--port: nobody can listen on {port}: {error.strerror}", help_) from None
        address = f"http://127.0.0.1:{running.port}/?token={found.session.token}"
        say("The plan is shown at this address, on this machine, once:")
        say(address)
        sys.stdout.flush()
        stack.enter_context(_opened(address, no_browser))
        answered = running.wait(clock)
    if not answered:
        note(f"nobody has asked for {plural(int(IDLE.total_seconds()) // 60, 'minute')}: the page has ended")


def _tell(found: "Review", *, reads_only: bool) -> None:
    """What was answered; without an answer, that nothing was signed."""
    if found.signed is not None:
        signed = found.signed
        for one in signed.holds:
            say(printable(f"Held: the licenses of {one.user}, up to and including {one.until}: {one.reason}"))
        say_answer(signed.it, signed.given, signed.key, signed.path)
        return
    if not reads_only:
        why = ": too many passphrases were wrong" if found.had_enough else ""
        note(f"nothing was signed{why}")
        raise typer.Exit(ExitCode.NO)


def _say_defect(error: BaseException) -> None:
    warn(f"a question to the page failed ({type(error).__name__}); nothing was signed by it")


@contextmanager
def _opened(address: str, no_browser: bool) -> Iterator[None]:
    """A context in which the browser was led to the page.

    By a file that only this account can read: all accounts of a machine see with which address a program was started.
    """
    if no_browser:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="seatwarden-") as name:
        page = Path(name) / "review.html"
        page.write_text(_LEADING.format(address=address), encoding="utf-8")
        if not webbrowser.open(page.as_uri()):
            note("no browser was found: open the address yourself")
        yield
