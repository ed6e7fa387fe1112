"""Answering about a plan: whether somebody may approve it, and the note that says so.

What is approved is `plan.jsonl`, read once: whoever answers is shown what it says and nothing that stands beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.apply.approval import signers_of_plan
from seatwarden.engine.common.signed_note import NotSigned, PublicKey
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.common.text import join_words
from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.log.approval import (
    MAX_COMMENT,
    Approval,
    ApprovalAnswer,
    ApprovalComment,
    GivenApproval,
    answers_on,
    approvals_in,
    write_approval,
)
from seatwarden.engine.log.lines import RegisterHead
from seatwarden.engine.log.reader import RecordedPlan, read_plan
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.plan.limits import describe_limits
from seatwarden.engine.plan.modes import LIVE
from seatwarden.engine.plan.terms import Terms
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import in_file, parse_limit
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class Approvable:
    """A plan that waits for approvals: what it says, what it is held to, by whom it is signed, the answers so far."""

    plan: RecordedPlan
    folder: Path
    terms: Terms
    register: RegisterHead
    signed_by: tuple[PublicKey, ...]
    answers: tuple[GivenApproval, ...]

    @property
    def releases(self) -> list[tuple[int, Decision]]:
        """The licenses that it releases, each with its line, in the order of the plan."""
        found = zip(self.plan.lines, self.plan.decisions, strict=True)
        return [(n, decision) for n, decision in found if decision.takes]

    @property
    def approved_by(self) -> list[str]:
        """The names of those who have approved it so far."""
        return [one.key.name for one in self.answers if one.approval.answer == "approve"]

    def refuse_key(self, key: PublicKey) -> None:
        """Raises PlanRefused for a key whose answer would not count."""
        if key not in self.terms.approvers:
            names = join_words([one.name for one in self.terms.approvers])
            raise PlanRefused(f"the key `{key.name}` may not approve this plan; these may: {names}")
        if key.key in {one.key for one in self.signed_by}:
            raise PlanRefused(f"the key `{key.name}` has signed this plan: who made it does not approve it")


def approvable(folder: Path, now: datetime) -> Approvable:
    """The plan in a run folder, where it waits for approvals. Raises PlanRefused, DamagedLog, InputError."""
    plan = read_plan(folder)
    header = plan.header
    if header.mode != LIVE or header.register is None:
        raise PlanRefused(f"the plan is a {header.mode}, which is never applied: there is nothing to approve")
    if header.terms is UNSET or not header.terms.approvals:
        help_ = "`approvals` in the site file demands some: see docs/approval.md"
        raise PlanRefused("the plan needs no approval: the site file that it was made with demands none", help_)
    if (folder / JOURNAL_FILE).exists():
        raise PlanRefused("the plan was applied already")
    expires = parse_timestamp(header.terms.expires)
    if expires is None or now > expires:
        raise PlanRefused(f"the plan could be applied until {header.terms.expires}; a new one is needed")
    try:
        signed_by = tuple(signers_of_plan(plan, folder, header.terms))
        found = [one for one in approvals_in(folder, header.terms.approvers) if isinstance(one, GivenApproval)]
    except NotSigned as fault:
        raise PlanRefused(f"a signature beside the plan cannot be relied on: it {fault}") from None
    answers = answers_on(found, header.register.id, header.run_id, plan.log.root)
    return Approvable(plan, folder, header.terms, header.register, signed_by, tuple(answers))


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """What somebody answers: lines of the plan that are taken out, limits beside the plan's, a comment, and the instant
    until which it counts (None: as long as the plan)."""

    answer: ApprovalAnswer
    excluded: Sequence[int] = ()
    limits: Sequence[str] = ()
    comment: str = ""
    expires: datetime | None = None


def limits_asked(written: Sequence[str], named: str = "--limit") -> list[str]:
    """Limits as the language writes them; `named` is where somebody wrote them. Raises InputError."""
    try:
        return describe_limits(tuple(parse_limit(text, in_file(named)) for text in written))
    except PolicySyntaxError as error:
        problem = error.problems[0]
        raise InputError(
            f"{named}: {problem.message}: {problem.label}", 'write "20", "5%" or "5% of analyzer"'
        ) from None


def answer(it: Approvable, given: AnswerGiven, key: SigningKey, now: datetime, draw: Callable[[int], bytes]) -> Path:
    """Writes an answer beside the plan, signed. Raises PlanRefused, InputError."""
    it.refuse_key(key.public)
    if unknown := set(given.excluded) - {n for n, _ in it.releases}:
        raise InputError(f"the plan releases no license in line {min(unknown)}")
    if len(given.comment) > MAX_COMMENT:
        raise InputError(f"the comment has {len(given.comment):,} letters", f"{MAX_COMMENT:,} are the most")
    latest = parse_timestamp(it.terms.expires)
    expires = min(given.expires, latest) if given.expires and latest else None
    comment = ApprovalComment(draw(16), given.comment) if given.comment.strip() else None
    approval = Approval(
        register=it.register.id,
        run_id=it.plan.header.run_id,
        root=it.plan.log.root,
        answer=given.answer,
        excluded=tuple(sorted(set(given.excluded))),
        limits=tuple(given.limits),
        expires=format_instant(expires) if expires else it.terms.expires,
        at=format_instant(now),
        comment=comment.digest if comment else None,
    )
    try:
        return write_approval(it.folder, approval, comment, key)
    except FileExistsError as error:
        raise InputError(f"`{error.filename}` is there already", "wait a second, then answer again") from None
    except OSError as error:
        raise InputError(f"the answer cannot be written to `{it.folder}`: {error.strerror}") from None
