"""The register of runs: what a site's runs were, one line for each that was planned, begun, ended or refused.

`runs.jsonl` stands in the state folder that the site file names, and is a chain that grows. It numbers the runs and
knows the root of each, so that a run that is missing, added or exchanged is found. It is written under the site's lock,
and before the first license of a run is released; where it cannot be written, nothing is released.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.common.files import make_private_folder, read_file
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.log.chain import FOREIGN, ChainReader
from seatwarden.engine.log.growing import GrowingChain, whole_lines
from seatwarden.engine.log.heads import NO_HEADS, ChainHead, Heads
from seatwarden.engine.log.lines import PlanHeader, RegisterHead
from seatwarden.engine.log.register_line import RegisterLine, RegisterPart
from seatwarden.engine.log.signing_lines import ApprovedRun, KeyNoted, KeyState, SignedFile, key_itself
from seatwarden.engine.log.start import refuse_newer
from seatwarden.engine.plan.circumstances import Circumstances
from seatwarden.engine.plan.modes import Mode
from seatwarden.engine.version import FORMAT
from seatwarden.grammar.ast import LicenseType

REGISTER_FILE, LOCK_FILE, RUNS_FOLDER = "runs.jsonl", "lock", "runs"
"""All in the state folder of a site. Whoever writes the register holds the lock."""


class Opened(RegisterLine, kw_only=True, rename="camel"):
    """The first line: the register's own id, drawn at random, and its site."""

    kind: Literal["register"] = "register"
    id: str
    tool: str
    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    site: str
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class Planned(RegisterLine, kw_only=True, rename="camel"):
    """A plan is on the disk: the run's number, its id, and the plan's root. `licenses` are all, `release` those due;
    `downgrade` of them are downgraded, where any is."""

    kind: Literal["planned"] = "planned"
    run: int
    run_id: str
    root: str
    mode: Mode
    folder: str
    licenses: int
    release: int
    downgrade: int | UnsetType = UNSET
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET

    @property
    def is_elsewhere(self) -> bool:
        """Whether the run was made outside the state folder: then its folder has its whole name, which is not one to
        every system on which the register is read."""
        return any(kind(self.folder).is_absolute() for kind in (PurePosixPath, PureWindowsPath))


class PlannedRestore(RegisterLine, kw_only=True, rename="camel"):
    """A restore is on the disk: a run of its own, with its number, id and root. `of_root` is the root of the plan whose
    releases are given back, `licenses` how many of them; `exchanged` of these had been downgraded, where any was."""

    kind: Literal["restore"] = "restore"
    run: int
    run_id: str
    root: str
    of_root: str
    folder: str
    licenses: int
    exchanged: int | UnsetType = UNSET
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class Begun(RegisterLine, kw_only=True, rename="camel"):
    """The first license of a run is about to be released or given back, or an interrupted run is gone on with."""

    kind: Literal["begun"] = "begun"
    run: int
    run_id: str
    root: str
    chosen: int
    resumed: bool
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class ClosedRun(RegisterLine, kw_only=True, rename="camel"):
    """An apply has ended: what was released by type and all results so far, and the journal's end as it was left.

    `settled`: every license chosen has its result; then `journal_root` is the journal's seal. `open` is there where
    licenses are exchanged: of how many the DELETE has no known answer.
    """

    kind: Literal["closed"] = "closed"
    run: int
    run_id: str
    released: dict[LicenseType, int]
    results: dict[str, int]
    open: int | UnsetType = UNSET
    settled: bool
    journal_lines: int
    journal_leaf: str
    journal_root: str | None
    at: str
    prev: str = ""


class Attempt(RegisterLine, kw_only=True, rename="camel"):
    """A command that released nothing: refused, or failed. `run` is the run it was about, if there was one."""

    kind: Literal["attempt"] = "attempt"
    result: Literal["refused", "failed"]
    run: int | None
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class Override(RegisterLine, kw_only=True, rename="camel"):
    """A person has set something aside for one apply: the option, what held before, and what is used instead."""

    kind: Literal["override"] = "override"
    run: int | None
    option: str
    before: str
    used: str
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class Demands(RegisterLine, kw_only=True, rename="camel"):
    """What the site file demands, written when it is not what it was."""

    kind: Literal["settings"] = "settings"
    settings: dict[str, str]
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


