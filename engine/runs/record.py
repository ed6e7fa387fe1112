"""Keeping the record of a site: the lock, the register of runs, and a line in it for whatever is done or refused."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from seatwarden.engine.apply.apply import only_one
from seatwarden.engine.apply.approval import Granted
from seatwarden.engine.apply.pending import Pending, SealedWork, count_results
from seatwarden.engine.common.files import remove_folder
from seatwarden.engine.common.seals import Seals
from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog, PlanRefused, UntrustedRecord
from seatwarden.engine.log.chain import SealLine
from seatwarden.engine.log.heads import NO_HEADS, ChainHead, Heads
from seatwarden.engine.log.journal import JournalState, read_journal
from seatwarden.engine.log.lines import PlanHeader, RegisterHead
from seatwarden.engine.log.reader import root_of
from seatwarden.engine.log.register import (
    LOCK_FILE,
    REGISTER_FILE,
    RUNS_FOLDER,
    Attempt,
    Begun,
    ClosedRun,
    Demands,
    ErasureReason,
    NotedHeads,
    Override,
    Planned,
    PlannedRestore,
    Register,
    RegisterOrigin,
    RegisterState,
)
from seatwarden.engine.log.register_line import RegisterLine
from seatwarden.engine.log.restore import RestoreLog, read_restore
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE, RESTORE_FILE
from seatwarden.engine.log.signature import OUTCOMES_NOTE, RUNS_NOTE, Checkpoint, write_note
from seatwarden.engine.log.signing_lines import ApprovedRun, KeyNoted, KeyState, SignedFile
from seatwarden.engine.log.writer import KeptFile, Recording
from seatwarden.engine.notice.holds import HOLDS_FILE, HoldsOrigin, HoldsRegister
from seatwarden.engine.notice.lines import NoticesOpened
from seatwarden.engine.notice.register import NOTICES_FILE, NoticeRegister
from seatwarden.engine.notice.standings import Reach, StandingsBeside
from seatwarden.engine.plan.circumstances import Hand
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.plan.terms import Terms
from seatwarden.engine.site.settings import POOL_DEMAND
from seatwarden.engine.version import VERSION
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy

if TYPE_CHECKING:
    from seatwarden.engine.runs.damage import AcceptedDamage
    from seatwarden.engine.runs.erasure import FinishedErasure
    from seatwarden.engine.runs.forgotten import ForgottenPerson
    from seatwarden.engine.runs.retention import OldRuns
    from seatwarden.engine.runs.traces import Traces


class SiteRecord:
    """The record of a site, open for writing. The site's lock must be held."""

    def __init__(self, register: Register, folder: Path, hand: Hand) -> None:
        self._register = register
        self._folder = folder
        self._hand = hand
        self.unfinished: tuple[str, ...] = ()
        """What is in the way of an erasure or a pruning that an earlier command had begun."""
        self.changed: tuple[str, ...] = ()
        """The files of an erasure now finished that somebody had changed meanwhile, and that keep what they have."""

    def finish(self) -> None:
        """Brings to its end what an earlier command has begun to erase or to prune, before anything else is done."""
        from seatwarden.engine.runs.erasure import finish_erasure, remove_prepared  # what few runs need
        from seatwarden.engine.runs.retention import finish_pruning

        try:
            pruned = finish_pruning(self._register, self._folder, self._now)
            erased = finish_erasure(self._register, self._folder, self._now)
            remove_prepared(self._folder)
        except OSError as problem:  # what follows will fail in the same way, and say so
            self.unfinished = (problem.strerror or str(problem),)
            return
        self.unfinished = (*pruned, *erased.in_the_way)
        self.changed = erased.changed

    def traces(self, person: "ForgottenPerson", pseudonyms: Pseudonyms | None) -> "Traces":
        """What there is of a person; nothing is changed. Raises OSError."""
        from seatwarden.engine.runs.traces import find_traces

        return find_traces(person, self._folder, self._register.state, pseudonyms)

    def erase(self, traces: "Traces", reason: ErasureReason) -> "FinishedErasure":
        """Erases what was found of a person. Raises OSError."""
        from seatwarden.engine.runs.erasure import erase

        return erase(self._register, self._folder, traces, reason, self._now)

    def sweep(self) -> None:
        """Removes what killed processes have left behind and no run knows, which may name anybody. Raises OSError."""
        from seatwarden.engine.runs.erasure import sweep

        sweep(self._register, self._folder)

    def old_runs(self, keep: timedelta) -> "OldRuns":
        """The runs whose time is over; nothing is changed. Raises OSError, InputError."""
        from seatwarden.engine.runs.retention import find_old

        return find_old(self._folder, self._register.state, keep)

    def prune(self, old: "OldRuns", keep: timedelta) -> list[str]:
        """Deletes runs whose time is over; returns what is in the way. Raises OSError."""
        from seatwarden.engine.runs.retention import prune

        return prune(self._register, self._folder, old.due, keep, self._now) if old.due else []

    def recording(self, kept: KeptFile | None = None, heads: Heads = NO_HEADS, terms: Terms | None = None) -> Recording:
        """What to write the next plan with: it gets the next number. `kept` is the snapshot, if it is to be kept,
        `heads` where the registers ended that were asked of its licenses, `terms` what an apply is held to."""
        head = self._register.head(self._register.state.last_run + 1)
        return Recording(self._hand.seed(), head, kept, heads, terms)

    def standings(self, plan: PlanHeader | None = None, reach: Reach | None = None) -> StandingsBeside:
        """The registers beside it. `plan` is the one that is carried out, whose registers must still be there; `reach`
        is how people are told."""
        seen = self._register.state.heads_seen(plan) if plan is not None else None
        return StandingsBeside(self._folder, self._register.state, seen, reach)

    @property
    def id(self) -> str:
        """The id of the register of runs."""
        return self._register.state.id

    @contextmanager
    def notices(self) -> Iterator[NoticeRegister]:
        """The register of notices, open for writing; where it ends then, is noted. Raises UntrustedRecord, OSError."""
        self.standings().notices()
        register = NoticeRegister.open(self._folder / NOTICES_FILE, self._opened_notices(), self._hand.seed())
        try:
            yield register
        finally:
            register.close()
            self._note_heads(register.head)

    def _opened_notices(self) -> NoticesOpened:
        state = self._register.state
        return NoticesOpened(tool=f"seatwarden {VERSION}", register=state.id, site=state.opened.site, at=self._now())

    def accept_damage(self, policy: CheckedPolicy, reason: str, today: date) -> "AcceptedDamage":
        """Sets a register of notices aside that is not as it was, and begins a new one.

        Raises PlanRefused where nothing is damaged, InputError, OSError.
        """
        from seatwarden.engine.runs.damage import Acceptance, accept_damage  # what few commands need

        opened, hand = self._opened_notices(), self._hand
        by = Acceptance(opened, hand.made, hand.seed(), reason, today, self._now)
        return accept_damage(self._register, self._folder, policy, by)

    @contextmanager
    def holds(self) -> Iterator[HoldsRegister]:
        """The register of holds, open for writing; where it ends then, is noted. Raises UntrustedRecord, OSError."""
        hand, site = self._hand, self._register.state.opened.site
        origin = HoldsOrigin(site, f"seatwarden {VERSION}", hand.made, hand.seed(), hand.draw(8).hex())
        found = HoldsRegister(self._folder / HOLDS_FILE, self.standings().holds(), origin, self._now)
        try:
            yield found
        finally:
            found.close()
            self._note_heads()

    def _note_heads(self, notices: ChainHead | None = None) -> None:
        """Enters where the registers beside it end, if that is not what is known. One that cannot be relied on is left:
        what is known of it is what shows that. `notices` is where this process has left the register of notices."""
        beside, known = self.standings(), self._register.state.heads
        with suppress(UntrustedRecord):
            known = Heads(beside.holds().head, known.notices)
        with suppress(UntrustedRecord):
            known = Heads(known.holds, notices or beside.notices().head)
        if known != self._register.state.heads:
            self._register.add(NotedHeads(holds=known.holds, notices=known.notices, at=self._now()))

    def planned(self, plan: Plan, folder: Path, recording: Recording, seal: SealLine | None) -> str:
        """Enters a plan that is on the disk, and signs it; returns its root. `seal` is that of what this process has
        written: what the disk says is signed by nobody. None: the plan was there already, as it is."""
        root = seal.root if seal is not None else root_of(folder / PLAN_FILE)
        summary, head = plan.summary(), recording.register
        assert head is not None  # noqa: S101 - for the type checker: it is one of ours
        line = Planned(
            run=head.run,
            run_id=plan.run_id,
            root=root,
            mode=plan.origin.mode,
            folder=self._named(folder),
            licenses=summary["licenses"],
            release=summary["release"],
            downgrade=summary.get("downgrade", UNSET),
            at=self._now(),
        )
        self._register.add(line)
        if self._hand.key is not None and seal is not None:
            self._sign(Checkpoint("plan", head.id, plan.run_id, seal.size, root), folder, head.run, self._hand.key)
        return root

    def _sign(self, checkpoint: Checkpoint, folder: Path, number: int, key: SigningKey) -> None:
        """Writes a note beside a run, and that it was signed. Raises OSError."""
        write_note(folder, checkpoint, key)
        if checkpoint.what != "runs":  # the line on the register itself would stand behind what is signed
            line = SignedFile(run=number, file=checkpoint.what, key=str(key.public), at=self._now())
            self._register.add(line)

    def restore_head(self) -> RegisterHead:
        """The head for the next restore: it gets the next number."""
        return self._register.head(self._register.state.last_run + 1)

    def planned_restore(self, log: RestoreLog) -> None:
        """Enters a restore that is on the disk."""
        line = PlannedRestore(
            run=log.header.register.run,
            run_id=log.header.run_id,
            root=log.root,
            of_root=log.header.of_root,
            folder=self._named(log.folder),
            licenses=len(log.lines),
            exchanged=len(log.exchanges) or UNSET,
            at=self._now(),
        )
        self._register.add(line)

    def remove_unknown_restores(self) -> None:
        """Removes restores that were sealed and never entered: a crash came between, so nothing of them was begun.

        Raises DamagedLog, OSError.
        """
        for path in sorted((self._folder / RUNS_FOLDER).glob(f"*/{RESTORE_FILE}")):
            begun = (path.parent / JOURNAL_FILE).exists()
            if not begun and self.number_of(read_restore(path.parent).root) is None:
                remove_folder(path.parent)

    def number_of(self, root: str) -> int | None:
        """The number of the run whose plan has that root; None where it was never entered."""
        return self._register.state.number_of(root)

    @contextmanager
    def applying(self, pending: Pending[Any]) -> Iterator[None]:
        """Enters that the releases of a plan begin, and how they ended, however that is short of a crash.

        Raises PlanRefused for a plan that the register does not know.
        """
        plan = pending.plan
        number = self.number_of(plan.log.root)
        if number is None:
            raise PlanRefused("the register of runs does not know this plan; make one with this site file")
        self.check_begun(number, pending)
        run_id, root, chosen = plan.header.run_id, plan.log.root, len(pending.chosen)
        resumed = pending.state is not None
        self._register.add(Begun(run=number, run_id=run_id, root=root, chosen=chosen, resumed=resumed, at=self._now()))
        try:
            yield
        finally:
            self._closed(number, pending)

    def check_journal(self, number: int, pending: Pending[Any]) -> None:
        """Raises PlanRefused where work was begun, and its journal is not the one of then: it would be done twice."""
        state, mine = pending.state, self._of_run(number)
        closed = [line for line in mine if isinstance(line, ClosedRun)]
        if closed and (state is None or not state.has(closed[-1].journal_lines, closed[-1].journal_leaf)):
            problem = "is gone" if state is None else "is not the one that the register of runs knows"
            raise PlanRefused(f"this plan was applied already, and its journal {problem}; make a new one")
        if state is None and any((pending.path.parent / name).exists() for name in (OUTCOMES_NOTE, RUNS_NOTE)):
            raise PlanRefused("this plan was applied already: what was signed then stands beside it; make a new one")

    def check_begun(self, number: int, pending: Pending[Any]) -> None:
        """The same, and where work was begun otherwise than the register knows, or more of it than was approved."""
        self.check_journal(number, pending)
        mine = self._of_run(number)
        if pending.state is not None and not any(isinstance(line, Begun) for line in mine):
            raise PlanRefused("its journal is unknown to the register of runs: no apply of this plan was begun")
        approved = [line for line in mine if isinstance(line, ApprovedRun)]
        terms = getattr(pending.plan.header, "terms", UNSET)
        if terms is not UNSET and terms.approvals and not approved:
            raise PlanRefused("the register of runs does not know that this plan was approved")
        lines = {pending.plan.line_of[key] for key in pending.chosen}
        if approved and lines & set(approved[-1].excluded):
            raise PlanRefused("licenses were chosen that an approval has taken out")

    def _of_run(self, number: int) -> list[RegisterLine]:
        return [line for line in self._register.state.lines if getattr(line, "run", None) == number]

    def close(self, pending: Pending[Any]) -> None:
        """Enters the end of an apply that was killed before that. Raises OSError."""
        number = self.number_of(pending.plan.log.root)
        if number is not None:
            self._closed(number, pending)

    def _closed(self, number: int, pending: Pending[Any]) -> None:
        try:
            state = read_journal(pending.path)
        except (OSError, DamagedLog):  # then the next run brings it to its end, and says so
            return
        if state is None:
            return
        plan = pending.plan
        released: Counter[LicenseType] = Counter()
        for line in state.outcomes.values():
            released[line.license_type] += line.result in TAKEN
        self._register.add(
            ClosedRun(
                run=number,
                run_id=plan.header.run_id,
                released=dict(released),
                results=count_results((line.result for line in state.outcomes.values()), plan.log.results),
                open=len(state.unanswered & state.gifts.keys()) if plan.log.exchanges else UNSET,
                settled=state.sealed,
                journal_lines=state.lines,
                journal_leaf=state.leaf,
                journal_root=state.root or None,
                at=self._now(),
            )
        )
        self._sign_closed(number, pending, state)

    def _sign_closed(self, number: int, pending: Pending[Any], state: JournalState) -> None:
        """Signs the journal where it is closed, and the register as it is now: so no end of them can be cut off."""
        run_id, folder, key = pending.plan.header.run_id, pending.path.parent, self._hand.key
        if key is not None and state.sealed:
            self._sign(Checkpoint("outcomes", self.id, run_id, state.lines, state.root), folder, number, key)
        self._note_heads()
        if key is not None:
            size, root = len(self._register.state.lines), self._register.root
            self._sign(Checkpoint("runs", self.id, run_id, size, root), folder, number, key)

    def know_keys(self, keys: Iterable[PublicKey]) -> None:
        """Enters the keys that a site file names and that the register has not seen: they count from here on."""
        for key in map(str, keys):
            if self._register.state.key_state(key) is None:
                self._register.add(KeyNoted(key=key, state="valid", at=self._now()))

    def note_key(self, key: PublicKey, state: KeyState, reason: str) -> None:
        """Enters that a key counts no longer. Raises PlanRefused where it does not count anyway."""
        known = self._register.state.key_state(str(key))
        if known == state or known == "compromised":
            raise PlanRefused(f"the key `{key.name}` is {known} already")
        self._register.add(KeyNoted(key=str(key), state=state, at=self._now()), reason)

    @property
    def register(self) -> RegisterState:
        """The register as it stands."""
        return self._register.state

    def approved(self, plan: SealedWork, granted: Granted) -> None:
        """Enters by whose approval a plan is applied."""
        number = self.number_of(plan.log.root)
        if number is None or not granted.by:
            return
        line = ApprovedRun(
            run=number,
            run_id=plan.header.run_id,
            root=plan.log.root,
            notes={str(one.key): hashlib.sha256(one.note).hexdigest() for one in granted.by},
            excluded=sorted(granted.excluded),
            at=self._now(),
        )
        self._register.add(line)

    def attempt(self, reason: str, *, failed: bool, root: str | None = None) -> None:
        """Enters what was refused, or failed; `root` is that of the plan it was about."""
        number = self.number_of(root) if root else None
        self._register.add(Attempt(result="failed" if failed else "refused", run=number, at=self._now()), reason)

    def override(self, option: str, before: str, used: str, root: str | None = None) -> None:
        """Enters that somebody has set something aside."""
        number = self.number_of(root) if root else None
        self._register.add(Override(run=number, option=option, before=before, used=used, at=self._now()))

    def demands(self, settings: dict[str, str]) -> None:
        """Enters what the site file demands, if that is not what it was. A pool is forgotten only where the site file
        says that the site has left it."""
        before = self._register.state.settings() or {}
        if POOL_DEMAND in before:
            settings = {POOL_DEMAND: before[POOL_DEMAND], **settings}
        if before != settings:
            self._register.add(Demands(settings=settings, at=self._now()))

    def seals(self, root: str) -> Seals | None:
        """What is to leave the machine about the run whose plan has that root."""
        state = self._register.state
        number = state.number_of(root)
        if number is None:
            return None
        closed = [line for line in state.of_kind(ClosedRun) if line.run == number]
        journal = closed[-1].journal_root if closed else None
        return Seals(state.id, number, root, journal, len(state.lines), state.head)

    def _named(self, folder: Path) -> str:
        """A run folder as the register names it: within the state folder by its way from there."""
        place, state = folder.resolve(), self._folder.resolve()
        return place.relative_to(state).as_posix() if place.is_relative_to(state) else str(place)

    def _now(self) -> str:
        return format_instant(self._hand.clock())


