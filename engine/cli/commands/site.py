"""`seatwarden site`: the way to a Qlik Sense site."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.host import settings_from
from seatwarden.engine.cli.inputs import SiteOption, TextFormat, needed, read_site
from seatwarden.engine.cli.terminal.output import complain, note, print_result, say, warn
from seatwarden.engine.common.rights import open_to_all, take_away
from seatwarden.engine.common.text import printable
from seatwarden.engine.errors import RemoteError
from seatwarden.policy.errors import InputError, PolicyError

if TYPE_CHECKING:
    from pathlib import Path

    from seatwarden.engine.qrs.check import Step
    from seatwarden.engine.site.connection import Site
    from seatwarden.engine.site.private_files import PrivateFile

app = typer.Typer(help="Check the way to a Qlik Sense site.", no_args_is_help=True, rich_markup_mode=None)


@app.command("check")
def check(
    site: SiteOption = None,
    format: TextFormat = "text",
) -> None:
    """Try the way to a site, step by step.

    Says what to mend. Changes nothing.

    Example: seatwarden site check --site butler.yaml
    """
    from seatwarden.engine.site.alarms import load_alarms
    from seatwarden.engine.site.private_files import private_files

    site = needed(site)
    for text in load_alarms(site, os.environ).notes:
        warn(text)
    _check_notice(site)
    _warn_of_notice(site)
    _say_who_can_read(private_files(site, os.environ))
    failed = None
    steps = []
    for step in _way(site):
        well = ("!", "yellow") if step.help else ("✓", "green")
        mark = well if step.good else ("✗", "bold red")
        steps.append({"step": step.name, "good": step.good, "found": step.found, "help": step.help or None})
        if format == "text":
            say("  ", mark, f" {step.name}: {printable(step.found)}")
            if step.help:
                say(f"    = help: {step.help}")
        if not step.good:
            failed = ExitCode.BAD_INPUT if step.here else ExitCode.REMOTE_FAILED
    if format == "json":
        print_result({"free": not failed, "steps": steps})
    if failed:
        raise typer.Exit(failed)
    if format == "text":
        say("The way to this site is free.")


def _way(site: "Path") -> "Iterator[Step]":
    """What is wrong with the site file, the steps of the way, and behind a free one a word on license rules."""
    from seatwarden.engine.qrs.check import Step, check_site  # requests takes a while to import
    from seatwarden.engine.site.settings import faults_of_ours

    free = True
    where = read_site(site)
    for fault in faults_of_ours(site, os.environ):
        free = False
        yield Step("site file", False, f"{fault.message} ({fault.span.short_place})", fault.help, here=True)
    for step in check_site(where, datetime.now(UTC)):
        free = free and step.good
        yield step
    if free:
        yield from _audited(where)


def _audited(site: "Site") -> "Iterator[Step]":
    """A sample of what the site's own judge says of its license rules, held against what we say."""
    from seatwarden.engine.analysis.rule_audit import audit_rules
    from seatwarden.engine.qrs.check import Step
    from seatwarden.engine.qrs.client import QrsClient

    name, now = "license rules as QRS reads them", datetime.now(UTC)
    try:
        with QrsClient(site, now) as client:
            found = audit_rules(client, client.snapshot(now)) if client.license_rules() not in (None, b"[]") else None
    except RemoteError as error:
        yield Step(name, True, f"not asked: {error.message}", error.help)
        return
    if found is not None:
        yield Step(name, True, found.found, found.help)


def _check_notice(site: "Path") -> None:
    """Raises InputError or PolicyError for what is wrong with the messages to people, their templates too."""
    from seatwarden.engine.site.notice import load_notice

    settings = load_notice(site, os.environ)
    if settings is not None:
        from seatwarden.engine.notice.templates import check_templates  # jinja2 takes a while to import

        check_templates(settings)


def _warn_of_notice(site: "Path") -> None:
    """Says what must be known of the messages to people, where the site file and its policy can be read."""
    from seatwarden.engine.site.notice import notice_notes

    try:
        settings = settings_from(site, None, needs_policy=False)
    except (InputError, PolicyError):
        return  # what is wrong with them is said in another place
    for text in notice_notes(settings.notice, asked=settings.policy.gives_notice):
        warn(text)


def _say_who_can_read(files: "list[PrivateFile]") -> None:
    """Warns of files with secrets that everybody on this machine can read."""
    for file in files:
        everybodys = open_to_all(file.path)
        if everybodys:
            warn(f"`{file.key}`: every user of this machine can read or change `{file.path}`")
            note(printable(f"  = help: {take_away(file.path)}"))
        elif everybodys is None:
            warn(f"not looked at: who can read `{file.path}`; `icacls` shows it")


@app.command("notify")
def notify_command(site: SiteOption = None) -> None:
    """Send a test message to all who are notified.

    To every destination of the site file's notifications.

    Example: seatwarden site notify --site butler.yaml
    """
    from seatwarden.engine.notify.events import try_out
    from seatwarden.engine.notify.send import destinations, notify  # requests takes a while to import
    from seatwarden.engine.site.notifications import load_notifications

    site = needed(site)
    notifications = load_notifications(site, os.environ)
    now = datetime.now(UTC)
    event = try_out(read_site(site).url, now)
    everyone = destinations(notifications, event)
    if not everyone:
        raise InputError(
            f"`{site}` names nobody to notify", "add `notifications` under `seatwarden`, with `webhook` or `email`"
        )
    problems = notify(notifications, event, now)
    failed = {problem.destination for problem in problems}
    for one in everyone:
        if one.label not in failed:
            say("  ", ("✓", "green"), f" {printable(one.label)}")
    for problem in problems:
        complain(InputError(problem.message, problem.help))
    if problems:
        raise typer.Exit(ExitCode.REMOTE_FAILED)
    say("A test message was sent to each. Did it arrive?")
