"""Where the holder of a license stands with the notice that a rule asks for: told or not, since when, until when.

It is found from the register of notices before a plan is made, and goes into the plan with the decision: whoever
decides that line again takes it from there. Days are written `YYYY-MM-DD`.
"""

from datetime import date, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct

from seatwarden.grammar.ast import Notice

NoticeState: TypeAlias = Literal[
    "untold",
    "told",
    "postponed",
    "refused",
    "unanswered",
    "former-address",
    "no-address",
    "too-soon",
    "no-day",
    "running",
    "over",
]
"""How it stands; `running` and `over` are all that a plan with pseudonyms says."""

NOBODY_TOLD = "due; to be told in the next run"
NO_SETTINGS = "the site file has no `notice`"
"""Why nobody can be told on a site whose file says nothing of messages."""
MANY_TIMES = 3
"""So often somebody was told and came back, before a longer threshold is advised."""


class NoticeStanding(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """How it stands with the notice about one license.

    - `untold`: the next run tells, and will announce `announced`;
    - `told`: a message was accepted on `told` at the present address and announced `announced`; since then the program
      was alive on `alive` days; `reminded` is the day on which a reminder was accepted;
    - `postponed`: the same, but the policy would not release the license on the announced day, or see `why`;
    - `refused`, `unanswered`, `former-address`: the message of `told` was not accepted at the present address;
    - `no-address`: there is none to write to, see `why`;
    - `too-soon`: the last message was on `told`, the next may go out on `announced`;
    - `no-day`: on none of the 31 days behind the notice does the policy release the license.

    `to` is whose address it is, `times` how often the person was told of this license before and came back.
    """

    state: NoticeState
    told: str = ""
    announced: str = ""
    alive: int = 0
    reminded: str = ""
    to: Literal["own", "manager", "fallback"] = "own"
    why: str = ""
    times: int = 0

    def allows(self, clause: Notice, today: date) -> bool:
        """Whether the license may be released today under that clause: its whole period has run, reminder included."""
        if self.state == "over":
            return True
        return (
            self.state == "told" and self._lacks_reminder(clause) is None and today >= self.release_day(clause, today)
        )

    def release_day(self, clause: Notice, today: date) -> date:
        """The first day on which somebody who was told may lose the license, as far as it is known today: where a
        reminder is lacking, as if it were accepted today."""
        told, announced = date.fromisoformat(self.told), date.fromisoformat(self.announced)
        days = [announced, told + timedelta(days=clause.days)]
        if self.alive < clause.days:
            days.append(today + timedelta(days=clause.days - self.alive))
        if clause.reminder_days is not None:
            reminded = date.fromisoformat(self.reminded) if self.reminded else today
            days.append(reminded + timedelta(days=clause.reminder_days))
        return max(days)

    def _lacks_reminder(self, clause: Notice) -> str | None:
        """Why a reminder that the clause asks for has not been accepted; None where nothing is lacking."""
        if clause.reminder_days is None or self.reminded:
            return None
        return self.why or "no reminder was accepted yet"

    def sentence(self, clause: Notice, today: date) -> str:
        """Why the license is kept, in words."""
        return f"due; {self._words(clause, today)}{self._again}"

    def _words(self, clause: Notice, today: date) -> str:
        match self.state:
            case "told":
                return self._told_words(clause, today)
            case "postponed":
                waits = self.why or "by the policy of now it would not be released on that day"
                return f"told on {self.told}{self._through}, announced for {self.announced}; waits: {waits}"
            case "refused":
                return f"its address has refused our message since {self.told}: kept{self._reason}"
            case "unanswered":
                return f"written to on {self.told}, not accepted yet: sent again in the next run"
            case "former-address":
                return f"told at a former address on {self.told}: to be told again in the next run"
            case "no-address":
                return f"no address: kept{self._reason}"
            case "too-soon":
                return f"told last on {self.told}: may be told again from {self.announced} on"
            case "no-day":
                return (
                    "cannot be announced: kept, since the policy releases it on no day of the month behind the notice"
                )
            case "running" | "over":
                return "its notice runs"
            case _:
                return NOBODY_TOLD.removeprefix("due; ")

    def _told_words(self, clause: Notice, today: date) -> str:
        told, day = f"told on {self.told}{self._through}", self.release_day(clause, today)
        lacking = self._lacks_reminder(clause)
        # A refused reminder moves the day with each attempt, one that is late with each day.
        if lacking is not None and (self.why or self.announced <= str(today)):
            return f"{told}; waits: {lacking}"
        return f"{told}, to be released on {day} unless used"

    @property
    def remedy(self) -> str:
        """What helps where nobody can be told, in a sentence; empty where a run goes on by itself."""
        if self.why == NO_SETTINGS:
            return "Until the site file has `notice`, nobody is told, and the license is kept."
        return _REMEDIES.get(
            self.state, "Until the address takes the reminder, the license is kept." if self.why else ""
        )

    @property
    def _through(self) -> str:
        return {"own": "", "manager": " through the manager", "fallback": " at the address for all others"}[self.to]

    @property
    def _reason(self) -> str:
        return f" ({self.why})" if self.why else ""

    @property
    def _again(self) -> str:
        if self.times < MANY_TIMES:
            return ""
        return f"; told {self.times} times before, came back each time: a longer threshold would spare it"


_REMEDIES: dict[NoticeState, str] = {
    "no-address": "Until the user has an address where `notice` in the site file looks for it, the license is kept.",
    "refused": "Until the address takes our message, the license is kept; each day a run tries again.",
    "no-day": "Until the policy releases it on a day within a month of the notice, the license is kept.",
}


def bare_notice(*, released: bool) -> NoticeStanding:
    """What a plan with pseudonyms may say of it: whether its period is over."""
    return NoticeStanding("over" if released else "running")
