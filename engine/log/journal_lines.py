"""The lines of journals: one type for each kind of line, for writing it and for reading it, as those of plans."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.log.chain import ChainLine, ChainReader
from seatwarden.engine.log.lines import Key, SaltedCircumstances
from seatwarden.engine.log.results import GiftKind, OutcomeKind
from seatwarden.engine.plan.circumstances import Clocks
from seatwarden.engine.version import FORMAT
from seatwarden.grammar.ast import LicenseType


class JournalLine(ChainLine, kw_only=True, rename="camel"):
    """A line of a journal, or its seal."""


class ApplyHeader(JournalLine, kw_only=True, rename="camel"):
    """The first line: which plan is applied to which site, and the lines of the plan whose licenses were chosen, in the
    order of their release."""

    kind: Literal["apply"] = "apply"
    run_id: str
    tool: str
    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    plan_root: str
    site: str
    limits: list[str]
    chosen: list[int]
    at: str
    clocks: Clocks
    prev: str = ""
    person: SaltedCircumstances | UnsetType = UNSET
    of: str | UnsetType = UNSET


class IntentPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """The license that is about to be deleted, and whose it is."""

    salt: bytes
    license_id: str
    user: str


class LicenseLine(JournalLine, kw_only=True, rename="camel"):
    """A line on one license; `line` is that of the plan which decides on it."""

    line: int


class Intent(LicenseLine, kw_only=True, rename="camel"):
    """A DELETE is about to be sent."""

    kind: Literal["intent"] = "intent"
    line: int
    license_type: LicenseType
    at: str
    prev: str = ""
    person: IntentPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class GivingPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """The person who is about to be given a license."""

    salt: bytes
    user: str


class GivingLine(LicenseLine, kw_only=True, rename="camel"):
    """A POST is about to be sent: of a license of this type, in the place of the one that the line is about."""

    kind: Literal["giving"] = "giving"
    line: int
    license_type: LicenseType
    at: str
    prev: str = ""
    person: GivingPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class GivenPart(GivingPart, frozen=True, kw_only=True, rename="camel"):
    """The license that the person has now (null: none, or it is not known which), and QRS's answer to the POST."""

    license_id: str | None
    detail: str
    status: int | None
    body: str | None


class GivenLine(LicenseLine, kw_only=True, rename="camel"):
    """What the POST came to, or that none was needed."""

    kind: Literal["given"] = "given"
    line: int
    license_type: LicenseType
    result: GiftKind
    at: str
    prev: str = ""
    person: GivenPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class OutcomePart(IntentPart, frozen=True, kw_only=True, rename="camel"):
    """The license, and QRS's answer to the DELETE: `status` and `body`, where there was one."""

    detail: str
    status: int | None
    body: str | None


class OutcomeLine(LicenseLine, kw_only=True, rename="camel"):
    """The outcome for a license."""

    kind: Literal["outcome"] = "outcome"
    line: int
    license_type: LicenseType
    result: OutcomeKind
    at: str
    prev: str = ""
    person: OutcomePart | UnsetType = UNSET
    of: str | UnsetType = UNSET

    @property
    def detail(self) -> str:
        """The outcome in words; none are left of a line that was erased."""
        return self.person.detail if self.person is not UNSET else ""

    @property
    def key(self) -> Key | None:
        """Type and id of the license; None when the line was erased."""
        return (self.license_type, self.person.license_id) if self.person is not UNSET else None


class Resume(JournalLine, kw_only=True, rename="camel"):
    """A later apply went on from here."""

    kind: Literal["resume"] = "resume"
    at: str
    clocks: Clocks
    prev: str = ""
    person: SaltedCircumstances | UnsetType = UNSET
    of: str | UnsetType = UNSET


class Closed(JournalLine, kw_only=True, rename="camel"):
    """The line before the seal: every license chosen is settled; the licenses by result, the files of the run."""

    kind: Literal["closed"] = "closed"
    summary: dict[str, int]
    files: dict[str, str]
    at: str
    prev: str = ""


JOURNAL_READER: ChainReader[ChainLine] = ChainReader(
    (ApplyHeader, GivingLine, GivenLine, Intent, OutcomeLine, Resume, Closed), own_leaves=True
)
