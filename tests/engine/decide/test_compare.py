"""Qlik's comparisons and three-valued logic."""

import re
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.reference import compare, evaluate
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import And, Boolean, Comparison, Condition, Field, ListOf, Name, Not, Operator, Or, Text
from seatwarden.policy.names import NamedValue
from seatwarden.policy.operators import Truth, Value, matches
from seatwarden.policy.vocabulary import VOCABULARY
from tests.strategies import DIRECTORIES, TAGS, USER_IDS, VALUES

UNKNOWN = Unknown("for the test")
TEXTS = st.sampled_from([*TAGS, *DIRECTORIES, *USER_IDS, *VALUES])
NUMBERS = st.integers(0, 3)
DATES = st.dates(date(2026, 1, 1), date(2026, 1, 3))


def _facts(values: st.SearchStrategy[Value]) -> st.SearchStrategy[Fact]:
    return st.lists(values, max_size=3).map(tuple)


SIDES = st.one_of(*(st.tuples(_facts(v), _facts(v)) for v in (TEXTS, NUMBERS, DATES, st.booleans())))
ORDERED = st.one_of(*(st.tuples(_facts(v), _facts(v)) for v in (NUMBERS, DATES)))


@pytest.mark.parametrize(
    ("operator", "left", "right", "holds"),
    [
        ("=", ("VIP",), ("vip",), True),
        ("==", ("VIP",), ("vip",), False),
        ("=", ("straße",), ("STRASSE",), True),
        ("!=", ("VIP",), ("vip",), False),
        ("!==", ("VIP",), ("vip",), True),
        ("=", ("a", "b"), ("x", "B"), True),
        ("!=", ("a", "b"), ("b",), False),  # one value equals: `!=` is exactly `not =`
        ("=", (), ("a",), False),
        ("!=", (), ("a",), True),
        ("=", ("a",), (), False),
        ("like", ("ADMIN\\sa_api",), ("admin\\SA_*",), True),
        ("like", (), ("*",), False),
        ("like", ("",), ("*",), True),
        ("like", ("a.c",), ("a?c",), False),
        ("like", ("abc",), ("a.c",), False),
        ("<", (1, 9), (2,), True),
        (">=", (date(2026, 1, 1),), (date(2026, 1, 1),), True),
    ],
)
def test_qliks_rules(operator: Operator, left: Fact, right: Fact, holds: bool) -> None:
    assert compare(operator, left, right) is holds


@given(SIDES)
def test_equality_is_any_of_on_both_sides(sides: tuple[tuple[Value, ...], tuple[Value, ...]]) -> None:
    left, right = sides
    exact = any(one == other for one, other in product(left, right))
    folded = any(str(one).casefold() == str(other).casefold() for one, other in product(left, right))
    assert compare("==", left, right) is exact
    assert compare("=", left, right) is folded
    assert compare("!==", left, right) is (not exact)
    assert compare("!=", left, right) is (not folded)
    assert compare("=", right, left) is folded


@given(ORDERED)
def test_order_is_any_of_too(sides: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    left, right = sides
    assert compare("<", left, right) is any(one < other for one, other in product(left, right))
    assert compare("<=", left, right) is compare(">=", right, left)
    assert compare(">", left, right) is compare("<", right, left)


@pytest.mark.parametrize("operator", ["=", "!=", "==", "!==", "like", "<", "<=", ">", ">="])
@pytest.mark.parametrize("other", [(), ("a",), UNKNOWN])
def test_unknown_stays_unknown(operator: Operator, other: Fact) -> None:
    assert compare(operator, UNKNOWN, other) is None
    assert compare(operator, other, UNKNOWN) is None


@given(st.text("aAbB*.\\", max_size=8), st.text("abB*.\\", max_size=8))
def test_like_against_a_regular_expression(text: str, pattern: str) -> None:
    slow = ".*".join(re.escape(part) for part in pattern.casefold().split("*"))
    assert matches(text, pattern) is bool(re.fullmatch(slow, text.casefold(), re.DOTALL))


@pytest.mark.parametrize(
    ("text", "pattern", "holds"),
    [
        ("abcd", "a*bc*cd", False),  # the `c` in the middle is not there twice
        ("abccd", "a*bc*cd", True),
        ("aba", "ab*ba", False),
        ("abba", "ab*ba", True),
        ("a", "a*a", False),
        ("aa", "a*a", True),
        ("ab", "*b*b", False),
        ("ab", "a*a*", False),
        ("abab", "*ab*ab*", True),
        ("aba", "*ab*ba*", False),
        ("abc", "a*c*b*", False),
        ("", "", True),
        ("a", "", False),
        ("", "**", True),
        ("ab", "a**b", True),
    ],
)
def test_the_parts_of_a_pattern_do_not_overlap(text: str, pattern: str, holds: bool) -> None:
    assert matches(text, pattern) is holds


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=5), st.integers(0, 3))
def test_like_where_the_parts_meet(parts: list[str], less: int) -> None:
    """The shortest text that matches, and what is left of it without some characters at a place of its own."""
    pattern, text = "*".join(parts), "".join(parts)
    slow = ".*".join(map(re.escape, parts))
    assert matches(text, pattern)
    for start in range(len(text) + 1):
        shorter = text[:start] + text[start + less :]
        assert matches(shorter, pattern) is bool(re.fullmatch(slow, shorter, re.DOTALL))


