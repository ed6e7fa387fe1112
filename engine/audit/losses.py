"""Who lost a license, and what was skipped, failed or refused: what the journals and the register say."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from msgspec import UNSET

from seatwarden.engine.audit.answers import AuditAnswer, AuditEntry, AuditStatement, Listing
from seatwarden.engine.audit.evidence import Evidence, RunEvidence, number_of
from seatwarden.engine.audit.told import told_before
from seatwarden.engine.audit.words import ERASED, by_type, hand, licenses, moment
from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.log.journal_lines import Intent, OutcomeLine
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.register import Attempt, Begun, ClosedRun
from seatwarden.engine.log.restored import given_back
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.grammar.ast import LicenseType

_HEADS = ("When", "License", "Who", "Why")


def who_lost(evidence: Evidence) -> AuditAnswer:
    """Who lost a license on a date?"""
    found = [(run, line) for run, line in _outcomes(evidence) if line.result in TAKEN]
    opened = list(_open(evidence))
    people = {run.by_line[line.line].user for run, line in found if line.line in run.by_line}
    took = by_type(line.license_type for _, line in found)
    erased = sum(line.line not in run.by_line for run, line in found)
    who = plural(len(people), "person") if len(people) == 1 else f"{len(people):,} people"
    more = f", and {plural(erased, 'license')} of people who were erased since" if erased else ""
    short = f"{who} lost {took}{more}." if found else "Nobody."
    back = list(_given_back(evidence))
    if back:
        short += f" {plural(len(back), 'license')} {'was' if len(back) == 1 else 'were'} given back since."
    if opened:
        short += f" Of {plural(len(opened), 'license')} it is not known."
    lost = _without_journal(evidence)
    listings = [Listing("Licenses released", _HEADS, tuple(_loss(run, line) for run, line in found))]
    gone = [run.by_line[line.line] for run, line in found if line.line in run.by_line]
    told = tuple(told_before(evidence, ((one.license_type, one.user) for one in gone)))
    listings.append(Listing("Told before", ("When", "License", "Who", "What"), told))
    listings.append(Listing("Given back since", ("When", "License", "Who", "By which run"), tuple(back)))
    outside = list(_removed_outside(evidence))
    listings.append(Listing("Removed outside the record", ("Before", "License", "Who", "Since"), tuple(outside)))
    if outside:
        short += f" {licenses(len(outside)).capitalize()} went without an outcome of ours."
    short = _unless_lost(evidence, short, lost)
    cannot = ["A license that somebody took back by hand, or Qlik Sense by itself, between the last plan and now."]
    if len([run for run in evidence.readable if run.header.mode != WHAT_IF]) < 2:
        cannot[0] = "Licenses that somebody took back by hand: only two runs side by side show that one is gone."
    return AuditAnswer(
        1,
        "Who lost a license, and when?",
        short,
        (*_counts(evidence), *_registered(lost)),
        tuple(listing for listing in listings if listing.entries),
        tuple(cannot),
        (f"seatwarden log show {evidence.place} --outcome released",) if found else (),
    )


def _unless_lost(evidence: Evidence, short: str, lost: list[tuple[str, ClosedRun]]) -> str:
    """The answer, but where nothing can be read, or a journal is gone: then nobody may say *nobody*."""
    if not evidence.readable:
        return evidence.why_unread
    if not lost and not any(run.journal_lost for run in evidence.readable):
        return short
    count = sum(sum(line.released.values()) for _, line in lost)
    more = f"; the register counts {licenses(count)}" if count else ""
    return f"{short.removeprefix('Nobody.')} What some runs did is lost{more}.".strip()


def _outcomes(evidence: Evidence) -> Iterator[tuple[RunEvidence, OutcomeLine]]:
    for run in evidence.readable:
        for line in run.outcomes:
            day = run.day_of(line.at)
            if day is None or evidence.span.has(day):
                yield run, line


def _loss(run: RunEvidence, line: OutcomeLine) -> AuditEntry:
    decision = run.by_line.get(line.line)
    sources = (run.at_journal(line.n), run.at_plan(line.line))
    if decision is None:
        return AuditEntry((moment(line.at), line.license_type, ERASED), "what was about the person is erased", sources)
    place = f" ({decision.rule.place.rpartition(':')[0]})" if decision.rule else ""
    detail = f"; {line.detail}" if line.detail else ""
    return AuditEntry(
        (moment(line.at), line.license_type, decision.label), f"{decision.reason}{place}{detail}", sources
    )


def _given_back(evidence: Evidence) -> Iterator[AuditEntry]:
    """The releases that a restore has undone."""
    for run in evidence.readable:
        for n, found in sorted(given_back(run.log).items()):
            decision = run.by_line.get(n)
            who = decision.label if decision is not None else ERASED
            license_type = decision.license_type if decision is not None else ""
            if found.result == "restored":
                words = f"run {found.run_id}; it had been released on {moment(found.released)}"
                yield AuditEntry((moment(found.at), license_type, who), words, (run.at_plan(n),))


def _counts(evidence: Evidence) -> Iterator[AuditStatement]:
    """What each run did, and whether the register counts the same."""
    closed: dict[int, tuple[int, ClosedRun]] = {}
    for n, line in evidence.register_lines(ClosedRun):
        closed[line.run] = n, line
    for run in evidence.readable:
        name = f"Run {run.header.run_id}"
        if run.journal_lost:
            yield AuditStatement(
                f"{name}: its journal is missing or damaged; what it did is not known.", (run.at_plan(1),)
            )
            continue
        if run.journal is None:
            what = {"live": "is a plan, and was not applied", "dry run": "was a dry run", "what-if": "is a what-if"}
            yield AuditStatement(f"{name} {what[run.header.mode]}: nothing was released.", (run.at_plan(1),))
            continue
        released = [line.license_type for line in run.outcomes if line.result in TAKEN]
        sources = [run.at_journal(1), run.at_journal(run.journal.lines)]
        counted = ""
        if (number := number_of(run)) in closed and number is not None:
            n, line = closed[number]
            sources.append(evidence.at_register(n))
            same = Counter(released) == Counter(line.released)
            counted = "; the register counts the same" if same else f"; the register says {sum(line.released.values())}"
        ended = "" if run.journal.sealed else ", and has not ended"
        yield AuditStatement(f"{name} released {by_type(released)}{ended}{counted}.", tuple(sources))


def _registered(lost: list[tuple[str, ClosedRun]]) -> Iterator[AuditStatement]:
    for place, line in lost:
        took = by_type(one for one, count in line.released.items() for _ in range(count))
        text = f"Run {line.run} released {took} by the register's count; whose they were is in a journal that is lost."
        yield AuditStatement(text, (place,))


def _without_journal(evidence: Evidence) -> list[tuple[str, ClosedRun]]:
    """The register's lines on runs that released something, and of which there is no journal to read."""
    known = {number_of(run) for run in evidence.readable if run.journal is not None}
    last = {line.run: (evidence.at_register(n), line) for n, line in evidence.register_lines(ClosedRun)}
    return [found for number, found in last.items() if number not in known and any(found[1].released.values())]


