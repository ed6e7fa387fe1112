"""The licenses of a plan as people read them: in groups, each on one line, with what that line does not say already."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.decide.decision import Decision, Ruling, is_pseudonym, listing_order
from seatwarden.grammar.ast import DOWNGRADED_TO

Group: TypeAlias = Literal["release", "downgrade", "hold", "not-now", "notice", "undetermined", "kept"]
Show: TypeAlias = Literal["brief", "all", "release", "downgrade", "hold", "not-now", "notice", "undetermined", "kept"]
"""The groups that a listing has; `brief` are those that somebody has to look at: all but the kept ones."""
SHOWN: dict[Show, tuple[Group, ...]] = {
    "brief": ("release", "downgrade", "hold", "not-now", "notice", "undetermined"),
    "all": get_args(Group),
    "release": ("release",),
    "downgrade": ("downgrade",),
    "hold": ("hold",),
    "not-now": ("not-now",),
    "notice": ("notice",),
    "undetermined": ("undetermined",),
    "kept": ("kept",),
}
TITLES: dict[Group, str] = {
    "release": "Due",
    "downgrade": "Due, to become Analyzer",
    "hold": "Due, but held",
    "not-now": "Due, but not now",
    "notice": "Due, waiting for notice",
    "undetermined": "Undetermined, so kept",
    "kept": "Kept",
}
COLUMNS = (
    Column("User", least=14),
    Column("Name", least=8, leaves=1),
    Column("License", least=8),
    Column("Days", right=True),
    Column("Why", least=22),
)

_AGO = re.compile(r", (?:today|in \d[\d,]* days?|\d[\d,]* days? ago)(?:; \d+ needed)?")
_NO_RULE = re.compile(r"no (?:downgrade or release|downgrade|release) rule matches")
_NOT_DUE = re.compile(rf"{_NO_RULE.pattern}: (last used|never used).*?(?:; (\d+) needed)?")


class ListedGroup(Struct, frozen=True):
    """One group of licenses; `licenses` are those that are listed, of `count` in all."""

    group: Group
    count: int
    licenses: list[Decision]

    @property
    def title(self) -> str:
        """Its heading, with how many there are and how many are left out."""
        left = self.count - len(self.licenses)
        more = f", the first {len(self.licenses):,}: --format csv and json list all" if left else ""
        return f"{TITLES[self.group]}: {plural(self.count, 'license')}{more}"


def group_of_ruling(ruling: Ruling) -> Group:
    """The group that a decision with that ruling is listed in."""
    if ruling.verdict != "keep":
        return ruling.verdict
    match ruling.because:
        case "hold" | "notice" as kept_by:
            return kept_by
        case "downgrade":
            return "not-now"
        case _:
            return "undetermined" if ruling.guard == "undetermined" else "kept"


def sections(decisions: Iterable[Decision], show: Show, most: int) -> list[ListedGroup]:
    """The groups to list, without empty ones: of all licenses the first `most`, longest unused first."""
    members: dict[Group, list[Decision]] = {group: [] for group in SHOWN[show]}
    alike: dict[Ruling, list[Decision] | None] = {}  # many share a ruling, whose group is looked for once
    for decision in decisions:
        ruling = decision.ruling
        if ruling not in alike:
            alike[ruling] = members.get(group_of_ruling(ruling))
        listed = alike[ruling]
        if listed is not None:
            listed.append(decision)
    found = []
    for group, all_of_it in members.items():
        if all_of_it:
            first = _first(all_of_it, most)
            most -= len(first)
            found.append(ListedGroup(group, len(all_of_it), first))
    return found


def _first(alike: list[Decision], most: int) -> list[Decision]:
    """The first of some decisions; of very many without putting all in order."""
    if most <= 0:
        return []
    if len(alike) > most:
        least = sorted((decision.unused_days or 0 for decision in alike), reverse=True)[most - 1]
        alike = [decision for decision in alike if (decision.unused_days or 0) >= least]
    return sorted(alike, key=listing_order)[:most]


def cells(decision: Decision) -> tuple[str, ...]:
    """The row of a decision."""
    return (
        printable(decision.user),
        printable(decision.user_name or ""),
        decision.license_type,
        _days(decision),
        printable(why(decision)),
    )


def _days(decision: Decision) -> str:
    """The days without use; behind a pseudonym the least of a range."""
    if decision.unused_days is None:
        return "?"
    return f"{decision.unused_days:,}{'+' if is_pseudonym(decision.license_id) else ''}"


def license_cell(decision: Decision) -> str:
    """The type of a license in a list of those that are due, and what it becomes."""
    is_downgrade = decision.verdict == "downgrade"
    return f"{decision.license_type}, to become {DOWNGRADED_TO}" if is_downgrade else decision.license_type


def why(decision: Decision) -> str:
    """The reason of a decision, in short: see `brief`."""
    rule = decision.ruling.rule
    return brief(decision.reason, rule.title if rule else None, rule.name if rule else None)


def brief(reason: str, title: str | None, name: str | None) -> str:
    """A reason beside type and days: without a rule that has no name of its own, and without the days."""
    if title is not None and reason.startswith(f"{title}: "):
        told = _AGO.sub("", reason[len(title) + 2 :])
        return f"{name}: {told}" if name else told
    waiting = _NOT_DUE.fullmatch(reason)
    if waiting is not None and waiting[2]:
        return f"not due: {'never used, ' if waiting[1] == 'never used' else ''}{waiting[2]} days needed"
    return _NO_RULE.sub("not due", reason.removeprefix("undetermined: "), count=1)


def left_out(licenses: int, listed: Sequence[ListedGroup]) -> list[str]:
    """A line on those of the licenses that no section has."""
    count = licenses - sum(section.count for section in listed)
    verb = "is" if count == 1 else "are"
    return [f"{plural(count, 'other license')} {verb} not listed: --show all lists every one"] if count else []
