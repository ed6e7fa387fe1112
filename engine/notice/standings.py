"""What the registers beside a site's runs say of its licenses, as far as they can be trusted.

Each must have come at least as far as the register of runs knows, and the plan that is carried out. One that is
missing, shorter or another is damage: then nobody is known to be held, and nothing is released by any rule.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import DamagedLog, UntrustedRecord
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.standing import Standing, Standings
from seatwarden.engine.log.chain import is_erased
from seatwarden.engine.log.erasures import Erasures
from seatwarden.engine.log.heads import ChainHead, Heads
from seatwarden.engine.log.register import REGISTER_FILE, RegisterState, read_register
from seatwarden.engine.notice.holds import HOLDS_FILE, Hold, HoldsState, read_holds
from seatwarden.engine.snapshot.model import License, Snapshot, UserReference
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.loading import CheckedPolicy


def trusted_holds(folder: Path, register: RegisterState | None, seen: Heads | None = None) -> HoldsState:
    """The register of holds in a state folder. `seen` are the heads of a plan that is carried out, too.

    Raises UntrustedRecord where it is not what the register of runs knows, or cannot be read.
    """
    path = folder / HOLDS_FILE
    try:
        state = read_holds(path)
    except DamagedLog as damaged:
        raise _untrusted(path, f"is not as it was written: {damaged.first}") from None
    except OSError as error:
        raise _untrusted(path, f"cannot be read: {error.strerror or error}") from None
    known = [register.heads.holds if register is not None else None, seen.holds if seen is not None else None]
    if problem := heads_fault(state, [head for head in known if head is not None]):
        raise _untrusted(path, problem)
    for n in sorted(unexplained_stubs(state, register)):
        raise _untrusted(path, f"has line {n} without its personal part, and no line of the register of runs says so")
    return state


def heads_fault(state: HoldsState, heads: Iterable[ChainHead]) -> str | None:
    """What a register of holds lacks of how far it had come once; None for nothing."""
    leaves = state.leaves or None
    return next((found for head in heads if (found := head.fault(leaves))), None)


def unexplained_stubs(state: HoldsState, register: RegisterState | None) -> set[int]:
    """The numbers of the lines whose personal part is gone, and of which no line of the register of runs says so."""
    return {line.n for line in state.lines if is_erased(line)} - Erasures(register).of_file(HOLDS_FILE)


def _untrusted(path: Path, problem: str) -> UntrustedRecord:
    help_ = f"look at it with `seatwarden log verify {path}`; nothing is released before it is as it was"
    return UntrustedRecord(f"the register of holds `{path}` {problem}", help_)


def standings_of(holds: Sequence[Hold], snapshot: Snapshot) -> Standings:
    """The licenses of a snapshot that some holds are on; of several on one license the longest counts."""
    found: dict[tuple[LicenseType, str], Standing] = {}
    by_user: dict[str, list[Hold]] = {}
    for hold in holds:
        by_user.setdefault(hold.user.casefold(), []).append(hold)
    if not by_user:
        return found
    for license_type, rows in snapshot.licenses.items():
        for row in rows:
            user = snapshot.users_by_id.get(row.user.id) if isinstance(row.user, UserReference) else None
            mine = by_user.get(user.directory_and_id.casefold(), []) if user is not None else []
            fitting = [hold for hold in mine if hold.license_type in (None, license_type)]
            if fitting:
                longest = max(fitting, key=lambda hold: (hold.until, -hold.line))
                found[license_type, row.id] = Standing(longest.as_found)
    return found


class StandingsBeside:
    """The registers in a state folder, which are read again each time somebody asks.

    `register` is the register of runs, where it is open already; `seen` are the heads of a plan that is carried out.
    """

    def __init__(self, folder: Path, register: RegisterState | None = None, seen: Heads | None = None) -> None:
        self._folder = folder
        self._register = register
        self._seen = seen

    def now(self, snapshot: Snapshot, day: Day) -> Standings:
        """What they say of the licenses of a snapshot on a day. Raises UntrustedRecord."""
        return standings_of(self.holds().in_force(day.today), snapshot)

    def decide_now(
        self, policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, row: License, day: Day
    ) -> Decision:
        """Decides one license, the registers heard as they are now. Raises UntrustedRecord."""
        return decide(policy, snapshot.with_standings(self.now(snapshot, day)), license_type, row, day)

    def noted(self, snapshot: Snapshot, day: Day) -> tuple[Snapshot, Heads]:
        """The snapshot with what they say of it, and where each of them ended. Raises UntrustedRecord."""
        holds = self.holds()
        return snapshot.with_standings(standings_of(holds.in_force(day.today), snapshot)), Heads(holds.head)

    def ending(self, day: date) -> list[Hold]:
        """The holds in force on a day, those that end first in front. Raises UntrustedRecord."""
        return self.holds().in_force(day)

    def holds(self) -> HoldsState:
        """The register of holds. Raises UntrustedRecord."""
        return trusted_holds(self._folder, self._register_of_runs(), self._seen)

    def _register_of_runs(self) -> RegisterState | None:
        # Before the others: what is added to them meanwhile makes them longer than it knows, never shorter.
        if self._register is not None:
            return self._register
        path = self._folder / REGISTER_FILE
        try:
            return read_register(path)
        except DamagedLog as damaged:
            problem = f"is not as it was written: {damaged.first}"
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}"
        help_ = "without it nobody knows whose licenses are held; `seatwarden log verify` says more"
        raise UntrustedRecord(f"the register of runs `{path}` {problem}", help_)
