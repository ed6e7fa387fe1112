"""What downgrades keep: a rest behind each one, and the licenses of whom one is not to be made now.

It is found from the site's own record, its license rules and its free licenses before a plan is made, and goes into the
plan with the decision: whoever decides that line again takes it from there. Days are written `YYYY-MM-DD`.
"""

from datetime import date, timedelta

from msgspec import Struct, structs

from seatwarden.grammar.ast import Comparison, Condition, Field, Number, Rule, UnusedFor, walk
from seatwarden.grammar.calendar_names import date_from

UNREADABLE = "a journal of a run that has downgraded cannot be read: whom it was about is not known"
_HIDDEN = "kept, by what the site's record or its free licenses say"
REST_DAYS = 31
"""Days behind a downgrade, or behind giving back what it took, on which nothing is taken from the person."""
_COUNTED = (Field("license.unusedDays"), Field("user.unusedDays"))


class DowngradeStanding(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """What is known of downgrades about one license.

    - `on`: the last day on which the person was downgraded, or was given back what a downgrade took;
    - `open_in`: the run that has sent a DELETE of another license of the person, of which nobody knows what it came to;
    - `why`: what is in the way of this one being taken, in words.
    """

    on: str = ""
    open_in: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for what is no day: a line that says so was not written by us."""
        if self.on and date_from(self.on) is None:
            raise ValueError("`on` is a day")

    def keeps(self, rule: Rule, today: date) -> str | None:
        """Why a license that this rule would take is kept, in words; None where nothing is in the way."""
        if self.open_in:
            return f"run {self.open_in} has deleted another license of the person, and has no answer: nothing is taken"
        if (end := self.rests_until(rule)) is not None and end > today:
            return f"downgraded, or given back, on {self.on}: nothing is taken from the person before {end}"
        return self.why or None

    def rests_until(self, rule: Rule | None = None) -> date | None:
        """The first day behind the rest, by this rule: disuse is counted anew, too. Of no rule, by any at the least."""
        days = max(REST_DAYS, longest_disuse(rule.condition) if rule is not None else 0)
        return date.fromisoformat(self.on) + timedelta(days=days) if self.on else None


def longest_disuse(condition: Condition) -> int:
    """The largest number of unused days that stands in a condition, whatever it asks of it."""
    return max((days for node, _ in walk(condition) for days in _days_in(node)), default=0)


def _days_in(node: Condition) -> list[int]:
    match node:
        case UnusedFor():
            return [node.days]
        case Comparison(_, left, right) if left in _COUNTED or right in _COUNTED:
            return [value.value for side in (left, right) for value, _ in walk(side) if isinstance(value, Number)]
        case _:
            return []


def bare_downgrade() -> DowngradeStanding:
    """What a plan with pseudonyms may say of it: that something is in the way."""
    return DowngradeStanding(why=_HIDDEN)


def by_the_record(standing: DowngradeStanding) -> DowngradeStanding | None:
    """What it says whatever the policy is: not what was in the way of a downgrade by the rules of one plan."""
    found = structs.replace(standing, why=standing.why if standing.why in (UNREADABLE, _HIDDEN) else "")
    return found if found != DowngradeStanding() else None
