"""Words that several answers share: moments, people, rules, how many."""

from collections import Counter
from collections.abc import Iterable

from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.common.timestamps import to_the_minute
from seatwarden.engine.plan.circumstances import Circumstances
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Rule

ERASED = "(erased)"


def moment(at: str | None) -> str:
    """An instant to the minute, as tables have it."""
    return to_the_minute(at) if at else "?"


def rule_words(rule: Rule) -> str:
    """A rule and where it is written, to the line."""
    return f"{rule.title} ({rule.place.rpartition(':')[0]})"


def by_type(types: Iterable[LicenseType]) -> str:
    """`2 professional and 17 analyzer licenses`."""
    counts = Counter(types)
    parts = [f"{counts[one]:,} {one}" for one in LICENSE_TYPES if counts[one]]
    return f"{join_words(parts)} license{'' if sum(counts.values()) == 1 else 's'}" if parts else "no license"


def licenses(count: int) -> str:
    """How many licenses, in words."""
    return plural(count, "license") if count else "no license"


def hand(made: Circumstances) -> str:
    """Who did something, where and how."""
    if not made.account:
        return "a program that did not say who ran it"
    how = "at a terminal" if made.interactive else "unattended"
    qlik = f", to Qlik Sense as {made.qlik_user}" if made.qlik_user else ""
    return f"{made.account} on {made.host}, {how}: {made.command}{qlik}"


def run_sources(places: list[str]) -> tuple[str, ...]:
    """Places of which the first and the last are enough, where there are many."""
    return tuple(places) if len(places) <= MOST_PLACES else (places[0], f"… {len(places) - 2:,} more …", places[-1])


MOST_PLACES = 3
