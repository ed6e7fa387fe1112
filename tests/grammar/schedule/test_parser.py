"""Schedule texts to trees: what `later` refuses is refused, with a place; nothing else is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwarden.grammar.errors import PolicySyntaxError, SyntaxProblem
from seatwarden.grammar.parser import in_file
from seatwarden.grammar.schedule.ast import Bound, Edge, Every, Listed, Range
from seatwarden.grammar.schedule.parser import MAX_CHARACTERS, parse_schedule
from tests.paths import DATA, load_json_lines

MALFORMED = load_json_lines(DATA / "frequency-malformed.jsonl.gz")
BETTER_PLACES = {"\n": 0, "   ": 0, "at 10:15 am in 2013 ": 19}
"""Where the space starts that makes the text wrong; `later` points behind it."""

_WORDS = """every on the on of in at @ , and also except through to - starting start between first last weekday weekend
after before sec minutes hours day days of the year instance weeks month months years 9:00 9:15 am pm 13:00 5 5th 2026
mon tues fri-sun jan ma sept 0 99 99999 h m s"""


def _problem(text: str) -> SyntaxProblem:
    with pytest.raises(PolicySyntaxError) as caught:
        parse_schedule(text, in_file("p"))
    (problem,) = caught.value.problems
    return problem


def _offset(problem: SyntaxProblem, text: str) -> int:
    return sum(len(line) + 1 for line in text.split("\n")[: problem.span.line - 1]) + problem.span.column - 1


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: repr(case["text"]))
def test_what_later_refuses_is_refused_where_later_saw_the_error(case: dict[str, str | int | None]) -> None:
    text = str(case["text"])
    problem = _problem(text)
    assert problem.help is not None or "space" in problem.message
    if case["errorAt"] is not None:  # some texts make `later` fall over, without a place
        assert _offset(problem, text) == BETTER_PLACES.get(text, case["errorAt"])


@pytest.mark.parametrize(
    "text",
    [
        "on  the first day",
        "every 2 hours between  5 and 10",
        "every 2 days of  the week",
        "at 9:00  am",
        "at 12:60",
        "every -5 minutes",
        "every 1.5 hours",
        "on the 3,  day",
        "@ 9:00",
        "every 2 days starting on the 2nd day instance",
        "every 5 minutes also",
        "at 9:00 except on mon also",
        "at 9:00 except on mon except on tue",
        "on mon also also on tue",
        "every \u0665 minutes",  # an Arabic five
        "every 5 minute\u017f",  # a long s is no s
    ],
)
def test_more_that_later_refuses(text: str) -> None:
    _problem(text)


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(_WORDS.split()), max_size=12).map(" ".join)))
@example("\ufeff")
@example("every 5 \u1e9einutes")
@example("wee\u212a")
def test_any_text_is_read_or_refused_within_itself(text: str) -> None:
    try:
        parse_schedule(text, in_file("p"))
    except PolicySyntaxError as error:
        (problem,) = error.problems
        assert problem.code in ("SW501", "SW502", "SW503")
        assert 0 <= _offset(problem, text) <= len(text)


def test_long_texts() -> None:
    assert _problem("every 5 minutes " * (MAX_CHARACTERS // 16 + 1)).code == "SW502"
    assert len(parse_schedule("at 9:00" + ",9:00" * 198, in_file("p")).patterns) == 1


SPAN = in_file("p")(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("every 5 minutes", Every(5, "minute", None, None, None, SPAN)),
        ("EVERY 5 Mins starting at 3 m", Every(5, "minute", 3, None, None, SPAN)),
        ("every 5th h between the 3rd and 9", Every(5, "hour", 3, 9, None, SPAN)),
        ("every 5 days of the month between 3,9", Every(5, "day", 3, 9, None, SPAN)),
        ("at 12:30 am", Listed("time", (Range(1800, 1800, SPAN),), SPAN)),
        ("@12:30pm", Listed("time", (Range(45000, 45000, SPAN),), SPAN)),
        ("on mon to thurs,sat", Listed("day of the week", (Range(2, 5, SPAN), Range(7, 7, SPAN)), SPAN)),
        ("of may", Listed("month", (Range(5, 5, SPAN),), SPAN)),
        ("in 2026-2028", Listed("year", (Range(2026, 2028, SPAN),), SPAN)),
        ("on the 3rd - 5th week of the month", Listed("week of the month", (Range(3, 5, SPAN),), SPAN)),
        ("every weekday", Listed("day of the week", (Range(2, 6, SPAN),), SPAN)),
        ("on the last week", Edge("last", "week of the year", SPAN)),
        ("after 5:00 pm", Bound("after", "time", 61200, SPAN)),
        ("before 5 hours", Bound("before", "hour", 5, SPAN)),
    ],
)
def test_clauses(text: str, clause: object) -> None:
    frequency = parse_schedule(text, lambda *_: SPAN)
    assert [pattern.clauses for pattern in frequency.patterns] == [(clause,)]


@pytest.mark.parametrize(
    ("text", "patterns", "exceptions", "idle"),
    [
        ("", [], [], 0),
        ("and , and", [], [], 0),
        ("at 9:00 on mon", [2], [], 0),
        ("also at 9:00 also on mon of may", [1, 2], [], 0),
        ("at 9:00 except on mon of may also on tue", [1], [2, 1], 0),
        ("at 9:00 except", [1], [], 1),
        ("at 9:00 except except also on tue", [1], [1], 1),
        ("except on mon", [], [1], 0),
    ],
)
def test_patterns_and_exceptions(text: str, patterns: list[int], exceptions: list[int], idle: int) -> None:
    frequency = parse_schedule(text, in_file("p"))
    assert [len(pattern.clauses) for pattern in frequency.patterns] == patterns
    assert [len(pattern.clauses) for pattern in frequency.exceptions] == exceptions
    assert len(frequency.idle) == idle


def test_spans() -> None:
    (pattern,) = parse_schedule("at 9:00\n and 17:00 on mon-fri", in_file("p")).patterns
    times, days = pattern.clauses
    assert isinstance(times, Listed)
    assert [each.span.place for each in times.ranges] == ["p:1:4", "p:2:6"]
    assert (days.span.line, days.span.column, days.span.end_column) == (2, 12, 22)
