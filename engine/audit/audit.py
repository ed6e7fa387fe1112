"""The ten questions, answered for a run, a folder of runs or a site's state folder."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from seatwarden.engine.audit.answers import Audit, AuditAnswer, AuditedRun
from seatwarden.engine.audit.evidence import Evidence, RunEvidence, gather_evidence, number_of
from seatwarden.engine.audit.hands import one_person, who_ran
from seatwarden.engine.audit.integrity import could_it_be_changed, decided_again
from seatwarden.engine.audit.keeping import what_is_stored
from seatwarden.engine.audit.losses import what_failed, who_lost
from seatwarden.engine.audit.other_policy import under_another_policy
from seatwarden.engine.audit.protection import which_text, who_was_protected
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.seals import Seals
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.facts.day import DaySpan
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.verified_run import RecordFault
from seatwarden.engine.log.verify import against_seals
from seatwarden.engine.plan.modes import LIVE
from seatwarden.engine.version import VERSION
from seatwarden.policy.loading import CheckedPolicy


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What is to be audited: a place, days, the register where it stands elsewhere, seals that were kept elsewhere, and
    another policy to ask about."""

    place: Path
    span: DaySpan = DaySpan()
    register: Path | None = None
    seals: Sequence[Seals] | None = None
    policy: CheckedPolicy | None = None


def audit(asked: AuditRequest, at: datetime) -> Audit:
    """The ten answers; `at` is now. Raises InputError where there is nothing to audit."""
    with collector_off():
        evidence = gather_evidence(asked.place, asked.span, asked.register)
        faults = list(evidence.record.faults)
        if asked.seals is not None:
            faults += against_seals(evidence.record, asked.seals)
        answers = tuple(_answers(evidence, asked, faults))
    register, span = evidence.record.register, asked.span
    return Audit(
        place=str(asked.place),
        base=str(evidence.base),
        since=span.since.isoformat() if span.since else None,
        until=span.until.isoformat() if span.until else None,
        at=format_instant(at),
        tool=f"seatwarden {VERSION}",
        runs=tuple(_listed(evidence, run) for run in evidence.runs),
        left_out=evidence.left_out,
        register=register.id if register is not None else None,
        answers=answers,
        findings=tuple(dict.fromkeys(one for run in evidence.readable for one in run.log.findings)),
        sound=not faults and not any(answer.number == _AGAIN and answer.listings for answer in answers),
    )


_AGAIN = 6
"""The question of which a list of differences is bad news."""


def _answers(evidence: Evidence, asked: AuditRequest, faults: Sequence[RecordFault]) -> Iterator[AuditAnswer]:
    yield who_lost(evidence)
    yield who_was_protected(evidence)
    yield which_text(evidence)
    yield who_ran(evidence)
    yield could_it_be_changed(evidence, asked.seals, faults)
    yield decided_again(evidence)
    yield what_is_stored(evidence)
    yield one_person(evidence)
    yield under_another_policy(evidence, asked.policy)
    yield what_failed(evidence)


def _listed(evidence: Evidence, run: RunEvidence) -> AuditedRun:
    name, folder = run.name.rstrip("/"), evidence.named(run.folder)
    if run.plan is None:
        return AuditedRun(name, folder, None, None, None, None, None, None, None, None, "cannot be read")
    header, results = run.header, Counter(line.result for line in run.outcomes)
    return AuditedRun(
        name=name,
        folder=folder,
        run=header.run_id,
        number=number_of(run),
        mode=header.mode,
        now=header.now,
        made=run.made,
        site=header.site,
        licenses=run.log.summary.licenses,
        released=sum(results[one] for one in TAKEN) if run.journal is not None else None,
        state=_state(run),
    )


def _state(run: RunEvidence) -> str:
    if run.journal_lost:
        return "journal lost"
    if run.journal is not None:
        return "applied" if run.journal.sealed else "not ended"
    return "planned" if run.header.mode == LIVE else run.header.mode
