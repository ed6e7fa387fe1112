"""The journal of an apply: what was about to be done, and what became of it, on disk before and after each step.

`outcomes.jsonl` stands beside `plan.jsonl` and is a chain like it. Its lines are `apply` (which plan, which of its
lines were chosen), then for each license an `intent`, flushed to the disk before anything is sent to QRS, and an
`outcome`; `resume` where a later apply went on; `closed` and a seal when all is done.
A license that is skipped has an outcome without intent: nothing was sent. Where another license is given first, in the
place of the one that is taken, a `giving` and a `given` stand before its intent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.files import read_file
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.log.chain import FOREIGN, ChainLine
from seatwarden.engine.log.growing import GrowingChain, whole_lines
from seatwarden.engine.log.journal_lines import (
    JOURNAL_READER,
    ApplyHeader,
    Closed,
    GivenLine,
    GivenPart,
    GivingLine,
    GivingPart,
    Intent,
    IntentPart,
    LicenseLine,
    OutcomeLine,
    OutcomePart,
)
from seatwarden.engine.log.lines import Chosen, Key, PlanLog
from seatwarden.engine.log.results import TAKEN, GiftKind, OutcomeKind
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.log.start import refuse_newer
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError


@dataclass(slots=True)
class JournalState:
    """A journal so far: the lines of the plan that were chosen, those with an intent but no outcome, all outcomes.

    `outcomes` has the last one for each line of the plan, `gifts` the last word on a license that was given in place of
    another (None: a POST was about to be sent, and no more is known). `unanswered` are the lines whose DELETE has
    no known answer, whatever stands behind it. `lines` and `leaf` are the journal's own end, `root` that of
    its seal, once it is closed.
    """

    header: ApplyHeader
    outcomes: dict[int, OutcomeLine] = field(default_factory=dict)
    open_intents: list[int] = field(default_factory=list)
    gifts: dict[int, GivenLine | None] = field(default_factory=dict)
    unanswered: frozenset[int] = frozenset()
    files: dict[str, str] = field(default_factory=dict)
    events: list[ChainLine] = field(default_factory=list)
    lines: int = 0
    leaf: str = ""
    root: str = ""
    former: bool = False

    @property
    def chosen(self) -> list[int]:
        """The lines of the plan whose licenses the apply set out to release."""
        return self.header.chosen

    def has(self, line: int, leaf: str) -> bool:
        """Whether that line has that leaf: what was known once of a journal is still in it."""
        leaves = [*(one.prev for one in self.events[1:]), self.leaf]  # type: ignore[attr-defined]
        return line <= len(leaves) and leaves[line - 1] == leaf

    @property
    def sealed(self) -> bool:
        """Whether it is closed: every license chosen is settled."""
        return bool(self.root)

    @property
    def unsettled(self) -> list[int]:
        """The lines that were chosen and whose outcome is open: nothing was done yet, or nobody knows."""
        if self.sealed:
            return []
        return [n for n in self.chosen if n not in self.outcomes or self.outcomes[n].result == "unknown"]


@dataclass(frozen=True, slots=True)
class Gift:
    """What became of a license that is given in the place of another: its id, if it is known, and QRS's answer."""

    result: GiftKind
    license_id: str | None
    detail: str
    status: int | None = None
    body: str | None = None


def gift_of(line: GivenLine) -> Gift:
    """What a line says of it; of one that is erased the result alone."""
    part = line.person
    if part is UNSET:
        return Gift(line.result, None, "")
    return Gift(line.result, part.license_id, part.detail, part.status, part.body)


class Journal(GrowingChain):
    """An open journal."""

    def intend(self, line: int, key: Key, user: str, at: str) -> None:
        """Writes that a DELETE is about to be sent for the license that a line of the plan decides on."""
        part = IntentPart(salt=self.salt(), license_id=key[1], user=user)
        self.append(Intent(line=line, license_type=key[0], at=at, person=part))

    def note(
        self,
        line: int,
        key: Key,
        user: str,
        result: OutcomeKind,
        detail: str,
        at: str,
        *,
        status: int | None = None,
        body: str | None = None,
    ) -> None:
        """Writes the outcome for a license; `status` and `body` are QRS's answer to the DELETE."""
        part = OutcomePart(salt=self.salt(), license_id=key[1], user=user, detail=detail, status=status, body=body)
        self.append(OutcomeLine(line=line, license_type=key[0], result=result, at=at, person=part))

    def give(self, line: int, license_type: LicenseType, user: str, at: str) -> None:
        """Writes that a POST is about to be sent: of a license of that type, in the place of a line's."""
        self.append(
            GivingLine(line=line, license_type=license_type, at=at, person=GivingPart(salt=self.salt(), user=user))
        )

    def given(self, line: int, license_type: LicenseType, user: str, gift: Gift, at: str) -> None:
        """Writes what became of that."""
        part = GivenPart(
            salt=self.salt(),
            user=user,
            license_id=gift.license_id,
            detail=gift.detail,
            status=gift.status,
            body=gift.body,
        )
        self.append(GivenLine(line=line, license_type=license_type, result=gift.result, at=at, person=part))

    def seal(self, summary: Mapping[str, int], files: Mapping[str, str], at: str) -> None:
        """Closes the chain: every license chosen has an outcome. Raises OSError."""
        self.append(Closed(summary=dict(summary), files=dict(files), at=at))
        with self._lock:
            self._write(self._end.seal())


