"""The lines of the register of notices: one type for each kind of line, for writing it and for reading it.

What is about a person stands in `person`, salted, so that it can be erased. `day` is the calendar day for which a run
was made, in the policy's zone; `at` is the moment of writing.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.log.chain import ChainLine, ChainReader
from seatwarden.engine.log.lines import SaltedCircumstances
from seatwarden.engine.version import FORMAT
from seatwarden.grammar.ast import LicenseType

NoticeStep: TypeAlias = Literal["notice", "reminder"]
"""The messages about one release, in their order."""

AddressKind: TypeAlias = Literal["own", "manager", "fallback"]
"""Whose address a message went to."""

MessageResult: TypeAlias = Literal["accepted", "refused", "no-answer", "redirected"]
"""What became of a message. `redirected`: it went to the mailbox for trials, and never counts."""

EndCause: TypeAlias = Literal["used", "protected", "not-due", "held", "gone", "re-allocated", "lapsed", "cancelled"]
"""Why a notice ended. `not-due`: the policy will not release the license any more; `lapsed`: its day has long passed;
`cancelled`: by hand."""


Count: TypeAlias = Annotated[int, Meta(ge=0)]
"""So many days or lines, or the number of something."""


class NoticeLine(ChainLine, kw_only=True, rename="camel"):
    """A line of the register of notices."""


class CircumstancesPart(SaltedCircumstances, frozen=True, kw_only=True, rename="camel"):
    """Who did it and how; `reason` is the person's own."""

    reason: str | None = None


class NoticesOpened(NoticeLine, kw_only=True, rename="camel"):
    """The first line. `register` is the id of the register of runs beside it."""

    kind: Literal["notices"] = "notices"
    tool: str
    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    register: str
    site: str
    at: str
    prev: str = ""


class MessagePart(Struct, frozen=True, kw_only=True, rename="camel"):
    """The license and the person that a message is about, as they were when it was written, and where it goes.

    `last_used` and `created_date` are QRS's timestamps of the license row; null where it has none.
    """

    salt: bytes
    license_id: str
    user: str
    last_used: str | None
    created_date: str | None
    to: str
    message_id: str


class IntentLine(NoticeLine, kw_only=True, rename="camel"):
    """A message is about to be sent.

    `notice` is the notice's number in this register, `step` which of its messages; `announced` is the day that it says,
    in `zone`. `days` and `reminder_days` are what the rule asked for, `policy` the digest of the policy that had it.
    `holds` is how many holds the person had ever had.
    """

    kind: Literal["intent"] = "intent"
    notice: Count
    step: NoticeStep
    license_type: LicenseType
    announced: str
    zone: str
    days: Count
    reminder_days: Count | None
    to_kind: AddressKind
    channel: Literal["email", "webhook"]
    redirected: bool
    policy: str
    rule: str
    holds: Count
    day: str
    at: str
    prev: str = ""
    person: MessagePart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class AnswerPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the server answered, in one line."""

    salt: bytes
    reply: str


class AnswerLine(NoticeLine, kw_only=True, rename="camel"):
    """What became of a message; `intent` is the number of the line that it belongs to."""

    kind: Literal["outcome"] = "outcome"
    intent: Count
    result: MessageResult
    day: str
    at: str
    prev: str = ""
    person: AnswerPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class EndedPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fact that ended a notice, in words."""

    salt: bytes
    fact: str


class EndedLine(NoticeLine, kw_only=True, rename="camel"):
    """A notice ended without a release that came of it."""

    kind: Literal["ended"] = "ended"
    notice: Count
    cause: EndCause
    day: str
    at: str
    prev: str = ""
    person: EndedPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


class SeenLine(NoticeLine, kw_only=True, rename="camel"):
    """The program was alive on that day: it looked at the whole site. `run` is the number of the run."""

    kind: Literal["seen"] = "seen"
    run: Count
    day: str
    at: str
    prev: str = ""


class DamageAccepted(NoticeLine, kw_only=True, rename="camel"):
    """Somebody has accepted that the register was not as it was written. All notices before are ended.

    `expected` is the leaf that the register of runs knew, `lines` how many lines; `longest` the most days that ever lay
    between a message and the day that it announced: before these are over nothing is released.
    """

    kind: Literal["damage-accepted"] = "damage-accepted"
    expected: str
    lines: Count
    longest: Count
    day: str
    at: str
    prev: str = ""
    person: CircumstancesPart | UnsetType = UNSET
    of: str | UnsetType = UNSET


READER: ChainReader[NoticeLine] = ChainReader(
    (NoticesOpened, IntentLine, AnswerLine, EndedLine, SeenLine, DamageAccepted), own_leaves=True
)
