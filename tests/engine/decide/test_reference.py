"""The reference evaluator, asked directly: names in each place, and a day that is not known."""

from collections.abc import Mapping
from datetime import date

import pytest

from seatwarden.engine.decide.reference import evaluate
from seatwarden.engine.facts.facts import RecordedFacts
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Boolean, Comparison, Condition, Field, ListOf, MonthDay, Name, Season, Text
from seatwarden.policy.names import NamedValue
from seatwarden.policy.operators import Truth

TAGS = Field("user.tags")
NAMES: Mapping[str, NamedValue] = {
    "vips": ListOf((Text("vip"), Text("board"))),
    "on": Boolean(True),
    "off": Boolean(False),
}


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        (Comparison("=", Name("vips"), TAGS), True),
        (Comparison("=", TAGS, Name("vips")), True),
        (Comparison("!=", Name("vips"), TAGS), False),
        (Comparison("=", Name("vips"), Text("temp")), False),
        (Name("on"), True),
        (Name("off"), False),
    ],
)
def test_a_name_is_its_value_wherever_it_stands(condition: Condition, truth: Truth) -> None:
    assert evaluate(condition, RecordedFacts({"user.tags": ("vip",)}), NAMES).truth is truth


@pytest.mark.parametrize(
    ("today", "truth"),
    [((date(2026, 12, 1),), True), ((date(2026, 6, 1),), False), (Unknown("withheld"), None)],
)
def test_a_season_is_unknown_where_the_day_is(today: tuple[date] | Unknown, truth: Truth) -> None:
    found = evaluate(Season(MonthDay(11, 1), MonthDay(12, 31)), RecordedFacts({"today": today}), {})
    assert (found.truth, found.facts) == (truth, ((Field("today"), today),))