def read_journal(path: Path, line_of: Mapping[Key, int] | None = None) -> JournalState | None:
    """The state of a journal; None when a crash came before its first line was whole. Raises DamagedLog, OSError."""
    return parse_journal(path, read_file(path), line_of)


def parse_journal(path: Path, data: bytes, line_of: Mapping[Key, int] | None = None) -> JournalState | None:
    """The same of a journal's content; `path` names it. Raises DamagedLog.

    `line_of` are the lines of its plan by license: only a journal of format 1 has to be told.
    """
    whole = whole_lines(data)
    if not whole:
        return None
    if b'"planSeal":' in whole.partition(b"\n")[0]:
        return _former(path, whole, line_of)
    refuse_newer(path, whole)
    read = JOURNAL_READER.read(whole)
    damage = read.damage or _misplaced(read.lines, sealed=read.seal is not None)
    if damage:
        raise DamagedLog(path, damage)
    header, *events = read.lines
    assert isinstance(header, ApplyHeader)  # noqa: S101 - for the type checker: see _misplaced
    if strangers := _strangers(header, events):
        raise DamagedLog(path, strangers)
    state = _state(header, events)
    state.lines, state.leaf = len(read.lines), read.leaves[-1]
    state.root = read.root if read.seal is not None else ""
    return state


def _former(path: Path, whole: bytes, line_of: Mapping[Key, int] | None) -> JournalState:
    from seatwarden.engine.log.former import read_former_journal  # takes a while to import, and is rare

    header, events, closed = read_former_journal(path, whole, line_of)
    state = _state(header, events)
    state.former, state.root, state.lines = True, "closed" if closed else "", whole.count(b"\n")
    return state


def journal_beside(plan: PlanLog) -> JournalState | None:
    """The journal of a plan; None: it has not been applied. Raises InputError (unreadable), DamagedLog."""
    path = plan.path.with_name(JOURNAL_FILE)
    if not path.exists():
        return None
    try:
        state = read_journal(path, plan.line_of)
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}") from None
    if state is not None:
        check_journal(path, state, plan)
    return state


def check_journal(path: Path, state: JournalState, plan: Chosen) -> None:
    """Raises DamagedLog where a journal is not one of this plan, or is about licenses that it does not release."""
    if state.header.plan_root != plan.root:
        raise DamagedLog(path, [Damage(1, "belongs to another plan")])
    releases = plan.releases
    if not set(state.chosen) <= releases.keys() | plan.erased_releases:
        raise DamagedLog(path, [Damage(1, f"{FOREIGN}: it chooses a license that the plan does not release")])
    for line in state.events:
        if isinstance(line, OutcomeLine) and line.result not in plan.results:
            raise DamagedLog(path, [Damage(line.n, f"{FOREIGN}: a license of it cannot have ended so")])
        if isinstance(line, GivingLine | GivenLine) and plan.exchanges.get(line.line) != line.license_type:
            raise DamagedLog(path, [Damage(line.n, f"{FOREIGN}: it gives a license that the plan does not give")])
        if not isinstance(line, Intent | OutcomeLine) or line.person is UNSET:
            continue
        if releases.get(line.line) != (line.license_type, line.person.license_id):
            raise DamagedLog(path, [Damage(line.n, f"{FOREIGN}: it is about a license that was not chosen")])


def is_settled(result: OutcomeKind) -> bool:
    """Whether nothing is left to do for a license with this result; what failed or is unknown is tried again."""
    return result not in ("failed", "unknown")


def _misplaced(lines: list[ChainLine], *, sealed: bool) -> list[Damage]:
    """Lines that stand where none of their kind can."""
    headers = [n for n, line in enumerate(lines, 1) if isinstance(line, ApplyHeader)]
    if headers != [1]:
        return [Damage(headers[1] if headers[:1] == [1] else 1, f"{FOREIGN}: a journal begins with `apply`, once")]
    if sealed and not isinstance(lines[-1], Closed):
        return [Damage(len(lines), f"{FOREIGN}: before a seal stands a line of kind `closed`")]
    return []


def _strangers(header: ApplyHeader, events: Iterable[ChainLine]) -> list[Damage]:
    """Licenses that stand where they cannot: an apply chooses each once, and touches no other."""
    chosen = set(header.chosen)
    twice = [Damage(1, f"{FOREIGN}: it chooses a license twice")] if len(chosen) != len(header.chosen) else []
    return twice + [
        Damage(n, f"{FOREIGN}: it is about a license that was not chosen")
        for n, line in enumerate(events, 2)
        if isinstance(line, LicenseLine) and line.line not in chosen
    ]


def _state(header: ApplyHeader, events: Iterable[ChainLine]) -> JournalState:
    state = JournalState(header, events=[header, *events])
    waiting: dict[int, None] = {}
    unanswered: set[int] = set()
    for line in state.events:
        match line:
            case GivingLine():
                state.gifts[line.line] = None
            case GivenLine():
                state.gifts[line.line] = line
            case Intent():
                waiting[line.line] = None
            case OutcomeLine():
                if line.result in TAKEN or line.result in ("gone", "restored"):
                    unanswered.discard(line.line)  # it was seen gone
                elif line.line in waiting and (line.person is UNSET or line.person.status is None):
                    unanswered.add(line.line)
                waiting.pop(line.line, None)
                state.outcomes[line.line] = line
            case Closed():
                state.files = line.files
    state.open_intents, state.unanswered = list(waiting), frozenset(unanswered | waiting.keys())
    return state
