"""`seatwarden hold`: keeps the licenses of one person for a while, without touching the policy."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from seatwarden.engine.cli.by_hand import open_record, site_settings, who_is_meant
from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import QuietOption, SiteOption, TextFormat
from seatwarden.engine.cli.terminal.output import note, print_result, say, warn
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.holds import COLUMNS, hold_to_json, hold_words, row_of
from seatwarden.engine.common.reasons import needed_reason, one_reason
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.facts.day import day_for
from seatwarden.grammar.ast import LicenseType

if TYPE_CHECKING:
    from seatwarden.engine.explain.people import Holder
    from seatwarden.engine.site.settings import Settings
    from seatwarden.engine.snapshot.model import Snapshot


class HoldGroup(TyperGroup):
    """The group, of which the first command may be left out: `hold USER` is `hold add USER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Its arguments, with the command that is meant."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["add", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=HoldGroup,
    help="Keep the licenses of one person for a while, whatever the policy says.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

UserArgument = Annotated[str, typer.Argument(metavar="USER", help="DIRECTORY\\id, a name, a QRS id, or a part of one.")]
TypeOption = Annotated[LicenseType | None, typer.Option("--type", help="Licenses of this type only.")]


@app.command("add")
def add(
    user: UserArgument,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day: 2027-02-28; 366 days at most.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")],
    site: SiteOption = None,
    type: TypeOption = None,
    quiet: QuietOption = False,
) -> None:
    """Keep a person's licenses up to a day.

    The word `add` may be left out. A hold beats every release rule, is looked at again before each release, and ends by
    itself.

    Example: seatwarden hold add "CORP\\jdoe" --until 2027-02-28 --reason "on leave" --site butler.yaml
    """
    from seatwarden.engine.notice.holds import last_held_day

    settings = site_settings(site)
    now = clock()
    day = day_for(settings.policy, now, None)
    last, why = last_held_day(until, day.today), needed_reason(reason, "on leave")
    snapshot = _snapshot(settings)
    holder, held = _person(user, snapshot)
    with open_record(settings) as record, record.holds() as register:
        before = [one for one in register.state.in_force(day.today) if one.covers(holder.user, type)]
        register.hold(holder.user, type, last, why, day.today)
    what = f"{type} licenses" if type else "licenses"
    say(printable(f"Held: the {what} of {holder.label}, up to and including {last.isoformat()}: {why}"))
    types = [one for one in held if type in (None, one)]
    if not types:
        say("At the moment there is none of them; one that is allocated until then is held, too.")
    for one in before:
        if one.until > last.isoformat():
            note(printable(f"An earlier hold lasts longer, and counts: {hold_words(one)}"))


@app.command("list")
def list_(
    site: SiteOption = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    format: TextFormat = "text",
) -> None:
    """List who is held, until when and why.

    Those that end first in front.

    Example: seatwarden hold list --site butler.yaml
    """
    from seatwarden.engine.notice.standings import StandingsBeside

    settings = site_settings(site)
    today = day_for(settings.policy, clock(), None).today
    state = StandingsBeside(settings.folder).holds()
    found = sorted(state.holds(), key=lambda one: (one.until, one.line)) if all else state.in_force(today)
    if format == "json":
        print_result({"holds": [hold_to_json(one, today) for one in found]})
        return
    if found:
        print_rows(COLUMNS, [row_of(one, today) for one in found])
    say(plural(len(found), "hold"))


@app.command("end")
def end(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="Somebody who is held: DIRECTORY\\id, an id, or a part of one.")
    ],
    site: SiteOption = None,
    type: TypeOption = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    quiet: QuietOption = False,
) -> None:
    """End a person's holds before their day.

    With --type only those that were made for this type alone. Ends with 1 where there is none.

    Example: seatwarden hold end "CORP\\jdoe" --site butler.yaml
    """
    settings = site_settings(site)
    today = day_for(settings.policy, clock(), None).today
    why = one_reason(reason)
    with open_record(settings) as record, record.holds() as register:
        running = register.state.in_force(today)
        meant = who_is_meant(user, [one.user for one in running], "held", "seatwarden hold list")
        mine = [one for one in running if one.covers(meant, None)]
        ended = [one for one in mine if type in (None, one.license_type)]
        for one in ended:
            register.end(one, why, today)
    for one in ended:
        say(printable(f"Ended: {hold_words(one)}"))
    if not ended:
        note(printable(f"No hold of {type} licenses alone runs for {mine[0].user}: {hold_words(mine[0])}"))
        raise typer.Exit(ExitCode.NO)


# What was typed ------------------------------------------------------------------------------------------


def _person(query: str, snapshot: "Snapshot") -> tuple["Holder", list[LicenseType]]:
    """The user of the site that is meant, and the types of the licenses held now. Raises InputError."""
    from seatwarden.engine.explain.people import AmbiguousUser, People

    people: People[LicenseType] = People(" on this site")
    named = {
        user.id: people.add(user.user_directory, user.user_id, user.name or None, user.id) for user in snapshot.users
    }
    for user_id, rows in snapshot.licenses_of.items():
        for license_type, _ in rows:
            people.give(named.get(user_id), license_type)
    try:
        holder, by_part = people.find(query)
    except AmbiguousUser as error:
        raise error.asking(error.listed([one.label for one in error.candidates])) from None
    if by_part:
        note(printable(f"`{query}` is {holder.label}"))
    return holder, people.held_by(holder)


# The site ------------------------------------------------------------------------------------------------


def _snapshot(settings: "Settings") -> "Snapshot":
    """The users and licenses of the site as they are now. Raises RemoteError."""
    from seatwarden.engine.cli.terminal.output import working
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    now = clock()
    with QrsClient(settings.site, now) as client, working(f"reading users from {settings.site.url}"):
        taken, warnings = client.snapshot(now, attributes=False), client.warnings
    for warning in (*warnings, *taken.remarks):
        warn(warning)
    return taken
