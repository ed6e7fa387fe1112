"""The register of holds: whose licenses are kept for a while, by whom and why, without touching the policy.

`holds.jsonl` stands in the state folder beside the register of runs, and is a chain that grows. Whoever writes it holds
the site's lock. What is about a person stands in the personal part of a line, and can be erased.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from seatwarden.engine.common.files import make_private_folder, read_file
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.facts.standing import HoldInForce
from seatwarden.engine.log.chain import FOREIGN, ChainLine, ChainReader
from seatwarden.engine.log.growing import GrowingChain, whole_lines
from seatwarden.engine.log.heads import ChainHead
from seatwarden.engine.log.lines import SaltedCircumstances
from seatwarden.engine.log.start import refuse_newer
from seatwarden.engine.plan.circumstances import Circumstances
from seatwarden.engine.version import FORMAT
from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.calendar_names import date_from
from seatwarden.policy.errors import InputError

HOLDS_FILE = "holds.jsonl"
"""In the state folder of a site."""
MOST_DAYS = 366
"""Most days that one hold lasts: what is meant to last for ever belongs into the policy."""


class HoldsLine(ChainLine, kw_only=True, rename="camel"):
    """A line of a register of holds."""


class OpenedHolds(HoldsLine, kw_only=True, rename="camel"):
    """The first line: the register's own id, drawn at random, and its site."""

    kind: Literal["holds"] = "holds"
    id: str
    tool: str
    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    site: str
    at: str
    prev: str = ""


class HoldPart(SaltedCircumstances, frozen=True, kw_only=True, rename="camel"):
    """Whose licenses, as `DIRECTORY\\id`, why, and who says so."""

    user: str
    reason: str


class HoldMade(HoldsLine, kw_only=True, rename="camel"):
    """A hold begins: on licenses of one type, or of both (null). `until` is its last day, `day` the one on which it was
    made in the policy's time zone, `at` the moment."""

    kind: Literal["hold"] = "hold"
    license_type: LicenseType | None
    until: str
    day: str
    at: str
    prev: str = ""
    person: HoldPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class HoldEnded(HoldsLine, kw_only=True, rename="camel"):
    """A hold was ended before its last day; `hold` is the number of its line. `reason` may be empty."""

    kind: Literal["ended"] = "ended"
    hold: int
    day: str
    at: str
    prev: str = ""
    person: HoldPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


