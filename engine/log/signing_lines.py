"""The lines of a register of runs on what was signed and approved, and on the keys."""

from typing import Literal, TypeAlias

from msgspec import UNSET, UnsetType

from seatwarden.engine.log.register_line import RegisterLine, RegisterPart


class SignedFile(RegisterLine, kw_only=True, rename="camel"):
    """A file of a run was signed by a key (written as its public key): what is signed behind the line in which that key
    is retired does not count."""

    kind: Literal["signed"] = "signed"
    run: int
    file: Literal["plan", "outcomes"]
    key: str
    at: str
    prev: str = ""


class ApprovedRun(RegisterLine, kw_only=True, rename="camel"):
    """A plan is about to be applied because these keys have approved it: the SHA-256 of each note, by its key.
    `excluded` are the lines of the plan that they took out."""

    kind: Literal["approved"] = "approved"
    run: int
    run_id: str
    root: str
    notes: dict[str, str]
    excluded: list[int]
    at: str
    prev: str = ""


KeyState: TypeAlias = Literal["valid", "retired", "compromised"]


class KeyNoted(RegisterLine, kw_only=True, rename="camel"):
    """A key counts from here on, or no longer. `compromised`: somebody else may have it, so that what it signed before
    is to be looked at."""

    kind: Literal["key"] = "key"
    key: str
    state: KeyState
    at: str
    prev: str = ""
    person: RegisterPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


def key_itself(written: str) -> str:
    """Of a public key, `NAME+ID+KEY`, the key without its name."""
    return written.split("+", 2)[-1]
