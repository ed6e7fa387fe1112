"""Accepting that the register of notices is not as it was written: it is set aside, and a new one is begun.

All notices are ended by that, and nothing is released before the longest notice that there may have been is over:
nobody knows any more what was announced to whom. A crash in between leaves a register that is not what the register of
runs knows, and so the same command can be called again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from seatwarden.engine.common.files import move_file, read_file, sync_folder
from seatwarden.engine.errors import PlanRefused, UntrustedRecord
from seatwarden.engine.log.chain import FIRST
from seatwarden.engine.log.heads import ChainHead
from seatwarden.engine.log.register import NotedHeads, Override, Register
from seatwarden.engine.notice.ahead import SEARCHED_DAYS
from seatwarden.engine.notice.lines import READER, CircumstancesPart, DamageAccepted, IntentLine, NoticesOpened
from seatwarden.engine.notice.register import ASIDE, NOTICES_FILE, NoticeRegister
from seatwarden.engine.notice.trust import trusted_notices
from seatwarden.engine.plan.circumstances import Circumstances
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy

ACCEPT_COMMAND = "notice accept-damage"
"""As it stands in the register of runs."""
_BELIEVED_DAYS = 3660
"""The most days that a damaged line is believed to have announced ahead: more is what a flipped bit says."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepts damage, when and why: `today` is the day in the policy's zone, `opened` begins the new register."""

    opened: NoticesOpened
    made: Circumstances
    seed: bytes
    reason: str
    today: date
    now: Callable[[], str]


@dataclass(frozen=True, slots=True)
class AcceptedDamage:
    """What was accepted: the problem in words, where the old file is kept (None: there was none), and the day before
    which nothing is released."""

    problem: str
    kept: Path | None
    nothing_before: date


def files_aside(folder: Path) -> list[Path]:
    """The damaged registers of notices that were set aside in a state folder, oldest first."""
    found = [path for path in folder.glob(f"{ASIDE}*") if _number(path)]
    return sorted(found, key=_number)


def _number(path: Path) -> int:
    number = path.name.removeprefix(ASIDE)
    return int(number) if number.isascii() and number.isdecimal() else 0


def accept_damage(register: Register, folder: Path, policy: CheckedPolicy, by: Acceptance) -> AcceptedDamage:
    """Sets the register of notices aside and begins a new one. The site's lock must be held.

    Raises PlanRefused where nothing is damaged, InputError where the file cannot be read, OSError where one cannot be
    written.
    """
    path = folder / NOTICES_FILE
    problem = _problem(folder, register)
    longest = max(_longest(folder), register.state.longest_notice, _longest_of(policy))
    known = register.state.heads
    kept = _next_aside(folder) if path.exists() else None
    used = f"{kept.name if kept else 'nothing'} is kept; nothing is released for {longest} days"
    register.add(Override(run=None, option=ACCEPT_COMMAND, before=problem, used=used, at=by.now()), by.reason)
    if kept is not None:
        move_file(path, kept)
        sync_folder(folder)
    notices = NoticeRegister.open(path, by.opened, by.seed)
    try:
        notices.add(_line(by, known.notices, longest, notices.salt()))
        head = notices.head
    finally:
        notices.close()
    register.add(NotedHeads(holds=known.holds, notices=head, anew=["notices"], at=by.now()))
    return AcceptedDamage(problem, kept, notices.notices.nothing_before or by.today)


def _line(by: Acceptance, known: ChainHead | None, longest: int, salt: bytes) -> DamageAccepted:
    return DamageAccepted(
        expected=known.leaf if known is not None else FIRST,
        lines=known.lines if known is not None else 0,
        longest=longest,
        day=by.today.isoformat(),
        at=by.now(),
        person=CircumstancesPart(salt=salt, reason=by.reason, **msgspec.structs.asdict(by.made)),
    )


def _problem(folder: Path, register: Register) -> str:
    """What is wrong with the register of notices, in words. Raises PlanRefused where nothing is."""
    path = folder / NOTICES_FILE
    try:
        if path.exists():
            read_file(path)
    except OSError as error:  # that is no damage: who may read it can say what it is
        what = f"the register of notices `{path}` cannot be read: {error.strerror or error}"
        raise InputError(what, "see to it that you may read it, and call this again") from None
    try:
        trusted_notices(folder, register.state)
    except UntrustedRecord as untrusted:
        return untrusted.message
    raise PlanRefused("the register of notices is as it was written", "there is no damage to accept")


def _next_aside(folder: Path) -> Path:
    last = max(map(_number, files_aside(folder)), default=0)
    return folder / f"{ASIDE}{last + 1}"


# How long ------------------------------------------------------------------------------------------------


def _longest(folder: Path) -> int:
    """The most days that lie between a message and the day that it announced in what is left of the register.

    Also in those that were set aside before: a crash may have come between.
    """
    places = [folder / NOTICES_FILE, *files_aside(folder)]
    return max((days for path in places if path.exists() for days in _spans(read_file(path))), default=0)


def _spans(data: bytes) -> Iterator[int]:
    read = READER.read(data)
    damaged = {one.line for one in read.damage}
    for line in read.lines:
        span = _span(line)
        if line.n not in damaged or span <= _BELIEVED_DAYS:
            yield span


def _span(line: object) -> int:
    match line:
        case DamageAccepted():
            return line.longest
        case IntentLine() if not line.redirected:
            try:
                return max((date.fromisoformat(line.announced) - date.fromisoformat(line.day)).days, line.days)
            except ValueError:
                return line.days
        case _:
            return 0


def _longest_of(policy: CheckedPolicy) -> int:
    """The longest notice that a policy gives, with the days that are searched behind it for one of release."""
    notices = [rule.notice for rule in policy.rules if rule.notice is not None]
    return max((notice.days + SEARCHED_DAYS for notice in notices), default=0)
