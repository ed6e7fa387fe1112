"""Approvals beside a run: notes by which somebody approves exactly one plan, or rejects it.

Each is a signed note (C2SP) of its own, `approvals/KEY-MOMENT.note`, and not a second line on the note of who signed
the plan: all lines of one note sign one text, which would bind neither comment nor limits. The comment stands beside
it, in `….comment`, with a salt; the note has the digest of both, so that it can be erased and not guessed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

import msgspec
from msgspec import UNSET, Struct

from seatwarden.engine.common.files import make_private_folder, write_atomically
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.signed_note import NotSigned, PublicKey, parse_note, read_note_file
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.run_folder import APPROVALS_FOLDER, COMMENT
from seatwarden.engine.plan.modes import LIVE

_FIRST = "seatwarden/approval/v1"
_NONE = "none"
_AS_PLANNED = "as planned"
MAX_COMMENT = 2_000
"""Most letters of a comment."""
MOST_NOTES = 1_000
"""Most answers that are looked at; nobody gives that many."""

ApprovalAnswer: TypeAlias = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody answers about a plan: of which register and run, with which root.

    `excluded` are lines of the plan whose licenses are not to be released; `limits` hold beside those of the plan, in
    the policy's language; `expires` is the instant until which it counts, `at` what the approver's clock said;
    `comment` is a digest, see `comment_digest`.
    """

    register: str
    run_id: str
    root: str
    answer: ApprovalAnswer
    excluded: tuple[int, ...]
    limits: tuple[str, ...]
    expires: str
    at: str
    comment: str | None

    def __str__(self) -> str:
        fields = {
            "register": self.register,
            "run": self.run_id,
            "root": self.root,
            "answer": self.answer,
            "excluded": ",".join(map(str, self.excluded)) or _NONE,
            "limits": "; ".join(self.limits) or _AS_PLANNED,
            "expires": self.expires,
            "at": self.at,
            "comment": self.comment or _NONE,
        }
        return "".join(f"{line}\n" for line in (_FIRST, *(f"{key} {value}" for key, value in fields.items())))

    @classmethod
    def parse(cls, text: str) -> "Approval":
        """The approval that is the text of a note. Raises NotSigned for any other text."""
        lines = text.split("\n")
        said = dict(line.split(" ", 1) for line in lines[1:-1] if " " in line)
        try:
            found = cls(
                said["register"],
                said["run"],
                said["root"],
                cast(ApprovalAnswer, said["answer"]),
                () if said["excluded"] == _NONE else tuple(map(int, said["excluded"].split(","))),
                () if said["limits"] == _AS_PLANNED else tuple(said["limits"].split("; ")),
                said["expires"],
                said["at"],
                None if said["comment"] == _NONE else said["comment"],
            )
        except (KeyError, ValueError):
            raise NotSigned("is no approval") from None
        instants = parse_timestamp(found.expires), parse_timestamp(found.at)
        if str(found) != text or found.answer not in get_args(ApprovalAnswer) or None in instants:
            raise NotSigned("is no approval")
        return found