ErasureReason: TypeAlias = Literal["left", "request", "objection", "mistake", "court", "expired"]
"""Why somebody is forgotten, in the order of Article 17 of the GDPR: the data are needed no more, since the person is
gone; the person asks for it; has objected; it should never have been recorded; a court, an authority or a law demands
it; the time is over for which it may be kept."""


class ErasedLines(RegisterLine, kw_only=True, rename="camel"):
    """Somebody was erased from files: which lines of which files, named from the state folder on, and the roots that
    the chains among them keep. A file without lines is one that is derived from others, and was made anew.

    `done` is false in the line before the first file is changed, and true in the one after the last, which has the
    `digests` of kept snapshots as they are now. No name stands here; `reason` is one of a list.
    """

    kind: Literal["erased"] = "erased"
    reason: ErasureReason
    files: dict[str, list[int]]
    roots: dict[str, str]
    digests: dict[str, str]
    done: bool
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class PrunedRuns(RegisterLine, kw_only=True, rename="camel"):
    """Whole runs were deleted because their time was over. Their numbers and roots stay: `runs` has the root of each
    by its folder, as the register names it; `keep` says for how long runs are kept.

    `done` is false in the line before the first is moved aside, and true in the one after the last is gone.
    """

    kind: Literal["pruned"] = "pruned"
    runs: dict[str, str]
    keep: str
    done: bool
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class NotedHeads(RegisterLine, kw_only=True, rename="camel"):
    """Where the registers of holds and of notices ended: written when a run is closed and when one of them was changed
    by hand, if that is not what was known. `anew` names those that were begun anew, since somebody accepted that they
    were damaged: what was known of them before counts no more."""

    kind: Literal["heads"] = "heads"
    holds: ChainHead | None
    notices: ChainHead | None
    anew: list[Literal["notices"]] | UnsetType = UNSET
    at: str
    prev: str = ""


_KINDS = (
    Opened,
    Planned,
    PlannedRestore,
    Begun,
    ClosedRun,
    Attempt,
    Override,
    Demands,
    ErasedLines,
    PrunedRuns,
    NotedHeads,
    SignedFile,
    ApprovedRun,
    KeyNoted,
)
_READER: ChainReader[Any] = ChainReader(_KINDS, own_leaves=True)


