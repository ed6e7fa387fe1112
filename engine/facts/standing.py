"""What the registers beside a site say of one license: whether it is held, whether its holder was told or downgraded.

No row of QRS tells it and no rule can read it. It is found before a plan is made, goes into the plan with the decision,
and whoever decides that line again takes it from there.
"""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from seatwarden.engine.facts.downgrade import DowngradeStanding, bare_downgrade
from seatwarden.engine.facts.notice import NoticeStanding, bare_notice
from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.calendar_names import date_from


class HoldInForce(Struct, frozen=True, rename="camel", gc=False):
    """A hold on the licenses of a person: `until` is the last day on which it holds and `since` the day on which it
    was made, both `YYYY-MM-DD`; `reason` is why, `by` the account that made it.

    In a plan with pseudonyms nothing of it is told: `reason` and `by` are empty, both days are the plan's own.
    """

    until: str
    reason: str
    by: str
    since: str

    def __post_init__(self) -> None:
        """Raises ValueError for what is no day: a line that says so was not written by us."""
        if date_from(self.until) is None or date_from(self.since) is None:
            raise ValueError("`until` and `since` of a hold are days")

    def holds_on(self, day: str) -> bool:
        """Whether it is in force on a day, written `YYYY-MM-DD`."""
        return day <= self.until

    @property
    def sentence(self) -> str:
        """It in words: until when, by whom, why; as far as it tells."""
        if not self.by:
            return "held"
        return f"held until {self.until} by {self.by}: {self.reason}"


class Standing(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """What the registers say of one license; `hold` None: it is not held.

    `notice` is there where a rule with a notice clause would release it. By no rule is it released before the day
    `not_before` (`YYYY-MM-DD`, or empty), for which somebody was told. `downgrade` is there where something is known of
    downgrades that may keep it.
    """

    hold: HoldInForce | None = None
    notice: NoticeStanding | None = None
    not_before: str = ""
    downgrade: DowngradeStanding | None = None


NO_STANDING = Standing()
"""Of a license that no register speaks of: nearly all of a site."""

Standings: TypeAlias = Mapping[tuple[LicenseType, str], Standing]
"""What the registers say, by type and id of the license; who is not in it has no standing."""


def bare(standing: Standing, day: str, *, taken: bool, downgrade: bool) -> Standing:
    """What a plan with pseudonyms may say of it: that the license is held on the plan's day, that a `downgrade` keeps
    it, or whether the period of a notice is over, and nothing else."""
    if standing.hold is not None and standing.hold.holds_on(day):
        return Standing(HoldInForce(day, "", "", day))
    if downgrade:
        return Standing(downgrade=bare_downgrade())
    if standing.notice is None and not standing.not_before:
        return NO_STANDING
    return Standing(notice=bare_notice(released=taken))
