"""Receipts: what a run decided about one person, with the proof that it stands in the sealed plan, and nobody else's
data.

A receipt has the person's lines, to the byte, and beside each the hashes on its way up to the root (RFC 6962): the
other lines of the plan are in there as salted leaves, which say nothing. The note on the root, where the plan was
signed, makes it a proof. It proves that a line was in the plan, not that there is no other.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct

from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.signed_note import NotSigned, PublicKey, parse_note, read_note_file
from seatwarden.engine.common.text import join_words
from seatwarden.engine.log.chain import ChainLine, is_erased, leaf_of, split_lines, without_sum
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.journal import JournalState, journal_beside
from seatwarden.engine.log.journal_lines import OutcomeLine
from seatwarden.engine.log.leaves import InclusionPaths, root_above
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.log.signature import OUTCOMES_NOTE, PLAN_NOTE, Checkpoint, NotedFile, signers_of
from seatwarden.engine.plan.modes import LIVE
from seatwarden.engine.version import VERSION
from seatwarden.policy.errors import InputError

FORM = 1
"""The form of a receipt."""
MOST_BYTES = 1_000_000


class ProvenLine(Struct, frozen=True):
    """A line, as it stands in its file without a leaf of its own, and the hashes beside its way up to the root."""

    line: str
    path: list[str]


class ProvenLines(Struct, frozen=True):
    """Lines of one file: how many lines that has, the root over all of them, and the note on it, if it is signed."""

    size: int
    root: str
    note: str | None
    lines: list[ProvenLine]


class Receipt(Struct, frozen=True, rename="camel", kw_only=True):
    """A receipt: of which register and run, the person's lines of the plan, and what became of the licenses, once the
    journal is closed, and signed where the plan is.

    The plan's own first line is not in it: it has the names of those who sign and approve, and of its machine.
    """

    receipt: Annotated[int, Meta(ge=FORM, le=FORM)] = FORM
    tool: str
    register: str
    run_id: str
    plan: ProvenLines
    journal: ProvenLines | None
    sum: str = ""
    """The SHA-256 of all bytes before: it finds what was damaged on the way. What was forged the note finds."""


_encode = msgspec.json.Encoder().encode


def receipt_bytes(receipt: Receipt) -> bytes:
    """The file of a receipt."""
    bare = _encode(msgspec.structs.replace(receipt, sum=""))
    digest = hashlib.sha256(bare.removesuffix(b'"sum":""}')).hexdigest()
    return _encode(msgspec.structs.replace(receipt, sum=digest)) + b"\n"


class ReceiptMaker:
    """Makes the receipts of one run. Raises InputError for a run that no register knows, DamagedLog, OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.log: PlanLog = read_log(folder)
        head = self.log.header.register
        if self.log.former or head is None:
            raise InputError(
                f"no register knows the run in `{folder}`", "receipts are of runs of a site, not of what-ifs"
            )
        if self.log.header.mode != LIVE:
            help_ = "receipts are of runs that can be applied"
            raise InputError(f"the run in `{folder}` is a {self.log.header.mode}: nothing came of it", help_)
        self._register = head.id
        self._journal: JournalState | None = journal_beside(self.log)

    @cached_property
    def _plan(self) -> "_File":
        return _File.read(self.log.path, self.log.size)

    @cached_property
    def _outcomes(self) -> "_File | None":
        if self._journal is None or not self._journal.sealed:
            return None
        return _File.read(self._folder / JOURNAL_FILE, self._journal.lines)

    def of(self, lines: Sequence[RecordedDecision]) -> Receipt:
        """The receipt about some lines, all of one person."""
        numbers = {line.n for line in lines}
        plan_note, journal_note = self._note(PLAN_NOTE), self._note(OUTCOMES_NOTE)
        journal = None
        if self._outcomes is not None and self._journal is not None and (journal_note or not plan_note):
            mine = [line.n for line in self._journal.events if isinstance(line, OutcomeLine) and line.line in numbers]
            journal = self._outcomes.proven(mine, self._journal.root, journal_note) if mine else None
        return Receipt(
            tool=f"seatwarden {VERSION}",
            register=self._register,
            run_id=self.log.header.run_id,
            plan=self._plan.proven(sorted(numbers), self.log.root, plan_note),
            journal=journal,
        )

    def _note(self, name: str) -> str | None:
        """The text of a note, which must be one. Raises InputError."""
        try:
            data = read_note_file(self._folder / name)
            parse_note(data)
        except FileNotFoundError:
            return None
        except NotSigned as fault:
            raise InputError(f"`{self._folder / name}` {fault}", "seatwarden log verify says more") from None
        return data.decode()