@dataclass(slots=True)
class RegisterState:
    """A register as it stands. `leaves` are those of its lines."""

    opened: Opened
    lines: list[RegisterLine] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its own id."""
        return self.opened.id

    @property
    def head(self) -> str:
        """The leaf of its last line."""
        return self.leaves[-1]

    @property
    def last_run(self) -> int:
        """The number of the last run; 0 where there is none."""
        return max((line.run for line in self.of_kind(Planned, PlannedRestore)), default=0)

    def of_kind(self, *kinds: type[RegisterLine]) -> Iterator[Any]:
        """The lines of some kinds, in order."""
        return (line for line in self.lines if isinstance(line, kinds))

    def number_of(self, root: str) -> int | None:
        """The number of the run whose plan, or restore, has that root."""
        return next((line.run for line in self.of_kind(Planned, PlannedRestore) if line.root == root), None)

    def open_runs(self) -> dict[int, int]:
        """The runs that were begun and not closed since, by number: each with the line where it was begun last.

        One that was killed and gone on with is begun twice and closed once.
        """
        found: dict[int, int] = {}
        for n, line in enumerate(self.lines, 1):
            if isinstance(line, Begun):
                found[line.run] = n
            elif isinstance(line, ClosedRun):
                found.pop(line.run, None)
        return found

    @property
    def heads(self) -> Heads:
        """How far the chains beside it had come when that was noted last."""
        last = NO_HEADS
        for line in self.of_kind(NotedHeads):
            last = Heads(line.holds, line.notices)
        return last

    def heads_seen(self, header: PlanHeader) -> Heads:
        """How far those chains had come when a plan saw them, but for one that was begun anew since."""
        seen = header.heads if header.heads is not UNSET else NO_HEADS
        anew = max((line.n for line in self.of_kind(NotedHeads) if line.anew is not UNSET), default=0)
        is_later = header.register is not None and header.register.lines >= anew
        return seen if is_later or not anew else Heads(seen.holds)

    @property
    def longest_notice(self) -> int:
        """The most days that ever lay between a message to somebody and the day that it announced, as far as noted."""
        noted = [line.notices for line in self.of_kind(NotedHeads) if line.notices is not None]
        return max((head.longest for head in noted if head.longest is not UNSET), default=0)

    def key_state(self, key: str) -> KeyState | None:
        """Whether a key, written as a public key, counts now, by whatever name; None where nothing is known of it."""
        last = self.key_line(key)
        return last.state if last is not None else None

    def key_line(self, key: str) -> "KeyNoted | None":
        """The last line on a key: it is the same by another name."""
        own = key_itself(key)
        noted = (line for line in reversed(self.lines) if isinstance(line, KeyNoted))
        return next((line for line in noted if key_itself(line.key) == own), None)

    def settings(self) -> dict[str, str]:
        """What the site file demanded last."""
        found: dict[str, str] = {}
        for line in self.of_kind(Demands):
            found = line.settings
        return found


def read_register(path: Path) -> RegisterState | None:
    """A register; None where there is none, or no whole line. Raises DamagedLog, OSError."""
    try:
        data = whole_lines(read_file(path))
    except FileNotFoundError:
        return None
    return parse_register(path, data) if data else None


def parse_register(path: Path, data: bytes) -> RegisterState:
    """The register that some whole lines are; `path` names it. Raises DamagedLog."""
    refuse_newer(path, data)
    read = _READER.read(data)
    damage = list(read.damage)
    if not damage and (read.seal is not None or not isinstance(read.lines[0], Opened)):
        damage.append(Damage(1, f"{FOREIGN}: it is no register of runs"))
    if damage:
        raise DamagedLog(path, damage)
    return RegisterState(read.lines[0], read.lines, read.leaves)


class RegisterOrigin(Struct, frozen=True):
    """Who writes into a register: with what, for which site; `seed` are 32 random bytes for its salts."""

    site: str
    tool: str
    made: Circumstances
    seed: bytes
    new_id: str
    """A random id, for a register that is begun."""


class Register:
    """An open register. The site's lock must be held."""

    def __init__(self, path: Path, chain: GrowingChain, state: RegisterState, origin: RegisterOrigin) -> None:
        self._path = path
        self._chain = chain
        self._origin = origin
        self.state = state

    @classmethod
    def open(cls, path: Path, origin: RegisterOrigin, at: str) -> "Register":
        """The register of a site, begun if there is none. Raises DamagedLog for one that is not as it was written,
        OSError where it cannot be written."""
        make_private_folder(path.parent)
        state = read_register(path)
        if state is not None:
            return cls(path, GrowingChain.reopen(path, read_file(path), origin.seed), state, origin)
        data = read_file(path) if path.exists() else None
        chain = GrowingChain.create(path, origin.seed) if data is None else GrowingChain.reopen(path, data, origin.seed)
        opened = Opened(id=origin.new_id, tool=origin.tool, site=origin.site, at=at)
        register = cls(path, chain, RegisterState(opened), origin)
        with chain.closed_on_failure():
            register.add(opened)
        return register

    def add(self, line: RegisterLine, reason: str | None = None) -> None:
        """Adds a line, on the disk when this returns, with who and how. Raises OSError."""
        if hasattr(line, "person"):
            made = msgspec.structs.asdict(self._origin.made)
            line.person = RegisterPart(salt=self._chain.salt(), reason=reason, **made)
        self._chain.append(line)
        self.state.lines.append(line)
        self.state.leaves.append(self._chain.leaf)

    def rewrite(self, change: Callable[[bytes], bytes]) -> None:
        """Writes the whole file anew, with the same leaves: only personal parts may be gone. Raises OSError."""
        data = self._chain.rewrite(change)
        self.state = parse_register(self._chain.path, data)

    def head(self, run: int) -> RegisterHead:
        """The head as the plan of the run with that number records it."""
        return RegisterHead(self.state.id, str(self._path.resolve()), self._chain.lines, self._chain.leaf, run)

    @property
    def root(self) -> str:
        """The root over all its lines."""
        return self._chain.root

    def close(self) -> None:
        """Closes the file."""
        self._chain.close()