class ApprovalComment(Struct, frozen=True):
    """The words of an approver: `salt` is random, so that nobody can guess them from their digest."""

    salt: bytes
    text: str

    @property
    def digest(self) -> str:
        """What the note has of it."""
        return hashlib.sha256(self.salt + self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class GivenApproval:
    """An approval that a key has signed, with its file's bytes; `comment` is None where there is none, or none left."""

    path: Path
    note: bytes
    approval: Approval
    key: PublicKey
    comment: str | None

    @property
    def words(self) -> str:
        """Who answered, when, and with which comment, in a line."""
        comment = f': "{self.comment}"' if self.comment else ""
        return f"{self.who}{comment}"

    @property
    def who(self) -> str:
        """The same without the comment, which may name people."""
        said = "approved" if self.approval.answer == "approve" else "rejected"
        return f"{said} by {self.key.name} on {self.approval.at}"


@dataclass(frozen=True, slots=True)
class BadApproval:
    """A file among the approvals that is none, and why."""

    path: Path
    problem: str


def write_approval(folder: Path, approval: Approval, comment: ApprovalComment | None, key: SigningKey) -> Path:
    """Writes an approval into a run folder; none is ever written over. Raises OSError (FileExistsError)."""
    moment = "".join(letter for letter in approval.at[:19] if letter not in "-:")
    path = folder / APPROVALS_FOLDER / f"{key.public.id.hex()}-{moment}Z.note"
    make_private_folder(path.parent)
    if path.exists():
        raise FileExistsError(17, "there is one already", str(path))
    if comment is not None:
        write_atomically(path.with_suffix(COMMENT), msgspec.json.encode(comment))
    write_atomically(path, key.sign(str(approval)))
    return path


def approvals_in(folder: Path, keys: Iterable[PublicKey]) -> Iterator[GivenApproval | BadApproval]:
    """The approvals in a run folder, by file name, as far as these keys have signed them."""
    known, seen = tuple(keys), set[bytes]()
    place = folder / APPROVALS_FOLDER
    for path in sorted(place.glob("*.note"))[:MOST_NOTES] if place.is_dir() else ():
        try:
            note = read_note_file(path)
            if note in seen:  # a copy says nothing more
                continue
            seen.add(note)
            signed = parse_note(note)
            approval = Approval.parse(signed.text)
            signers = signed.signed_by(known)
        except FileNotFoundError:
            continue
        except NotSigned as fault:
            yield BadApproval(path, str(fault))
            continue
        if not signers:
            names = ", ".join(line.name for line in signed.lines)
            yield BadApproval(path, f"is signed by no key that may approve: {names}")
            continue
        comment = _comment(path.with_suffix(COMMENT), approval)
        if isinstance(comment, BadApproval):
            yield comment
            comment = None
        yield from (GivenApproval(path, note, approval, key, comment) for key in signers)


def _comment(path: Path, approval: Approval) -> str | None | BadApproval:
    try:
        found = msgspec.json.decode(read_note_file(path), type=ApprovalComment)
    except FileNotFoundError:
        return None
    except (NotSigned, *UNREADABLE):
        return BadApproval(path, "is no comment that can be read")
    return found.text if found.digest == approval.comment else BadApproval(path, "is not the comment of its approval")


def answers_on(given: Iterable[GivenApproval], register: str, run_id: str, root: str) -> list[GivenApproval]:
    """The answers about one plan: of each key the last one, by its clock; but a no stands, whenever it was said."""
    last: dict[bytes, GivenApproval] = {}
    for one in sorted(given, key=_weight):
        about = one.approval
        if (about.register, about.run_id, about.root) == (register, run_id, root):
            last[one.key.key] = one
    return sorted(last.values(), key=lambda one: one.approval.at)


def _weight(one: GivenApproval) -> tuple[bool, str]:
    return one.approval.answer == "reject", one.approval.at


def answers_beside(log: PlanLog) -> list[GivenApproval]:
    """The answers beside a plan, as far as keys that may approve it have signed them; `log verify` names the others.

    Raises OSError.
    """
    terms, register = log.header.terms, log.header.register
    if terms is UNSET or register is None or not terms.approvals:
        return []
    try:
        found = [one for one in approvals_in(log.path.parent, terms.approvers) if isinstance(one, GivenApproval)]
    except NotSigned:
        return []
    return answers_on(found, register.id, log.header.run_id, log.root)


def approval_lines(log: PlanLog, answers: Sequence[GivenApproval], *, applied: bool) -> list[str]:
    """Who has approved a plan, or that it waits; nothing of one that needs no approval."""
    terms = log.header.terms
    if terms is UNSET or not terms.approvals or log.header.mode != LIVE:
        return []
    said = [f"{one.words[0].upper()}{one.words[1:]}" for one in answers]
    given = sum(one.approval.answer == "approve" for one in answers)
    if applied or any(one.approval.answer == "reject" for one in answers) or given >= terms.approvals:
        return said
    return [*said, f"Waits for approval: it needs {terms.approvals}, and has {given}; until {terms.expires}"]