@dataclass(frozen=True)
class _File:
    """A file of lines, without their own leaves, and the way up from each."""

    lines: Sequence[bytes]
    paths: InclusionPaths

    @classmethod
    def read(cls, path: Path, size: int) -> "_File":
        lines = [without_sum(line) for line in split_lines(read_file(path))[:size]]
        return cls(lines, InclusionPaths([leaf_of(line) for line in lines]))

    def proven(self, numbers: Sequence[int], root: str, note: str | None) -> ProvenLines:
        found = []
        for n in numbers:
            found.append(ProvenLine(self.lines[n - 1].decode(), [one.hex() for one in self.paths.of(n - 1)]))
        return ProvenLines(len(self.lines), root, note, found)


# Verifying -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class VerifiedReceipt:
    """A receipt as far as it verifies: what it says, the keys that have signed it, and what is wrong with it."""

    receipt: Receipt
    decisions: list[RecordedDecision] = field(default_factory=list)
    outcomes: dict[int, OutcomeLine] = field(default_factory=dict)
    """What became of the license of each line."""
    signed_by: list[PublicKey] = field(default_factory=list)
    signers: list[str] = field(default_factory=list)
    """The names that stand below the note, whether or not their keys are known."""
    faults: list[str] = field(default_factory=list)


def is_receipt(data: bytes) -> bool:
    """Whether some bytes look like a receipt."""
    return data.startswith(b'{"receipt":')


def read_receipt(data: bytes, keys: Sequence[PublicKey] = ()) -> VerifiedReceipt:
    """A receipt, verified by nothing but itself and public keys, of which one must have signed each part of it.

    Raises NotSigned for what is no receipt at all.
    """
    try:
        receipt = msgspec.json.decode(data, type=Receipt)
    except UNREADABLE:
        raise NotSigned("is no receipt, or was changed") from None
    found = VerifiedReceipt(receipt)
    if receipt_bytes(receipt) != data:
        found.faults.append("was changed: its own digest does not fit")
    _verify_plan(found)
    _verify_journal(found)
    _verify_note(found, "plan", receipt.plan, keys)
    if receipt.journal is not None:
        _verify_note(found, "outcomes", receipt.journal, keys)
    return found


def _verify_plan(found: VerifiedReceipt) -> None:
    for line in _lines(found, found.receipt.plan, RecordedDecision):
        if is_erased(line):
            found.faults.append(f"line {line.n} of the plan is erased")
        else:
            found.decisions.append(line)
    people = {(line.about.user_directory, line.about.user_id, line.about.user_name) for line in found.decisions}
    if len(people) != 1:
        found.faults.append("is not about one person")


def _verify_journal(found: VerifiedReceipt) -> None:
    if found.receipt.journal is None:
        return
    mine = {line.n: (line.license_type, line.about.license_id) for line in found.decisions}
    last = 0
    for line in _lines(found, found.receipt.journal, OutcomeLine):
        if line.n <= last:
            found.faults.append(f"line {line.n} of the journal is not in its order")
        last = line.n
        if line.person is UNSET or mine.get(line.line) != (line.license_type, line.person.license_id):
            found.faults.append(f"line {line.n} of the journal is about another license")
        else:
            found.outcomes[line.line] = line


def _lines(found: VerifiedReceipt, part: ProvenLines, kind: type[ChainLine]) -> Iterator[Any]:
    """The lines that are proved to stand under the root."""
    for proven in part.lines:
        data = proven.line.encode()
        line = _decoded(data, kind)
        if line is None:
            found.faults.append("has a line that is none of ours")
            continue
        try:
            path = [bytes.fromhex(one) for one in proven.path]
        except ValueError:
            path = []
        root = root_above(leaf_of(data), line.n - 1, part.size, path)
        if root is None or root.hex() != part.root:
            found.faults.append(f"line {line.n} does not stand under the root: it was changed, or is of another file")
            continue
        yield line


def _decoded(data: bytes, kind: type[ChainLine]) -> Any:
    try:
        line = msgspec.json.decode(data, type=kind)
    except UNREADABLE:
        return None
    return line if line.kind == msgspec.structs.fields(kind)[1].default and _encode(line) == data else None


def _verify_note(found: VerifiedReceipt, what: NotedFile, part: ProvenLines, keys: Sequence[PublicKey]) -> None:
    """Holds the note on a file against what is proved of it; where keys are asked for, one of them must have signed."""
    file = "plan" if what == "plan" else "journal"
    if part.note is None:
        found.faults += [f"is not signed by {_named(keys)}: its {file} is not signed"] if keys else []
        return
    receipt = found.receipt
    checkpoint = Checkpoint(what, receipt.register, receipt.run_id, part.size, part.root)
    try:
        note = parse_note(part.note.encode())
        signed = signers_of(note, checkpoint, keys)
    except (NotSigned, ValueError) as fault:
        found.faults.append(f"the note on its {file} {fault}")
        return
    names = [line.name for line in note.lines]
    if keys and not signed:
        found.faults.append(f"is not signed by {_named(keys)}: its {file} is by {join_words(names)}")
    if what == "plan":
        found.signed_by += signed
        found.signers += names


def _named(keys: Sequence[PublicKey]) -> str:
    return join_words([f"`{key.name}`" for key in keys], "or")
