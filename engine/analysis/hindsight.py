"""Policies side by side over a history, and what the history says of who comes back."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from seatwarden.engine.analysis.backtest import Backtested, PastRelease, past_releases
from seatwarden.engine.analysis.regret import (
    WITHIN,
    BacktestRow,
    RegretDifference,
    difference,
    followed_people,
    rows_of,
)
from seatwarden.engine.analysis.thresholds import Variant, thresholds_of, variants_of
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.facts.facts import OF_SITE
from seatwarden.engine.history.chance import Chance, ChanceTable
from seatwarden.engine.history.spells import Spell, day_words, records_of, spells_in
from seatwarden.engine.history.store import History
from seatwarden.engine.history.timeline import Timeline, read_timeline
from seatwarden.grammar.ast import LICENSE_TYPES, Field, LicenseType
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE, NOUNS

_PART = 4_000


class SaidChance(Struct, rename="camel", frozen=True):
    """The chance to come back of those whose license of a type has lain unused for `days`, in words; `share`, `low` and
    `high` are None where nothing is said, and the words are why."""

    license_type: LicenseType
    days: int
    share: float | None
    low: float | None
    high: float | None
    people: int | None
    words: str


class Hindsight(Struct, rename="camel", frozen=True):
    """What would have been: `since` and `until` are the first and the last snapshot, as QRS writes moments, `days` how
    many days that is, `source` where the last came from. `own_thresholds` are those that the policies have as they are,
    by license type, smallest first."""

    since: str
    until: str
    days: int
    snapshots: int
    source: str | None
    policies: list[str]
    own_thresholds: dict[LicenseType, list[int]]
    rows: list[BacktestRow]
    differences: list[RegretDifference]
    chances: list[SaidChance]


@dataclass(frozen=True, slots=True)
class HistoryQuestion:
    """What is asked of each part of a history: what policies would have released, and the spells without use, of those
    that ended by a use only such of `least` days or more; None: no spells."""

    policies: tuple[CheckedPolicy, ...]
    types: tuple[LicenseType, ...]
    group: Field | None
    least: int | None


HistoryAnswer: TypeAlias = tuple[list[list[PastRelease]], dict[LicenseType, list[Spell]]]


def answer(question: HistoryQuestion, part: Timeline) -> HistoryAnswer:
    """What a part of the people says to a question. It takes nothing but its arguments: it may run anywhere."""
    with collector_off():
        releases = past_releases(part, question.policies, question.types, question.group)
        return releases, {} if question.least is None else spells_in(part, question.least)


Spread: TypeAlias = Callable[[HistoryQuestion, Timeline], Iterable[HistoryAnswer]]
"""Puts a question to all people, and has the answers in their order."""


def here(question: HistoryQuestion, timeline: Timeline) -> Iterable[HistoryAnswer]:
    """The answers found in this process, part by part, which bounds the memory."""
    return [answer(question, part) for part in timeline.parts(_PART)]


@collector_off()
def look_back(
    history: History,
    policies: Mapping[str, CheckedPolicy],
    thresholds: Mapping[LicenseType, tuple[int, ...]],
    *,
    group: Field | None = None,
    reallocates: bool = False,
    spread: Spread = here,
    tell: Callable[[str], None] = lambda _: None,
) -> Hindsight:
    """Goes through a history once, with all policies, or with each at all `thresholds` where there are such; `group` is
    the field by which releases are counted; `tell` is told what the history does not have of it.

    Raises InputError where it has no snapshot, and where a policy has no threshold to be changed.
    """
    variants = variants_of(policies, thresholds)
    types = tuple(thresholds) or LICENSE_TYPES
    own = {kind: sorted({n for one in policies.values() for n in thresholds_of(kind, one.rules)}) for kind in types}
    ages = {kind: thresholds.get(kind) or own[kind] for kind in types}
    timeline = read_timeline(history, {policy.timezone for policy in policies.values()})
    moments = timeline.moments
    if not moments:
        raise InputError(f"the history `{history.path}` has no snapshot", "`history add` fills it from old files")
    for remark in _remarks(policies, group, timeline):
        tell(remark)
    least = min((age for asked in ages.values() for age in asked), default=None)
    question = HistoryQuestion(tuple(one.policy for one in variants.values()), types, group, least)
    answers = list(spread(question, timeline))
    found = {
        name: Backtested(
            [release for releases, _ in answers for release in releases[count]],
            make_day(moments[-1], one.policy.timezone).today.toordinal(),
        )
        for count, (name, one) in enumerate(variants.items())
    }
    records = records_of(moments, [spells for _, spells in answers], history.releases()) if least is not None else {}
    tables = {kind: ChanceTable(record, reallocates=reallocates) for kind, record in records.items() if kind in ages}
    return Hindsight(
        format_instant(moments[0]),
        format_instant(moments[-1]),
        (moments[-1].date() - moments[0].date()).days + 1,
        len(moments),
        history.moments()[-1].source,
        list(variants),
        own,
        [row for name, variant in variants.items() for row in rows_of(name, variant, found[name], types)],
        [one for kind in types for one in _differences(kind, variants, own[kind], found)],
        [said(tables[kind], kind, age) for kind in types if kind in tables for age in ages[kind]],
    )


def _remarks(policies: Mapping[str, CheckedPolicy], group: Field | None, timeline: Timeline) -> Iterator[str]:
    """What must be known of the numbers: a group that has everybody, and notices, which are not waited for."""
    if group is not None and (lack := name_of_nobody(group, timeline)) is not None:
        yield lack
    yield from (_noticed(name, policy) for name, policy in policies.items() if policy.gives_notice)
    if any(policy.reads("license.takenBackBy") for policy in policies.values()):
        yield from _without_rules(timeline)


def _without_rules(timeline: Timeline) -> Iterator[str]:
    """How many snapshots have no license rules: on them nobody can say what these give back."""
    ends = [*(place for place, _ in timeline.site[1:]), len(timeline.moments)]
    without = sum(
        end - first for (first, state), end in zip(timeline.site, ends, strict=True) if state.license_rules is None
    )
    if without:
        count = plural(len(timeline.moments), "snapshot")
        have = "has" if without == 1 else "have"
        yield f"{without:,} of {count} {have} no license rules: there `license.takenBackBy` is unknown, and keeps"


def _noticed(name: str, policy: CheckedPolicy) -> str:
    """That releases are counted on the day on which they are due, and not when a notice has run."""
    days = sorted({rule.notice.days for rule in policy.rules if rule.notice is not None})
    later = "1 day" if days == [1] else f"{join_words([str(n) for n in days], 'or')} days"
    counted = "its releases are counted on the day on which they are due"
    return f"`{name}` gives notice: {counted}; they come {later} later, and not for those who come back meanwhile"


def name_of_nobody(group: Field, timeline: Timeline) -> str | None:
    """That no user of the history ever has that property or attribute, so that all are in one group; None where one
    has it, and of fields that have no such name."""
    if group.key is None or group.name not in IN_USE:
        return None
    in_use = OF_SITE[IN_USE[group.name].name]
    names = {name for _, state in timeline.site for name in in_use(state.facts)}
    if group.key in names:
        return None
    near = did_you_mean(group.key, sorted(names))
    said = f"nobody in the history has the {NOUNS[group.name]} `{group.key}`, so that there is one group"
    return f"{said}; {near}" if near else said


def _differences(
    kind: LicenseType, variants: Mapping[str, Variant], own: Sequence[int], found: Mapping[str, Backtested]
) -> Iterator[RegretDifference]:
    """How the others differ from the one that has its policy's own threshold, or else from the first."""
    names = [name for name, variant in variants.items() if variant.is_of(kind)]
    first = next((name for name in names if variants[name].days in own), names[0])
    people = followed_people(found[first], kind)
    for name in names:
        one = difference((first, name), kind, people, followed_people(found[name], kind)) if name != first else None
        if one is not None:
            yield one


def said(table: ChanceTable, kind: LicenseType, age: int, within: int = WITHIN) -> SaidChance:
    """The chance in words, as a person can repeat it."""
    found = table.of(age, within)
    if not isinstance(found, Chance):
        words = f"How many come back whose {kind} license lay unused for {age} days is not known, because {found.why}."
        return SaidChance(kind, age, None, None, None, None, words)
    low, high = round(100 * found.low), round(100 * found.high)
    basis = {
        "year": "average of the year" if found.until - found.since < 400 else "average of whole years",
        "part": "only of this part of a year; who comes once a year is not counted",
        "rough": "rough: less than half a year is known",
    }[found.basis]
    span = f"{day_words(found.since)} to {day_words(found.until)}"
    words = (
        f"Of 100 people whose {kind} license lay unused for {age} days, {round(100 * found.share)} were back within "
        f"{within} days ({low} to {high}; {found.people:,} people, {span}, {basis})."
    )
    season = table.of_season(age, within)
    if isinstance(season, Chance) and abs(season.share - found.share) > 0.05:
        words += f" In these weeks a year ago it was {round(100 * season.share)}."
    return SaidChance(kind, age, found.share, found.low, found.high, found.people, words)
