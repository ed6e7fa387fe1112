"""Text that nobody should write: refused in order, and soon."""

from contextlib import suppress
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwarden.grammar.ast import Policy
from seatwarden.grammar.bounds import MAX_CHARACTERS, MAX_DEPTH
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.keywords import RESERVED
from seatwarden.grammar.parser import (
    MAX_PROBLEMS,
    in_file,
    parse_condition,
    parse_limit,
    parse_policy,
)
from seatwarden.grammar.printer import print_policy
from tests.strategies import any_policies

_WORDS = """keep release when until let set from timezone limit to of per run longest first unused for never used days
professional analyzer true false and or not like user license today month user.tags user.@ . @ ( ) [ ] , = != == !== <
% " ' # \\ - 5 30 2026-02-30 2026-12-24 "x" 'y' x"""
_BEGIN_AN_OPERAND = {"user", "license", "today", "month", "weekday", "true", "false", "not", "unused", "never"}
_TOKENS = st.lists(st.sampled_from([*_WORDS.split(), "\n"]), max_size=12).map(" ".join)


def _reads_or_refuses(text: str) -> None:
    """Any exception but PolicySyntaxError fails; its problems are told with places inside the text."""
    try:
        policy = parse_policy(text, "p")
    except PolicySyntaxError as error:
        lines = text.split("\n")
        problems = error.problems
    else:
        assert parse_policy(print_policy(policy), "p") == policy
        return
    assert 0 < len(problems) <= MAX_PROBLEMS
    assert list(problems) == sorted(problems, key=lambda problem: problem.span)
    for problem in problems:
        assert problem.code.startswith("SW0")
        assert problem.message[0] == problem.message[0].lower()
        assert 1 <= problem.span.line <= len(lines)
        assert 1 <= problem.span.column <= len(lines[problem.span.line - 1]) + 1


@given(st.text(max_size=40))
@example("\ufeff")
@example("keep when user.tags = \x85")
@example("let K\u212a = 5")  # the sign of Kelvin folds to k
@example("keep when month = \u0665")  # an Arabic five
@example("keep until \u0662\u0660\u0662\u0666-01-01 when true")
@example("\0")
def test_any_text(text: str) -> None:
    _reads_or_refuses(text)


@given(_TOKENS)
@example("keep when")
@example("limit release to 5 per run,")
def test_any_words_of_the_language(text: str) -> None:
    _reads_or_refuses(text)


@given(any_policies(), st.integers(0, 400), st.integers(0, 3), st.text(max_size=2))
def test_policies_with_a_slip(policy: Policy, at: int, lost: int, more: str) -> None:
    text = print_policy(policy)
    at %= len(text) + 1
    _reads_or_refuses(text[:at] + more + text[at + lost :])


@given(_TOKENS | st.text(max_size=20))
def test_conditions_and_limits(text: str) -> None:
    with suppress(PolicySyntaxError):
        parse_condition(text, in_file("p"))
    with suppress(PolicySyntaxError):
        parse_limit(text, in_file("p"))


_BOMBS = {
    "not": "keep when " + "not " * 20_000 + "user.inactive",
    "parentheses": "keep when " + "(" * 50_000,
    "groups": "keep when " + "user.inactive or (not " * 5_000 + "true" + ")" * 5_000,
    "characters": "x" * (MAX_CHARACTERS + 1),
    "quotes": 'keep when user.tags = "' + '""' * 100_000,
    "field": "keep when user" + ".a" * 100_000 + "!",
    "statements": "keep when\n" * 20_000,
    "digits": "keep when month = " + "1" * 100_000,
    "names": "let " * 50_000,
}


@pytest.mark.parametrize("bomb", _BOMBS.values(), ids=_BOMBS)
def test_bombs_are_refused_soon(bomb: str) -> None:
    began = process_time()
    with pytest.raises(PolicySyntaxError):
        parse_policy(bomb, "p")
    assert process_time() - began < 10  # a hang is meant, not a speed


def test_the_deepest_that_is_read() -> None:
    def nested(depth: int) -> str:
        return "keep when " + "not " * (depth - 1) + "user.inactive"

    policy = parse_policy(nested(MAX_DEPTH), "p")
    assert parse_policy(print_policy(policy), "p") == policy
    with pytest.raises(PolicySyntaxError, match="nested more than") as caught:
        parse_policy("\n" + nested(MAX_DEPTH + 1), "p")
    assert [(p.code, p.span.line) for p in caught.value.problems] == [("SW005", 2)]


def test_all_problems_are_told_up_to_a_number() -> None:
    with pytest.raises(PolicySyntaxError) as caught:
        parse_policy("keep when x y\n" * 5 + "keep when true\n" + "release z\n" * 5, "p")
    assert [problem.span.line for problem in caught.value.problems] == [*range(1, 6), *range(7, 12)]
    with pytest.raises(PolicySyntaxError) as caught:
        parse_policy("keep when x y\n" * (MAX_PROBLEMS + 5), "p")
    assert len(caught.value.problems) == MAX_PROBLEMS


def test_an_unfinished_rule_does_not_swallow_the_next() -> None:
    for unfinished in ("keep when user.tags =", "keep", "let x =", "release when not", 'keep when user.tags = ["a",'):
        with pytest.raises(PolicySyntaxError) as caught:
            parse_policy(f"{unfinished}\nkeep when user.inactive\nrelease when unused for 30 days\n", "p")
        assert [problem.span.place for problem in caught.value.problems] == [f"p:1:{len(unfinished) + 1}"]


@pytest.mark.parametrize("word", sorted(RESERVED - _BEGIN_AN_OPERAND))
def test_no_word_of_the_language_is_taken_for_a_name(word: str) -> None:
    """Where an operand must stand, the word itself is what is wrong, not what comes behind it."""
    for text in ("keep when {} user.blocked", "keep when user.inactive and {}\n", "keep when user.name = {} or true"):
        before = text.index("{")
        for written in (word, word.upper()):
            with pytest.raises(PolicySyntaxError) as caught:
                parse_policy(text.format(written), "p")
            (problem,) = caught.value.problems
            assert (problem.code, problem.message) == ("SW001", f"unexpected `{written}`")
            assert (problem.span.column, problem.span.end_column) == (before + 1, before + 1 + len(word))
