"""What the record of a site has of a person: which lines of which files, and what of it cannot be erased.

Files are named from the state folder on, as the register names them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import UNSET, to_builtins

from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.decide.decision import is_pseudonym, user_of
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.withheld import says_nothing
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.history.erasing import InHistory, rows_on
from seatwarden.engine.history.store import History
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.erasures import Erasures, root_over
from seatwarden.engine.log.journal import JournalState, check_journal, parse_journal
from seatwarden.engine.log.journal_lines import LicenseLine
from seatwarden.engine.log.lines import FindingLine, PlanLog
from seatwarden.engine.log.reader import parse_plan
from seatwarden.engine.log.register import REGISTER_FILE, RUNS_FOLDER, Planned, RegisterState
from seatwarden.engine.log.restored import read_past_restore
from seatwarden.engine.log.run_folder import (
    APPROVALS_FOLDER,
    COMMENT,
    JOURNAL_FILE,
    PLAN_FILE,
    REPORT_FILE,
    RESTORE_FILE,
    SNAPSHOT_FILE,
    SUMMARY_FILE,
)
from seatwarden.engine.metrics.spool import SPOOL_FOLDER, Spool
from seatwarden.engine.notice.holds import HOLDS_FILE
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.engine.runs.damage import files_aside
from seatwarden.engine.runs.forgotten import ForgottenPerson, person_in_run
from seatwarden.engine.runs.recovery import describe
from seatwarden.engine.runs.traces_beside import lines_of_holds, lines_of_notices
from seatwarden.engine.snapshot.packed import decompressed
from seatwarden.engine.snapshot.without import rows_of
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class LeftRun:
    """A run that keeps what it has of the person, and why."""

    folder: Path
    why: str


@dataclass
class Traces:
    """What is to be erased: `files` with the numbers of their lines (none: made anew), `roots` of the chains among
    them, `rows` of kept snapshots, rows of the `history`; the runs that are `left` as they are; and where else the
    person is named, which nobody here can erase.

    Rows have QRS's order, so their numbers are no part of what the register is told: whoever has another snapshot
    could read off them whose lines were erased.
    """

    person: ForgottenPerson
    files: dict[str, list[int]] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    history: InHistory = InHistory()
    left: list[LeftRun] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many lines are to be erased, and rows of kept snapshots."""
        return sum(len(numbers) for numbers in (*self.files.values(), *self.rows.values())) + self.history.extent

    @property
    def runs(self) -> dict[str, int]:
        """The runs among them, by their folder: how many lines and rows of each."""
        found: dict[str, int] = {}
        for name, numbers in self.files.items():
            if name.startswith(f"{RUNS_FOLDER}/"):
                folder = name.rpartition("/")[0]
                found[folder] = found.get(folder, 0) + len(numbers) + len(self.rows.get(name, ()))
        return found


def run_folders_of(state: Path) -> list[Path]:
    """The folders of a site's runs, oldest first; those that are on their way out are no runs any more."""
    places = (state / RUNS_FOLDER).glob(f"*/{PLAN_FILE}")
    return sorted(path.parent for path in places if not path.parent.name.startswith("."))


def restore_folders_of(state: Path) -> list[Path]:
    """The folders of a site's restores, likewise."""
    places = (state / RUNS_FOLDER).glob(f"*/{RESTORE_FILE}")
    return sorted(path.parent for path in places if not path.parent.name.startswith("."))


def find_traces(
    person: ForgottenPerson, state: Path, register: RegisterState, pseudonyms: Pseudonyms | None = None
) -> Traces:
    """What the record in a state folder has of a person. Nothing is changed. Raises OSError."""
    seeker = _Seeker(Traces(person), state, register, pseudonyms)
    for folder in run_folders_of(state):
        seeker.look_through(folder)
    for folder in restore_folders_of(state):
        seeker.look_through_restore(folder)
    seeker.look_into_history()
    seeker.look_beside()
    return seeker.traces


