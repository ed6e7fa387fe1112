from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatwarden.engine.simulator.filter import FilterError, parse_filter

ROW: Mapping[str, Any] = {
    "id": "49ad09d6-1111-4111-8111-0123456789ab",
    "lastUsed": "2024-01-31T23:59:59.999Z",
    "createdDate": "2023-05-01T08:00:00Z",
    "quarantined": False,
    "excess": True,
    "minutes": 30,
    "share": 0.5,
    "user": {"userId": "JDoe", "userDirectory": "CORP", "name": "Jürgen Doe"},
    "deletedUserId": "",
    "tags": [{"name": "contractor"}, {"name": "License do not release"}],
    "customProperties": [{"value": "Finance", "definition": {"name": "Department"}}],
    "attributes": [],
    "owner": None,
}


@pytest.mark.parametrize(
    "text",
    [
        # strings, and names of properties, ignore case
        "user.userId eq 'jdoe'",
        "USER.UserID EQ 'JDOE'",
        "user.name eq 'JÜRGEN DOE'",
        "user.userId ne 'other'",
        "user.name sw 'jürg'",
        "user.name ew ' doe'",
        "user.name so 'GEN D'",
        "user.name so ''",
        "deletedUserId eq ''",
        # GUIDs and enum values need no quotes
        "id eq 49AD09D6-1111-4111-8111-0123456789ab",
        "user.userDirectory eq Corp",
        # booleans and numbers
        "quarantined eq false",
        "excess eq True and quarantined ne true",
        "minutes eq 30 and minutes eq 30.0 and minutes gt 29 and minutes ge 30",
        "share lt 1 and share le 0.5 and share gt -1",
        # dates are instants, however many digits
        "lastUsed le '2024-01-31T23:59:59.999Z'",
        "lastUsed eq '2024-01-31T23:59:59.9990000Z'",
        "lastUsed lt '2024-01-31T23:59:59.9990001Z'",
        "lastUsed gt '2024-01-31 23:59:59' and lastUsed lt '2024-02-01'",
        "createdDate eq '2023-05-01T08:00:00.000Z'",
        # any element of a list
        "tags.name eq 'Contractor'",
        "tags.name eq 'license do not release'",
        "tags.name ne 'contractor'",
        "customProperties.definition.name eq 'Department' and customProperties.value eq 'finance'",
        # null and nothing
        "owner eq null and owner.name eq null and missing eq null",
        "user ne null",
        "not owner eq 'x'",
        "attributes eq null",
        # precedence: not before and before or
        "minutes eq 30 or minutes eq 1 and minutes eq 2",
        "not minutes eq 1 and minutes eq 30",
        "not (minutes eq 30 and minutes eq 1)",
        "(minutes eq 1 or minutes eq 30) and excess eq true",
        "not not minutes eq 30",
        # words that begin like operators
        "notes eq null or minutes eq 30",
        "  minutes   eq\t30  ",
    ],
)
def test_selects(text: str) -> None:
    assert parse_filter(text).matches(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "user.userId eq 'jdo'",
        "user.userId ne 'JDOE'",
        "user.name sw 'doe'",
        "minutes eq '30'",
        "minutes sw 3",
        "quarantined eq 0",
        "excess eq 'true'",
        "lastUsed lt '2024-01-31T23:59:59.999Z'",
        "lastUsed gt 2024",
        "user.userId gt '2024-01-31'",
        "user eq 'JDoe'",
        # null is no value to compare with, nor is an element that does not exist
        "owner ne 'x'",
        "owner.name ne 'x'",
        "missing lt 5",
        "attributes.attributeType ne 'email'",
        "owner ne null",
        "tags.name eq 'x'",
        "not tags.name eq 'contractor'",
    ],
)
def test_leaves_out(text: str) -> None:
    assert not parse_filter(text).matches(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "userId",
        "userId eq",
        "eq 'x'",
        "userId eq 'x",
        "userId = 'x'",
        'userId eq "x"',
        "userId like 'x'",
        "userId eq 'O'Neil'",
        "userId eq 'O''Neil'",
        "userId+eq+'x'",
        "userId eq 'x' and",
        "userId eq 'x' userDirectory eq 'y'",
        "(userId eq 'x'",
        "userId eq 'x')",
        "not",
        "user..name eq 'x'",
        ".name eq 'x'",
        "1 eq 1",
        "userId eq 'a'\nor userId eq 'b'",
        # operators their type does not have
        "userId lt 'x'",
        "lastUsed ge '2024-02-30T00:00:00Z'",
        "excess gt true",
        "owner le null",
        "owner so null",
        "excess sw true",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert caught.value.text == text
    assert caught.value.column is not None
    assert 1 <= caught.value.column <= len(text) + 1


def test_says_where() -> None:
    with pytest.raises(FilterError, match="column 8") as caught:
        parse_filter("userId = 'x'")
    assert caught.value.column == 8


def test_length_is_no_matter_but_depth_is() -> None:
    long = parse_filter(" or ".join(f"minutes eq {number}" for number in range(2000)))
    assert long.matches(ROW)
    assert long.depth == 2
    assert parse_filter("(" * 2000 + "minutes eq 30" + ")" * 2000).matches(ROW)
    assert not parse_filter("not " * 99 + "minutes eq 30").matches(ROW)
    with pytest.raises(FilterError, match="nested"):
        parse_filter("not " * 100 + "minutes eq 30")
    with pytest.raises(FilterError, match="nested"):
        parse_filter("not " * 5000 + "minutes eq 30")


def test_parses_in_many_threads() -> None:
    texts = [f"minutes eq {number} or user.userId eq 'u{number}'" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda text: parse_filter(text).matches(ROW), texts))
    assert [number for number, verdict in enumerate(verdicts) if verdict] == [30]


@settings(deadline=None)  # the first example builds the parser
@given(st.text(max_size=40))
@example("not(a eq 1)or b eq'2'")
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        verdict = parse_filter(text).matches(ROW)
    except FilterError:
        return
    assert verdict in (True, False)


_leaves = st.sampled_from(["a eq 1", "b eq 1", "A EQ 2", "B ne 1", "c eq 'x'", "c.d eq null"])
_rows = st.fixed_dictionaries({}, optional={name: st.sampled_from([1, 2, "x", None]) for name in "abc"})


@given(_leaves, _leaves, _leaves, _rows)
def test_operators_combine_as_logic_does(p: str, q: str, r: str, row: dict[str, Any]) -> None:
    def holds(text: str) -> bool:
        return parse_filter(text).matches(row)

    assert holds(f"{p} and {q}") == (holds(p) and holds(q))
    assert holds(f"{p} or {q}") == (holds(p) or holds(q))
    assert holds(f"not {p}") != holds(p)
    assert holds(f"{p} or {q} and {r}") == (holds(p) or (holds(q) and holds(r)))
    assert holds(f"not ({p} or {q})") == holds(f"not {p} and not {q}")
