"""Who ran and approved, and how to ask for one person: what the record has on people."""

from collections.abc import Iterator

from msgspec import UNSET, UnsetType

from seatwarden.engine.audit.answers import AuditAnswer, AuditEntry, AuditStatement, Listing
from seatwarden.engine.audit.evidence import Evidence, RunEvidence
from seatwarden.engine.audit.words import ERASED, hand, moment, run_sources
from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.log.approval import answers_beside
from seatwarden.engine.log.journal_lines import ApplyHeader, Resume
from seatwarden.engine.log.lines import SaltedCircumstances
from seatwarden.engine.log.register import Demands, Override
from seatwarden.engine.log.run_folder import APPROVALS_FOLDER, JOURNAL_FILE
from seatwarden.engine.log.verified_restore import VerifiedRestore
from seatwarden.engine.plan.circumstances import Clocks
from seatwarden.engine.plan.modes import WHAT_IF


def who_ran(evidence: Evidence) -> AuditAnswer:
    """Who ran it, and who approved it?"""
    acts = [act for run in evidence.readable for act in _acts(run)]
    acts += [act for restore in evidence.record.restores for act in _acts_of_restore(evidence, restore)]
    approvals = [entry for run in evidence.readable for entry in _approvals(run)]
    overrides = tuple(_overrides(evidence))
    accounts = sorted({who for run in evidence.readable for who in _accounts(run)})
    short = f"Run by {join_words(accounts)}" if accounts else "The record does not say who ran it"
    said = f"; {plural(len(overrides), 'limit or check')} set aside." if overrides else "; nothing was set aside."
    listings = (
        Listing("Acts", ("When", "What", "Who, and how"), tuple(acts)),
        Listing("Approved or rejected", ("When", "By the key", "Answer, and comment"), tuple(approvals)),
        Listing("Set aside by a person", ("When", "What", "Before, and used instead"), overrides),
        Listing("What the site file demanded", ("When", "Who", "Settings"), tuple(_demands(evidence))),
    )
    cannot = [
        "Who approved: the record has no approvals. It knows who planned and who applied, and whether at a terminal."
        if not approvals
        else "Whose hand it was that used a key: an approval says that its passphrase was known.",
        "Which person an account stands for; what an account's owner was told to do.",
    ]
    if evidence.record.register is None:
        cannot.append(
            "What was set aside (`--limit`, `--max-age`): it stands in the register of runs, and there is none."
        )
    return AuditAnswer(
        4,
        "Who ran it, and who approved it?",
        short + (said if evidence.record.register is not None else "."),
        tuple(_clocks(evidence)),
        tuple(listing for listing in listings if listing.entries),
        tuple(cannot),
    )


def _acts(run: RunEvidence) -> Iterator[AuditEntry]:
    header = run.header
    made = {"live": "planned", "dry run": "planned, dry run", "what-if": "planned, what-if"}[header.mode]
    accepted = "; a change that touches everybody was accepted" if header.accepted else ""
    words = f"{_hand(header.person)}{accepted}; {header.tool}"
    yield AuditEntry((moment(run.made or header.now), made), words, (run.at_plan(1),))
    for line in run.journal.events if run.journal is not None else ():
        if isinstance(line, ApplyHeader | Resume):
            what = "applied" if isinstance(line, ApplyHeader) else "went on"
            yield AuditEntry((moment(line.at), what), _hand(line.person), (run.at_journal(line.n),))


def _approvals(run: RunEvidence) -> Iterator[AuditEntry]:
    for one in answers_beside(run.log):
        about, key = one.approval, f"{one.key.name}+{one.key.id.hex()}"
        taken = f"; {plural(len(about.excluded), 'license')} taken out" if about.excluded else ""
        limits = f"; no more than {'; '.join(about.limits)}" if about.limits else ""
        comment = f': "{one.comment}"' if one.comment else ""
        words = f"{'approved' if about.answer == 'approve' else 'rejected'}{taken}{limits}{comment}"
        yield AuditEntry((moment(about.at), key), words, (run.at_note(f"{APPROVALS_FOLDER}/{one.path.name}"),))