def _removed_outside(evidence: Evidence) -> Iterator[AuditEntry]:
    """Licenses that one run had and the next has not, although no run of ours released them.

    A plan may be applied after the next was made, so the journals of all runs count.
    """
    runs = [run for run in evidence.readable if run.header.mode != WHAT_IF]
    ours = {key for run in runs for key in _taken(run)}
    for before, after in pairwise(runs):
        if not _is_comparable(before.header, after.header):
            continue
        there = {decision.key for decision in after.by_line.values()}
        # What was erased from the later one may be any of them.
        for n, decision in before.by_line.items() if not after.log.erased else ():
            if decision.key not in there and decision.key not in ours:
                cells = (moment(before.made), decision.license_type, decision.label)
                words = f"not in the plan of {moment(after.made)} any more, and no line that can be read releases it"
                yield AuditEntry(cells, words, (before.at_plan(n), after.at_plan(1)))


def _taken(run: RunEvidence) -> Iterator[tuple[LicenseType, str]]:
    """The licenses that a run took, found gone, or may have taken: a DELETE was about to be sent."""
    lines = [line.line for line in run.outcomes if line.result in (*TAKEN, "gone")]
    lines += run.journal.open_intents if run.journal is not None else ()
    return (run.by_line[line].key for line in lines if line in run.by_line)


def _is_comparable(one: PlanHeader, other: PlanHeader) -> bool:
    """Whether two runs have the same ids for the same licenses: pseudonyms of two periods have nothing in common."""
    return (one.site, one.pseudonyms, one.period) == (other.site, other.pseudonyms, other.period)


# What did not come about ---------------------------------------------------------------------------------


