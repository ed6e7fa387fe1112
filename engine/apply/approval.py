"""Whether a plan may be applied by what the site file demands: signed by a key that counts, and approved by enough.

Approved means exactly that: this plan, by its root, under the policy that is in force now, once, and before a newer one
was approved or applied. An approval can only take away: lines that are excluded, limits beside those of the plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.signed_note import NotSigned, PublicKey
from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.errors import NotApproved, PlanRefused
from seatwarden.engine.log.approval import BadApproval, GivenApproval, answers_on, approvals_in
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.register import Begun, RegisterState
from seatwarden.engine.log.signature import PLAN_NOTE, checkpoint_on, read_note, signers_of
from seatwarden.engine.log.signing_lines import ApprovedRun, SignedFile, key_itself
from seatwarden.engine.plan.terms import Terms
from seatwarden.grammar.ast import AnyLimit
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import in_file, parse_limit


@dataclass(frozen=True, slots=True)
class Granted:
    """By what a plan is applied: the approvals, the lines that they exclude, the limits that hold beside the plan's."""

    is_asked: bool = False
    """Whether the site file demands anything of plans."""
    by: tuple[GivenApproval, ...] = ()
    excluded: frozenset[int] = frozenset()
    limits: tuple[AnyLimit, ...] = ()


NOTHING_ASKED = Granted()
"""For a plan that needs no approval."""


_MOST_NAMED = 5
"""Most files among the approvals that a sentence names."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds when a plan is applied: the terms of the site file, the digest of its policy, the register, the
    time."""

    terms: Terms
    policy: str
    register: RegisterState
    now: datetime


def granted(plan: RecordedPlan, folder: Path, force: InForce) -> Granted:
    """By what a plan may be applied. Raises PlanRefused: NotApproved where only approvals are missing; OSError."""
    header, terms = plan.header, _terms(plan.header, force.terms)
    if terms is None:
        return NOTHING_ASKED
    try:
        signed_by = _signers(plan, folder, terms, force.register)
        if not terms.approvals:
            return Granted(is_asked=True)
        found = list(approvals_in(folder, terms.approvers))
    except NotSigned as fault:
        raise PlanRefused(f"a signature beside the plan cannot be relied on: it {fault}") from None
    number = force.register.number_of(plan.log.root)
    if number is None or header.register is None:
        raise PlanRefused("the register of runs does not know this plan; make one with this site file")
    _refuse_late(terms, force.now)
    if header.policy.canonical_sha256 != force.policy:
        raise PlanRefused(
            "the policy has changed since the plan was made: it was approved under another; make a new one"
        )
    newer = [line for line in force.register.of_kind(ApprovedRun, Begun) if line.run > number]
    if newer:
        raise PlanRefused(f"run {newer[0].run} is newer, and was approved or applied: this one is over")
    given = [one for one in found if isinstance(one, GivenApproval)]
    answers = answers_on(given, header.register.id, header.run_id, plan.log.root)
    counted = [one for one in answers if _counts(one.key, force.register, None)]
    return _decided(counted, found, terms, signed_by, force.now)


def _terms(header: PlanHeader, now: Terms) -> Terms | None:
    """The terms of a plan, which must be those of today; None where nothing is demanded."""
    demanded = bool(now.signed_by or now.approvals)
    if header.terms is UNSET:
        if demanded:
            raise PlanRefused("the plan was made before the site file demanded signatures or approvals; make a new one")
        return None
    if changed := header.terms.differences(now):
        raise PlanRefused(
            f"the site file has changed since the plan was made: {join_words(list(changed))}; make a new plan"
        )
    return header.terms if demanded else None


def _signers(plan: RecordedPlan, folder: Path, terms: Terms, register: RegisterState) -> Sequence[PublicKey]:
    """The keys that have signed the plan and count. Raises PlanRefused, NotSigned."""
    signed = signers_of_plan(plan, folder, terms)
    counted = [key for key in signed if _counts(key, register, plan.log.root)]
    if signed and not counted:
        raise PlanRefused(f"the key `{signed[0].name}`, which has signed the plan, counts no longer; make a new one")
    return counted


def signers_of_plan(plan: RecordedPlan, folder: Path, terms: Terms) -> Sequence[PublicKey]:
    """The keys that have signed a plan, of those of which one must have. Raises PlanRefused, NotSigned, OSError."""
    if not terms.signed_by:
        return ()
    note = read_note(folder / PLAN_NOTE)
    if note is None:
        raise PlanRefused("the plan is not signed, and the site file demands it; make one with --sign KEY")
    signed = signers_of(note, checkpoint_on("plan", plan.header, plan.log.size, plan.log.root), terms.signers)
    if not signed:
        raise PlanRefused("the plan is signed by no key that the site file names; make one with --sign KEY")
    return signed


def _counts(key: PublicKey, register: RegisterState, root: str | None) -> bool:
    """Whether a signature of a key counts: it does when the register has it from before the key was retired."""
    written = str(key)
    state = register.key_state(written)
    if state == "compromised":
        return False
    if state != "retired":
        return True
    line_of_end = register.key_line(written)
    retired = line_of_end.n if line_of_end is not None else 0
    number = register.number_of(root) if root else None
    return any(
        line.n < retired and (line.run, line.file, key_itself(line.key)) == (number, "plan", key_itself(written))
        for line in register.of_kind(SignedFile)
    )


def _refuse_late(terms: Terms, now: datetime) -> None:
    expires = parse_timestamp(terms.expires)
    if expires is None or now > expires:
        raise PlanRefused(f"the plan could be applied until {terms.expires}; make a new one")


def _decided(
    answers: Sequence[GivenApproval],
    found: Sequence[GivenApproval | BadApproval],
    terms: Terms,
    signed_by: Sequence[PublicKey],
    now: datetime,
) -> Granted:
    """What the answers come to. Raises NotApproved where they are too few, PlanRefused where one is no."""
    rejected = [one for one in answers if one.approval.answer == "reject"]
    if rejected:
        raise PlanRefused(f"the plan was {rejected[0].words}; make a new one")
    signers = {key.key for key in signed_by}
    valid = [one for one in answers if one.key.key not in signers and _until(one) >= now]
    if len(valid) < terms.approvals:
        so_far = f", by {join_words([one.key.name for one in valid])}" if valid else ""
        bad = [f"{one.path.name} {one.problem}" for one in found if isinstance(one, BadApproval)][:_MOST_NAMED]
        more = f"; {'; '.join(bad)}" if bad else ""
        have = f"it has {len(valid)}{so_far}"
        raise NotApproved(f"the plan needs {plural(terms.approvals, 'approval')}, and {have}{more}")
    limits = dict.fromkeys(limit for one in valid for limit in one.approval.limits)
    excluded = frozenset(n for one in valid for n in one.approval.excluded)
    return Granted(True, tuple(valid), excluded, tuple(map(_limit, limits)))


def _until(one: GivenApproval) -> datetime:
    found = parse_timestamp(one.approval.expires)
    assert found is not None  # noqa: S101 - it was read as one
    return found


def _limit(text: str) -> AnyLimit:
    try:
        return parse_limit(text, in_file("approval"))
    except PolicySyntaxError:
        raise PlanRefused(f"an approval has a limit that is none: `{text}`") from None