def test_like_takes_no_time() -> None:
    """A pattern that hangs naive matchers; here the suite would hang."""
    assert not matches("a" * 20_000, "*a" * 2_000 + "*b")
    assert matches("a" * 20_000, "*a" * 2_000 + "*")


# Three-valued logic --------------------------------------------------------------------------------------

LEAVES: dict[str, Truth] = {"yes": True, "no": False, "unknown": None}


class _Given:
    """Facts that the field's name tells; all others are unknown."""

    def read(self, field: Field) -> Fact:
        truth = LEAVES.get(field.name)
        return UNKNOWN if truth is None else (truth,)


def _truth(condition: Condition) -> Truth:
    return evaluate(condition, _Given(), {}).truth


T, F, U = Field("yes"), Field("no"), Field("unknown")


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (T, T, True, True),
        (T, F, False, True),
        (F, F, False, False),
        (U, T, None, True),
        (U, F, False, None),
        (U, U, None, None),
    ],
)
def test_kleenes_tables(left: Field, right: Field, both: Truth, either: Truth) -> None:
    for pair in ((left, right), (right, left)):
        assert _truth(And(pair)) is both
        assert _truth(Or(pair)) is either


def test_not() -> None:
    assert [_truth(Not(leaf)) for leaf in (T, F, U)] == [False, True, None]


_logic: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from([T, F, U, Boolean(True), Boolean(False)]),
    lambda parts: st.one_of(
        parts.map(Not),
        st.lists(parts, min_size=2, max_size=3).map(lambda p: And(tuple(p))),
        st.lists(parts, min_size=2, max_size=3).map(lambda p: Or(tuple(p))),
    ),
    max_leaves=6,
)


def _obvious(condition: Condition, unknown: bool) -> bool:
    """The truth when every unknown fact were `unknown`; a fact may be read twice, so this is no oracle for None."""
    match condition:
        case And(parts):
            return all(_obvious(part, unknown) for part in parts)
        case Or(parts):
            return any(_obvious(part, unknown) for part in parts)
        case Not(part):
            return not _obvious(part, unknown)
        case Boolean(value):
            return value
        case Field(name):
            truth = LEAVES[name]
            return unknown if truth is None else truth
    raise AssertionError(condition)


@given(_logic)
def test_what_is_certain_holds_whatever_the_unknown_is(condition: Condition) -> None:
    truth = _truth(condition)
    if truth is not None:
        assert _obvious(condition, True) is _obvious(condition, False) is truth
    assert _truth(Not(Not(condition))) is truth


@given(_logic, _logic)
def test_de_morgan(one: Condition, other: Condition) -> None:
    assert _truth(Not(And((one, other)))) is _truth(Or((Not(one), Not(other))))


def test_names_and_lists_are_their_values() -> None:
    names: dict[str, NamedValue] = {"admins": ListOf((Text("a"), Text("b"))), "always": Boolean(True)}
    assert evaluate(Comparison("=", Text("B"), Name("admins")), _Given(), names).truth is True
    assert evaluate(Name("always"), _Given(), names).truth is True
    for nested in (And((T, Name("always"))), Or((F, Name("always"))), Not(Not(Name("always")))):
        assert evaluate(nested, _Given(), names).truth is True
        assert evaluate(Not(nested), _Given(), names).truth is False
    assert evaluate(ListOf((Boolean(False),)), _Given(), names).truth is False
    assert evaluate(ListOf(()), _Given(), names).truth is False


def test_a_trace_tells_the_values_that_hit() -> None:
    class Tags:
        def read(self, field: Field) -> Fact:
            assert field.name in VOCABULARY
            return ("intern", "VIP", "vip")

    tags = Field("user.tags")
    trace = evaluate(Comparison("=", tags, Text("vip")), Tags(), {})
    assert trace.hits == ("VIP", "vip")
    assert trace.facts == ((tags, ("intern", "VIP", "vip")),)
