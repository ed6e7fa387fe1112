"""What commands share that enter something in the record of a site by hand: its settings, its record, who is meant."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.inputs import needed
from seatwarden.engine.cli.terminal.output import warn
from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import PlanRefused
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.runs.record import SiteRecord
    from seatwarden.engine.site.settings import Settings

WAIT_SECONDS = 10
"""A run at work may need the lock for long; who types waits a moment."""


def who_is_meant(query: str, users: Iterable[str], what: str, command: str) -> str:
    """The one user that is meant among those who are `what`, as `command` lists them; the site need not know the person
    any more.

    Raises PlanRefused where nobody of that name is among them, InputError where several are.
    """
    known = {user.casefold(): user for user in users}
    wanted = query.casefold()
    exact = [user for folded, user in known.items() if wanted in (folded, folded.partition("\\")[2])]
    found = sorted(exact or [user for folded, user in known.items() if wanted.strip() and wanted in folded])
    if len(found) > 1:
        raise InputError(
            f"`{query}` can be {plural(len(found), 'user')} who are {what}", f"say which: {', '.join(found)}"
        )
    if not found:
        ids = [user.partition("\\")[2] for user in known.values()]
        help_ = did_you_mean(query, [*known.values(), *ids]) or f"`{command}` says who is"
        raise PlanRefused(f"nobody is {what} who is called `{query}`", help_)
    return found[0]


def site_settings(site: Path | None, *, needs_policy: bool = False) -> "Settings":
    """The settings of the site; what may not be meant in them is said. Raises InputError, PolicyError."""
    from seatwarden.engine.cli.host import say_warnings, settings_from  # takes a while to import

    settings = settings_from(needed(site), None, needs_policy=needs_policy)
    say_warnings(settings)
    return settings


@contextmanager
def open_record(settings: "Settings") -> Iterator["SiteRecord"]:
    """The record of the site, open for writing. Raises PlanRefused while another holds the lock, UntrustedRecord."""
    from seatwarden.engine.runs.record import locked_record

    hand = this_hand(clock, settings.site.qlik_user)
    with locked_record(settings.folder, settings.site.url, hand, WAIT_SECONDS) as record:
        for why in (*record.unfinished, *record.changed):
            warn(f"what was begun to be erased or pruned is not gone: {why}")
        yield record
