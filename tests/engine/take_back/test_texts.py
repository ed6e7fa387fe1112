"""Texts of license rules: compared as every dialect and language does, or not at all."""

import re
import warnings
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatwarden.engine.take_back.texts import (
    DialectError,
    NoExpressionError,
    equal_in_any_case,
    fits_expression,
    fits_pattern,
)

TEXTS = st.text("abAB01 .-_İıßé", max_size=6)
PIECES = (*"abAB01 .*+?|()[]^$-", "[ab]", "[^a]", "[a-b0]", "\\d", "\\w", "\\.", "{2}", "(?:", "é")
EXPRESSIONS = st.lists(st.sampled_from(PIECES), max_size=7).map("".join)


@given(TEXTS, EXPRESSIONS, st.booleans(), st.booleans())
def test_what_is_said_says_python_too(text: str, expression: str, anchored: bool, any_case: bool) -> None:
    try:
        found = fits_expression(text, expression, anchored=anchored, any_case=any_case)
    except DialectError:
        return
    except NoExpressionError:
        with pytest.raises(re.error), warnings.catch_warnings(action="ignore"):
            re.compile(expression)
        return
    compiled = re.compile(expression, re.IGNORECASE if any_case else 0)
    assert found is ((compiled.fullmatch(text) if anchored else compiled.search(text)) is not None)


DIFFERENT = ("(?=a)", "a++", "(a)\\1", "\\bx", "a{1,999}", "[]a]", "[[]", "x{", "^*", "\\p{L}")


@pytest.mark.parametrize("expression", DIFFERENT)
def test_what_dialects_differ_on_is_not_judged(expression: str) -> None:
    with pytest.raises(DialectError):
        fits_expression("a", expression, anchored=True, any_case=False)


@pytest.mark.parametrize("expression", ["*", "+a", "a|*", "(", ")", "a)", "(a", "a\\", "x{3,1}", "[b-a]"])
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(NoExpressionError):
        fits_expression("a", expression, anchored=True, any_case=False)


def test_letters_of_which_languages_think_differently() -> None:
    assert equal_in_any_case("Åsa", "åSA") is True
    assert equal_in_any_case("Åsa", "Asa") is False
    assert equal_in_any_case("straße", "STRASSE") is None
    assert equal_in_any_case("İbrahim", "ibrahim") is None
    assert fits_pattern("straße", "*SS*") is None
    assert fits_pattern("straße", "STR*") is True
    with pytest.raises(DialectError):
        fits_expression("straße", "ss", anchored=False, any_case=True)
    with pytest.raises(DialectError):
        fits_expression("é", "\\w", anchored=True, any_case=False)


def test_an_expression_from_outside_takes_no_time() -> None:
    """With backtracking this one would take longer than the universe has."""
    assert not fits_expression("a" * 400, "(?:(?:a*)*)*b", anchored=True, any_case=False)


@given(st.text(max_size=8), st.text(max_size=12))
def test_any_text_is_an_expression_or_said_to_be_none(text: str, expression: str) -> None:
    assume("\n" not in text)
    with suppress(NoExpressionError, DialectError):
        fits_expression(text, expression, anchored=False, any_case=True)
