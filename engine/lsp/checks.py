"""What takes time about a policy: errors, lint, quick fixes, how many licenses it would release. Done in a process of
its own, so that it can be ended by the next key, and answers do not wait for it."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from seatwarden.engine.analysis.known_names import known_names, names_in_use
from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.facts.day import Day, day_for
from seatwarden.engine.lsp.site_names import MOST_NAMES, SiteNames
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.fixes.fixes import Fixer
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import CheckedPolicy, load_text


class CheckJob(Struct, frozen=True):
    """A text to check: the file that it is the content of, the moment, and the snapshot's file, if there is one."""

    path: str
    text: str
    now: datetime
    snapshot: str | None = None


class Found(Struct, frozen=True):
    """A finding: span as line, column, end line and end column from 1, and the places that it speaks of, too."""

    code: str
    severity: str
    message: str
    span: tuple[int, int, int, int]
    related: tuple[tuple[tuple[int, int, int, int], str], ...] = ()


class Fix(Struct, frozen=True):
    """A quick fix of the finding with that number. `keeps`: it is proved that the policy means the same."""

    finding: int
    title: str
    edits: tuple[tuple[tuple[int, int, int, int], str], ...]
    keeps: bool


class Stage(Struct, frozen=True):
    """What is known so far: findings, then quick fixes, then what would be released; `problem` about the snapshot."""

    findings: tuple[Found, ...] = ()
    fixes: tuple[Fix, ...] = ()
    releases: tuple[int, int] | None = None
    site: SiteNames | None = None
    problem: str | None = None
    done: bool = False


def check(job: CheckJob) -> Iterator[Stage]:
    """The stages of a job, each with all of the one before; the last is `done`."""
    path = Path(job.path)
    site, problem = _site(job)
    stage = Stage(problem=problem)
    if site is not None:
        stage = Stage(site=_site_names(site))
    policy, findings, day = _read(job, path)
    stage = replace(stage, findings=_found(findings))
    yield stage
    known = known_names(policy, site, day) if policy and site and day else None
    if policy is not None and day is not None:
        findings = lint(policy, day.today, known).findings
        stage = replace(stage, findings=_found(findings))
        yield stage
        if site is not None:
            taken = [decision.takes for decision in decide_all(policy, site, day)]
            stage = replace(stage, releases=(taken.count(True), len(taken)))
            yield stage
    fixer = Fixer(str(path), day.today if day else job.now.date(), known)
    numbers = {finding: number for number, finding in enumerate(findings)}
    fixes: list[Fix] = []
    for fix in fixer.offers_in(job.text, policy, findings):
        edits = tuple((_numbers(edit.span), edit.text) for edit in fix.edits)
        fixes.append(Fix(numbers[fix.finding], fix.title, edits, fix.left_to_you is None))
        if len(fixes) % _TOLD_AT_ONCE == 1:  # trying all of a large policy takes a while
            yield replace(stage, fixes=tuple(fixes))
    yield replace(stage, fixes=tuple(fixes), done=True)


_TOLD_AT_ONCE = 10


def _read(job: CheckJob, path: Path) -> tuple[CheckedPolicy | None, tuple[Diagnostic, ...], Day | None]:
    try:
        policy = load_text(job.text, path)
    except PolicyError as error:
        return None, error.diagnostics, None
    return policy, (), day_for(policy, job.now, None)


def _site(job: CheckJob) -> tuple[Snapshot | None, str | None]:
    """The snapshot, and what is wrong with it."""
    if job.snapshot is None:
        return None, None
    try:
        return _loaded(job.snapshot, Path(job.snapshot).stat().st_mtime_ns), None
    except OSError as error:
        return None, f"snapshot `{job.snapshot}` cannot be read: {error.strerror}"
    except InputError as error:
        return None, error.message


@lru_cache(maxsize=1)
def _loaded(path: str, _: int) -> Snapshot:
    return load_snapshot(Path(path))


def _site_names(site: Snapshot) -> SiteNames:
    texts, keys = ({name: sorted(found)[:MOST_NAMES] for name, found in names.items()} for names in names_in_use(site))
    return SiteNames(texts, keys)


def _found(findings: tuple[Diagnostic, ...]) -> tuple[Found, ...]:
    return tuple(
        Found(
            one.code,
            one.severity,
            "\n".join(filter(None, (f"{one.message}: {one.label}" if one.label else one.message, one.help))),
            _numbers(one.span),
            tuple((_numbers(span), label) for span, label in one.related),
        )
        for one in findings
    )


def _numbers(span: Span) -> tuple[int, int, int, int]:
    return span.line, span.column, span.end_line, span.end_column
