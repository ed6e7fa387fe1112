"""`seatwarden notice` on the register of notices: who was told, tell now, take a notice back, accept damage."""

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.by_hand import open_record, site_settings, who_is_meant
from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.exits import ExitCode, code_of_run
from seatwarden.engine.cli.inputs import QuietOption, SiteOption, TextFormat
from seatwarden.engine.cli.terminal.confirm import confirm_number
from seatwarden.engine.cli.terminal.output import complain, from_here, note, print_result, say
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.notices import (
    COLUMNS,
    due_line,
    more_lines,
    notice_to_json,
    row_of,
    sent_line,
    sent_to_json,
)
from seatwarden.engine.common.reasons import needed_reason, one_reason
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.facts.day import day_for
from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.notice.messages_due import DueMessage
    from seatwarden.engine.runs.run_report import RunReport
    from seatwarden.engine.site.settings import Settings

app = typer.Typer(rich_markup_mode=None)
"""Commands of the group `notice`."""

REDIRECTED = "messages go to `redirectTo`: nobody counts as told by them"


@app.command("list")
def list_(
    site: SiteOption = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that have ended, and why.")] = False,
    format: TextFormat = "text",
) -> None:
    """List who was told, and which day was announced.

    Those announced for the earliest day in front, as the register of notices has them: Qlik Sense is not asked whether
    somebody has come back since. `plan` asks.

    Example: seatwarden notice list --site butler.yaml
    """
    from seatwarden.engine.notice.listed import listed
    from seatwarden.engine.notice.standings import StandingsBeside

    settings = site_settings(site)
    today = day_for(settings.policy, clock(), None).today
    notices = StandingsBeside(settings.folder).notices().notices
    found = list(listed(notices, today, ended=all))
    blocked = notices.nothing_before if notices.nothing_before and notices.nothing_before > today else None
    if format == "json":
        print_result({"notices": list(map(notice_to_json, found)), "nothingBefore": str(blocked) if blocked else None})
        return
    if found:
        print_rows(COLUMNS, list(map(row_of, found)))
    for line in more_lines(found):
        say(line)
    say(plural(len(found), "notice"))
    if blocked is not None:
        note(f"Nothing is released before {blocked}: damage to the register of notices was accepted.")
    if found:
        note("As the register has it: Qlik Sense was not asked who has come back since. `seatwarden plan` asks.")


@app.command("send")
def send(
    site: SiteOption = None,
    dry_run: Annotated[
        bool | None,
        typer.Option("--dry-run/--no-dry-run", help="List what is due, or send it, whatever the site file says."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for jobs.")] = False,
    format: TextFormat = "text",
    quiet: QuietOption = False,
) -> None:
    """Send what a run would send, and release nothing.

    Reminders and first messages, in the order and up to the limits of a run. A dry run, which only lists them, unless
    the site file says `dryRun: false`. Ends with 4 where a message was not accepted.

    Example: seatwarden notice send --site butler.yaml
    """
    from seatwarden.engine.cli.host import context_for, stopped_by_signals
    from seatwarden.engine.runs.run import run_once

    settings = site_settings(site, needs_policy=True)
    if settings.notice is None:
        raise InputError("the site file says nothing of messages", "add `notice` under `seatwarden`: docs/notice.md")
    asked = _Asking(yes)
    stop = threading.Event()
    with stopped_by_signals(stop):
        report = run_once(
            settings,
            context_for(settings, _log, stop),
            dry_run=settings.dry_run if dry_run is None else dry_run,
            tell_only=asked.agree,
        )
    if asked.refusal is not None:
        raise asked.refusal
    code = _exit_code(report)
    if format == "json":
        print_result(sent_to_json(report, code))
    else:
        _say(report, settings)
    raise typer.Exit(code)


@app.command("cancel")
def cancel(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="Somebody who was told: DIRECTORY\\id, an id, or a part of one.")
    ],
    site: SiteOption = None,
    type: Annotated[LicenseType | None, typer.Option("--type", help="On the license of this type only.")] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    quiet: QuietOption = False,
) -> None:
    """End a person's notices: the license is kept.

    For a message that came back, or that went to the wrong address. As long as the policy releases the license, the
    person is told anew, with the whole period; a hold or a `keep` rule keeps it for longer. Ends with 1 where there is
    none.

    Example: seatwarden notice cancel "CORP\\jdoe" --reason "the mail bounced" --site butler.yaml
    """
    from seatwarden.engine.notice.cancel import cancel as end
    from seatwarden.engine.notice.trust import check_clock

    settings = site_settings(site)
    now, why = clock(), one_reason(reason)
    account = this_hand(clock, settings.site.qlik_user).made.account
    with open_record(settings) as record:
        running = record.standings().notices().notices
        check_clock(running, now, None)
        meant = who_is_meant(user, [one.user for one in running.open], "told of a release", "seatwarden notice list")
        mine = [one for one in running.open if one.user.casefold() == meant.casefold()]
        numbers = [one.number for one in mine if type in (None, one.license_type)]
        if not numbers:
            raise PlanRefused(f"no notice on a {type} license runs for {meant}", "leave --type out to end all of them")
        with record.notices() as register:
            ended = end(register, numbers, day_for(settings.policy, now, None).today, clock, account, why)
    for one in ended:
        what = f"the notice on the {one.license_type} license of {one.user}, announced for {one.announced}"
        say(printable(f"Cancelled: {what}"))