class _Seeker:
    def __init__(self, traces: Traces, state: Path, register: RegisterState, pseudonyms: Pseudonyms | None) -> None:
        self.traces = traces
        self._state = state
        self._register = register
        self._erasures = Erasures(register)
        self._pseudonyms = pseudonyms
        self._hidden: dict[str, None] = {}
        """What stands for the person in points, behind the pseudonyms of each run."""
        self._withheld = 0

    def look_through(self, folder: Path) -> None:
        """Notes what a run has of the person."""
        try:
            why = self._look_through(folder)
        except (DamagedLog, InputError, OSError) as problem:
            why = f"it cannot be read as it was written: {describe(problem)}" if self._may_name(folder) else None
        if why:
            self.traces.left.append(LeftRun(folder, why))

    def _look_through(self, folder: Path) -> str | None:
        """Notes what a run has of the person; returns why it is left as it is, where it is."""
        path = folder / PLAN_FILE
        data = read_file(path)
        if not self._may_name(folder, data):
            return None
        log = parse_plan(path, data)
        known = person_in_run(self.traces.person, log.header, self._pseudonyms)
        if known is None:
            return "it has pseudonyms of another key: whether it speaks of this person cannot be known without that"
        journal_path = folder / JOURNAL_FILE
        has_journal = journal_path.exists()
        journal = parse_journal(journal_path, read_file(journal_path), log.line_of) if has_journal else None
        if journal is not None:
            check_journal(journal_path, journal, log)
        found: dict[str, list[int]] = {PLAN_FILE: sorted(_plan_lines(log, known, self.traces.person))}
        found[JOURNAL_FILE] = sorted(_journal_lines(journal, {*found[PLAN_FILE]}, known))
        self._note_hidden(log, {*found[PLAN_FILE]})
        rows = self._snapshot_rows(folder, log)
        found = {name: numbers for name, numbers in found.items() if numbers}
        derived = [name for name in (SUMMARY_FILE, REPORT_FILE) if (folder / name).exists()]
        comments = [path for path in (folder / APPROVALS_FOLDER).glob(f"*{COMMENT}") if self._is_named_in(path)]
        named = [*(folder / name for name in derived), *comments]
        if not found and not rows and not any(map(self._is_named_in, named)):
            return None
        derived += [f"{APPROVALS_FOLDER}/{path.name}" for path in sorted(comments)]
        if log.former:
            return "seatwarden 0.1 wrote it, whose lines have no salt and cannot be erased one by one; prune it whole"
        if self._is_open(log.root, has_journal, journal):
            return "it is open: bring it to its end with `seatwarden run` or `apply`, then call this again"
        if rows:
            self.traces.rows[f"{folder.relative_to(self._state).as_posix()}/{SNAPSHOT_FILE}"] = rows
            derived.append(SNAPSHOT_FILE)
        self._note(folder, log, found, derived)
        return None

    def look_through_restore(self, folder: Path) -> None:
        """Notes what a restore has of the person."""
        if not any(self._is_named_in(folder / name) for name in (RESTORE_FILE, JOURNAL_FILE)):
            return
        try:
            past = read_past_restore(folder)
        except (DamagedLog, OSError) as problem:
            why = f"it cannot be read as it was written: {describe(problem)}"
            self.traces.left.append(LeftRun(folder, why))
            return
        person, log = self.traces.person, past.log
        user = person.user.casefold()
        own = [n for n in log.key_of if log.is_on(n, user, person.ids)]
        if not own:
            return
        if past.is_open:
            why = "it is open: bring it to its end with `seatwarden restore`, then call this again"
            self.traces.left.append(LeftRun(folder, why))
            return
        place = folder.relative_to(self._state).as_posix()
        self.traces.files[f"{place}/{RESTORE_FILE}"] = own
        self.traces.roots[f"{place}/{RESTORE_FILE}"] = log.root
        if lines := sorted(_journal_lines(past.journal, {*own}, person)):
            self.traces.files[f"{place}/{JOURNAL_FILE}"] = lines
            self.traces.roots[f"{place}/{JOURNAL_FILE}"] = root_over(read_file(folder / JOURNAL_FILE))

    def _note(self, folder: Path, log: PlanLog, found: dict[str, list[int]], derived: list[str]) -> None:
        place = folder.relative_to(self._state).as_posix()
        self.traces.files |= {f"{place}/{name}": numbers for name, numbers in found.items()}
        self.traces.files |= {f"{place}/{name}": [] for name in derived}
        self.traces.roots[f"{place}/{PLAN_FILE}"] = log.root
        if JOURNAL_FILE in found:
            self.traces.roots[f"{place}/{JOURNAL_FILE}"] = root_over(read_file(folder / JOURNAL_FILE))

    def _note_hidden(self, log: PlanLog, found: set[int]) -> None:
        """Notes what stands for the person in points on a run with pseudonyms, and lines that may be on anybody."""
        if log.header.pseudonyms is None:
            return
        own = [line for line in log.decisions if line.n in found]
        self._hidden |= {user_of(line.about.user_directory, line.about.user_id): None for line in own}
        self._withheld += sum(says_nothing(line.about.facts) and line.n not in found for line in log.decisions)

    def _snapshot_rows(self, folder: Path, log: PlanLog) -> list[int]:
        """The rows of the kept snapshot on the person. Raises InputError where it is not the one that was kept."""
        path = folder / SNAPSHOT_FILE
        if not path.exists():
            return []
        data = read_file(path)
        listed = {**log.header.files, **self._erasures.of_run(log.root).digests}.get(SNAPSHOT_FILE)
        if hashlib.sha256(data).hexdigest() != listed:
            raise InputError(f"`{path}` is not the snapshot that was kept")
        person = self.traces.person
        rows, ids = rows_of(data, person.user, person.ids)
        if not ids <= person.ids:  # a license may name its user by the id of QRS alone
            rows, ids = rows_of(data, person.user, ids | person.ids)
        self.traces.person = replace(person, ids=person.ids | ids)
        return rows

    def _is_open(self, root: str, has_journal: bool, journal: JournalState | None) -> bool:
        """Whether releases of a run are under way, or were interrupted."""
        number = self._register.number_of(root)
        if number in self._register.open_runs():
            return True
        return has_journal and (journal is None or bool(journal.unsettled))

    def look_into_history(self) -> None:
        """Notes what the history has of the person; one that cannot be read is left."""
        path = self._state / HISTORY_FILE
        if not path.is_file():
            return
        person = self.traces.person
        try:
            with History(path) as history:
                found = rows_on(history, person.user, person.ids)
        except InputError as problem:
            self.traces.left.append(LeftRun(path, describe(problem)))
            return
        self.traces.history = found
        self.traces.person = replace(person, ids=person.ids | found.ids)
        if found.extent:
            self.traces.files[HISTORY_FILE] = []

    def look_beside(self) -> None:
        """Notes what the register and the points that wait have of the person, and where else the person is named."""
        person = self.traces.person
        own = [
            line.n
            for line in self._register.lines
            if (reason := getattr(getattr(line, "person", None), "reason", None)) and person.is_named_in(reason)
        ]
        if own:
            self.traces.files[REGISTER_FILE] = own
            self.traces.roots[REGISTER_FILE] = root_over(read_file(self._state / REGISTER_FILE))
        self._look_at(HOLDS_FILE, lines_of_holds)
        self._look_at(NOTICES_FILE, lines_of_notices)
        why = "its damage was accepted, and its lines cannot be erased: delete it when nobody needs it any more"
        for path in files_aside(self._state):
            if self._is_named_in(path):
                self.traces.left.append(LeftRun(path, why))
        for user in dict.fromkeys(self._users()):
            for name, numbers in Spool(self._state / SPOOL_FOLDER).lines_on(user).items():
                listed = self.traces.files.setdefault(f"{SPOOL_FOLDER}/{name}", [])
                listed[:] = sorted({*listed, *numbers})
        if self._withheld:
            what = f"{plural(self._withheld, 'line')} behind pseudonyms that say type and verdict only"
            self.traces.elsewhere.append(f"{what}: whose they are only the ids of licenses tell, which no run here has")
        outside = [line.folder for line in self._register.of_kind(Planned) if line.is_elsewhere]
        if outside:
            listed_ = join_words([f"`{folder}`" for folder in sorted(set(outside))[:5]])
            self.traces.elsewhere.append(f"runs outside the state folder: {listed_}")

    def _look_at(self, name: str, lines_on: Callable[[Path, ForgottenPerson], Iterable[int]]) -> None:
        """Notes the lines of a register beside that are on the person, or name the person in a reason."""
        path, person = self._state / name, self.traces.person
        try:
            own = sorted(lines_on(path, person))
        except (DamagedLog, OSError) as problem:
            why = f"it cannot be read as it was written: {describe(problem)}"
            self.traces.left += [LeftRun(path, why)] if self._is_named_in(path) else []
            return
        if own:
            self.traces.files[name] = own
            self.traces.roots[name] = root_over(read_file(path))

    def _users(self) -> Iterator[str]:
        """What stands for the person in points: the name, and the pseudonym."""
        yield self.traces.person.user
        yield from self._hidden

    def _may_name(self, folder: Path, plan: bytes | None = None) -> bool:
        """Whether it is worth to read a run: whether any of its files has a word for the person, or hides names."""
        first = (plan or b"").partition(b"\n")[0]
        if b'"pseudonyms":"' in first:
            return True
        if (folder / SNAPSHOT_FILE).exists():
            return True
        names = (PLAN_FILE, JOURNAL_FILE, SUMMARY_FILE, REPORT_FILE)
        files = [*(folder / name for name in names), *(folder / APPROVALS_FOLDER).glob(f"*{COMMENT}")]
        return any(map(self._is_named_in, (path for path in files if path.exists())))

    def _is_named_in(self, path: Path) -> bool:
        """Whether a file names the person; one that cannot be read may."""
        try:
            return self.traces.person.is_named_in(read_file(path).decode(errors="replace"))
        except OSError:
            return True


