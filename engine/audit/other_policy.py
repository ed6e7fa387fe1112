"""What another policy would have done: which facts there are to ask it about, and the answer for one."""

from collections.abc import Iterator
from pathlib import Path

from seatwarden.engine.analysis.diff import VerdictChange, changed
from seatwarden.engine.audit.answers import AuditAnswer, AuditEntry, AuditStatement, Listing
from seatwarden.engine.audit.evidence import Evidence, RunEvidence
from seatwarden.engine.audit.words import moment
from seatwarden.engine.common.text import plural
from seatwarden.engine.log.past_site import past_site_of
from seatwarden.engine.log.run_folder import CANONICAL_FILE, SNAPSHOT_FILE
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy

_QUESTION = "What would another policy have done?"


def under_another_policy(evidence: Evidence, other: CheckedPolicy | None) -> AuditAnswer:
    """What would another policy have done? Of several runs the last is asked."""
    if not evidence.readable:
        return AuditAnswer(9, _QUESTION, evidence.why_unread)
    run = evidence.readable[-1]
    commands = (f"seatwarden diff {run.folder / CANONICAL_FILE} OTHER.policy --snapshot {run.folder}",)
    is_kept, recorded = SNAPSHOT_FILE in run.header.snapshot.kept, _recorded(run)
    cannot = () if is_kept else ("A policy that reads other facts: the run did not keep its snapshot.",)
    if other is None:
        short = "Ask it by naming one (`--policy`), or with the command below."
        return AuditAnswer(9, _QUESTION, short, (recorded,), (), cannot, commands)
    try:
        found = _changes(run, other)
    except InputError as problem:
        short = f"The record cannot say: {problem.message}."
        return AuditAnswer(9, _QUESTION, short, (recorded,), (), cannot, commands)
    taken = [change.new for change in found if change.new.takes and not change.old.takes]
    kept = [change.new for change in found if change.old.takes and not change.new.takes]
    more, fewer = plural(len(taken), "license"), f"{len(kept):,}"
    when = moment(run.header.now)
    short = f"By {Path(other.file).name} {more} more would have been due and {fewer} fewer, in the run of {when}."
    entries = tuple(_entry(run, change) for change in found)
    listing = Listing("Decided otherwise", ("License", "Who", "Then, and by the other policy"), entries)
    return AuditAnswer(9, _QUESTION, short, (recorded,), (listing,) if entries else (), cannot, commands)


def _recorded(run: RunEvidence) -> AuditStatement:
    if SNAPSHOT_FILE in run.header.snapshot.kept:
        text = "The run kept its snapshot: any policy can be asked, for any moment."
        return AuditStatement(text, (f"{run.name}{SNAPSHOT_FILE}",))
    names = sorted({name for line in run.log.decisions for name in line.about.facts})
    listed = ", ".join(names) or "none but those that stand in every line"
    first = run.log.decisions[0].n if run.log.decisions else 1
    return AuditStatement(f"The facts that its policy read, and so the plan has: {listed}.", (run.at_plan(first),))


def _changes(run: RunEvidence, other: CheckedPolicy) -> list[VerdictChange]:
    """The decisions that come out otherwise. Raises InputError for facts that are missing."""
    assert run.plan is not None  # noqa: S101 - for the type checker: it is readable
    past = past_site_of(run.log, run.folder)
    # By the run's own zone and moment, whatever the other policy says of its zone.
    day = past.day_for(other, None, run.header.timezone)
    return changed(past.decide_all(run.plan.policy, day), past.decide_all(other, day))


def _entry(run: RunEvidence, change: VerdictChange) -> AuditEntry:
    done = {"keep": "kept", "downgrade": "due to become Analyzer", "release": "due"}
    old, new = change.old, change.new
    words = f"{done[old.verdict]}: {old.reason} → {done[new.verdict]}: {new.reason}"
    line = next(iter(_lines(run, change)), 1)
    return AuditEntry((new.license_type, new.label), words, (run.at_plan(line),))


def _lines(run: RunEvidence, change: VerdictChange) -> Iterator[int]:
    line = run.log.line_of.get(change.new.key)
    if line is not None:
        yield line
