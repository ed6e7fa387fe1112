"""Signatures beside a run: notes on the root of its plan, on that of its journal, and on the register as it was then.

Each is a signed note (C2SP) whose text is a checkpoint: an origin that names register and run, how many lines are
covered, and the root of their leaves in base64. So a note is of one file of one run, and no other fits it.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from seatwarden.engine.common.files import replace_file, write_atomically
from seatwarden.engine.common.signed_note import NotSigned, PublicKey, SignedNote, parse_note, read_note_file
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.restore import RestoreHeader
from seatwarden.engine.log.run_folder import NOTES

NotedFile: TypeAlias = Literal["plan", "outcomes", "runs"]
PLAN_NOTE, OUTCOMES_NOTE, RUNS_NOTE = NOTES


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says: of which register and run, how many lines are covered, and their root (64 hex digits)."""

    what: NotedFile
    register: str
    run_id: str
    size: int
    root: str

    def __str__(self) -> str:
        root = base64.b64encode(bytes.fromhex(self.root)).decode()
        return f"seatwarden/{self.what}/{self.register}/{self.run_id}\n{self.size}\n{root}\n"


def checkpoint_on(what: NotedFile, header: PlanHeader | RestoreHeader, size: int, root: str) -> Checkpoint:
    """The checkpoint on a file of a run. Raises NotSigned for a run that no register knows."""
    if header.register is None:
        raise NotSigned("is of no register")
    return Checkpoint(what, header.register.id, header.run_id, size, root)


def write_note(folder: Path, checkpoint: Checkpoint, key: SigningKey) -> None:
    """Writes the note of a key beside the run; one that is there, of the same kind, is replaced. Raises OSError."""
    path, data = folder / f"{checkpoint.what}.note", key.sign(str(checkpoint))
    if path.exists():
        replace_file(path, data)
    else:
        write_atomically(path, data)


def read_note(path: Path) -> SignedNote | None:
    """The note in a file; None where there is none. Raises NotSigned."""
    try:
        return parse_note(read_note_file(path))
    except FileNotFoundError:
        return None


def signers_of(note: SignedNote, checkpoint: Checkpoint, keys: Iterable[PublicKey]) -> Sequence[PublicKey]:
    """Those of some keys that have signed exactly that. Raises NotSigned for a note on something else, or forged."""
    if note.text != str(checkpoint):
        raise NotSigned(f"is no note on this {'register' if checkpoint.what == 'runs' else 'run'} as it is")
    return note.signed_by(keys)


def noted_size(note: SignedNote) -> int | None:
    """How many lines a note says it covers; None where it does not say it as we do."""
    lines = note.text.split("\n")
    digits = lines[1] if len(lines) > 1 else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def noted_root(note: SignedNote) -> str | None:
    """The root that a note says it is on; None where it does not say it as we do."""
    lines = note.text.split("\n")
    try:
        return base64.b64decode(lines[2], validate=True).hex()
    except (IndexError, ValueError):
        return None
