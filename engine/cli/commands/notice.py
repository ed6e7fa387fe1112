"""`seatwarden notice`: the messages that people get before their license is released."""

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import typer

from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import (
    Inputs,
    NowOption,
    PolicyOption,
    SiteOption,
    SnapshotOption,
    TimezoneOption,
    gather,
    needed,
)
from seatwarden.engine.cli.terminal.output import note, say
from seatwarden.engine.common.text import printable
from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.explain.people import AmbiguousUser, Holder, People, people_of_snapshot
from seatwarden.engine.plan.given_back import with_take_backs
from seatwarden.engine.snapshot.model import License
from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.notice.message import NoticeMessage
    from seatwarden.engine.notice.recipient import Recipient
    from seatwarden.engine.notice.templates import NoticeTemplates
    from seatwarden.engine.site.notice import NoticeSettings
    from seatwarden.engine.snapshot.model import User

app = typer.Typer(help="Tell people before their license is released.", no_args_is_help=True, rich_markup_mode=None)

SHOWN_DAYS = 14
"""Between message and release, in a preview: the rules say how many there are in a run."""
SHOWN_REMINDER_DAYS = 3
_KINDS = {"own": "the user", "manager": "the manager", "fallback": "`fallback` of the site file"}


@app.command("preview")
def preview(
    user: Annotated[str, typer.Argument(metavar="USER", help="DIRECTORY\\id, a name, a QRS id, or a part of a name.")],
    site: SiteOption = None,
    policy: PolicyOption = None,
    snapshot: SnapshotOption = None,
    type: Annotated[
        LicenseType | None, typer.Option("--type", help="The license, where the user has one of each type.")
    ] = None,
    reminder: Annotated[bool, typer.Option("--reminder", help="The reminder, not the first message.")] = False,
    language: Annotated[
        str | None, typer.Option("--language", metavar="LANGUAGE", help="In this language, not the user's: de.")
    ] = None,
    now: NowOption = None,
    timezone: TimezoneOption = None,
    format: Annotated[
        Literal["text", "html", "eml"], typer.Option("--format", help="The text, the HTML, or the mail as it is sent.")
    ] = "text",
) -> None:
    """Show the message that somebody would get.

    Sends nothing. Ends with 1, and says why, where nobody could be written to.

    Example: seatwarden notice preview "CORP\\jdoe" --site butler.yaml
    """
    from seatwarden.engine.notice.recipient import Unreachable, recipient_of
    from seatwarden.engine.notice.templates import load_templates  # jinja2 takes a while to import

    site = needed(site)
    settings = _settings(site)
    templates = load_templates(settings)
    given = _inputs(policy, snapshot, site, now, timezone, settings)
    holder, decision = _license(given, user, type)
    found = _user(given, holder)
    recipient = recipient_of(settings, found, templates.languages)
    if isinstance(recipient, Unreachable):
        note(printable(f"{holder.label} cannot be told, and keeps the license: {recipient.reason}"))
        raise typer.Exit(ExitCode.NO)
    shown = _message(settings, templates, given, decision, recipient, language, reminder)
    if not decision.takes:
        note("nothing is due here today: this is what the message would say if it were")
    _print(settings, shown, format)


def _settings(site: Path) -> "NoticeSettings":
    """What the site file says of messages. Raises InputError where it says nothing."""
    from seatwarden.engine.site.notice import load_notice

    settings = load_notice(site, os.environ)
    if settings is None:
        raise InputError(f"`{site}` says nothing of messages", "add `notice` under `seatwarden`: docs/notice.md")
    return settings


def _inputs(
    policy: Path | None,
    snapshot: Path | None,
    site: Path,
    now: str | None,
    timezone: str | None,
    settings: "NoticeSettings",
) -> Inputs:
    """What is decided on: the snapshot where there is one, else the live site."""
    if snapshot is None:
        return gather(policy, None, site, now, timezone, attributes=settings.reads_attributes, rules=True)
    if policy is None:
        from seatwarden.engine.site.ours import policy_file

        policy = policy_file(site, os.environ)
    return gather(policy, snapshot, None, now, timezone, attributes=settings.reads_attributes, rules=True)


