"""The inputs of several commands: policy, snapshot or site, time zone, and now, which else is the clock's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer
from msgspec import Struct

from seatwarden.engine.cli.completion import complete_zones
from seatwarden.engine.cli.terminal.streams import be_quiet
from seatwarden.engine.common.key_file import Period
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.facts.day import Day
from seatwarden.engine.plan.modes import LIVE, OTHER_MOMENT, WHAT_IF, Mode
from seatwarden.policy.errors import InputError
from seatwarden.policy.lint.allow import without_allowed
from seatwarden.policy.loading import YAML_SUFFIXES, CheckedPolicy, load_policy, shown_source

if TYPE_CHECKING:  # `lint` and others that read no site do not wait for what does
    from seatwarden.engine.log.heads import Heads
    from seatwarden.engine.log.past_site import PastSite
    from seatwarden.engine.plan.decide_site import Stand
    from seatwarden.engine.site.connection import Site
    from seatwarden.engine.site.settings import Settings
    from seatwarden.engine.snapshot.model import Snapshot

PolicyOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--policy", "-p", metavar="FILE", help="Policy: a .policy file, or Butler's YAML."),
]
SnapshotOption: TypeAlias = Annotated[
    Path | None, typer.Option("--snapshot", "-s", metavar="FILE", help="Snapshot of a site (JSON).")
]
SnapshotOrRunOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--snapshot",
        "-s",
        metavar="FILE|RUN",
        help="Snapshot of a site (JSON), or a past run's folder: what that recorded.",
    ),
]
SiteOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--site", metavar="FILE", help="Site file: a Butler config with configQRS and cert. Reads live QRS."),
]
NowOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--now",
        metavar="TIME",
        help="Decide as of this moment: 2026-11-21T02:00:00Z, or 2026-11-21, which is the zone's midnight.",
    ),
]
TimezoneOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="IANA zone in which days are counted, not the policy's.",
        autocompletion=complete_zones,
    ),
]
PseudonymizeOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--pseudonymize", metavar="KEYFILE", help="Name nobody: keyed ids under this key, and coarse facts."),
]
PeriodOption: TypeAlias = Annotated[
    Period, typer.Option("--pseudonyms-per", help="With --pseudonymize: how long a pseudonym holds.")
]
LeastOption: TypeAlias = Annotated[
    int,
    typer.Option(
        "--pseudonyms-k",
        metavar="N",
        min=1,
        max=1_000,
        help="With --pseudonymize: how many licenses must say the same, or the log says less.",
    ),
]


def _be_quiet(asked: bool) -> bool:
    if asked:
        be_quiet(True)
    return asked


QuietOption: TypeAlias = Annotated[
    bool,
    typer.Option("--quiet", "-q", callback=_be_quiet, help="Say only what is wrong; the exit code tells the rest."),
]
ForceOption: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Overwrite the file if it is one of the same kind; never another.")
]
Format: TypeAlias = Literal["table", "json", "csv"]
TextFormat: TypeAlias = Annotated[Literal["text", "json"], typer.Option("--format", help="How to print.")]
SealsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--seals", metavar="FILE", help="Hold against the seals in this file: a mailbox, a log, a table."),
]
RawOption: TypeAlias = Annotated[
    bool, typer.Option("--raw", help="CSV as it is, for programs: not guarded against spreadsheets.")
]


class Inputs(Struct, frozen=True):
    """Everything a decision depends on. `source` names the site, or the file the snapshot stands in.

    `site` is the live site (None: a snapshot file). `mode` tells whether a plan of this can ever be applied. `past` is
    the run that is decided on where that has not kept its snapshot: then `snapshot` has no rows. `heads` is where the
    registers beside a live site ended that say whose licenses are held.
    """

    policy: CheckedPolicy
    snapshot: Snapshot
    day: Day
    source: str
    site: Site | None = None
    mode: Mode = WHAT_IF
    past: PastSite | None = None
    heads: Heads | None = None
    stand: Stand = tuple


def gather(
    policy: Path | None,
    snapshot: Path | None,
    site: Path | None,
    now: str | None,
    timezone: str | None,
    *,
    runs: bool = False,
    keep: bool = False,
    attributes: bool = False,
    rules: bool = False,
) -> Inputs:
    """Reads what the options name. Raises InputError, PolicyError or RemoteError.

    `runs`: a past run may stand in place of the snapshot; `keep`: the snapshot has its bytes with it; `attributes`:
    it has those of the users, also where the policy reads none; `rules`: also where only the site's license rules do.
    """
    from seatwarden.engine.facts.day import day_for

    if snapshot is None and site is None:
        raise InputError("nothing to decide on", "name a snapshot with --snapshot, or a live site with --site")
    if snapshot is not None and site is not None:
        raise InputError("--snapshot and --site exclude each other", "leave one of them out")
    if policy is None:
        if site is None or site.suffix.lower() not in YAML_SUFFIXES:
            raise InputError("no policy", "name one with --policy; a Butler config is one too")
        from seatwarden.engine.site.ours import policy_file  # reads all of a site file; only live commands need it

        policy = policy_file(site, os.environ)
    checked = _load(policy)
    rules = rules or checked.reads("license.takenBackBy")
    asked = parse_now(now) if now is not None else None
    if snapshot is not None:
        from_run = _from_run(checked, snapshot, asked, timezone) if runs else None
        return from_run or _from_file(checked, snapshot, asked, timezone, keep=keep, attributes=attributes, rules=rules)
    assert site is not None  # noqa: S101 - for the type checker: one of the two is given, see above
    # The snapshot is of now, whatever moment is asked for.
    now_ = datetime.now(UTC)
    day = day_for(checked, asked or now_, timezone)
    live = read_site(site)
    mode = LIVE if abs(day.now - now_) <= OTHER_MOMENT else WHAT_IF
    people = _Registers(checked, site, live, policy)
    asked_for = attributes or checked.reads("user.attributes") or people.reads_attributes
    taken = _take_snapshot(live, now_, keep=keep, attributes=asked_for, rules=rules or checked.downgrades)
    taken, heads, stand = people.heard(taken, day)
    return Inputs(checked, taken, day, live.url, live, mode, heads=heads, stand=stand)


class _Registers:
    """What the record of a live site says of its people, beside the policy in a file."""

    def __init__(self, policy: CheckedPolicy, site_file: Path, site: Site, policy_file: Path) -> None:
        from seatwarden.engine.cli.state_folder import default_folder, state_of
        from seatwarden.engine.notice.register import NOTICES_FILE

        self._policy = policy
        self._folder, _ = state_of(site_file, site)
        self._settings: Settings | None = None
        if policy.gives_notice or (self._folder / NOTICES_FILE).exists():
            from seatwarden.engine.site.settings import load_settings  # all of a site file: few policies ask for it

            self._settings = load_settings(site_file, os.environ, default_folder=default_folder(), policy=policy_file)

    @property
    def reads_attributes(self) -> bool:
        """Whether people are told at an address that stands in their attributes."""
        notice = self._settings.notice if self._settings is not None else None
        return notice is not None and notice.reads_attributes

    def heard(self, taken: Snapshot, day: Day) -> tuple[Snapshot, Heads, Stand]:
        """The snapshot with what the record says of people; where the registers ended that were asked; and what hears
        who was told. Raises UntrustedRecord."""
        from seatwarden.engine.notice.standings import StandingsBeside

        if self._policy.reads("user.lastReleased"):
            from seatwarden.engine.runs.last_released import note_last_released

            note_last_released(taken, self._policy, self._folder, day)
        reach = None
        if self._settings is not None:
            from seatwarden.engine.runs.notices import reach_of

            reach = reach_of(self._settings, day)
        beside = StandingsBeside(self._folder, reach=reach)
        taken, heads = beside.noted(taken, day)
        return taken, heads, beside.stand(self._policy, taken, day)


def _from_file(
    policy: CheckedPolicy,
    file: Path,
    asked: datetime | date | None,
    timezone: str | None,
    *,
    keep: bool,
    attributes: bool,
    rules: bool,
) -> Inputs:
    from seatwarden.engine.facts.day import day_for
    from seatwarden.engine.snapshot.license_rules import asks_for_attributes
    from seatwarden.engine.snapshot.reader import load_snapshot

    # What comes through a pipe can be read once.
    asked_for = attributes or policy.reads("user.attributes") or not file.is_file()
    taken = load_snapshot(file, attributes=asked_for, keep=keep)
    if rules and not asked_for and asks_for_attributes(taken.license_rules):
        taken = load_snapshot(file, keep=keep)
    _say(taken.remarks)
    day = day_for(policy, asked or _taken_at(taken) or datetime.now(UTC), timezone)
    return Inputs(policy, taken, day, taken.source or file.name)


def _from_run(
    policy: CheckedPolicy, folder: Path, asked: datetime | date | None, timezone: str | None
) -> Inputs | None:
    past = past_run(folder)
    if past is None:
        return None
    day = past.day_for(policy, asked, timezone)
    return Inputs(policy, past.snapshot, day, past.source, past=None if past.is_whole else past)


def past_run(place: Path) -> PastSite | None:
    """The site as the run in a folder knew it, and a word on what that cannot tell; None where there is no run.

    Raises InputError, DamagedLog.
    """
    from seatwarden.policy.file_kinds import is_run_folder

    if not is_run_folder(place):
        return None
    from seatwarden.engine.log.past_site import past_site

    past = past_site(place)
    _say([*past.remarks, *past.snapshot.remarks])
    return past


def _load(path: Path) -> CheckedPolicy:
    """The policy, and a word on what in it is of an older form or switched off and wrong."""
    from seatwarden.engine.cli.terminal.output import complain

    policy = load_policy(path)
    if policy.warnings:
        sources = {policy.file: shown_source(policy.source, policy.file)}
        for warning in without_allowed(policy.warnings, policy.source, policy.file):
            complain(warning, sources)
    return policy


def _take_snapshot(site: Site, now: datetime, *, keep: bool, attributes: bool, rules: bool) -> Snapshot:
    """The users and licenses of a live site, to `keep` with the bytes as they were sent. Raises RemoteError."""
    from seatwarden.engine.cli.terminal.output import working
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import; only live commands need it

    # Certificates are valid by the real clock, whatever --now says.
    connected = QrsClient(site, datetime.now(UTC), keep=keep)
    with connected as client, working(f"reading users and licenses from {site.url}"):
        taken, warnings = client.snapshot(now, attributes=attributes, rules=rules), client.warnings
    _say(warnings)
    _say(taken.remarks)
    return taken


def _say(warnings: Sequence[str]) -> None:
    from seatwarden.engine.cli.terminal.output import warn

    for warning in warnings:
        warn(warning)


def needed(site: Path | None) -> Path:
    """The site file of a command that cannot do without. Raises InputError where none is named."""
    if site is None:
        raise InputError("no site", "name the site file with --site")
    return site


def read_site(site_file: Path) -> Site:
    """The site in a file; warns of settings that make it unsafe. Raises InputError or PolicyError."""
    from seatwarden.engine.cli.terminal.output import warn
    from seatwarden.engine.site.connection import load_site

    site = load_site(site_file, os.environ)
    for warning in site.warnings:
        warn(warning)
    return site


def parse_now(text: str, option: str = "--now") -> datetime | date:
    """The moment in an option: an instant (UTC unless it says otherwise), or a date, whose midnight a zone tells."""
    instant = parse_timestamp(text)
    midnight = None if instant else parse_timestamp(f"{text}T00:00:00Z")
    found = instant or midnight
    if found is None or not 1970 <= found.year <= 9000:
        raise InputError(f"{option}: `{text}` is not a moment", "write 2026-11-21 or 2026-11-21T02:00:00Z")
    return found.date() if midnight else found


def choose_moment(now: str | None, snapshot: Snapshot | None) -> datetime | date:
    """The moment to decide as of: `--now`, else when the snapshot was taken, else the clock's. Raises InputError."""
    asked = parse_now(now) if now is not None else None
    return asked or (_taken_at(snapshot) if snapshot else None) or datetime.now(UTC)


def _taken_at(snapshot: Snapshot) -> datetime | None:
    """A snapshot is decided as of the moment it was taken: it cannot know of later use."""
    if snapshot.taken_at is None:
        return None
    instant = parse_timestamp(snapshot.taken_at)
    if instant is None:
        raise InputError(
            f"the snapshot's `takenAt` is not a moment: `{snapshot.taken_at[:40]}`", "give the moment with --now"
        )
    return instant