@contextmanager
def site_record(folder: Path, site: str, hand: Hand) -> Iterator[SiteRecord]:
    """The record in a state folder. The site's lock must be held. What was begun to be erased or pruned is finished.

    Raises UntrustedRecord for a register that is not as it was written, InputError where it cannot be written.
    """
    path = folder / REGISTER_FILE
    origin = RegisterOrigin(site, f"seatwarden {VERSION}", hand.made, hand.seed(), hand.draw(8).hex())
    try:
        register = Register.open(path, origin, format_instant(hand.clock()))
    except DamagedLog as damaged:
        help_ = f"look at it with `seatwarden log verify {path}`; nothing is released before it is as it was"
        raise UntrustedRecord(
            f"the register of runs `{path}` is not as it was written: {damaged.first}", help_
        ) from None
    except OSError as error:
        help_ = "whoever runs seatwarden for this site must be able to write it; the site file names the folder"
        raise InputError(f"the register of runs `{path}` cannot be written: {error.strerror or error}", help_) from None
    try:
        record = SiteRecord(register, folder, hand)
        record.finish()
        yield record
    finally:
        register.close()


@contextmanager
def locked_record(folder: Path, site: str, hand: Hand, seconds: float = 0) -> Iterator[SiteRecord]:
    """The record in a state folder, under the site's lock, which is waited for so many seconds.

    Raises PlanRefused while another holds the lock, and what `site_record` raises.
    """
    with only_one(folder / LOCK_FILE, site, seconds), site_record(folder, site, hand) as record:
        yield record