def _license(given: Inputs, query: str, type: LicenseType | None) -> tuple[Holder, Decision]:
    """The user who is meant, and the decision that the message is about: on a license that is due, if one is."""
    people: People[tuple[LicenseType, License]] = people_of_snapshot(given.snapshot, [query])
    try:
        holder, by_part = people.find(query)
    except AmbiguousUser as error:
        raise error.asking(error.listed([one.label for one in error.candidates])) from None
    if by_part:
        note(printable(f"`{query}` is {holder.label}"))
    held = [(kind, row) for kind, row in people.held_by(holder) if type in (None, kind)]
    if not held:
        what = f"no {type} license" if type else "no license"
        raise InputError(printable(f"{holder.label} has {what}: there is nothing to tell"), "name somebody who has one")
    decisions = [decide(given.policy, given.snapshot, kind, row, given.day) for kind, row in held]
    decided = with_take_backs(decisions, given.snapshot)
    due = [decision for decision in decided if decision.takes] or decided
    if len(due) > 1:
        note(f"there are {len(due)} licenses, and a message for each: --type shows the others")
    return holder, due[0]


def _user(given: Inputs, holder: Holder) -> "User | None":
    named = (holder.user_directory, holder.user_id)
    return next((one for one in given.snapshot.users if (one.user_directory, one.user_id) == named), None)


def _message(
    settings: "NoticeSettings",
    templates: "NoticeTemplates",
    given: Inputs,
    decision: Decision,
    recipient: "Recipient",
    language: str | None,
    reminder: bool,
) -> "NoticeMessage":
    from dataclasses import replace

    from seatwarden.engine.notice.facts import facts_of
    from seatwarden.engine.notice.message import compose

    if language is not None:
        if language not in templates.languages:
            known = did_you_mean(language, templates.languages) or f"there are {', '.join(templates.languages)}"
            raise InputError(f"there are no texts in the language `{language}`", known)
        recipient = replace(recipient, language=language)
    left = timedelta(SHOWN_REMINDER_DAYS if reminder else SHOWN_DAYS)
    announced = given.day.today + left
    told = announced - timedelta(SHOWN_DAYS)
    site = urlsplit(given.source).hostname or given.source
    facts = facts_of(decision, given.day, told=told, announced=announced, site=site, reminder=reminder)
    return compose(settings, templates, facts, recipient, "preview")


def _print(settings: "NoticeSettings", shown: "NoticeMessage", format: str) -> None:
    """Prints the message. Raises InputError for a form that it has not."""
    if format == "text":
        for line in _lines(settings, shown):
            say(printable(line))
    elif format == "html":
        if shown.html is None:
            raise InputError("this message has no HTML", "write `message.html` beside your own `message.txt`")
        sys.stdout.write(shown.html.rstrip("\n") + "\n")
    else:
        from seatwarden.engine.notice.message import mail_of

        if settings.server is None:
            raise InputError("messages go by webhook: there is no mail", "leave --format out")
        sys.stdout.write(mail_of(settings.server, shown, clock()).as_string().replace("\r\n", "\n"))


def _lines(settings: "NoticeSettings", shown: "NoticeMessage") -> Sequence[str]:
    whose = _KINDS[shown.recipient.kind]
    to = f"{shown.recipient.address.addr_spec} ({whose})"
    if shown.redirected:
        to = f"{shown.to.addr_spec} (`redirectTo`), not yet {to}"
    return [
        f"to       {to}",
        f"by       {settings.label}",
        f"language {shown.recipient.language}",
        f"subject  {shown.subject}",
        "",
        *shown.text.rstrip("\n").split("\n"),
    ]
