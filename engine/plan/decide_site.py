"""The decisions on all licenses of a site, with all that stands behind the rules: as a plan has them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.day import Day
from seatwarden.engine.plan.downgrades import Downgrades
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.policy.loading import CheckedPolicy

Stand: TypeAlias = Callable[[Sequence[Decision]], tuple[Decision, ...]]
"""Hears on all decisions on a site what its register of notices says."""


def decide_site(
    policy: CheckedPolicy, snapshot: Snapshot, day: Day, stand: Stand = tuple, *, hidden: bool = False
) -> tuple[Decision, ...]:
    """The decisions, in the order of `decide_all`; without `stand` nobody has been told.

    `hidden`: what is said has pseudonyms, so nobody is downgraded.
    """
    decisions = tuple(decide_all(policy, snapshot, day))
    if not policy.downgrades:
        return stand(decisions)
    downgrades = Downgrades(snapshot, day, policy.limits, hidden=hidden)
    return downgrades.shared_out(stand(tuple(map(downgrades.unless_in_the_way, decisions))))
