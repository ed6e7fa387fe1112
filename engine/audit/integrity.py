"""Could it have been changed, and does it come out the same: what verifying finds, and deciding again."""

from collections.abc import Iterator, Sequence

from seatwarden.engine.audit.answers import AuditAnswer, AuditEntry, AuditStatement, Listing
from seatwarden.engine.audit.evidence import Evidence, RunEvidence, number_of
from seatwarden.engine.audit.words import moment, run_sources
from seatwarden.engine.common.seals import Seals
from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.kept import kept_snapshot
from seatwarden.engine.log.reader import opened
from seatwarden.engine.log.replay import replay_opened
from seatwarden.engine.log.verified_run import RecordFault
from seatwarden.engine.plan.decide_site import decide_site
from seatwarden.policy.errors import InputError


def could_it_be_changed(
    evidence: Evidence, seals: Sequence[Seals] | None, faults: Sequence[RecordFault]
) -> AuditAnswer:
    """Could it have been changed? `faults` are those of the record, and against the seals if there are any."""
    found = tuple(_fault(evidence, fault) for fault in faults)
    runs = plural(len(evidence.record.runs), "run")
    what = f"every line of {runs}{' and the register' if evidence.record.register is not None else ''} verifies."
    cannot = [_ANEW]
    if evidence.record.register is None:
        cannot.insert(
            0, "Whether a whole run was taken away: only the register of runs numbers them, and there is none."
        )
    return AuditAnswer(
        5,
        "Could it have been changed since?",
        "Nothing was found: " + what if not found else f"Yes: {plural(len(found), 'fault')}.",
        tuple(_heads(evidence, seals)),
        (Listing("Faults", ("Where", "What"), found),) if found else (),
        tuple(cannot),
        (f"seatwarden log verify {evidence.place}", f"seatwarden log verify {evidence.place} --seals FILE"),
    )


_ANEW = (
    "Whoever can write these files can write them anew as a whole, with other lines. Nothing in them would show it; "
    "only a seal that left this machine does: by mail, in a log elsewhere, in InfluxDB (`--seals FILE`)."
)


def _fault(evidence: Evidence, fault: RecordFault) -> AuditEntry:
    place = _place(evidence, fault)
    return AuditEntry((place,), fault.problem, (place,))


def _place(evidence: Evidence, fault: RecordFault) -> str:
    return evidence.named(fault.path) + (f":{fault.line}" if fault.line else "")


def _heads(evidence: Evidence, seals: Sequence[Seals] | None) -> Iterator[AuditStatement]:
    """The roots and the register's head, to be compared with what was kept elsewhere."""
    state = evidence.record.register
    if state is not None:
        n = len(state.lines)
        text = f"The register {state.id} has {plural(n, 'line')}; the last is {state.head}."
        yield AuditStatement(text, (evidence.at_register(n),))
    for run in evidence.readable:
        yield AuditStatement(*_sealed(evidence, run))
    for note in evidence.record.notes:
        yield AuditStatement(f"No fault, and worth a look: {note.problem}.", (_place(evidence, note),))
    if seals is not None:
        own = sum(state is not None and seal.register == state.id for seal in seals)
        yield AuditStatement(
            f"Held against {plural(own, 'seal')} of this register that {'was' if own == 1 else 'were'} kept elsewhere."
        )


def _sealed(evidence: Evidence, run: RunEvidence) -> tuple[str, tuple[str, ...]]:
    number, head = number_of(run), run.header.register
    where = "in no register" if head is None else f"run {number} of register {head.id}"
    if head is not None and evidence.record.register is None:
        where += ", which does not stand beside it"
    seal = run.at_plan(run.last_line + 1)
    if run.log.former:
        return f"Run {run.header.run_id} is of form 1: its lines have no salt, what is erased can be guessed.", (seal,)
    text = f"Run {run.header.run_id} ({where}) is sealed with {run.log.root}"
    if run.journal is None:
        return f"{text}.", (seal,)
    end = run.at_journal(run.journal.lines)
    if run.journal.root:
        return f"{text}, its journal with {run.journal.root}.", (seal, end)
    return f"{text}; its journal is not closed.", (seal, end)


# Decided again -------------------------------------------------------------------------------------------


def decided_again(evidence: Evidence) -> AuditAnswer:
    """Does it come out the same, decided again?"""
    count, differences, statements, erased, withheld = 0, [], [], 0, 0
    for run in evidence.readable:
        erased += len(run.log.erased)
        try:
            decisions, found, hidden = replay_opened(opened(run.log))
        except DamagedLog as damaged:
            decisions, found, hidden = len(run.log.decisions), [str(damaged.first)], []
        count += decisions - len(hidden)
        withheld += len(hidden)
        differences += [AuditEntry((run.header.run_id,), one, (run.at_plan(1),)) for one in found]
        statements += list(_from_snapshot(run))
    runs = plural(len(evidence.readable), "run")
    cannot = ["Whether the facts were true: they are what Qlik Sense said at that moment."]
    if erased:
        cannot.append(f"What was decided in {plural(erased, 'line')} that {'was' if erased == 1 else 'were'} erased.")
    if withheld:
        cannot.append(f"{plural(withheld, 'decision')} of which the log withholds the facts, behind pseudonyms.")
    agree = "all agree" if count != 1 else "it agrees"
    short = f"Yes: {plural(count, 'decision')} of {runs} decided again, {agree}."
    if differences:
        short = f"No: {len(differences):,} of {plural(count, 'decision')} come out otherwise."
    places = [run.at_plan(1) for run in evidence.readable]
    own = AuditStatement(
        "From the recorded facts and policy alone, by the evaluator that explains.", run_sources(places)
    )
    return AuditAnswer(
        6,
        "Does it come out the same, decided again?",
        short if evidence.readable else evidence.why_unread,
        (own, *statements) if evidence.readable else (),
        (Listing("Differences", ("Run", "What"), tuple(differences)),) if differences else (),
        tuple(cannot),
        tuple(f"seatwarden log replay {run.folder}" for run in evidence.readable[-1:]),
    )


def _from_snapshot(run: RunEvidence) -> Iterator[AuditStatement]:
    """Where the snapshot was kept: whether the recorded facts are those of it."""
    assert run.plan is not None  # noqa: S101 - for the type checker: only readable runs are asked
    try:
        snapshot = kept_snapshot(run.folder, run.header)
    except InputError:  # said among the faults
        return
    if snapshot is None or run.header.pseudonyms is not None:
        return
    snapshot = snapshot.with_standings({one.key: one.standing for one in run.by_line.values()})
    again = {(d.key, d.user): (d.verdict, d.reason) for d in decide_site(run.plan.policy, snapshot, run.day)}
    then = {(d.key, d.user): (d.verdict, d.reason) for d in run.by_line.values()}
    wrong = sum(again.get(key) != said for key, said in then.items())
    end = "all agree" if not wrong else f"{wrong:,} differ"
    name = f"Run {run.header.run_id} of {moment(run.header.now)}"
    yield AuditStatement(f"{name}, from the snapshot that it kept: {end}.", (f"{run.name}snapshot.json.zst",))