_READER: ChainReader[Any] = ChainReader((OpenedHolds, HoldMade, HoldEnded), own_leaves=True)


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold as the register has it. `line` is its number there; `ended` the day on which it was ended by hand."""

    line: int
    user: str
    license_type: LicenseType | None
    until: str
    reason: str
    by: str
    since: str
    ended: str | None = None

    def in_force(self, day: date) -> bool:
        """Whether it holds on a day, by what the register says now."""
        return self.ended is None and day.isoformat() <= self.until

    def covers(self, user: str, license_type: LicenseType | None) -> bool:
        """Whether it is on the licenses of a user, and of a type; None: of any. Case does not matter, as in QRS."""
        return self.user.casefold() == user.casefold() and license_type in (None, self.license_type)

    @property
    def what(self) -> str:
        """Which licenses, in words."""
        return f"{self.license_type} licenses" if self.license_type else "all licenses"

    @property
    def as_found(self) -> HoldInForce:
        """It as the decision on a license has it."""
        return HoldInForce(self.until, self.reason, self.by, self.since)


@dataclass(slots=True)
class HoldsState:
    """A register of holds as it stands; without a line where there is none."""

    lines: list[HoldsLine] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)

    @property
    def head(self) -> ChainHead | None:
        """Where it ends; None where there is no file."""
        return ChainHead(len(self.leaves), self.leaves[-1]) if self.leaves else None

    @property
    def opened(self) -> OpenedHolds | None:
        """Its first line."""
        return next((line for line in self.lines if isinstance(line, OpenedHolds)), None)

    def holds(self) -> Iterator[Hold]:
        """All holds that are not erased, in the order in which they were made."""
        ended = {line.hold: line.day for line in self.lines if isinstance(line, HoldEnded)}
        for line in self.lines:
            if isinstance(line, HoldMade) and line.person is not UNSET:
                about, day = line.person, ended.get(line.n)
                yield Hold(
                    line.n, about.user, line.license_type, line.until, about.reason, about.account, line.day, day
                )

    def in_force(self, day: date) -> list[Hold]:
        """The holds that are in force on a day, those that end first in front."""
        return sorted((hold for hold in self.holds() if hold.in_force(day)), key=lambda one: (one.until, one.line))


def read_holds(path: Path) -> HoldsState:
    """A register of holds; one without lines where there is no file, or no whole line. Raises DamagedLog, OSError."""
    try:
        data = whole_lines(read_file(path))
    except FileNotFoundError:
        return HoldsState()
    return parse_holds(path, data) if data else HoldsState()


def parse_holds(path: Path, data: bytes) -> HoldsState:
    """The register that some whole lines are; `path` names it. Raises DamagedLog."""
    refuse_newer(path, data)
    read = _READER.read(data)
    damage = list(read.damage) or list(_misplaced(read.lines, sealed=read.seal is not None))
    if damage:
        raise DamagedLog(path, damage)
    return HoldsState(read.lines, read.leaves)


def _misplaced(lines: list[HoldsLine], *, sealed: bool) -> Iterator[Damage]:
    """Lines that no register of holds of ours has, though each of them may be one of ours."""
    if sealed or not isinstance(lines[0], OpenedHolds):
        yield Damage(1, f"{FOREIGN}: it is no register of holds")
    running: set[int] = set()
    for line in lines:
        match line:
            case OpenedHolds() if line.n > 1:
                yield Damage(line.n, f"{FOREIGN}: it does not belong here")
            case HoldMade():
                if not _are_days(line.day, line.until):
                    yield Damage(line.n, f"{FOREIGN}: `until` is no day within {MOST_DAYS} days of its own")
                running.add(line.n)
            case HoldEnded():
                if line.hold not in running:
                    yield Damage(line.n, f"{FOREIGN}: it ends no hold that runs")
                running.discard(line.hold)
            case _:
                pass


def _are_days(day: str, until: str) -> bool:
    try:
        first, last = date.fromisoformat(day), date.fromisoformat(until)
    except ValueError:
        return False
    written = (first.isoformat(), last.isoformat()) == (day, until)
    return written and first <= last <= last_day(first)


def last_day(first: date) -> date:
    """The last day that a hold may have which is made on that one."""
    return first + timedelta(days=min(MOST_DAYS, (date.max - first).days))


def last_held_day(written: str, today: date, named: str = "--until") -> date:
    """The last day of a hold, as somebody wrote it under that name. Raises InputError for what is no day, is over, or
    too far away."""
    found = date_from(written)
    if found is None:
        raise InputError(f"{named}: `{written}` is not a day", "write year-month-day: 2027-02-28")
    if found < today:
        raise InputError(f"{named}: {found} is over", f"today is {today}; the day that is named is the last one held")
    if found > last_day(today):
        help_ = f"{last_day(today)} is the last day; what is to last belongs into the policy, as a `keep` rule"
        raise InputError(f"{named}: {found} is more than {MOST_DAYS} days away, and a hold must end", help_)
    return found


# Writing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldsOrigin:
    """Who writes into a register of holds: with what, for which site; `seed` are 32 random bytes for its salts."""

    site: str
    tool: str
    made: Circumstances
    seed: bytes
    new_id: str
    """A random id, for a register that is begun."""


class HoldsRegister:
    """An open register of holds. The site's lock must be held."""

    def __init__(self, path: Path, state: HoldsState, origin: HoldsOrigin, now: Callable[[], str]) -> None:
        self._path = path
        self._state = state
        self._origin = origin
        self._now = now
        self._chain: GrowingChain | None = None

    @property
    def state(self) -> HoldsState:
        """It as it stands, with what was added."""
        return self._state

    def hold(self, user: str, license_type: LicenseType | None, until: date, reason: str, today: date) -> None:
        """Enters a hold, on the disk when this returns. Raises OSError."""
        line = HoldMade(license_type=license_type, until=until.isoformat(), day=today.isoformat(), at=self._now())
        self._add(line, user, reason)

    def end(self, hold: Hold, reason: str, today: date) -> None:
        """Enters that a hold is over. Raises OSError."""
        self._add(HoldEnded(hold=hold.line, day=today.isoformat(), at=self._now()), hold.user, reason)

    def close(self) -> None:
        """Closes the file."""
        if self._chain is not None:
            self._chain.close()

    def _add(self, line: HoldMade | HoldEnded, user: str, reason: str) -> None:
        chain = self._opened()
        made = msgspec.structs.asdict(self._origin.made)
        line.person = HoldPart(salt=chain.salt(), user=user, reason=reason, **made)
        self._append(chain, line)

    def _opened(self) -> GrowingChain:
        """The file, begun where there is none, or no whole line."""
        if self._chain is not None:
            return self._chain
        make_private_folder(self._path.parent)
        origin, path = self._origin, self._path
        data = read_file(path) if path.exists() else None
        chain = GrowingChain.create(path, origin.seed) if data is None else GrowingChain.reopen(path, data, origin.seed)
        self._chain = chain
        if not self._state.lines:
            opened = OpenedHolds(id=origin.new_id, tool=origin.tool, site=origin.site, at=self._now())
            self._append(chain, opened)
        return chain

    def _append(self, chain: GrowingChain, line: HoldsLine) -> None:
        chain.append(line)
        self._state.lines.append(line)
        self._state.leaves.append(chain.leaf)
