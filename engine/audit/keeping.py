"""What is stored, and how long: files and their sizes, pseudonyms, what was erased and pruned."""

from collections.abc import Iterator
from pathlib import Path

from seatwarden.engine.audit.answers import AuditAnswer, AuditEntry, AuditStatement, Listing
from seatwarden.engine.audit.evidence import Evidence, RunEvidence
from seatwarden.engine.audit.words import moment, run_sources
from seatwarden.engine.common.text import plural
from seatwarden.engine.log.register import Demands, ErasedLines, PrunedRuns
from seatwarden.engine.log.run_folder import (
    CANONICAL_FILE,
    JOURNAL_FILE,
    PLAN_FILE,
    POLICY_FOLDER,
    REPORT_FILE,
    SNAPSHOT_FILE,
    SUMMARY_FILE,
)

_WHAT = {
    PLAN_FILE: "each license, with whose it is, the verdict, and the facts that rules read",
    JOURNAL_FILE: "each license that was released or tried, and whose it was",
    SNAPSHOT_FILE: "all users and licenses of the site, as Qlik Sense had them",
    SUMMARY_FILE: "the plan as text, with names; made of the plan",
    REPORT_FILE: "the run as a page, with names; made of plan and journal",
    CANONICAL_FILE: "the policy in one layout; names whom the policy names",
    POLICY_FOLDER: "the policy's files as they were; name whom the policy names",
}
RETENTION = "retention"
"""The setting by which runs are deleted, as the register notes it."""


def what_is_stored(evidence: Evidence) -> AuditAnswer:
    """What is stored, and how long?"""
    sizes = _sizes(evidence)
    total = sum(sum(found) for found in sizes.values())
    runs = len(evidence.runs)
    entries = tuple(
        AuditEntry((name, plural(len(found), "file"), _size(sum(found))), _WHAT.get(name, "no file of a run"), ())
        for name, found in sizes.items()
    )
    listing = Listing("Files", ("File", "How many", "Size", "What is in it"), entries)
    keeps = _retention(evidence)
    first = evidence.readable[0] if evidence.readable else None
    since = f" The oldest is of {moment(first.header.now)}." if first is not None and runs > 1 else ""
    cannot = ["Copies elsewhere: backups, mails, InfluxDB, logs of the service. What was erased here may stand there."]
    if keeps is None:
        cannot.insert(0, "When it will be deleted: no retention is noted, so runs stay until somebody deletes them.")
    return AuditAnswer(
        7,
        "What is stored, and for how long?",
        f"{plural(runs, 'run')}, {_size(total)}.{since}",
        (*([keeps] if keeps is not None else []), *_hidden(evidence), *_erased(evidence)),
        (listing,) if entries else (),
        tuple(cannot),
    )


def _sizes(evidence: Evidence) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for run in evidence.runs:
        for path in sorted(run.folder.rglob("*")):
            if path.is_file():
                found.setdefault(_kind(run, path), []).append(path.stat().st_size)
    return found


def _kind(run: RunEvidence, path: Path) -> str:
    name = path.relative_to(run.folder).as_posix()
    return POLICY_FOLDER if name.startswith(f"{POLICY_FOLDER}/") else name


def _size(count: int) -> str:
    if count < 1_000:
        return plural(count, "byte")
    return f"{count / 1_000:,.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def _retention(evidence: Evidence) -> AuditStatement | None:
    state = evidence.record.register
    kept: AuditStatement | None = None
    for n, line in enumerate(state.lines, 1) if state is not None else ():
        if isinstance(line, Demands) and line.settings.get(RETENTION):
            kept_for = line.settings[RETENTION]
            text = f"By the site file runs are kept {kept_for if kept_for.startswith('for ') else f'for {kept_for}'}."
            kept = AuditStatement(text, (evidence.at_register(n),))
    return kept


def _hidden(evidence: Evidence) -> Iterator[AuditStatement]:
    """Whether people are named."""
    by_key: dict[str | None, list[str]] = {}
    for run in evidence.readable:
        by_key.setdefault(run.header.pseudonyms, []).append(run.at_plan(1))
    for key, places in by_key.items():
        runs = plural(len(places), "run")
        names = f"{runs} {'has' if len(places) == 1 else 'have'}"
        text = f"{names} pseudonyms in place of names, under key {key}." if key else f"{names} the names of people."
        yield AuditStatement(text, run_sources(places))


def _erased(evidence: Evidence) -> Iterator[AuditStatement]:
    """What was taken out: by the register, and by the plans themselves."""
    for n, line in evidence.register_lines(ErasedLines) if evidence.whole else ():
        if line.done:
            lines, files = plural(sum(map(len, line.files.values())), "line"), plural(len(line.files), "file")
            text = f"{moment(line.at)}: {lines} of {files} erased ({line.reason})."
            yield AuditStatement(text, (evidence.at_register(n),))
    for n, line in evidence.register_lines(PrunedRuns) if evidence.whole else ():
        if line.done:
            text = f"{moment(line.at)}: {plural(len(line.runs), 'run')} deleted, older than {line.keep}."
            yield AuditStatement(text, (evidence.at_register(n),))
    stubs = [run for run in evidence.readable if run.log.erased]
    for run in stubs:
        count = plural(len(run.log.erased), "license")
        places = [run.at_plan(line.n) for line in run.log.erased]
        yield AuditStatement(
            f"Run {run.header.run_id}: what was about the person is erased of {count}.", run_sources(places)
        )
    if evidence.readable and not stubs:
        places = [run.at_plan(1) for run in evidence.readable]
        yield AuditStatement("No line of these plans was erased.", run_sources(places))
