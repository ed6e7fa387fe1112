"""The lines of plans and journals: one type for each kind of line, for writing it and for reading it.

What does not fit its type was not written by us: it is damage like a line that was changed, however well the chain
around it verifies. Fields that a type does not know are passed by.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.disguise import ClassCounts
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.plan import FORMAT
from seatwarden.engine.plan.records import RecordedDecision
from seatwarden.engine.snapshot.model import SiteFacts
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError

Key: TypeAlias = tuple[LicenseType, str]
"""Type and id of a license."""

OutcomeKind: TypeAlias = Literal["released", "gone", "skipped", "failed", "unknown"]
"""`gone`: QRS had no such license any more when we came to delete it. `unknown`: it could not be found out."""

RESULTS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)

FOREIGN = "is damaged or made by another program"
"""The fault of a line whose digests fit and that cannot be what we wrote."""


# Plans ---------------------------------------------------------------------------------------------------


class PolicyUsed(Struct, frozen=True):
    """The policy that was decided by: the name of its file, and its digest."""

    file: str
    sha256: str


class SnapshotUsed(Struct, frozen=True, rename="camel"):
    """The snapshot that was decided on: when it was taken, if it says so, and its digest."""

    taken_at: str | None
    sha256: str


class RuleUsed(Struct, frozen=True):
    """A rule of the policy: `at` is where it was written, `FILE:LINE:COLUMN`."""

    label: str
    text: str
    at: str


class PlanHeader(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", tag_field="kind", tag="plan"):
    """The first line of a plan: what was decided by and on, and when.

    `site_facts` are there where a rule reads them; `pseudonyms` is the id of the key, where people have pseudonyms,
    and `period` the time that these hold for (None in plans of before, which keep license ids and facts as they are);
    `findings` is what was to be known before the plan was approved, `compared` with which run it was compared;
    `accepted`: a change that touches everybody was approved when it was made.
    """

    run_id: str
    tool: str
    format: Annotated[int, Meta(ge=1, le=FORMAT)]
    now: str
    timezone: str
    policy: PolicyUsed
    snapshot: SnapshotUsed
    site: str
    limits: list[str]
    site_facts: SiteFacts | None = None
    pseudonyms: str | None = None
    period: str | None = None
    findings: list[Finding] = []
    compared: str = ""
    accepted: bool = False
    policy_text: str
    rules: list[RuleUsed]


class TypeSummary(Struct, frozen=True, omit_defaults=True):
    """The decisions of a plan on the licenses of one type, counted.

    `this_run` of those to release are released by this run; plans of before do not say it.
    """

    allocated: int
    release: int
    keep: int
    quarantined: int
    undetermined: int
    this_run: int | UnsetType = msgspec.field(default=UNSET, name="thisRun")


class Summary(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The decisions of a plan, counted: see `Plan.summary`. Plans of before have no `remedy`."""

    licenses: int
    release: int
    this_run: int
    keep: int
    undetermined: int
    by_type: dict[LicenseType, TypeSummary]
    by_reason: dict[str, int]
    hold_both_types: int
    lose_every_license: int
    signed_key: bool | None
    over_limit: list[str]
    remedy: str = ""
    pseudonyms: ClassCounts | None = None


class PlanSeal(Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="seal"):
    """The last line of a plan. `digest` is the seal itself, which the chain puts in."""

    summary: Summary
    digest: str = msgspec.field(default="", name="seal")


@dataclass(frozen=True, slots=True)
class PlanLog:
    """The lines of a plan that verifies; the decisions are lines 2, 3 …"""

    path: Path
    header: PlanHeader
    decisions: list[RecordedDecision]
    seal: PlanSeal

    def refuse(self, line: int, problem: str) -> NoReturn:
        """Raises DamagedLog for a line that no plan of ours has."""
        raise DamagedLog(self.path, [Damage(line, f"{FOREIGN}: {problem}")])

    @property
    def releases(self) -> frozenset[Key]:
        """The licenses that the plan releases."""
        return frozenset(decision.key for decision in self.decisions if decision.verdict == "release")


# Journals ------------------------------------------------------------------------------------------------


