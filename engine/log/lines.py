"""The lines of plans: one type for each kind of line, for writing it and for reading it; see also `journal_lines`.

What does not fit its type, or is not the bytes that our encoder makes of it, was not written by us: it is damage like a
line that was changed, however well the chain around it verifies. docs/formats.md says the same for everybody else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NoReturn, Protocol, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.common.text import plural
from seatwarden.engine.decide.class_counts import ClassCounts
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.log.chain import FOREIGN, ChainLine, ChainReader
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.heads import Heads
from seatwarden.engine.log.results import DOWNGRADE_RESULTS, RESULTS, OutcomeKind
from seatwarden.engine.log.run_folder import POLICY_FOLDER
from seatwarden.engine.plan.circumstances import Circumstances, Clocks
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.given_back import TakeBackCounts
from seatwarden.engine.plan.guarantees import GuaranteeJudged
from seatwarden.engine.plan.modes import Mode
from seatwarden.engine.plan.terms import Terms
from seatwarden.engine.plan.waiting import NoticeCounts
from seatwarden.engine.snapshot.model import Seats, SiteFacts
from seatwarden.engine.version import FORMAT
from seatwarden.grammar.ast import DOWNGRADED_TO, LicenseType
from seatwarden.policy.codes import Severity

Key: TypeAlias = tuple[LicenseType, str]
"""Type and id of a license."""


class SaltedCircumstances(Circumstances, frozen=True, kw_only=True, rename="camel"):
    """Who made something, and how, as a personal part."""

    salt: bytes


# Plans ---------------------------------------------------------------------------------------------------


class PolicyUsed(Struct, frozen=True, rename="camel"):
    """The policy that was decided by.

    `file` is the name of its file and `sha256` that file's digest; `sources` are the digests of each file kept in
    `policy/` of the run folder, by its name there, and `canonical_sha256` is that of the text in the next line.
    `concealed`: in the file kept, secrets are masked.
    """

    file: str
    sha256: str
    canonical_sha256: str
    sources: dict[str, str]
    concealed: bool = False


class SnapshotUsed(Struct, frozen=True, rename="camel"):
    """The snapshot that was decided on: when it was taken, if it says so, its digest, and the file in which it is kept,
    with that file's digest, if it is."""

    taken_at: str | None
    sha256: str
    kept: dict[str, str]


class RegisterHead(Struct, frozen=True, rename="camel"):
    """The register of runs as it stood: its id and place, the number of its last line, that line's leaf; and the number
    that it gives to this run."""

    id: str
    path: str
    lines: int
    leaf: str
    run: int


class PlanHeader(ChainLine, kw_only=True, rename="camel"):
    """The first line of a plan: what was decided by and on, when, how and by whom.

    `site_facts` are there where a rule reads them; `pseudonyms` is the id of the key, where people have pseudonyms, and
    `period` the time that these hold for (null in plans of format 1, which keep license ids and facts as they are);
    `found` are the codes of the findings, `compared` says with which run it was compared; `accepted`: a change that
    touches everybody was approved when it was made. `register` is null for a plan that no register knows;
    `guarantees` are there where the policy has any; `heads` says where the registers of holds and notices ended that
    were asked, where there is one; `terms` are what an apply is held to, where it can be applied;
    `license_rules` is the digest of the site's license rules, where they were asked what Qlik gives back.
    """

    kind: Literal["plan"] = "plan"
    run_id: str
    tool: str
    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    mode: Mode
    now: str
    timezone: str
    clocks: Clocks
    site: str
    policy: PolicyUsed
    snapshot: SnapshotUsed
    overview: dict[LicenseType, Seats]
    limits: list[str]
    guarantees: list[GuaranteeJudged] | UnsetType = UNSET
    released_before: dict[str, dict[LicenseType, int] | None] | UnsetType = UNSET
    license_rules: str | UnsetType = UNSET
    site_facts: SiteFacts | None
    pseudonyms: str | None
    period: str | None
    found: list[str]
    compared: str
    accepted: bool
    register: RegisterHead | None
    heads: Heads | UnsetType = UNSET
    terms: Terms | UnsetType = UNSET
    prev: str = ""
    person: SaltedCircumstances | UnsetType = UNSET
    of: str | UnsetType = UNSET

    @property
    def files(self) -> dict[str, str]:
        """The files that were there when the plan was made, by their names in the run folder: their SHA-256."""
        policy = {f"{POLICY_FOLDER}/{name}": digest for name, digest in self.policy.sources.items()}
        return {**policy, **self.snapshot.kept}


class RuleUsed(Struct, frozen=True):
    """A rule of the policy: `at` is where it was written, `FILE:LINE:COLUMN`."""

    label: str
    text: str
    at: str


class PolicyLine(ChainLine, kw_only=True, rename="camel"):
    """The policy in its canonical text, and the places of its rules in the source files."""

    kind: Literal["policy"] = "policy"
    text: str
    rules: list[RuleUsed]
    prev: str = ""


class FindingPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """The words of a finding, which may name people."""

    salt: bytes
    message: str
    help: str | None
    names: tuple[str, ...]


class FindingLine(ChainLine, kw_only=True, rename="camel"):
    """A finding about the plan."""

    kind: Literal["finding"] = "finding"
    code: str
    severity: Severity
    at: str | None
    rule: str | None
    prev: str = ""
    person: FindingPart | UnsetType = UNSET
    of: str | UnsetType = UNSET

    @property
    def finding(self) -> Finding | None:
        """The finding; None when its words have been erased."""
        if self.person is UNSET:
            return None
        words = self.person
        return Finding(self.code, self.severity, words.message, words.help, self.at, self.rule, words.names)