def _acts_of_restore(evidence: Evidence, restore: VerifiedRestore) -> Iterator[AuditEntry]:
    if restore.log is None:
        return
    header = restore.log.header
    words = f"of run {header.of_run}; {_hand(header.person)}; {header.tool}"
    place = f"{evidence.named(restore.log.path)}:{header.n}"
    yield AuditEntry((moment(header.clocks.ours), "restored"), words, (place,))
    for line in restore.journal.events if restore.journal is not None else ():
        if isinstance(line, Resume):
            place = f"{evidence.named(restore.folder / JOURNAL_FILE)}:{line.n}"
            yield AuditEntry((moment(line.at), "went on restoring"), _hand(line.person), (place,))


def _hand(made: SaltedCircumstances | UnsetType) -> str:
    return ERASED if made is UNSET else hand(made)


def _accounts(run: RunEvidence) -> Iterator[str]:
    events = run.journal.events if run.journal is not None else ()
    for line in (run.header, *events):
        made = getattr(line, "person", UNSET)
        if isinstance(made, SaltedCircumstances) and made.account:
            yield f"{made.account} on {made.host}"


def _overrides(evidence: Evidence) -> Iterator[AuditEntry]:
    for n, line in evidence.register_lines(Override):
        about = f" (run {line.run})" if line.run is not None else ""
        words = f"{line.before} → {line.used}; by {_hand(line.person)}"
        yield AuditEntry((moment(line.at), f"{line.option}{about}"), words, (evidence.at_register(n),))


def _demands(evidence: Evidence) -> Iterator[AuditEntry]:
    for n, line in evidence.register_lines(Demands) if evidence.whole else ():
        words = ", ".join(f"{name}: {value or 'none'}" for name, value in line.settings.items())
        who = ERASED if line.person is UNSET else line.person.account
        yield AuditEntry((moment(line.at), who), words, (evidence.at_register(n),))


def _clocks(evidence: Evidence) -> Iterator[AuditStatement]:
    """The moments: what was decided for, our clock, that of QRS."""
    together: list[str] = []
    for run in evidence.readable:
        header, name = run.header, f"Run {run.header.run_id}"
        if header.mode == WHAT_IF and run.made is not None:
            text = f"{name} is a what-if: made {moment(run.made)} for {moment(header.now)}, never applied."
            yield AuditStatement(text, (run.at_plan(1),))
        for what, clocks, place in _clocked(run):
            if clocks.apart is None:
                together.append(place)
                continue
            minutes = plural(round(abs(clocks.apart).total_seconds() / 60), "minute")
            yield AuditStatement(f"{name}, {what}: our clock and that of Qlik Sense were {minutes} apart.", (place,))
    if together:
        text = "Our clock and that of Qlik Sense were at most 5 minutes apart."
        yield AuditStatement(text, run_sources(together))


def _clocked(run: RunEvidence) -> Iterator[tuple[str, Clocks, str]]:
    if run.header.clocks.qrs is not None:
        yield "planned", run.header.clocks, run.at_plan(1)
    for line in run.journal.events if run.journal is not None else ():
        if isinstance(line, ApplyHeader | Resume) and line.clocks.qrs is not None:
            yield "applied" if isinstance(line, ApplyHeader) else "gone on with", line.clocks, run.at_journal(line.n)


# One person ----------------------------------------------------------------------------------------------


def one_person(evidence: Evidence) -> AuditAnswer:
    """What does the record have on one person?"""
    runs = evidence.readable
    people = {decision.user for run in runs for decision in run.by_line.values() if decision.user_id is not None}
    lines = sum(len(run.by_line) for run in runs)
    hidden = any(run.header.pseudonyms for run in runs)
    whom = "pseudonyms, which hold for one period each," if any(run.header.period for run in runs) else "people"
    ask = f"seatwarden log show {evidence.place}"
    names = AuditStatement(
        "With pseudonyms: only who holds the key and a snapshot can ask by name."
        if hidden
        else "By DIRECTORY\\id, by id, or by a part of the name; with the facts of each day as JSON."
    )
    commands = [f'{ask} --user "DIRECTORY\\id"', f'{ask} --user "DIRECTORY\\id" --format json']
    if hidden:
        commands = [f'{ask} --user "DIRECTORY\\id" --reveal KEYFILE SNAPSHOT']
    return AuditAnswer(
        8,
        "What does the record have on one person?",
        f"{plural(lines, 'decision')} on {len(people):,} {whom} in {plural(len(runs), 'run')}; ask for one by name.",
        (names,),
        (),
        ("Anything about somebody who held no license: plans speak of licenses only.",),
        tuple(commands),
    )
