"""The licenses that are due and wait for a notice, counted: who was told, who will be, and who cannot be told."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.notice import MANY_TIMES, NO_SETTINGS, NoticeState

WaitingGroup: TypeAlias = Literal["told", "to-tell", "later", "refused", "no-address", "no-day", "no-settings"]
"""How it stands with a license that waits; `later`: its holder was told not long ago, and may not be told again yet."""

_GROUPS: Mapping[NoticeState, WaitingGroup] = {
    "told": "told",
    "postponed": "told",
    "running": "told",
    "over": "told",
    "untold": "to-tell",
    "unanswered": "to-tell",
    "former-address": "to-tell",
    "too-soon": "later",
    "refused": "refused",
    "no-address": "no-address",
    "no-day": "no-day",
}
CANNOT: Mapping[WaitingGroup, str] = {
    "no-settings": "the site file has no `notice`",
    "no-address": "no address",
    "refused": "refused by the address",
    "no-day": "no day to announce within a month",
}
"""Why somebody cannot be told, in words."""


class NoticeCounts(Struct, frozen=True, rename="camel"):
    """The licenses that are due and wait for a notice.

    `waiting` are all of them: `told`, `to_tell` in a next run, `later` since the last message is not long ago, and
    those whose holder cannot be told, by the reason. `this_run` of those to tell fit into the limit, the others
    wait for it. `came_back` are holders who were told three times before and came back each time.
    """

    waiting: int
    told: int
    to_tell: int
    this_run: int
    later: int
    cannot_tell: dict[WaitingGroup, int]
    came_back: int


def waits(decision: Decision) -> bool:
    """Whether a license is due and kept for its notice."""
    return decision.because == "notice"


def group_of(decision: Decision) -> WaitingGroup:
    """How it stands with a license that waits for its notice."""
    notice = decision.standing.notice
    if notice is None:
        return "told" if decision.standing.not_before else "to-tell"
    return "no-settings" if notice.why == NO_SETTINGS else _GROUPS[notice.state]


def notice_counts(
    decisions: Iterable[Decision], fitting: Callable[[Sequence[Decision]], Sequence[Decision]]
) -> NoticeCounts:
    """The counts of decisions on a site. `fitting` chooses those who may be told for the first time in one run."""
    waiting = [decision for decision in decisions if waits(decision)]
    groups = Counter(map(group_of, waiting))
    new = [decision for decision in waiting if group_of(decision) == "to-tell" and _is_new(decision)]
    return NoticeCounts(
        waiting=len(waiting),
        told=groups["told"],
        to_tell=groups["to-tell"],
        this_run=groups["to-tell"] - len(new) + len(fitting(new)),
        later=groups["later"],
        cannot_tell={group: groups[group] for group in CANNOT if groups[group]},
        came_back=sum(one.standing.notice is not None and one.standing.notice.times >= MANY_TIMES for one in waiting),
    )


def _is_new(decision: Decision) -> bool:
    """Whether nobody has written to the holder yet."""
    notice = decision.standing.notice
    return notice is None or notice.state == "untold"


def waiting_lines(counts: Mapping[str, Any]) -> list[str]:
    """The counts in words, as a plan's summary has them: a heading, and a line for each that is not 0."""
    lines = [f"Waiting for notice: {plural(counts['waiting'], 'license')} due"]
    if counts["told"]:
        lines.append(f"  {counts['told']:>7,}  told already")
    if counts["toTell"]:
        lines.append(f"  {counts['toTell']:>7,}  to be told: {_of_this_run(counts['toTell'], counts['thisRun'])}")
    if counts["later"]:
        lines.append(f"  {counts['later']:>7,}  told not long ago, to be told again later")
    cannot = counts["cannotTell"]
    if cannot:
        reasons = [f"{count:,} {CANNOT[reason]}" for reason, count in cannot.items()]
        lines.append(f"  {sum(cannot.values()):>7,}  cannot be told, so kept: {join_words(reasons)}")
    if counts["cameBack"]:
        advice = f"told {MANY_TIMES} times before or more, came back each time: a longer threshold would spare it"
        lines.append(f"  {counts['cameBack']:>7,}  of them {advice}")
    return lines


def _of_this_run(to_tell: int, now: int) -> str:
    if now == to_tell:
        return "in the next run"
    waits = to_tell - now
    return f"{now:,} in the next run, {waits:,} {'waits' if waits == 1 else 'wait'} for the limit"
