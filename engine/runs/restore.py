"""Restoring: what a run released is given back by a run of its own. The old run stays as it is, closed.

A restore has its own folder below `runs/` and its own number in the register. It is sealed before anything is sent.
While one of a run is open, it is brought to its end before another of that run is begun.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.apply.pending import Pending, journal_so_far
from seatwarden.engine.decide.decision import user_of
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.explain.people import AmbiguousUser, Holder, People
from seatwarden.engine.log.downgrades import given_by_us
from seatwarden.engine.log.journal import JournalState, journal_beside
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.register import RUNS_FOLDER
from seatwarden.engine.log.restore import BackLine, BackPart, RestoreHeader, RestoreLog, read_restore, write_restore
from seatwarden.engine.log.restored import restores_in, undone_by
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.plan.circumstances import Hand, clocks_of
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.engine.runs.record import SiteRecord
from seatwarden.engine.snapshot.model import Seats
from seatwarden.engine.version import VERSION
from seatwarden.grammar.ast import DOWNGRADED_TO, LicenseType
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class Restorable:
    """What of a run can be given back: the lines that are `left`, how many releases it had, and how many of those have
    been undone since or are erased. `open` is an earlier restore that is not at its end."""

    plan: PlanLog
    left: list[BackLine]
    released: int
    undone: int
    erased: int
    open: RestoreLog | None


@dataclass(frozen=True, slots=True)
class SiteShown:
    """What a site shows before a restore is sealed: its seats, and what its clock said, if anything."""

    seats: Mapping[LicenseType, Seats]
    clock: datetime | None = None


def check_restorable(plan: PlanLog, url: str) -> JournalState:
    """The journal of a run whose releases may be given back.

    Raises PlanRefused for a what-if, a run of another site, one behind pseudonyms or of format 1, one that was not
    applied or is not at its end; InputError and DamagedLog for a journal that cannot be read.
    """
    if plan.former:
        raise PlanRefused("the run was made by an older seatwarden, whose runs this one only reads")
    if plan.header.mode == WHAT_IF:
        raise PlanRefused("the run is a what-if, made from a file or for another moment: it has released nothing")
    if plan.header.site != url:
        raise PlanRefused(f"the run is of {plan.header.site}, not of {url}; name the site file of that site")
    if plan.header.pseudonyms is not None:
        why = "the run has pseudonyms: it does not say who is behind them"
        raise PlanRefused(f"{why}; `log show --reveal` does with the key, and the QMC gives a license by hand")
    journal = journal_beside(plan)
    if journal is None:
        what = "a dry run" if plan.header.mode == "dry run" else "a plan that was not applied"
        raise PlanRefused(f"the run is {what}: it has released nothing")
    if journal.open_intents or journal.unsettled:
        raise PlanRefused("the run is not at its end: apply it again first, then restore it")
    return journal


def find_restorable(plan: PlanLog, journal: JournalState, state: Path) -> Restorable:
    """What of a run can be given back. Raises DamagedLog, OSError where an earlier restore cannot be read."""
    restores = restores_in([state / RUNS_FOLDER], strictly=True)
    done = undone_by(restores).get(plan.root, {})
    by_line = {line.n: line for line in plan.decisions}
    given = given_by_us(journal)
    # Who was left with both has the license still: what we gave beside it is taken back.
    released = {n: line for n, line in journal.outcomes.items() if line.result in TAKEN or line.result == "left"}
    left = []
    for n, outcome in sorted(released.items()):
        if n in done or n not in by_line or outcome.person is UNSET:
            continue
        about, exchanged = by_line[n].about, by_line[n].verdict == "downgrade"
        part = BackPart(
            salt=b"",
            license_id=about.license_id,
            user=user_of(about.user_directory, about.user_id or "?"),
            user_name=about.user_name,
            instead=given.get(n) if exchanged else UNSET,
        )
        takes = DOWNGRADED_TO if exchanged else UNSET
        left.append(BackLine(line=n, license_type=outcome.license_type, released=outcome.at, takes=takes, person=part))
    earlier = [past.log for past in restores if past.log.header.of_root == plan.root and past.is_open]
    undone = sum(n in done for n in released)
    return Restorable(plan, left, len(released), undone, len(released) - undone - len(left), next(iter(earlier), None))


def only_of(queries: Sequence[str], plan: PlanLog, journal: JournalState, left: Sequence[BackLine]) -> list[BackLine]:
    """Those of the lines that are on these people; all where nobody is named.

    Raises InputError for a name that nobody has whose license the run released, or that several have.
    """
    if not queries:
        return list(left)
    people: People[None] = People(" whose license this run has released")
    released = {n for n, line in journal.outcomes.items() if line.result in TAKEN or line.result == "left"}
    for line in plan.decisions:
        if line.n in released:
            people.add(line.about.user_directory, line.about.user_id, line.about.user_name)
    wanted = {_the_one(people, query).user for query in queries}
    return [line for line in left if line.about.user in wanted]


def _the_one(people: People[None], query: str) -> Holder:
    try:
        return people.find(query)[0]
    except AmbiguousUser as error:
        raise error.asking(error.listed([holder.label for holder in error.candidates])) from None


def seal_restore(
    restorable: Restorable,
    lines: Sequence[BackLine],
    shown: SiteShown,
    record: SiteRecord,
    state: Path,
    hand: Hand,
) -> RestoreLog:
    """Puts a new restore on the disk and into the register, and reads it back. Raises InputError, OSError."""
    plan, now = restorable.plan, hand.clock()
    keys = " ".join(f"{line.license_type} {line.about.license_id}" for line in lines)
    digest = hashlib.sha256(f"{VERSION}\n{plan.root}\n{now.isoformat()}\n{keys}".encode()).hexdigest()
    header = RestoreHeader(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{digest[:12]}",
        tool=f"seatwarden {VERSION}",
        site=plan.header.site,
        of_run=plan.header.run_id,
        of_root=plan.root,
        clocks=clocks_of(now, shown.clock),
        overview=dict(shown.seats),
        register=record.restore_head(),
    )
    folder = state / RUNS_FOLDER / header.run_id
    if folder.exists():
        raise InputError(f"`{folder}` is there already", "wait a second, then restore again")
    write_restore(folder, header, lines, hand.made, hand.seed())
    log = read_restore(folder)
    record.planned_restore(log)
    return log


def pending_restore(log: RestoreLog) -> Pending[RestoreLog]:
    """The work of a restore that is left. Raises PlanRefused for a damaged journal, OSError."""
    path = log.folder / JOURNAL_FILE
    data, state = journal_so_far(path, log)
    chosen = [log.key_of[n] for n in state.chosen if n in log.key_of] if state is not None else [*log.line_of]
    return Pending(log, path, (), data, state, chosen)