class TypeSummary(Struct, frozen=True, rename="camel"):
    """The decisions of a plan on the licenses of one type, counted. `this_run` of those to release are released by
    this run; former plans do not say it. `downgrade` of them are downgraded. `held`, `not_now` and `waiting` are due,
    and kept by a hold, by what is in the way of a downgrade, or for a notice."""

    allocated: int
    release: int
    keep: int
    quarantined: int
    undetermined: int
    this_run: int | UnsetType = UNSET
    downgrade: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    not_now: int | UnsetType = UNSET
    waiting: int | UnsetType = UNSET


class Summary(Struct, frozen=True, rename="camel"):
    """The decisions of a plan, counted: see `Plan.summary`."""

    licenses: int
    release: int
    this_run: int
    keep: int
    undetermined: int
    by_type: dict[LicenseType, TypeSummary]
    by_reason: dict[str, int]
    hold_both_types: int
    lose_every_license: int
    held_by_nobody: int
    signed_key: bool | None
    over_limit: list[str]
    remedy: str
    pseudonyms: ClassCounts | None
    downgrade: int | UnsetType = UNSET
    reserves: list[str] | UnsetType = UNSET
    notice: NoticeCounts | UnsetType = UNSET
    take_back: TakeBackCounts | UnsetType = UNSET


class SummaryLine(ChainLine, kw_only=True, rename="camel"):
    """The line behind the decisions."""

    kind: Literal["summary"] = "summary"
    summary: Summary
    prev: str = ""


PlanLine: TypeAlias = PlanHeader | PolicyLine | FindingLine | RecordedDecision | SummaryLine


@dataclass(frozen=True)
class PlanLog:
    """The lines of a plan that verifies. Of erased decisions `erased` has what is left: not whose license it was."""

    path: Path
    header: PlanHeader
    policy: PolicyLine
    findings: list[Finding]
    """Those that are not erased."""
    decisions: list[RecordedDecision]
    summary: Summary
    root: str
    """The seal: the root of all its lines."""
    erased: list[RecordedDecision]
    finding_lines: tuple[FindingLine, ...] = ()
    stubs: frozenset[int] = frozenset()
    """The numbers of all lines whose personal part is gone, findings and the first line among them."""
    former: bool = False
    """Whether it is of the form before this one, whose lines are not salted."""

    @cached_property
    def exchanges(self) -> Mapping[int, LicenseType]:
        """The lines of licenses in whose place another is given, and its type."""
        downgraded = (line.n for line in (*self.decisions, *self.erased) if line.verdict == "downgrade")
        return dict.fromkeys(downgraded, DOWNGRADED_TO)

    @property
    def results(self) -> tuple[OutcomeKind, ...]:
        """The results that its licenses can have."""
        return DOWNGRADE_RESULTS if self.exchanges else RESULTS

    def refuse(self, line: int, problem: str) -> NoReturn:
        """Raises DamagedLog for a line that no plan of ours has."""
        raise DamagedLog(self.path, [Damage(line, f"{FOREIGN}: {problem}")])

    @property
    def size(self) -> int:
        """How many lines the seal is over."""
        first_two_and_summary = 3
        return first_two_and_summary + len(self.finding_lines) + len(self.decisions) + len(self.erased)

    @cached_property
    def releases(self) -> Mapping[int, Key]:
        """The licenses that the plan releases, by the numbers of their lines."""
        return {line.n: line.key for line in self.decisions if line.verdict != "keep"}

    @cached_property
    def line_of(self) -> Mapping[Key, int]:
        """The number of the line that decides on each license."""
        return {line.key: line.n for line in self.decisions}

    @property
    def erased_words(self) -> str:
        """How many of its decisions and findings are erased, in words; empty for none."""
        return ", ".join(self._erased_words())

    def _erased_words(self) -> Iterator[str]:
        decisions = len(self.erased)
        findings = sum(line.person is UNSET for line in self.finding_lines)
        if decisions:
            verb = "is" if decisions == 1 else "are"
            yield f"{decisions:,} of {plural(self.summary.licenses, 'decision')} {verb} erased"
        if findings:
            yield f"the words of {plural(findings, 'finding')} are erased"

    @cached_property
    def erased_releases(self) -> frozenset[int]:
        """The numbers of the erased lines that say release."""
        return frozenset(line.n for line in self.erased if line.verdict != "keep")


class Chosen(Protocol):
    """What a journal is about: lines that are sealed, and speak of the licenses that something is done with."""

    @property
    def root(self) -> str:
        """The seal: the root of all lines."""
        ...

    @property
    def releases(self) -> Mapping[int, Key]:
        """The licenses, by the numbers of their lines."""
        ...

    @property
    def erased_releases(self) -> frozenset[int]:
        """The numbers of the lines among them that are erased."""
        ...

    @property
    def exchanges(self) -> Mapping[int, LicenseType]:
        """The lines of licenses in whose place another is given first, and its type."""
        ...

    @property
    def results(self) -> tuple[OutcomeKind, ...]:
        """The results that these can have."""
        ...


PLAN_READER: ChainReader[ChainLine] = ChainReader(
    (PlanHeader, PolicyLine, FindingLine, RecordedDecision, SummaryLine), own_leaves=False
)
