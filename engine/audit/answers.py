"""What an audit says, as plain data: ten questions, their answers, and from which lines of the record they follow.

Three views show it: text, JSON and a page. Each statement has its places in the record; what has none, the record
cannot say, and that is said in words of its own.
"""

from msgspec import Struct

from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.modes import Mode


class AuditStatement(Struct, frozen=True, rename="camel"):
    """A sentence; `sources` are the places in the record that it follows from."""

    text: str
    sources: tuple[str, ...] = ()


class AuditEntry(Struct, frozen=True, rename="camel"):
    """One entry of a list: short cells, words that may be long, and the places that it follows from."""

    cells: tuple[str, ...]
    words: str
    sources: tuple[str, ...] = ()


class Listing(Struct, frozen=True, rename="camel"):
    """A list of entries; `columns` are the heads of the cells, then of the words."""

    title: str
    columns: tuple[str, ...]
    entries: tuple[AuditEntry, ...]


class AuditAnswer(Struct, frozen=True, rename="camel"):
    """The answer to one question.

    `short` is the answer in a sentence, `statements` and `listings` what it rests on. `cannot_say` is what the record
    cannot say of it, `commands` are those that show more.
    """

    number: int
    question: str
    short: str
    statements: tuple[AuditStatement, ...] = ()
    listings: tuple[Listing, ...] = ()
    cannot_say: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


class AuditedRun(Struct, frozen=True, rename="camel"):
    """A run that the answers are about. `now` is the moment that was decided for, `made` what the clock said.

    `name` stands for its folder in the places that the answers name; empty where only one run was asked for.
    """

    name: str
    folder: str
    run: str | None
    number: int | None
    mode: Mode | None
    now: str | None
    made: str | None
    site: str | None
    licenses: int | None
    released: int | None
    state: str


class Audit(Struct, frozen=True, rename="camel"):
    """The answers about a run, or all runs of a span of days.

    All places are within the folder `base`. `left_out` counts runs of other days, `findings` are those of the plans;
    `sound` is whether all verifies and comes out the same when it is decided again.
    """

    place: str
    base: str
    since: str | None
    until: str | None
    at: str
    tool: str
    runs: tuple[AuditedRun, ...]
    left_out: int
    register: str | None
    answers: tuple[AuditAnswer, ...]
    findings: tuple[Finding, ...]
    sound: bool
