"""The work on the sites of a pool: looking at each, and releasing a seat only while all of them agree.

While one site of a pool releases, the locks of all others are held: no run, apply, hold or restore changes there what
was looked at. Right before each DELETE every other site is asked again, by id, and decides by its own policy.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from seatwarden.engine.apply.apply import only_one
from seatwarden.engine.errors import RemoteError, UntrustedRecord
from seatwarden.engine.facts.day import Day, day_for
from seatwarden.engine.fleet.pool import (
    Pooled,
    PoolLook,
    PoolView,
    Seat,
    double_seats,
    person_of,
    rows_in,
    users_in,
)
from seatwarden.engine.fleet.result import SiteAnswer, SiteResult
from seatwarden.engine.fleet.steps import SiteSaid, SiteWork, of_both_steps
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.register import LOCK_FILE
from seatwarden.engine.notice.standings import StandingsBeside
from seatwarden.engine.plan.circumstances import CLOCKS_APART
from seatwarden.engine.runs.context import Connection, RunContext
from seatwarden.engine.runs.last_released import note_last_released, released_at
from seatwarden.engine.runs.left import release_left
from seatwarden.engine.runs.notices import reach_of
from seatwarden.engine.runs.publish import publish_run
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import License, Snapshot, User
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType

_WAIT_SECONDS = 10


def look(work: SiteWork, stop: threading.Event) -> SiteAnswer:
    """What a site says of the people of its pool; nothing where it is in none."""

    def looked(settings: Settings, said: SiteSaid) -> SiteAnswer:
        result, pool = said.result(settings, outcome="done"), settings.license_pool
        if pool is None or not pool.shares:
            return SiteAnswer(result)
        context = work.means.context(settings, said.log, stop)
        try:
            with context.connect() as qrs:
                found, _ = _look(work.site.name, settings, context, qrs)
        except (RemoteError, UntrustedRecord) as error:
            found = PoolLook(work.site.name, pool.name, problem=f"cannot be looked at: {error.message}")
        return SiteAnswer(result, past=found)

    return work.answered(looked)


def _look(name: str, settings: Settings, context: RunContext, qrs: Connection) -> tuple[PoolLook, Snapshot]:
    """What a site says now, and its snapshot. Raises RemoteError, UntrustedRecord."""
    pool = settings.license_pool
    assert pool is not None  # noqa: S101 - for the type checker: only then it is looked at
    now = context.clock()
    snapshot, day = qrs.snapshot(now), day_for(settings.policy, now, None)
    note_last_released(snapshot, settings.policy, settings.folder, day)
    released = released_at(settings.folder)
    found = PoolLook(
        name,
        pool.name,
        pool.use_only,
        _problem(settings, now, qrs.site_clock, released),
        users_in(snapshot.users),
        rows_in(snapshot.licenses),
        _held(settings, day),
        {(user.casefold(), kind): at for (user, kind), at in released.items()} if isinstance(released, dict) else {},
    )
    return found, snapshot


def _problem(settings: Settings, now: datetime, site_clock: datetime | None, released: object) -> str | None:
    """Why a site cannot be relied on."""
    if settings.pseudonym_key is not None:
        return "has pseudonyms: nobody there is found at the other sites"
    if site_clock is None or abs(now - site_clock) > CLOCKS_APART:
        return "has a clock that is more than 5 minutes off ours, or says nothing"
    return f"cannot tell what it has released: {released}" if isinstance(released, str) else None


def _held(settings: Settings, day: Day) -> frozenset[Seat]:
    holds = StandingsBeside(settings.folder).ending(day.today)
    return frozenset(
        (hold.user.casefold(), kind) for hold in holds for kind in LICENSE_TYPES if hold.license_type in (None, kind)
    )


# Releasing -----------------------------------------------------------------------------------------------


@dataclass
class _Member:
    """Another site of the pool while one releases: connected, locked, and asked again for each person."""

    name: str
    settings: Settings
    context: RunContext
    qrs: Connection
    look: PoolLook
    snapshot: Snapshot

    def read(self, person: str) -> "_Read":
        """What the site says of a person now, by the id it has for her. Raises RemoteError."""
        known = self.look.users.get(person)
        user = self.qrs.user(known.id) if known is not None else None
        if user is None or person_of(user.user_directory, user.user_id) != person:
            return _Read(self, person)
        return _Read(self, person, user, {kind: self.qrs.licenses_of(kind, user.id) for kind in LICENSE_TYPES})

    def objection(self, read: "_Read", license_type: LicenseType, view: PoolView) -> str | None:
        """Why the site does not agree that a license of a person is released; None where it does, or has none."""
        rows = read.rows.get(license_type, [])
        if read.user is None or not rows or self.look.use_only:
            return None
        day = day_for(self.settings.policy, self.context.clock(), None)
        beside = StandingsBeside(self.settings.folder, reach=reach_of(self.settings, day))
        decide_now = beside.decider(self.context.clock, lambda: self.qrs.site_clock)
        patched = {kind: [view.row(kind, row) for row in some] for kind, some in read.rows.items()}
        snapshot = Snapshot.of([view.user(read.user)], patched, self.snapshot.site_facts)
        snapshot.overview, snapshot.license_rules = self.snapshot.overview, self.snapshot.license_rules
        snapshot.last_released = self.snapshot.last_released
        for row in patched[license_type]:
            found = decide_now(self.settings.policy, snapshot, license_type, row, day)
            if found.verdict != "release":
                return f"`{self.name}` keeps it: {found.reason}"
        return None


@dataclass(frozen=True)
class _Read:
    """What a member says of a person."""

    member: _Member
    person: str
    user: User | None = None
    rows: Mapping[LicenseType, list[License]] = field(default_factory=dict)

    @property
    def look(self) -> PoolLook:
        """The same as a look at the person alone."""
        users = users_in([self.user] if self.user is not None else [])
        return replace(self.member.look, users=users, rows=rows_in(self.rows))


class _Agreement:
    """All sites of a pool while one of them releases: what they say of a person now, and whether they agree."""

    def __init__(self, members: Sequence[_Member]) -> None:
        self._members = members
        self._whole = PoolView([member.look for member in members])
        self._reads: dict[str, tuple[list[_Read], PoolView]] = {}
        self._lock = threading.Lock()

    def view_of(self, person: str | None) -> PoolView:
        """What all say of a person now, read anew. Raises RemoteError."""
        if person is None:
            return self._whole
        reads = [member.read(person) for member in self._members]
        view = PoolView([read.look for read in reads])
        with self._lock:
            self._reads[person] = reads, view
        return view

    def agree(self, user: User, license_type: LicenseType) -> str | None:
        """Why a license is kept after all; None where every site agrees."""
        person = person_of(user.user_directory, user.user_id)
        if person is None:
            return "it is not known whose it is"
        try:
            self.view_of(person)
            reads, view = self._reads[person]
            seat = person, license_type
            if why := view.not_yet_gone(seat) or _held_now(reads, seat):
                return why
            objections = (read.member.objection(read, license_type, view) for read in reads)
            return next((why for why in objections if why is not None), None)
        except (RemoteError, UntrustedRecord) as error:
            return f"a site of the pool cannot be asked: {error.message}"


def _held_now(reads: Sequence[_Read], seat: Seat) -> str | None:
    """Where a seat is held now; sites that have no verdict are asked for that alone."""
    for read in reads:
        member = read.member
        day = day_for(member.settings.policy, member.context.clock(), None)
        if seat in _held(member.settings, day):
            return f"it is held at `{member.name}`"
    return None


def release_in_pool(
    stop: threading.Event,
    works: Sequence[SiteWork],
    firsts: Mapping[str, SiteAnswer],
    allowed: Mapping[str, tuple[Key, ...]],
) -> SiteAnswer:
    """The second step of all sites of a pool, one after the other; `past` has the results of those with something
    allowed, by name."""
    found: dict[str, SiteResult] = {}
    for work in works:
        keys = allowed.get(work.site.name)
        if keys:
            found[work.site.name] = _release_at(work, works, firsts[work.site.name], keys, stop).result
    return SiteAnswer(SiteResult(site="", site_file="", outcome="done"), past=found)


def _release_at(
    work: SiteWork, works: Sequence[SiteWork], first: SiteAnswer, keys: tuple[Key, ...], stop: threading.Event
) -> SiteAnswer:
    def released(settings: Settings, said: SiteSaid) -> SiteAnswer:
        assert first.left is not None  # noqa: S101 - for the type checker: without there is no second step
        context = work.means.context(settings, said.log, stop)
        with ExitStack() as stack:
            members = [stack.enter_context(_member(one, locked=one is not work, stop=stop)) for one in works]
            agreement = _Agreement(members)
            problems = PoolView([member.look for member in members]).problems
            if problems:
                raise UntrustedRecord(f"not all sites of the pool can be relied on: {'; '.join(problems)}")
            connect = context.connect
            mine = settings.license_pool
            pooled = replace(
                context,
                connect=lambda: Pooled(connect(), agreement.view_of),
                agree=agreement.agree,
                pool=mine.name if mine is not None else None,
            )
            report = release_left(settings, pooled, first.left, keys)
        publish_run(report, settings, said.log, work.means.clock())
        ended = said.result(settings, outcome=report.outcome, dry_run=False)
        return SiteAnswer(of_both_steps(first.result, report, ended, len(keys)))

    return work.answered(released)


@contextmanager
def _member(work: SiteWork, *, locked: bool, stop: threading.Event) -> Iterator[_Member]:
    """A site of the pool, connected and looked at anew; `locked`: nobody else works there meanwhile.

    Raises RemoteError, UntrustedRecord, PlanRefused while somebody does, InputError, PolicyError.
    """
    settings = work.means.load(work.site.file, work.site.policy)
    context = work.means.context(settings, lambda message, **facts: None, stop)
    with ExitStack() as stack:
        if locked:
            stack.enter_context(only_one(settings.folder / LOCK_FILE, settings.site.url, _WAIT_SECONDS))
        qrs = stack.enter_context(context.connect())
        found, snapshot = _look(work.site.name, settings, context, qrs)
        yield _Member(work.site.name, settings, context, qrs, found, snapshot)


def double_seat_words(view: PoolView) -> str | None:
    """That some people hold two seats; None where nobody does. It names nobody."""
    count = len(double_seats(view))
    return f"{count:,} user ids hold seats under several user directories: each holds two seats" if count else None
