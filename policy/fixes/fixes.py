"""Quick fixes of a text: each has been tried, and of each it is known whether the policy keeps its meaning."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.fixes.candidates import OTHERWISE, Candidate, candidates
from seatwarden.policy.fixes.edits import Edit, apply_edits
from seatwarden.policy.fixes.same_meaning import means_the_same
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import CheckedPolicy, load_text

MOST_PASSES = 20
"""Most times that a text is looked at anew after fixes; each makes it shorter."""


@dataclass(frozen=True, slots=True)
class QuickFix:
    """Edits that mend a finding. `left_to_you` says why nobody but the writer can decide; None where it is proved
    that the policy means the same, and nothing that was meant is hidden."""

    finding: Diagnostic
    title: str
    edits: tuple[Edit, ...]
    left_to_you: str | None = None


@dataclass(frozen=True, slots=True)
class FixedText:
    """A text after its fixes: those that were applied, the findings that are left, and fixes that are left to you."""

    text: str
    applied: tuple[QuickFix, ...]
    findings: tuple[Diagnostic, ...]
    offered: tuple[QuickFix, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a text says, and all that is found in it."""

    text: str
    policy: CheckedPolicy | None
    findings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Fixer:
    """Finds and applies quick fixes. `today` is for lint, `known` the names of a snapshot, if there is one."""

    file: str
    today: date
    known: KnownNames | None = None

    def fix(self, text: str) -> FixedText:
        """The text with all fixes that keep its meaning, one proved after the other."""
        applied: list[QuickFix] = []
        read = self._read(text)
        for _ in range(MOST_PASSES):
            done, tidy = self._tidied(read)
            if not done:
                break
            applied += done
            read = self._read(tidy)
        offered = tuple(self._offers(read, asking=True))
        return FixedText(read.text, tuple(applied), read.findings, offered)

    def _tidied(self, read: _Read) -> tuple[list[QuickFix], str]:
        """The fixes of these findings that go together, and the text with them. Each is held against the text with
        those before it, so that all of them are proved as one."""
        done: list[QuickFix] = []
        text, policy = read.text, read.policy
        for finding in read.findings if policy is not None else ():
            for candidate in candidates(finding, read.text, read.policy):
                if candidate.asks is not None or any(_touch(candidate, other) for other in done):
                    continue
                edits = [edit for one in done for edit in one.edits]
                tried = apply_edits(read.text, [*edits, *candidate.edits])
                after, _ = self._parsed(tried)
                if policy is not None and after is not None and means_the_same(policy, after):
                    done.append(QuickFix(finding, candidate.title, candidate.edits))
                    text, policy = tried, after
                    break
        return done, text

    def _offers(self, read: _Read, *, asking: bool) -> Iterator[QuickFix]:
        """The fixes that mend a finding, finding by finding, the likeliest first; with `asking` those alone that are
        left to the writer."""
        for finding in read.findings:
            for candidate in candidates(finding, read.text, read.policy):
                fix = self._tried(finding, candidate, read)
                if fix is not None and not (asking and fix.left_to_you is None):
                    yield fix

    def offers_in(
        self, text: str, policy: CheckedPolicy | None, findings: tuple[Diagnostic, ...]
    ) -> Iterator[QuickFix]:
        """The fixes of findings that somebody else has found in a text."""
        return self._offers(_Read(text, policy, findings), asking=False)

    def _tried(self, finding: Diagnostic, candidate: Candidate, read: _Read) -> QuickFix | None:
        """The candidate as a fix, if the text can be read with it and the finding is gone."""
        policy, errors = self._parsed(apply_edits(read.text, candidate.edits))
        if finding.severity == "warning" and policy is None:
            return None
        if finding.severity == "error" and not _mends(finding, candidate, read.findings, errors):
            return None
        fix = QuickFix(finding, candidate.title, candidate.edits, candidate.asks)
        if read.policy is None or policy is None:
            return replace(fix, left_to_you="what the policy means has to be said by you")
        if candidate.asks is None and not means_the_same(read.policy, policy):
            return replace(fix, left_to_you=OTHERWISE)
        return fix

    def _parsed(self, text: str) -> tuple[CheckedPolicy | None, tuple[Diagnostic, ...]]:
        """What a text says, or the errors in it."""
        try:
            return load_text(text, Path(self.file)), ()
        except PolicyError as error:
            return None, error.diagnostics

    def _read(self, text: str) -> _Read:
        policy, errors = self._parsed(text)
        return _Read(text, policy, lint(policy, self.today, self.known).findings if policy is not None else errors)


def _mends(
    finding: Diagnostic, candidate: Candidate, before: tuple[Diagnostic, ...], after: tuple[Diagnostic, ...]
) -> bool:
    """Whether an error is gone, and none stands where the edit was made. Behind it others may come to light."""
    kinds = [(found.code, found.message) for found in after]
    one = (finding.code, finding.message)
    if kinds.count(one) >= sum((found.code, found.message) == one for found in before):
        return False
    return not any(_touches(found, edit) for found in after for edit in candidate.edits)


def _touches(found: Diagnostic, edit: Edit) -> bool:
    """Whether a finding is about what an edit has written."""
    start = edit.span.column
    same_line = found.span.line <= edit.span.line <= found.span.end_line
    return same_line and found.span.column < start + len(edit.text) and start < found.span.end_column


def _touch(one: Candidate, other: QuickFix) -> bool:
    return any(edit.touches(another) for edit in one.edits for another in other.edits)
