"""Was anybody protected, and which text was in force: what the plans say of rules."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from seatwarden.engine.audit.answers import AuditAnswer, AuditEntry, AuditStatement, Listing
from seatwarden.engine.audit.evidence import Evidence, RunEvidence
from seatwarden.engine.audit.words import licenses, moment, rule_words, run_sources
from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.decide.decision import STANDING, Decision
from seatwarden.grammar.ast import Rule


@dataclass(slots=True)
class _Kept:
    """A license that was due and kept for one reason, in one run or several."""

    decision: Decision
    runs: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


def who_was_protected(evidence: Evidence) -> AuditAnswer:
    """Was anybody protected, who was due by a release rule?"""
    kept: dict[tuple[object, ...], _Kept] = {}
    count = 0
    for run in evidence.readable:
        for n, decision in run.by_line.items():
            if decision.verdict == "keep" and _due_by(decision) is not None:
                count += 1
                one = kept.setdefault((*decision.key, _kept_by(decision)), _Kept(decision))
                one.runs.append(moment(run.header.now))
                one.places.append(run.at_plan(n))
    by_rule = sum(one.decision.because == "keep" for one in kept.values())
    held = sum(one.decision.because == "hold" for one in kept.values())
    guarded = len(kept) - by_rule - held
    parts = [f"{by_rule:,} by a keep rule"] if by_rule else []
    parts += [f"{held:,} by a hold"] if held else []
    parts += [f"{guarded:,} by a guard"] if guarded else []
    short = f"{licenses(len(kept)).capitalize()} that a release rule matched {'was' if len(kept) == 1 else 'were'} kept"
    entries = tuple(_entry(one) for one in sorted(kept.values(), key=_order))
    listing = Listing("Due, and kept", ("License", "Who", "Kept by, and due by"), entries)
    nobody = "Nobody: no license that a release rule matched was kept." if evidence.readable else evidence.why_unread
    names = sorted({_kept_by(one.decision) for one in kept.values()} - set(STANDING))
    return AuditAnswer(
        2,
        "Was anybody protected who was due?",
        f"{short}: {join_words(parts)}." if kept else nobody,
        (*_against_keep(evidence), *_findings(evidence)),
        (listing,) if entries else (),
        ("Whether somebody should have been protected whom no rule names: the record has the policy's word only.",),
        tuple(f"seatwarden log show {evidence.place} --rule {_quoted(name)}" for name in names[:3] if name),
    )


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name or '"' in name else name


def _kept_by(decision: Decision) -> str:
    """The guard or rule that kept the license, or the register that did."""
    return decision.because if decision.because in STANDING else decision.decided_by or ""


def _due_by(decision: Decision) -> Rule | None:
    return next((rule for rule in decision.matched if rule.takes), None)


def _order(one: _Kept) -> tuple[object, ...]:
    decision = one.decision
    return _kept_by(decision), decision.license_type, decision.user.casefold()


def _entry(one: _Kept) -> AuditEntry:
    decision = one.decision
    due = _due_by(decision)
    by = decision.rule if decision.because not in STANDING else None
    assert due is not None  # noqa: S101 - for the type checker: only such are listed
    days = f", {one.runs[0]} to {one.runs[-1]}" if one.runs[0] != one.runs[-1] else ""
    runs = f" In {len(one.runs):,} runs{days}." if len(one.runs) > 1 else ""
    place = f" ({by.place.rpartition(':')[0]})" if by is not None else ""
    words = f"{decision.reason}{place}; due by {rule_words(due)}.{runs}"
    return AuditEntry((decision.license_type, decision.label), words, run_sources(one.places))


def _against_keep(evidence: Evidence) -> Iterator[AuditStatement]:
    """That no release stands against a keep rule, as it must be."""
    sound = []
    for run in evidence.readable:
        wrong = [
            run.at_plan(n)
            for n, decision in run.by_line.items()
            if decision.takes and any(rule.kind == "keep" for rule in decision.matched)
        ]
        if wrong:
            what = f"{licenses(len(wrong))} were due although a keep rule matched"
            yield AuditStatement(f"In run {run.header.run_id} {what}.", run_sources(wrong))
        else:
            sound.append(run.at_plan(1))
    if sound:
        yield AuditStatement("Nobody whom a keep rule matched was due: keep is stronger.", run_sources(sound))


def _findings(evidence: Evidence) -> Iterator[AuditStatement]:
    """What was found when the plans were made: names that fail to protect, and the like."""
    said: dict[str, list[str]] = {}
    for run in evidence.readable:
        for finding in run.log.findings:
            said.setdefault(finding.line, []).append(f"{run.name}plan.jsonl: finding {finding.code}")
    for line, places in said.items():
        yield AuditStatement(f"Found when it was planned: {line}.", run_sources(places))


# The text ------------------------------------------------------------------------------------------------


def which_text(evidence: Evidence) -> AuditAnswer:
    """Which text was in force?"""
    by_text: dict[tuple[str, str], list[RunEvidence]] = {}
    for run in evidence.readable:
        used = run.header.policy
        by_text.setdefault((used.sha256, used.canonical_sha256), []).append(run)
    texts = list(by_text.values())
    if not texts:
        return AuditAnswer(3, _TEXT, evidence.why_unread)
    first = texts[0][0].header.policy
    short = f"{first.file}, sha256 {first.sha256}." if len(texts) == 1 else f"{len(texts)} texts, one after the other."
    files = tuple(entry for runs in texts for entry in _files(runs))
    rules = tuple(entry for runs in texts for entry in _rules(runs[-1]))
    listings = (
        Listing("Files, as they were", ("File", "sha256, and the runs"), files),
        Listing("Rules", ("Line", "Rule"), rules),
    )
    cannot = ["Who wrote the text, and who agreed to it: version control may know, these files do not."]
    if any(run.header.policy.concealed for run in evidence.readable):
        cannot.append("What stood in place of the secrets that are masked in the copy of the policy's file.")
    kept = texts[-1][-1]
    command = f"sha256sum {kept.folder.as_posix()}/policy/{first.file}"
    return AuditAnswer(
        3, _TEXT, short, tuple(_circumstances(texts)), listings, tuple(cannot), () if kept.log.former else (command,)
    )


_TEXT = "Which text was in force?"


def _files(runs: list[RunEvidence]) -> Iterator[AuditEntry]:
    used, span = runs[-1].header.policy, _span(runs)
    sources = run_sources([run.at_plan(1) for run in runs])
    for name, digest in used.sources.items():
        masked = ", secrets masked" if used.concealed and name == used.file else ""
        yield AuditEntry((f"policy/{name}",), f"{digest}{masked}; {span}", sources)
    yield AuditEntry(("policy.policy",), f"{used.canonical_sha256}, the canonical text; {span}", sources)


def _rules(run: RunEvidence) -> Iterator[AuditEntry]:
    for rule in run.log.policy.rules:
        yield AuditEntry((rule.at.rpartition(":")[0],), rule.text, (run.at_plan(2),))


def _span(runs: list[RunEvidence]) -> str:
    if len(runs) == 1:
        return f"run {runs[0].header.run_id}"
    first, last = moment(runs[0].header.now), moment(runs[-1].header.now)
    return f"{plural(len(runs), 'run')}, {first}{f' to {last}' if last != first else ''}"


def _circumstances(texts: Iterable[list[RunEvidence]]) -> Iterator[AuditStatement]:
    for runs in texts:
        header = runs[-1].header
        sources = run_sources([run.at_plan(1) for run in runs])
        yield AuditStatement(f"Days were counted in {header.timezone}; limits: {'; '.join(header.limits)}.", sources)