def _plan_lines(log: PlanLog, known: ForgottenPerson, person: ForgottenPerson) -> Iterator[int]:
    """The lines of a plan on a person, `known` by what stands for the person there: the decisions, and the findings
    that name the person."""
    wanted = known.user.casefold()
    for line in log.decisions:
        if wanted in _holders(line) or line.about.license_id in known.ids:
            yield line.n
    known = replace(person, names=person.names | {known.user.rpartition("\\")[2]})
    for finding in log.finding_lines:
        if _names(finding, known):
            yield finding.n


def _holders(line: RecordedDecision) -> tuple[str, ...]:
    """All that a line has for whose it is; before a pseudonym the directory stands only where the policy names it."""
    about = line.about
    holder, deleted = f"{about.user_directory or '?'}\\{about.user_id}", about.row.deleted_user or ""
    alone = about.user_id if is_pseudonym(about.user_id) and about.user_id else holder
    return holder.casefold(), deleted.casefold(), alone


def _names(line: FindingLine, person: ForgottenPerson) -> bool:
    if line.person is UNSET:
        return False
    words = to_builtins(line.person)
    return any(person.is_named_in(text) for text in (words["message"], words["help"] or "", *words["names"]))


def _journal_lines(journal: JournalState | None, of_plan: set[int], person: ForgottenPerson) -> Iterator[int]:
    """The lines of a journal on licenses of a person."""
    for line in journal.events if journal else ():
        part = getattr(line, "person", UNSET)
        if not isinstance(line, LicenseLine) or part is UNSET:
            continue
        if line.line in of_plan or getattr(part, "license_id", None) in person.ids:
            yield line.n


# What is left afterwards -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A line that names a person, and its bytes. Of what is packed, the file alone."""

    path: Path
    line: int | None
    text: bytes

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)


def still_named(person: ForgottenPerson, state: Path) -> Iterator[NamedPlace]:
    """The places below a state folder where a person is named."""
    for path in sorted(state.rglob("*")):
        try:
            if path.is_file() and path.stat().st_size:  # nobody is named in the lock, which Windows lets nobody read
                yield from places_in(person, path, read_file(path))
        except OSError:
            continue


def places_in(person: ForgottenPerson, path: Path, data: bytes) -> Iterator[NamedPlace]:
    """The lines of a file that name a person."""
    try:
        text = decompressed(data, str(path))
    except InputError:
        return
    if not person.is_named_in(text.decode(errors="replace")):
        return
    if text is not data:
        yield NamedPlace(path, None, b"")
        return
    for n, line in enumerate(text.split(b"\n"), 1):
        if person.is_named_in(line.decode(errors="replace")):
            yield NamedPlace(path, n, line)
