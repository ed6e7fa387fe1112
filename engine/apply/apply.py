"""What an apply of a plan is to do: whether it may be applied at all, and what is left of it after earlier runs.

`engine.apply.pending` carries it out, by the action of `engine.apply.releaser`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from msgspec import structs

from seatwarden.engine.apply.approval import NOTHING_ASKED, Granted
from seatwarden.engine.apply.pending import Pending, journal_so_far
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.facts.standing import Standing
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.plan.guarantees import broken_words, judged, judged_for, proved_elsewhere
from seatwarden.engine.plan.limits import SiteNumbers, allocated_in, choose, chooses, hold_limits, is_announced
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.grammar.ast import AnyLimit, LicenseType
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy

_AHEAD = timedelta(minutes=5)
"""How far a plan may lie in the future before the clock is held to be wrong."""


@dataclass(frozen=True)
class PendingApply(Pending[RecordedPlan]):
    """The work of an apply."""

    @property
    def left(self) -> list[Decision]:
        """The licenses to release now, in the order in which they were chosen."""
        decisions = {decision.key: decision for decision in self.plan.decisions}
        return [decisions[key] for key in self.left_keys]


def check_plan(
    plan: RecordedPlan, url: str, max_age: timedelta, now: datetime, site_policy: CheckedPolicy | None = None
) -> None:
    """Raises PlanRefused for a what-if, a plan of another site, one that is too old, and one from the future.

    And for one whose policy does not keep what it guarantees, or what the `site_policy` of now does: it is proved anew,
    of the policy that was recorded.
    """
    if plan.log.former:
        raise PlanRefused("the plan was made by an older seatwarden, whose plans this one only reads; make a new one")
    if plan.header.mode == WHAT_IF:
        raise PlanRefused("the plan is a what-if: made from a file, or for another moment; make one with --site alone")
    if plan.header.site != url:
        raise PlanRefused(f"the plan was made for {plan.header.site}, not for {url}; make one for this site")
    age = now - plan.day.now
    if age > max_age:
        hours, limit = (span.total_seconds() / 3600 for span in (age, max_age))
        raise PlanRefused(
            f"the plan is {hours:,.1f} hours old, more than {limit:g}; make a new one, or raise --max-age"
        )
    if age < -_AHEAD:
        when = format_instant(plan.day.now)
        raise PlanRefused(f"the plan was made for {when}, in the future; is this machine's clock right?")
    anew = judged(plan.policy)
    if elsewhere := proved_elsewhere(plan.guarantees, anew):
        raise PlanRefused(f"{'; '.join(elsewhere)}, or make a new plan on this machine")
    if broken := broken_words(anew):
        raise PlanRefused(f"{'; '.join(broken)}; correct the rules or the guarantee, and make a new plan")
    if site_policy is not None and (broken := broken_words(judged_for(site_policy, plan.policy))):
        why = f"the site's policy of now guarantees what the plan's does not keep: {'; '.join(broken)}"
        raise PlanRefused(f"{why}; make a new plan by the site's policy")


@contextmanager
def only_one(lock_file: Path, url: str, seconds: float = 0) -> Iterator[None]:
    """Holds the lock of a site: one apply at a time, whatever the plan. It is waited for so many seconds.

    Raises PlanRefused while another holds it, InputError when the file cannot be used.
    """
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file)
        lock.acquire(timeout=seconds)
    except Timeout:
        raise PlanRefused(f"another apply is at work on {url}; wait until it has ended") from None
    except OSError as error:
        help_ = "it is in the state folder that the site file names; whoever runs this must be able to write there"
        raise InputError(f"the lock `{lock_file}` cannot be taken: {error.strerror}", help_) from None
    try:
        yield
    finally:
        lock.release()


def find_pending(
    plan: RecordedPlan,
    folder: Path,
    limits: tuple[AnyLimit, ...],
    unused_days: Callable[[], Mapping[Key, int]] = dict,
    lately: Mapping[int, Mapping[LicenseType, int] | None] | None = None,
    announced: Callable[[], Mapping[Key, str]] = dict,
    granted: Granted = NOTHING_ASKED,
) -> PendingApply:
    """The work that is left: the choice of an earlier run, or else what the plan and the limits say.

    A plan with pseudonyms does not say how long each license is unused: `unused_days` does, where a limit asks,
    and `announced` for which day each release was announced.
    `lately` is what other runs have released by now, where that may be more than when the plan was made; `granted` is
    by what approval, which may take licenses out and set further limits.
    Raises PlanRefused for a journal that is damaged or of another plan, OverTheLimit, OSError.
    """
    path = folder / JOURNAL_FILE
    data, state = journal_so_far(path, plan)
    within = (*limits, *granted.limits)
    if state is not None:
        chosen = [plan.key_of[n] for n in state.chosen if n in plan.key_of]
    else:
        numbers = plan.numbers if lately is None else structs.replace(plan.numbers, lately=lately)
        chosen = _chosen(plan, within, unused_days, announced, numbers, granted.excluded)
    return PendingApply(plan, path, within, data, state, chosen)


def pending_of(plan: RecordedPlan, folder: Path, limits: tuple[AnyLimit, ...], chosen: Sequence[Key]) -> PendingApply:
    """The work of releasing what was chosen of a plan already, in that order, and what the plan does not release left
    out. Raises PlanRefused where an apply has begun, OSError."""
    path = folder / JOURNAL_FILE
    data, state = journal_so_far(path, plan)
    if state is not None:
        raise PlanRefused("this plan was applied meanwhile")
    due = {decision.key for decision in plan.decisions if decision.takes}
    return PendingApply(plan, path, limits, data, state, [key for key in chosen if key in due])


def check_chosen(pending: PendingApply, granted: Granted, unused_days: Callable[[], Mapping[Key, int]] = dict) -> None:
    """Raises PlanRefused where an apply that has begun chose what plan, limits and approvals do not: the journal was
    written by somebody else. Where nothing is demanded of plans, nothing can be told by it. Raises OverTheLimit."""
    if pending.state is None or not granted.is_asked:
        return
    plan = pending.plan
    within = (*(plan.limits if granted.by else pending.limits or plan.limits), *granted.limits)
    allowed = set(_chosen(plan, within, unused_days, dict, plan.numbers, granted.excluded))
    if not set(pending.chosen) <= allowed:
        raise PlanRefused("the journal chooses licenses that the plan, its limits and its approvals do not")


def _chosen(
    plan: RecordedPlan,
    limits: tuple[AnyLimit, ...],
    unused_days: Callable[[], Mapping[Key, int]],
    announced: Callable[[], Mapping[Key, str]],
    numbers: SiteNumbers,
    excluded: frozenset[int],
) -> list[Key]:
    out = {plan.key_of[n] for n in excluded if n in plan.key_of}
    if plan.header.period is None:
        return [decision.key for decision in choose(plan.decisions, limits, numbers, out)]
    told = any(decision.takes and is_announced(decision) for decision in plan.decisions)
    exact, days = unused_days() if told or chooses(limits) else {}, announced() if told else {}
    decisions = [
        structs.replace(
            one,
            unused_days=exact.get(one.key, one.unused_days),
            standing=_announced_for(days[one.key], one.standing) if one.key in days else one.standing,
        )
        for one in plan.decisions
    ]
    chosen = {decision.key for decision in choose(decisions, limits, numbers, out)}
    # In the plan's order, which tells nothing: the order of disuse would give people away.
    return [decision.key for decision in plan.decisions if decision.key in chosen]


def _announced_for(day: str, standing: Standing) -> Standing:
    if standing.notice is None:
        return standing
    return structs.replace(standing, notice=structs.replace(standing.notice, announced=day))


def hold_against(
    pending: PendingApply,
    limits: tuple[AnyLimit, ...],
    lately: Mapping[int, Mapping[LicenseType, int] | None],
) -> None:
    """Holds limits that somebody asks for now against an apply that has begun, with what it has released already.

    Its choice stands: it cannot be made anew for a limit that would choose. Raises OverTheLimit.
    """
    released = {key for key in pending.chosen if pending.results.get(key) in TAKEN}
    left = {decision.key for decision in pending.left}
    if left:
        planned = Counter(license_type for license_type, _ in released | left)
        numbers = structs.replace(pending.plan.numbers, lately=lately)
        hold_limits(limits, allocated_in(pending.plan.decisions), planned, numbers)
