"""What a warning says never comes does not come, and all else does: held against `later`'s own answers, and ours."""

from datetime import datetime
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.grammar.parser import in_file
from seatwarden.grammar.schedule.ast import Every, Listed
from seatwarden.grammar.schedule.parser import parse_schedule
from seatwarden.policy.schedule.calendar import UNITS
from seatwarden.policy.schedule.check import check_schedule
from seatwarden.policy.schedule.coming import is_even, passed_over, seems_even
from seatwarden.policy.schedule.schedule import Tick, compile_schedule
from tests.paths import DATA, load_json_lines

RECORDED = load_json_lines(DATA / "frequency-order.jsonl.gz")
"""Lists in any order, and the next times by @breejs/later 4.2.0 after 2026-11-20, in UTC."""
NOW = datetime(2026, 11, 20)


@pytest.mark.parametrize("case", RECORDED, ids=[case["text"] for case in RECORDED])
def test_later_says_the_same(case: dict[str, Any]) -> None:
    """Those values of a list do not come in `later`'s times, after its first, that are said to be passed over."""
    (pattern,) = parse_schedule(case["text"], in_file("p")).patterns
    moments = [datetime.fromisoformat(moment).replace(tzinfo=None) for moment in case["next"]][20:]
    for clause in pattern.clauses:
        assert isinstance(clause, Listed)
        values = {value for each in clause.ranges for value in range(each.first, each.last + 1)}
        comes = {value for value in values if any(UNITS[clause.unit].holds(at, value) for at in moments)}
        assert values - comes == values & set(passed_over(pattern, clause.unit))


def test_most_of_the_texts_pass_something_over() -> None:
    found = [bool(check_schedule(case["text"], in_file("p"))) for case in RECORDED]
    assert len(found) > 60
    assert 0.5 < sum(found) / len(found) < 0.9


_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "june", "july", "aug", "sept", "oct", "nov", "dec")


def _lists(values: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=5, unique=True).map(",".join)


_TIMES = _lists([f"{hour}:{minute:02}" for hour in range(0, 24, 3) for minute in (0, 30)]).map("at {}".format)
_WEEKDAYS = _lists(list(_DAYS)).map("on {}".format)
_TEXTS = st.one_of(
    _TIMES,
    _WEEKDAYS,
    st.tuples(_TIMES, _WEEKDAYS).map(" ".join),
    _lists(list(_MONTHS)).map("of {}".format),
    _lists([str(day) for day in range(1, 29)]).map("on the {} day".format),
    _lists([str(minute) for minute in range(60)]).map("on the {} minute".format),
    _lists([str(hour) for hour in range(24)]).map("at 8:00 on the {} hour".format),
)


@given(_TEXTS)
def test_what_is_not_passed_over_comes(text: str) -> None:
    """Of a text that fires at all; one whose time lies in none of its hours does not."""
    tree = parse_schedule(text, in_file("p"))
    found = islice(compile_schedule(tree).ticks_after(NOW), 100, 500)
    ticks = [tick.at for tick in found if isinstance(tick, Tick)]
    (pattern,) = tree.patterns
    for clause in pattern.clauses if ticks else ():
        assert isinstance(clause, Listed)
        values = {each.first for each in clause.ranges}
        if clause.unit == "hour":
            continue
        comes = {value for value in values if any(UNITS[clause.unit].holds(at, value) for at in ticks)}
        assert values - comes == set(passed_over(pattern, clause.unit))


@given(_TEXTS)
def test_the_help_is_a_text_that_does_it(text: str) -> None:
    for finding in check_schedule(text, in_file("p"), NOW):
        if finding.code != "SW508":
            continue
        assert finding.help is not None
        better = finding.help.removeprefix("write `").removesuffix("`")
        assert sorted(better) == sorted(text)
        left = [found.code for found in check_schedule(better, in_file("p"), NOW)]
        assert left.count("SW508") < [found.code for found in check_schedule(text, in_file("p"), NOW)].count("SW508")


@pytest.mark.parametrize(
    ("text", "even"),
    [
        ("every 2 weeks", False),
        ("every 1 week", True),
        ("every 5 months", False),
        ("every 4 months", True),
        ("every 12 months", True),
        ("every 13 months", False),
        ("every 2 years", True),
        ("every 3 days of the week", False),
        ("every 7 days of the week", True),
        ("every 2 days of the year", False),
        ("every 7 minutes", False),
        ("every 15 minutes", True),
        ("every 31 days", False),
        ("every 2 weeks of the month", False),
    ],
)
def test_even_steps(text: str, even: bool) -> None:
    (pattern,) = parse_schedule(text, in_file("p")).patterns
    (clause,) = pattern.clauses
    assert isinstance(clause, Every)
    assert is_even(clause) is even
    found = [finding.code for finding in check_schedule(text, in_file("p"))]
    assert ("SW507" in found) is not even


@pytest.mark.parametrize(("unit", "count"), [("second", 60), ("minute", 60), ("hour", 24), ("month", 12)])
def test_a_step_that_divides_what_there_always_is_comes_evenly(unit: str, count: int) -> None:
    for step in range(1, count + 1):
        (pattern,) = parse_schedule(f"every {step} {unit}s", in_file("p")).patterns
        (clause,) = pattern.clauses
        assert isinstance(clause, Every)
        assert is_even(clause) is seems_even(clause), step
