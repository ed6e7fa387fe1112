"""What the registers beside a site's runs say of its licenses: whose are held, who was told, and who was downgraded.

No rule can read it. It turns a release into a keep, when a plan is made and once more before each release.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from msgspec import structs

from seatwarden.engine.decide.decide import DecideOne, decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import DamagedLog, UntrustedRecord
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.standing import NO_STANDING, Standing, Standings
from seatwarden.engine.log.downgrades import NO_DOWNGRADES, PastDowngrades, past_downgrades
from seatwarden.engine.log.heads import NO_HEADS, Heads
from seatwarden.engine.log.register import REGISTER_FILE, RegisterState, read_register
from seatwarden.engine.notice.ahead import ReleaseDays
from seatwarden.engine.notice.assess import FindRecipient, NoticeSite
from seatwarden.engine.notice.decisions import with_notice, with_notices
from seatwarden.engine.notice.holds import Hold, HoldsState
from seatwarden.engine.notice.notices import USUAL_INTERVAL
from seatwarden.engine.notice.register import NOTICES_FILE, NoticeRecord, tail_of
from seatwarden.engine.notice.trust import check_clock, heads_in_runs, trusted_holds, trusted_notices
from seatwarden.engine.plan.decide_site import Stand
from seatwarden.engine.snapshot.model import License, Snapshot, UserReference
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.loading import CheckedPolicy


def standings_of(holds: Sequence[Hold], snapshot: Snapshot, past: PastDowngrades = NO_DOWNGRADES) -> Standings:
    """The licenses of a snapshot that some holds are on, or that past downgrades speak of; of several holds on one
    license the longest counts."""
    found = {key: Standing(downgrade=known) for key, known in past.standings(snapshot).items()}
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
                known = found.get((license_type, row.id), NO_STANDING)
                found[license_type, row.id] = structs.replace(known, hold=longest.as_found)
    return found


CHANGED_HELP = "nothing further was released or sent; look at the state folder with `seatwarden log verify`"


@dataclass(frozen=True, slots=True)
class Reach:
    """How people are told on a site: the days between two runs, and whom to write to about a user's license; None where
    its site file has no settings for that."""

    interval: int
    recipient_of: FindRecipient | None


class StandingsBeside:
    """The registers in a state folder, which are read again each time somebody asks.

    `register` is the register of runs, where it is open already; `seen` are the heads of a plan that is carried out.
    `reach` is None where nobody asks about notices.
    """

    def __init__(
        self,
        folder: Path,
        register: RegisterState | None = None,
        seen: Heads | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._folder = folder
        self._register = register
        self._seen = seen
        self._reach = reach if reach is not None else Reach(USUAL_INTERVAL, None)
        self._read: tuple[bytes, NoticeRecord] | None = None
        self._past: Heads | None = None

    def now(self, snapshot: Snapshot, day: Day) -> Standings:
        """Whose licenses of a snapshot are held on a day, and of whom downgrades speak. Raises UntrustedRecord."""
        return standings_of(self.holds().in_force(day.today), snapshot, self.downgrades(day))

    def downgrades(self, day: Day) -> PastDowngrades:
        """Who was downgraded, and what is open. Raises UntrustedRecord."""
        return past_downgrades(self._register_of_runs(), self._folder, day)

    def decider(
        self,
        clock: Callable[[], datetime],
        site_clock: Callable[[], datetime | None],
        check: Callable[[], None] = lambda: None,
    ) -> DecideOne:
        """Decides licenses one by one right before they are released, the registers heard as they are now.

        It raises UntrustedRecord for registers that cannot be relied on, and where people are told before also for
        clocks: `clock` is ours, `site_clock` that of QRS at its first answer. `check` raises OSError for a register
        that is open and is not as it was left.
        """
        checked = False

        def decide_now(
            policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, row: License, day: Day
        ) -> Decision:
            nonlocal checked
            if not checked and (policy.gives_notice or self.notices().lines):
                check_clock(self.notices().notices, clock(), site_clock())
            checked = True
            try:
                check()
            except OSError as changed:
                raise UntrustedRecord(str(changed), CHANGED_HELP) from None
            return self._decide_now(policy, snapshot, license_type, row, day)

        return decide_now

    def _decide_now(
        self, policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, row: License, day: Day
    ) -> Decision:
        held = snapshot.with_standings(self.now(snapshot, day))
        return with_notice(decide(policy, held, license_type, row, day), row, self.site(policy, held, day))

    def noted(self, snapshot: Snapshot, day: Day) -> tuple[Snapshot, Heads]:
        """The snapshot with whose licenses are held, and where each register ended. Raises UntrustedRecord."""
        heads = Heads(self.holds().head, self.notices().head)
        return snapshot.with_standings(self.now(snapshot, day)), heads

    def stand(self, policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> Stand:
        """A function that hears on the decisions of a plan who was told. Raises UntrustedRecord."""
        if not policy.gives_notice and not self.notices().lines:
            return tuple
        site = self.site(policy, snapshot, day)
        return lambda decisions: with_notices(decisions, site)

    def site(self, policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> NoticeSite:
        """What is known of people on a snapshot, under a policy. Raises UntrustedRecord."""
        held = Counter(hold.user.casefold() for hold in self.holds().holds())
        return NoticeSite(
            self.notices().notices,
            snapshot,
            day,
            ReleaseDays(policy, day),
            self._reach.interval,
            lambda user: held[user.casefold()],
            self._reach.recipient_of,
        )

    def ending(self, day: date) -> list[Hold]:
        """The holds in force on a day, those that end first in front. Raises UntrustedRecord."""
        return self.holds().in_force(day)

    def holds(self) -> HoldsState:
        """The register of holds. Raises UntrustedRecord."""
        register = self._register_of_runs()
        return trusted_holds(self._folder, register, self._known(register))

    def notices(self) -> NoticeRecord:
        """The register of notices, read anew where it does not end as it did. Raises UntrustedRecord."""
        end = tail_of(self._folder / NOTICES_FILE)
        if self._read is None or self._read[0] != end:
            # What is cut off while we are at work is as long as the register of runs knows, and shorter than we do.
            before = self._read[1].head if self._read is not None else None
            register = self._register_of_runs()
            self._read = end, trusted_notices(self._folder, register, self._known(register), before)
        return self._read[1]

    def _known(self, register: RegisterState | None) -> Heads | None:
        """Where the registers ended by a plan: the one that is carried out, or else the newest, if no register of runs
        knows of them."""
        if self._seen is not None or (register is not None and register.heads != NO_HEADS):
            return self._seen
        if self._past is None:
            self._past = heads_in_runs(self._folder)
        return self._past

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
