"""Plans and journals of format 1, which seatwarden 0.1 wrote: they are read as ever, and none is written any more.

Its lines are linked by the SHA-256 of their own bytes and carry no salt. So what is erased from such a log can be
guessed from the digests that are left: docs/threat-model.md says it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.facts.facts import RecordedFact
from seatwarden.engine.facts.guards import RowState
from seatwarden.engine.log.chain import CHANGED, FIRST, FOREIGN, NO_LINE, UNFIT, split_lines
from seatwarden.engine.log.decision_lines import DecisionPart, RecordedDecision
from seatwarden.engine.log.journal_lines import (
    ApplyHeader,
    Intent,
    IntentPart,
    JournalLine,
    OutcomeLine,
    OutcomePart,
    Resume,
)
from seatwarden.engine.log.lines import (
    Key,
    PlanHeader,
    PlanLog,
    PolicyLine,
    PolicyUsed,
    RuleUsed,
    SnapshotUsed,
    Summary,
    TypeSummary,
)
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.plan.circumstances import Clocks
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.records import DecisionJson
from seatwarden.engine.snapshot.model import SiteFacts
from seatwarden.engine.version import FORMAT
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.operators import Truth

NO_SALT = b""
"""In place of a salt."""


class _Policy(Struct, frozen=True):
    file: str
    sha256: str


class _Snapshot(Struct, frozen=True, rename="camel"):
    taken_at: str | None
    sha256: str


class _Header(Struct, frozen=True, kw_only=True, rename="camel", tag_field="kind", tag="plan"):
    run_id: str
    tool: str
    now: str
    timezone: str
    policy: _Policy
    snapshot: _Snapshot
    site: str
    limits: list[str]
    site_facts: SiteFacts | None = None
    pseudonyms: str | None = None
    findings: list[Finding] = []
    compared: str = ""
    accepted: bool = False
    policy_text: str
    rules: list[RuleUsed]


class _Decision(DecisionJson, kw_only=True, tag_field="kind", tag="decision"):
    row: RowState
    facts: dict[str, RecordedFact]
    truths: list[Truth] | UnsetType = UNSET


class _Summary(Struct, frozen=True, rename="camel"):
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


class _Seal(Struct, frozen=True, tag_field="kind", tag="seal"):
    summary: _Summary
    seal: str


class _Event(Struct, frozen=True, kw_only=True, rename="camel"):
    """Any line of a journal; each kind has some of the fields."""

    n: int
    kind: Literal["apply", "intent", "outcome", "resume", "seal"]
    at: str = ""
    run_id: str = ""
    plan_seal: str = ""
    site: str = ""
    limits: list[str] = []
    chosen: list[Key] = []
    license_type: LicenseType = "analyzer"
    license_id: str = ""
    user: str = ""
    result: OutcomeKind = "unknown"
    detail: str = ""
    status: int | None = None
    body: str | None = None
    seal: str | UnsetType = UNSET


def read_former_plan(path: Path, data: bytes) -> PlanLog:
    """The plan in a log of format 1. Raises DamagedLog."""
    lines = _verified(path, data, sealed=True)
    damage: list[Damage] = []
    with collector_off():
        headers: list[_Header] = _typed(_Header, lines[:1], 1, damage)
        decisions: list[_Decision] = _typed(_Decision, lines[1:-1], 2, damage)
        seals: list[_Seal] = _typed(_Seal, lines[-1:], len(lines), damage)
    if damage:
        raise DamagedLog(path, damage)
    header, seal = headers[0], seals[0]
    policy = PolicyLine(n=1, text=header.policy_text, rules=header.rules)
    recorded = [_decision(n, line) for n, line in enumerate(decisions, 2)]
    summary = msgspec.convert({**msgspec.to_builtins(seal.summary), "heldByNobody": 0, "pseudonyms": None}, Summary)
    return PlanLog(path, _header(header), policy, header.findings, recorded, summary, seal.seal, [], former=True)


def _header(header: _Header) -> PlanHeader:
    """A first line as it would be today, with nothing for what it did not say."""
    used = header.policy
    return PlanHeader(
        n=1,
        run_id=header.run_id,
        tool=header.tool,
        format=FORMAT,
        mode="live",
        now=header.now,
        timezone=header.timezone,
        clocks=Clocks(""),
        site=header.site,
        policy=PolicyUsed(used.file, used.sha256, used.sha256, {}, concealed=False),
        snapshot=SnapshotUsed(header.snapshot.taken_at, header.snapshot.sha256, {}),
        overview={},
        limits=header.limits,
        site_facts=header.site_facts,
        pseudonyms=header.pseudonyms,
        period=None,
        found=[finding.code for finding in header.findings],
        compared=header.compared,
        accepted=header.accepted,
        register=None,
    )


def _decision(n: int, line: _Decision) -> RecordedDecision:
    part: DecisionPart[RecordedFact] = DecisionPart(
        salt=NO_SALT,
        license_id=line.license_id,
        user_directory=line.user_directory,
        user_id=line.user_id,
        user_name=line.user_name,
        rule=line.rule,
        rules=line.rules,
        reason=line.reason,
        unused_days=line.unused_days,
        last_used=line.last_used,
        at=line.at,
        row=line.row,
        facts=line.facts,
        truths=line.truths,
    )
    return RecordedDecision(
        n=n, license_type=line.license_type, verdict=line.verdict, because=line.because, person=part
    )


# Journals ------------------------------------------------------------------------------------------------


def read_former_journal(
    path: Path, data: bytes, line_of: Mapping[Key, int] | None
) -> tuple[ApplyHeader, list[JournalLine], bool]:
    """The lines of a journal of format 1, and whether it was closed; `line_of` are the lines of its plan by license.

    Without them the licenses are numbered as they were chosen. Raises DamagedLog.
    """
    damage: list[Damage] = []
    events: list[_Event] = _typed(_Event, _verified(path, data, sealed=False), 1, damage)
    if not damage and (events[0].kind != "apply" or any(e.kind == "seal" for e in events[:-1])):
        damage = [Damage(1, f"{FOREIGN}: its lines are not those of a journal")]
    if damage:
        raise DamagedLog(path, damage)
    first, *rest = events
    if line_of is None:
        line_of = {key: n for n, key in enumerate(first.chosen, 1)}
    header = ApplyHeader(
        n=1,
        run_id=first.run_id,
        tool="seatwarden 0.1",
        plan_root=first.plan_seal,
        site=first.site,
        limits=first.limits,
        chosen=[line_of.get(key, 0) for key in first.chosen],
        at=first.at,
        clocks=Clocks(""),
    )
    lines = [line for event in rest if (line := _event(event, line_of)) is not None]
    return header, lines, any(event.kind == "seal" for event in rest)


def _event(event: _Event, line_of: Mapping[Key, int]) -> JournalLine | None:
    line = line_of.get((event.license_type, event.license_id), 0)
    whose: dict[str, Any] = {"salt": NO_SALT, "license_id": event.license_id, "user": event.user}
    about: dict[str, Any] = {"n": event.n, "line": line, "license_type": event.license_type, "at": event.at}
    match event.kind:
        case "intent":
            return Intent(**about, person=IntentPart(**whose))
        case "outcome":
            part = OutcomePart(**whose, detail=event.detail, status=event.status, body=event.body)
            return OutcomeLine(**about, result=event.result, person=part)
        case "resume":
            return Resume(n=event.n, at=event.at, clocks=Clocks(""))
    return None


# The chain -----------------------------------------------------------------------------------------------


class _Link(Struct, gc=False):
    """The fields that make a line a part of the chain."""

    n: Any = None
    prev: Any = None
    seal: Any = UNSET
    sum: Any = UNSET


def _verified(path: Path, data: bytes, *, sealed: bool) -> list[bytes]:
    """The lines of a chain that is as it was written. Raises DamagedLog."""
    lines = split_lines(data)
    links = list(map(_link, lines))
    damage = [] if data.endswith(b"\n") else [Damage(len(lines), "is cut off")]
    prev = FIRST
    for n, (line, link) in enumerate(zip(lines, links, strict=True), 1):
        if link is None:
            damage.append(Damage(n, NO_LINE))
        else:
            damage += _link_damage(n, line, link, prev, sealed)
        prev = hashlib.sha256(line).hexdigest()
    seals = [n for n, link in enumerate(links, 1) if link is not None and link.seal is not UNSET]
    damage += [Damage(n, "stands behind the seal") for n in range(seals[0] + 1, len(lines) + 1)] if seals else []
    if sealed and not seals:
        damage.append(Damage(len(lines), "is the last line and is no seal: the end of the log is missing"))
    if damage:
        raise DamagedLog(path, sorted(dict.fromkeys(damage), key=lambda one: one.line))
    return lines


def _link_damage(n: int, line: bytes, link: _Link, prev: str, sealed: bool) -> list[Damage]:
    damage = []
    if link.n != n:
        damage.append(Damage(n, f"says it is line {link.n}: lines were lost, added or moved before it"))
    if link.prev != prev:
        damage.append(Damage(max(n - 1, 1), CHANGED if n > 1 else "is not the first line of this log"))
    witness = b"seal" if link.seal is not UNSET else b"sum" if link.sum is not UNSET else None
    if witness is None:
        return damage if sealed else [*damage, Damage(n, "has no digest of its own")]
    bare = line[: -len(b',"%b":"%b"}' % (witness, FIRST.encode()))] + b"}"
    own = b'%b,"%b":"%b"}' % (bare[:-1], witness, hashlib.sha256(bare).hexdigest().encode())
    return damage if line == own else [*damage, Damage(n, UNFIT)]


def _link(line: bytes) -> _Link | None:
    try:
        line.decode()
        return msgspec.json.decode(line, type=_Link)
    except UNREADABLE:
        return None


def _typed(kind: Any, lines: Sequence[bytes], first: int, damage: list[Damage]) -> list[Any]:
    """Lines as what they say; what does not fit is added to `damage`, numbered from `first`."""
    found, read = [], msgspec.json.Decoder(kind).decode
    for n, line in enumerate(lines, first):
        try:
            found.append(read(line))
        except UNREADABLE as error:
            damage.append(Damage(n, f"{FOREIGN}: {str(error)[:200]}"))
    return found
