"""`seatwarden demo`: a tour on a simulated site. Real commands, a real HTTPS server, no real Qlik Sense."""

import os
import subprocess
import sys
import textwrap
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.host import log_warnings, settings_from
from seatwarden.engine.cli.inputs import QuietOption
from seatwarden.engine.cli.terminal.output import command_line, note, say, working
from seatwarden.engine.cli.terminal.streams import is_closed_pipe, is_quiet
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.policy.errors import InputError

_NO_PORT = 4242
"""In the config of a site of which there is only the past."""

if TYPE_CHECKING:
    from email.message import EmailMessage

    from seatwarden.engine.demo.files import DemoSite
    from seatwarden.engine.runs.run_report import RunReport
    from seatwarden.engine.simulator.server import SimulatedQrs


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the demo keeps its files.")] = Path(
        "seatwarden-demo"
    ),
    stay: Annotated[
        bool, typer.Option("--stay", help="No tour: keep the site running until Ctrl-C, to try commands on.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Twelve months of such a site, and what other thresholds would have done.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Show the main job on a simulated site.

    A site of 200 users: plan over HTTPS, explain, apply, survive a crash, verify. Then two weeks in which people are
    told before they lose a license. What you edit in its butler.yaml stays; a folder with files of your own is refused.

    Example: seatwarden demo
    """
    from seatwarden.engine.demo.files import own_folder

    if stay and history:
        raise InputError("`--stay` keeps a site running, and `--history` has none", "leave one of them out")
    moment = clock().replace(microsecond=0)
    try:
        with own_folder(folder) as own:
            if own != folder:
                say(f"A demo is running in {folder}: this one has {own}.")
            if history:
                _show_history(_Tour(context), own, moment)
            else:
                _show_site(_Tour(context), own, moment, stay)
    except OSError as error:
        if is_closed_pipe(error):
            raise
        raise InputError(
            f"the demo cannot write to `{folder}`: {error.strerror}", "choose another with --folder"
        ) from None


def _show_site(tour: "_Tour", own: Path, moment: datetime, stay: bool) -> None:
    """The simulated site, while it runs; with the tour, or without until Ctrl-C."""
    from seatwarden.engine.demo.files import write_config, write_demo_site

    site = write_demo_site(own, now=moment)
    with site.serve() as qrs:
        if write_config(site.config, port=qrs.port, now=moment):
            say(f"{site.config} is kept as you edited it, but for the port.")
        if stay:
            _stay(site, qrs)
            return
        run = own / "plans" / f"{moment:%Y%m%dT%H%M%S}-{qrs.port}"
        _show(tour, site, qrs, run)
    _tell(tour, site, own, moment)
    _suggest(site, run, moment.year + 1)


def _show(tour: "_Tour", site: "DemoSite", qrs: "SimulatedQrs", run: Path) -> None:
    """The tour: plan, explain, verify, apply, be killed, go on, look back."""
    from seatwarden.engine.demo.people import TELLING_USERS

    tour.stop(f"A simulated Qlik Sense site with 200 users answers on {qrs.url}.")
    tour.run("plan", "--site", str(site.config), "--show", "release", "-o", str(run))
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
    tour.stop(f"All that took {asked} requests to QRS, and nothing was released. Now the plan is applied,")
    how = "as the Task Manager ends it" if os.name == "nt" else "kill -9"
    say((f"and the process is killed ({how}) half-way, in the middle of a DELETE.", "bold cyan"))
    tour.run_and_kill(qrs, "apply", str(run), "--site", str(site.config), "--yes")
    tour.stop("Applied again, it goes on where it ended: what is open is looked up, nothing is deleted twice.")
    tour.run("apply", str(run), "--site", str(site.config), "--yes")
    tour.run("log", "verify", str(run))
    tour.stop("Months later somebody asks: when did he lose his license, and why?")
    tour.run("log", "show", str(run.parent), "--user", TELLING_USERS.leaver)
    deleted = qrs.deleted
    tour.stop(f"{len(deleted)} licenses were deleted on the simulated site, {len(set(deleted))} different ones.")


def _tell(tour: "_Tour", site: "DemoSite", own: Path, moment: datetime) -> None:
    """The second story, two weeks that end now: told, come back, reminded, released, given back."""
    from seatwarden.engine.demo import told
    from seatwarden.engine.demo.mailbox import Mailbox
    from seatwarden.engine.simulator.server import SimulatedQrs

    first = moment - timedelta(days=told.NOTICE_DAYS)
    with Mailbox() as mailbox, SimulatedQrs(told.told_site(first), certificates=site.certificates, now=first) as qrs:
        name = f"told/{moment:%Y%m%dT%H%M%S}-{qrs.port}"
        config = told.write_told_files(own, port=qrs.port, mail_port=mailbox.port, name=name)
        weeks = _TwoWeeks(config, qrs, first)
        tour.stop("Told before it happens: two weeks on a smaller site, with a rule that writes to people first.")
        say()
        for line in told.CLAUSE.splitlines():
            say(f"  {line}")
        say()
        ran = weeks.run_on(0)
        weeks.tell(f"Nothing is released yet, {plural(len(ran.told.sent), 'message')} sent. One of them:")
        _show_mail(mailbox.messages[0])
        with qrs.site_lock() as served:
            told.open_qlik_sense(served, told.COMES_BACK, format_instant(first + timedelta(days=told.BACK_DAY)))
        ran = weeks.run_on(told.BACK_DAY)
        names = {one.user: one.user_name for one in ran.plan.decisions} if ran.plan else {}
        for notice, _, _ in ran.told.ended:
            weeks.tell(
                f"{printable(names.get(notice.user) or notice.user)} has opened Qlik Sense, and keeps the license."
            )
        ran = weeks.run_on(told.REMINDED_DAY)
        weeks.tell(f"{plural(len(ran.told.sent), 'reminder')} sent.")
        ran = weeks.run_on(told.NOTICE_DAYS)
        weeks.tell(f"{plural(ran.counts.get('released', 0), 'license')} released, on the day that was told.")
        tour.stop("Somebody says: I was away, I never read that. The license is given back.")
        tour.run("restore", str(ran.folder), "--user", told.IS_RESTORED, "--site", str(config), "--yes")


class _TwoWeeks:
    """The days of the second story: real runs on a site, by a clock that stands where the story is."""

    def __init__(self, config: Path, qrs: "SimulatedQrs", first: datetime) -> None:
        self._settings = settings_from(config, None)
        self._qrs, self._first, self._now = qrs, first, first

    def run_on(self, day: int) -> "RunReport":
        """A run so many days after the first. Raises SeatwardenError where it does not end well."""
        from seatwarden.engine.qrs.client import QrsClient
        from seatwarden.engine.runs.context import RunContext
        from seatwarden.engine.runs.run import run_once

        self._now = self._first + timedelta(days=day)
        self._qrs.be_at(self._now)
        site = self._settings.site
        # Certificates go by the real time.
        context = RunContext(
            lambda: QrsClient(site, clock()), this_hand(lambda: self._now, site.qlik_user), log_warnings
        )
        ran = run_once(self._settings, context, dry_run=False)
        if ran.outcome != "done":
            raise ran.error or InputError(f"the run of {self._now:%Y-%m-%d} ended early: {'; '.join(ran.why)}")
        for sent in ran.told.sent:
            if sent.result != "accepted":
                raise InputError(f"the demo's own mail server did not get a message: {sent.reply}")
        return ran

    def tell(self, text: str) -> None:
        """Says what happened on the day."""
        say((f"{self._now:%Y-%m-%d}", "bold"), f"  {text}")


_MAIL_WIDTH = 74


def _show_mail(mail: "EmailMessage") -> None:
    """A message as a person gets it."""
    body = mail.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    for line in (f"To: {mail['To']}", f"Subject: {mail['Subject']}", "", *text.rstrip().splitlines()):
        for part in textwrap.wrap(line, _MAIL_WIDTH) or [""]:
            say(f"  | {printable(part)}".rstrip())


def _suggest(site: "DemoSite", run: Path, next_year: int) -> None:
    """Says what to try next on the files of the demo."""
    from seatwarden.engine.demo.told import told_config_in

    say()
    say("The simulated sites are gone, their files stay. Try next:")
    told = str(told_config_in(site.config.parent))
    snapshot = ["--policy", str(site.config), "--snapshot", str(site.snapshot)]
    for arguments in (
        ("report", str(run)),
        ("plan", *snapshot),
        ("plan", *snapshot, "--format", "csv"),
        ("explain", "INTERNAL\\sa_api", *snapshot),
        ("plan", *snapshot, "--now", f"{next_year}-03-01"),
        ("notice", "preview", "pnguyen", "--language", "de", "--site", told, "--snapshot", str(site.snapshot)),
        ("init", "my-policy", "--butler", str(site.config)),
        ("demo", "--history"),
        ("demo", "--stay"),
    ):
        say(f"  {command_line(arguments)}")
    say("--history shows twelve months of such a site, and what other thresholds would have done.")
    say("The last keeps such a site running, to try the commands on that ask a site or change it.")
    say(f"Or edit {site.config} and plan again, or point --site at your own Butler config.")


def _stay(site: "DemoSite", qrs: "SimulatedQrs") -> None:
    """Shows what can be tried on the site while it runs, and waits for Ctrl-C."""
    config, plan = str(site.config), str(site.config.parent / "plans" / "first")
    say(f"A simulated Qlik Sense site with 200 users answers on {qrs.url} until you press Ctrl-C.")
    say("In another terminal, in this folder:")
    for arguments in (
        ("site", "check", "--site", config),
        ("plan", "--site", config, "-o", plan, "--report"),
        ("apply", plan, "--site", config),
        ("run", "--site", config),
        ("monitor", "--site", config, "--dry-run"),
    ):
        say(f"  {command_line(arguments)}")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        say("\nThe simulated site is gone, its files stay.")


def _show_history(tour: "_Tour", own: Path, moment: datetime) -> None:
    """Twelve months of a site, and what a backtest says of them."""
    from seatwarden.engine.demo import year
    from seatwarden.engine.demo.files import config_in, write_config

    config, page, history = config_in(own), own / "backtest.html", own / HISTORY_FILE
    if not config.exists():
        write_config(config, port=_NO_PORT, now=moment)
    with working("living twelve months"):
        _write_history(history, moment)
    tour.stop(f"A simulated site with {year.USERS_OF_A_YEAR} users, seen in {year.NIGHTS} nights, lies in {history}.")
    say(("Its people work daily, weekly, monthly or once a year; some leave, some come.", "bold cyan"))
    tour.stop("What would the policy have released since, and what with 60 or 90 days? Who came back?")
    given = ("backtest", "--policy", str(config), "--history", str(history))
    if not is_quiet():
        tour.run(*given, "--threshold", "analyzer=30,60,90")
    tour.stop("The same as a page, over all thresholds from 14 to 180 days and by department.")
    by = ("--by", "user.@Department")
    tour.run(*given, "--threshold", "analyzer=14..180", *by, "-o", str(page), "--force")
    say()
    say(f"Open {page} in a browser. Try next:")
    for arguments in (
        ("history", "list", "--history", str(history)),
        given,
        (*given, "--threshold", "professional=30,60,90"),
    ):
        say(f"  {command_line(arguments)}")
    say(f"Or edit {config} and ask again. Of your own site, every run and `snapshot --history` keep the history.")


def _write_history(path: Path, moment: datetime) -> None:
    """Writes the history anew: whatever lies there is of a demo of before."""
    from seatwarden.engine.demo import year
    from seatwarden.engine.demo.files import SEED
    from seatwarden.engine.history.store import History

    for old in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        old.unlink(missing_ok=True)
    with History(path, write=True) as history:
        for night in year.demo_year(seed=SEED, now=moment, users=year.USERS_OF_A_YEAR, nights=year.NIGHTS):
            history.add(night, "a night of the demo")


KILLED_AFTER = 7
"""Deleted licenses after which the demo kills the process that deletes them."""


class _Tour:
    """Runs seatwarden's own commands, in this process, and shows what was typed."""

    def __init__(self, context: typer.Context) -> None:
        self._command = context.find_root().command

    def stop(self, text: str) -> None:
        """Says some words between commands."""
        say()
        say((text, "bold cyan"))

    def run(self, *arguments: str) -> None:
        """Runs a command as a user would type it; its errors end the demo."""
        say()
        say((f"$ {command_line(arguments)}", "bold"))
        code = self._command.main(list(arguments), prog_name="seatwarden", standalone_mode=False)
        if code:
            raise typer.Exit(code)

    def run_and_kill(self, qrs: "SimulatedQrs", *arguments: str) -> None:
        """Runs a command in a process of its own, and kills it when QRS has deleted a few licenses and owes an answer.

        Raises InputError when the process ends before: then there was no crash to survive.
        """
        from seatwarden.engine.simulator.server import Fault

        say()
        say((f"$ {command_line(arguments)}", "bold"))
        slow = Fault("delay", method="DELETE", seconds=0.2)
        qrs.faults.append(slow)
        # -P: no file in the working folder is taken for a module. Not -I, which would hide a seatwarden that is found
        # by PYTHONPATH or among the user's own packages.
        command = [sys.executable, "-P", "-X", "utf8", "-m", "seatwarden", *arguments]
        process = subprocess.Popen(  # noqa: S603 - our own
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        while (ended := process.poll()) is None and len(qrs.deleted) < KILLED_AFTER:
            time.sleep(0.01)
        process.kill()
        printed, complaints = process.communicate()
        qrs.faults.remove(slow)
        say(printed.rstrip())
        if complaints:
            note(complaints.rstrip())
        if ended is not None:
            raise InputError(f"this process ended by itself, with exit code {ended}, before it could be killed")
        say(("Killed", "bold red"))
        say(f"  QRS has deleted {plural(len(qrs.deleted), 'license')}; the journal ends where the process did.")
