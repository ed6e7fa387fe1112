"""Verifying what is signed beside a run: the notes on its plan, its journal and the register, and the approvals.

A note proves itself to whoever has the public key. Without it only its text can be held against the run; that is said.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.signed_note import NotSigned, PublicKey, SignedNote
from seatwarden.engine.common.text import join_words
from seatwarden.engine.log.approval import BadApproval, GivenApproval, answers_on, approvals_in
from seatwarden.engine.log.leaves import Tree
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.register import RegisterState
from seatwarden.engine.log.restore import RestoreHeader
from seatwarden.engine.log.run_folder import APPROVALS_FOLDER, COMMENT, JOURNAL_FILE
from seatwarden.engine.log.signature import (
    OUTCOMES_NOTE,
    PLAN_NOTE,
    RUNS_NOTE,
    Checkpoint,
    NotedFile,
    checkpoint_on,
    noted_size,
    read_note,
    signers_of,
)
from seatwarden.engine.log.signing_lines import ApprovedRun, KeyNoted, SignedFile, key_itself
from seatwarden.engine.log.verified_run import RecordFault, VerifiedFolder


@dataclass(frozen=True, slots=True)
class _Signed:
    """What there is to be signed of a run, and who may have."""

    run: VerifiedFolder
    header: PlanHeader | RestoreHeader
    size: int
    root: str
    register: RegisterState | None
    keys: Sequence[PublicKey]
    plan_signers: list[PublicKey] = field(default_factory=list)

    @property
    def number(self) -> int | None:
        return self.header.register.run if self.header.register is not None else None

    def fault(self, name: str, problem: str) -> None:
        self.run.faults.append(RecordFault(self.run.folder / name, None, problem))

    def note(self, name: str, problem: str) -> None:
        self.run.notes.append(RecordFault(self.run.folder / name, None, problem))


def verify_notes(
    run: VerifiedFolder,
    header: PlanHeader | RestoreHeader,
    sealed: tuple[int, str],
    register: RegisterState | None,
    asked: Sequence[PublicKey],
) -> None:
    """Verifies what is signed beside a run; `sealed` are size and root of its plan, `register` its register if at hand.
    Of the keys that are `asked` for one must have signed the plan.

    What is wrong is among its faults, what cannot be told among its notes.
    """
    mine = register if register is not None and header.register and header.register.id == register.id else None
    it = _Signed(run, header, *sealed, mine, tuple(_keys(header, mine, asked)))
    for name, verify in _VERIFIED.items():
        try:
            note = read_note(run.folder / name)
        except NotSigned as fault:
            it.fault(name, str(fault))
            continue
        verify(it, note, asked)
    _verify_approvals(it)


def _keys(
    header: PlanHeader | RestoreHeader, register: RegisterState | None, asked: Sequence[PublicKey]
) -> Iterator[PublicKey]:
    """All keys that are known. What is no key in a file that verifies otherwise is one that nobody has."""
    terms = getattr(header, "terms", UNSET)
    written = [*terms.signed_by, *terms.approved_by] if terms is not UNSET else []
    written += [line.key for line in register.of_kind(KeyNoted)] if register else []
    yield from asked
    for text in written:
        try:
            yield PublicKey.parse(text)
        except NotSigned:
            continue


def _verify_plan(it: _Signed, note: SignedNote | None, asked: Sequence[PublicKey]) -> None:
    terms = getattr(it.header, "terms", UNSET)
    demanded = terms is not UNSET and bool(terms.signed_by)
    signers = _signers(it, PLAN_NOTE, "plan", it.size, it.root, note)
    it.run.signed_by += [key.name for key in signers]
    it.plan_signers.extend(signers)
    if asked and isinstance(it.header, PlanHeader) and it.header.register and not set(asked) & set(signers):
        it.fault(PLAN_NOTE, f"is not signed by {join_words([f'`{key.name}`' for key in asked], 'or')}")
    if note is not None:
        return
    if _was_signed(it, "plan") or (demanded and it.run.journal is not None):
        it.fault(PLAN_NOTE, "is missing: the plan had to be signed")
    elif demanded:
        it.note(PLAN_NOTE, "was never there: a crash came between, or nobody signed the plan; it cannot be applied")


def _verify_outcomes(it: _Signed, note: SignedNote | None, asked: Sequence[PublicKey]) -> None:
    journal = it.run.journal
    if note is None:
        if _was_signed(it, "outcomes"):
            it.fault(OUTCOMES_NOTE, "is missing: the register knows that the journal was signed")
        return
    if journal is None or not journal.sealed:
        it.fault(OUTCOMES_NOTE, "is on a journal that was closed, and this one is not: its end was cut off")
        return
    _signers(it, OUTCOMES_NOTE, "outcomes", journal.lines, journal.root, note)


def _verify_register(it: _Signed, note: SignedNote | None, asked: Sequence[PublicKey]) -> None:
    if note is None or it.register is None:
        return
    size = noted_size(note)
    if size is None or size > len(it.register.leaves):
        it.fault(RUNS_NOTE, "is on a register with more lines than it has now: its end was cut off")
        return
    root = Tree.over([bytes.fromhex(leaf) for leaf in it.register.leaves[:size]]).root().hex()
    _signers(it, RUNS_NOTE, "runs", size, root, note)


_VERIFIED: dict[str, Callable[[_Signed, SignedNote | None, Sequence[PublicKey]], None]] = {
    PLAN_NOTE: _verify_plan,
    OUTCOMES_NOTE: _verify_outcomes,
    RUNS_NOTE: _verify_register,
}


def _signers(
    it: _Signed, name: str, what: NotedFile, size: int, root: str, note: SignedNote | None
) -> Sequence[PublicKey]:
    """The known keys that have signed a note; what is wrong with it is noted."""
    if note is None:
        return ()
    try:
        checkpoint: Checkpoint = checkpoint_on(what, it.header, size, root)
        signers = signers_of(note, checkpoint, it.keys)
    except NotSigned as fault:
        it.fault(name, str(fault))
        return ()
    if not signers:
        names = join_words([line.name for line in note.lines])
        it.note(name, f"is signed by a key that is not known here: {names}; name its public key with --key")
    for key in signers:
        _look_at(it, name, what, key)
    return signers


def _look_at(it: _Signed, name: str, what: NotedFile, key: PublicKey) -> None:
    """Whether a key counted when it signed, by the order of the register."""
    end = it.register.key_line(str(key)) if it.register else None
    if it.register is None or end is None or end.state == "valid" or what == "runs":
        return
    own = key_itself(str(key))
    mine = (line for line in it.register.of_kind(SignedFile) if _is_mine(it, line, what))
    signed = [line.n for line in mine if key_itself(line.key) == own]
    if not signed or max(signed) > end.n:
        it.fault(name, f"was signed by `{key.name}` when that key was {end.state} already")
    elif end.state == "compromised":
        it.note(name, f"was signed by `{key.name}`, {_COMPROMISED}")


_COMPROMISED = "which is compromised since: somebody else may have had it before"


def _is_mine(it: _Signed, line: SignedFile, what: NotedFile) -> bool:
    return (line.run, line.file) == (it.number, what)


def _was_signed(it: _Signed, what: NotedFile) -> bool:
    return it.register is not None and any(_is_mine(it, line, what) for line in it.register.of_kind(SignedFile))


def _verify_approvals(it: _Signed) -> None:
    """The approvals in the folder, those that the register has, and whether a plan that was applied had enough."""
    found: dict[str, Path] = {}
    given: list[GivenApproval] = []
    place = it.run.folder / APPROVALS_FOLDER
    for one in approvals_in(it.run.folder, it.keys):
        name = f"{APPROVALS_FOLDER}/{one.path.name}"
        if isinstance(one, BadApproval):
            it.fault(name, one.problem)
            continue
        found[hashlib.sha256(one.note).hexdigest()] = one.path
        given.append(one)
        it.run.answers.append(one.words)
        if one.approval.root != it.root or one.approval.run_id != it.header.run_id:
            it.fault(name, "is an answer about another plan")
        if it.register is not None and it.register.key_state(str(one.key)) == "compromised":
            it.note(name, f"is by `{one.key.name}`, {_COMPROMISED}")
        _verify_comment(it, one, name)
    notes = {path.stem for path in place.glob("*.note")} if place.is_dir() else set()
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.suffix == COMMENT and path.stem not in notes:
            it.note(f"{APPROVALS_FOLDER}/{path.name}", "is a comment without its answer: a crash came between")
        elif path.suffix not in (".note", COMMENT):
            it.fault(f"{APPROVALS_FOLDER}/{path.name}", "is no file of this run")
    for line in it.register.of_kind(ApprovedRun) if it.register else ():
        for key, digest in line.notes.items() if line.run == it.number else ():
            if digest not in found:
                name = key.partition("+")[0]
                problem = f"lacks the approval by `{name}` that the register has: it is gone or changed"
                it.fault(APPROVALS_FOLDER, problem)
    _verify_enough(it, given)


def _verify_enough(it: _Signed, given: Sequence[GivenApproval]) -> None:
    """Whether a plan that was applied had the approvals that it needs, and nobody was released who was taken out."""
    terms, journal = getattr(it.header, "terms", UNSET), it.run.journal
    if terms is UNSET or not terms.approvals or journal is None or it.header.register is None:
        return
    may = {key_itself(written) for written in terms.approved_by} - {key_itself(str(key)) for key in it.plan_signers}
    answers = answers_on(given, it.header.register.id, it.header.run_id, it.root)
    counted = [one for one in answers if one.approval.answer == "approve" and key_itself(str(one.key)) in may]
    if len(counted) < terms.approvals:
        problem = f"are {len(counted)}, and the plan needs {terms.approvals}: it was applied all the same"
        it.fault(APPROVALS_FOLDER, problem)
    out = {n for one in counted for n in one.approval.excluded} & set(journal.chosen)
    if out:
        it.fault(JOURNAL_FILE, f"chooses line {min(out)} of the plan, which an approval has taken out")


def _verify_comment(it: _Signed, one: GivenApproval, name: str) -> None:
    if one.approval.comment and one.comment is None and not one.path.with_suffix(COMMENT).exists():
        it.note(name, "had a comment, which is gone: it may have been taken out on purpose")