@app.command("accept-damage")
def accept_damage(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What happened; it stands in the record.")],
    site: SiteOption = None,
    quiet: QuietOption = False,
) -> None:
    """Go on although the register of notices is damaged.

    The damaged file is kept beside a new one. All notices are ended, people are told anew, and nothing is released by
    any rule before the longest notice is over that there may have been. Ends with 1 where nothing is damaged.

    Example: seatwarden notice accept-damage --reason "the disk was full" --site butler.yaml
    """
    settings = site_settings(site, needs_policy=True)
    why = needed_reason(reason, "the disk was full")
    with open_record(settings) as record:
        done = record.accept_damage(settings.policy, why, day_for(settings.policy, clock(), None).today)
    say(printable(f"Accepted: {done.problem}"))
    if done.kept is not None:
        say(printable(f"What is left of it is kept in {from_here(done.kept)}"))
    say(f"All notices are ended, and nothing is released before {done.nothing_before}, by no rule.")


# Sending -------------------------------------------------------------------------------------------------


class _Asking:
    """Shows what is due and asks whether it is to be sent, unless `yes`."""

    def __init__(self, yes: bool) -> None:
        self._yes = yes
        self.refusal: SeatwardenError | None = None
        """Why nothing was sent; a run raises nothing."""

    def agree(self, due: "Sequence[DueMessage]") -> bool:
        """Whether these messages are to be sent."""
        if self._yes:
            return True
        for one in due:
            note(due_line(one))
        try:
            confirm_number("messages", len(due), "send them", "nothing has been sent")
        except (InputError, PlanRefused) as refusal:
            self.refusal = refusal
        return self.refusal is None


def _exit_code(report: "RunReport") -> ExitCode:
    code = code_of_run(report.outcome, bad_input=report.bad_input)
    failed = any(sent.result not in ("accepted", "redirected") for sent in report.told.sent)
    return ExitCode.SOME_FAILED if code == ExitCode.DONE and failed else code


def _log(message: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Says meanwhile what is not well; the report says what happened."""
    from seatwarden.engine.cli.host import log_warnings

    if "code" not in facts:  # findings on a plan of which nothing is released
        log_warnings(message, level=level, **facts)


def _say(report: "RunReport", settings: "Settings") -> None:
    told = report.told
    for notice, cause, fact in told.ended:
        say(printable(f"ended ({cause}): the notice to {notice.user}, announced for {notice.announced}: {fact}"))
    for sent in told.sent:
        say(sent_line(sent))
    for due in told.due:
        say(due_line(due))
    if report.error is not None:
        complain(report.error)
    else:
        for sentence in report.why:
            note(f"{report.outcome.replace('-', ' ')}: {printable(sentence)}")
    if settings.notice is not None and settings.notice.redirect_to is not None and (told.sent or told.due):
        note(REDIRECTED)
    if report.outcome == "dry-run":
        say(f"Dry run: {plural(len(told.due), 'message')} due, none sent. --no-dry-run sends.")
    elif report.outcome == "done":
        say(f"{plural(len(told.sent), 'message')} sent, nothing released.")
