"""Backtests to look at: made-up releases, counted as real ones are."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from seatwarden.engine.analysis.backtest import Backtested, PastRelease
from seatwarden.engine.analysis.hindsight import Hindsight, SaidChance
from seatwarden.engine.analysis.regret import difference, followed_people, rows_of
from seatwarden.engine.analysis.thresholds import STEPS, Variant, variants_of
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.loading import check_text
from tests.engine.report.runs import HOSTILE

POLICY = "release analyzer when unused for 30 days\nrelease professional when unused for 60 days\n"
_DAYS = 365
_DEPARTMENTS = ("Finance", "Sales", "Logistics", "(none)")


def releases(days: int, kinds: Sequence[LicenseType], groups: Sequence[str] = _DEPARTMENTS) -> Backtested:
    """Made-up releases of a policy with that threshold: the longer it is, the fewer, and the fewer come back."""
    drawn = random.Random(days)  # noqa: S311 - an example, no secret
    found = []
    for kind in kinds:
        for number in range(3_000 // days):
            backlog = number % 3 == 0
            day = 0 if backlog else drawn.randrange(1, _DAYS - 1)
            away = drawn.randrange(1, 120) if drawn.random() < (4 if backlog else 9) / days**0.6 else _DAYS
            until = min(day + away, _DAYS)
            person = f"p{number // (1 if backlog else 2)}"
            release = PastRelease(person, kind, groups[number % len(groups)], day, backlog, day - days, until)
            release.back = until if until < _DAYS else None
            found.append(release)
    return Backtested(found, _DAYS - 1)


def hindsight(
    variants: Mapping[str, Variant], found: Mapping[str, Backtested], source: str = "https://qlik.example.com:4242"
) -> Hindsight:
    """What a backtest of these would say."""
    differences = []
    for kind in LICENSE_TYPES:
        first, *others = [name for name, one in variants.items() if one.is_of(kind)] or [""]
        people = {name: followed_people(found[name], kind) for name in (first, *others) if name}
        differences += [difference((first, name), kind, people[first], people[name]) for name in others]
    return Hindsight(
        "2025-11-21T02:00:00.000Z",
        "2026-11-20T02:00:00.000Z",
        _DAYS,
        _DAYS,
        source,
        list(variants),
        {"analyzer": [30], "professional": [60]},
        [row for name, one in variants.items() for row in rows_of(name, one, found[name], LICENSE_TYPES)],
        [one for one in differences if one is not None],
        [_chance(days) for days in STEPS],
    )


def _chance(days: int) -> SaidChance:
    if days > 120:
        words = f"How many come back whose analyzer license lay unused for {days} days is not known."
        return SaidChance("analyzer", days, None, None, None, None, words)
    share = 6 / days**0.8
    words = f"Of 100 people whose analyzer license lay unused for {days} days, {100 * share:.0f} were back."
    return SaidChance("analyzer", days, share, share * 0.8, min(share * 1.3, 1), 80, words)


@cache
def thresholds() -> Hindsight:
    """One policy with many thresholds, by department; of the professional licenses two."""
    policy = {"site": check_text(POLICY, "site.policy")}
    variants = variants_of(policy, {"analyzer": STEPS, "professional": (60, 90)})
    return hindsight(variants, {name: releases(one.days or 30, LICENSE_TYPES) for name, one in variants.items()})


@cache
def policies() -> Hindsight:
    """Two policies as they are, of which one releases nothing of a type; names that are hostile."""
    texts = {"today": POLICY, HOSTILE[0]: "release analyzer when unused for 90 days"}
    variants = variants_of({name: check_text(text, f"{name}.policy") for name, text in texts.items()}, {})
    found = {"today": releases(30, LICENSE_TYPES, HOSTILE), HOSTILE[0]: releases(90, ("analyzer",), HOSTILE)}
    return hindsight(variants, found, f"https://{HOSTILE[0]}.example.com")


@cache
def both() -> Hindsight:
    """Two policies with thresholds, one of a long name."""
    texts = {name: check_text(POLICY, f"{name}.policy") for name in ("today", "after-the-merger-of-both-sites")}
    variants = variants_of(texts, {"analyzer": (30, 45, 60, 90)})
    return hindsight(
        variants, {name: releases((one.days or 30) + len(name) // 4, LICENSE_TYPES) for name, one in variants.items()}
    )


BACKTESTS: Mapping[str, Callable[[], Hindsight]] = {"thresholds": thresholds, "policies": policies, "both": both}
"""What a page is made of, by name."""