def what_failed(evidence: Evidence) -> AuditAnswer:
    """What was skipped, failed or refused?"""
    found = [(run, line) for run, line in _outcomes(evidence) if line.result not in TAKEN]
    opened, attempts = list(_open(evidence)), list(_attempts(evidence))
    counts = Counter(line.result for _, line in found)
    parts = [f"{count:,} {result}" for result, count in sorted(counts.items())]
    parts += [f"{len(opened):,} begun without a known end"] if opened else []
    parts += [plural(len(attempts), "attempt") + " refused or failed"] if attempts else []
    waits = list(_waiting(evidence))
    cannot = [] if evidence.record.register is not None else [_NO_REGISTER]
    if evidence.record.register_path is not None and not evidence.whole:
        place = evidence.record.register_path.parent
        cannot.append(f"Attempts that came to no run here: ask the whole register, `seatwarden log audit {place}`.")
    cannot += [_LOST] if any(run.journal_lost for run in evidence.readable) else []
    listings = (
        Listing("Outcomes", _HEADS, tuple(_outcome(run, line) for run, line in found)),
        Listing("Begun, without a known end", _HEADS, tuple(opened)),
        Listing("Refused and failed attempts", ("When", "What", "Why, and who"), tuple(attempts)),
    )
    return AuditAnswer(
        10,
        "What was skipped, failed or refused?",
        f"{join_words(parts)}.".capitalize() if parts else "Nothing that this record has.",
        (*waits, *_unclosed(evidence)),
        tuple(listing for listing in listings if listing.entries),
        tuple(cannot),
    )


_NO_REGISTER = "Refused and failed attempts: they stand in the register of runs, and there is none here."


_LOST = "What a run did whose journal is missing or damaged."


def _outcome(run: RunEvidence, line: OutcomeLine) -> AuditEntry:
    decision = run.by_line.get(line.line)
    who = decision.label if decision is not None else ERASED
    cells = (moment(line.at), line.license_type, who)
    answer = ""
    if line.person is not UNSET and line.person.status is not None:
        answer = f" (Qlik Sense answered {line.person.status})"
    return AuditEntry(cells, f"{line.result}: {line.detail or 'no words'}{answer}", (run.at_journal(line.n),))


def _open(evidence: Evidence) -> Iterator[AuditEntry]:
    for run in evidence.readable:
        wanted = set(run.journal.open_intents) if run.journal is not None else set()
        for line in run.journal.events if run.journal is not None else ():
            if not isinstance(line, Intent) or line.line not in wanted:
                continue
            day = run.day_of(line.at)
            if day is None or evidence.span.has(day):
                decision = run.by_line.get(line.line)
                who = decision.label if decision is not None else ERASED
                words = "a DELETE was about to be sent; apply the plan again, and Qlik Sense is asked"
                cells = (moment(line.at), line.license_type, who)
                yield AuditEntry(cells, words, (run.at_journal(line.n), run.at_plan(line.line)))


def _attempts(evidence: Evidence) -> Iterator[AuditEntry]:
    for n, line in evidence.register_lines(Attempt):
        about = f"run {line.run}" if line.run is not None else "of no run here"
        erased = line.person is UNSET
        who = ERASED if erased else hand(line.person)
        why = ERASED if erased else line.person.reason or "no reason is noted"
        words = f"{why}; by {who}"
        yield AuditEntry((moment(line.at), f"{line.result}, {about}"), words, (evidence.at_register(n),))


def _waiting(evidence: Evidence) -> Iterator[AuditStatement]:
    """What was due and not released by its own run."""
    for run in evidence.readable:
        summary, name = run.log.summary, f"run {run.header.run_id}"
        last = run.at_plan(run.last_line)
        if summary.over_limit:
            why = "; ".join(summary.over_limit)
            yield AuditStatement(f"In {name} {licenses(summary.release)} were due, and none released: {why}.", (last,))
        elif summary.release > summary.this_run:
            waiting = summary.release - summary.this_run
            yield AuditStatement(
                f"In {name} {licenses(waiting)} more were due and left to later runs by a limit.", (last,)
            )


def _unclosed(evidence: Evidence) -> Iterator[AuditStatement]:
    begun: dict[int, int] = {}
    for n, line in evidence.register_lines(Begun, ClosedRun):
        if isinstance(line, Begun):
            begun[line.run] = n
        else:
            begun.pop(line.run, None)
    for number, n in begun.items():
        where = (evidence.at_register(n),)
        yield AuditStatement(f"Run {number} was begun and never closed: it is under way, or was interrupted.", where)