class JournalLine(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", tag_field="kind"):
    """A line of a journal. `n` and `digest`, the seal, are put in by the chain."""

    n: int = 0
    digest: str = msgspec.field(default="", name="seal")


class ApplyHeader(JournalLine, frozen=True, kw_only=True, tag="apply"):
    """The first line: which plan is applied to which site, and the licenses chosen, in the order of their release."""

    run_id: str
    plan_seal: str
    site: str
    limits: list[str]
    chosen: list[Key]
    at: str


class LicenseLine(JournalLine, frozen=True, kw_only=True):
    """A line on one license."""

    license_type: LicenseType
    license_id: str
    user: str

    @property
    def key(self) -> Key:
        """Type and id of the license."""
        return self.license_type, self.license_id


class Intent(LicenseLine, frozen=True, kw_only=True, tag="intent"):
    """A DELETE is about to be sent."""

    at: str


class OutcomeLine(LicenseLine, frozen=True, kw_only=True, tag="outcome"):
    """The outcome for a license; `status` and `body` are QRS's answer to the DELETE."""

    result: OutcomeKind
    detail: str
    status: int | UnsetType = UNSET
    body: str | UnsetType = UNSET
    at: str


class Resume(JournalLine, frozen=True, kw_only=True, tag="resume"):
    """A later apply went on from here."""

    at: str


class JournalSeal(JournalLine, frozen=True, kw_only=True, tag="seal"):
    """The last line: every license chosen is settled; the licenses by result."""

    summary: Mapping[str, int]


# Reading -------------------------------------------------------------------------------------------------


class _Start(Struct):
    """Of a first line what says whether we can read the others."""

    kind: Any = None
    format: Any = None
    tool: Any = None


_read_start = msgspec.json.Decoder(_Start).decode
_read_header = msgspec.json.Decoder(PlanHeader).decode
_read_decision = msgspec.json.Decoder(RecordedDecision).decode
_read_seal = msgspec.json.Decoder(PlanSeal).decode
_read_apply = msgspec.json.Decoder(ApplyHeader).decode
_read_event = msgspec.json.Decoder(Intent | OutcomeLine | Resume | JournalSeal).decode


def read_plan_lines(path: Path, lines: Sequence[bytes]) -> PlanLog:
    """The plan that the lines of a sealed chain say; `path` names it.

    Raises InputError for a log of another kind or of a newer version, DamagedLog for lines that are not ours.
    """
    for start in _typed(_read_start, lines[:1], 1, []):  # a start that cannot be read is no header either: see below
        if isinstance(start.kind, str) and start.kind != "plan":
            raise InputError(f"`{path}` is a sealed log, but not of a plan")
        if isinstance(start.format, int) and start.format > FORMAT:
            raise InputError(f"`{path}` was written by a newer seatwarden ({start.tool})", "update seatwarden")
    damage: list[Damage] = []
    with collector_off():
        headers = _typed(_read_header, lines[:1], 1, damage)
        decisions = _typed(_read_decision, lines[1:-1], 2, damage)
        seals = _typed(_read_seal, lines[-1:], len(lines), damage)
    if damage:
        raise DamagedLog(path, damage)
    return PlanLog(path, headers[0], decisions, seals[0])


def read_journal_lines(path: Path, lines: Sequence[bytes]) -> tuple[ApplyHeader, list[JournalLine]]:
    """The first and the other lines of a journal that verifies; `path` names it. Raises DamagedLog."""
    damage: list[Damage] = []
    headers = _typed(_read_apply, lines[:1], 1, damage)
    events: list[JournalLine] = _typed(_read_event, lines[1:], 2, damage)
    if not damage:
        damage = [
            Damage(n, f"{FOREIGN}: only the last line has a seal, and is of the kind `seal`")
            for n, line in enumerate([*headers, *events], 1)
            if isinstance(line, JournalSeal) is not bool(line.digest)
        ]
    if damage:
        raise DamagedLog(path, damage)
    return headers[0], events


_T = TypeVar("_T")


def _typed(read: Callable[[bytes], _T], lines: Sequence[bytes], first: int, damage: list[Damage]) -> list[_T]:
    """Lines as what they say; what does not fit is added to `damage`, numbered from `first`."""
    found = []
    for n, line in enumerate(lines, first):
        try:
            found.append(read(line))
        except (msgspec.DecodeError, RecursionError) as error:
            damage.append(Damage(n, f"{FOREIGN}: {str(error)[:_MOST_LETTERS]}"))
    return found


_MOST_LETTERS = 200
"""Of a message that repeats what a line says."""
