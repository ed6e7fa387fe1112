"""A snapshot without somebody: the person's rows are gone, the others are what they were, byte for byte."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from seatwarden.engine.snapshot.packed import compress, decompressed
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.engine.snapshot.without import people_in_rows, rows_of, without_rows
from tests.engine.support import license_row, site_of, user
from tests.strategies import as_json

SITE = site_of(
    [user(n, name=f'Ann "{n}" Ödman') for n in range(1, 6)],
    [license_row(n) for n in range(1, 5)]
    + [license_row(9, user=None, deletedUserId="GONE", deletedUserDirectory="ACME")],
    [license_row(2, id="p2"), license_row(5, id="p5", user={"id": "u5"})],
)


def _rows(data: bytes) -> list[bytes]:
    class Parts(msgspec.Struct):
        users: list[Raw]
        licenses: dict[str, list[Raw]]

    parts = msgspec.json.decode(decompressed(data, "it"), type=Parts)
    return [bytes(row) for row in (*parts.users, *parts.licenses["professional"], *parts.licenses["analyzer"])]


@given(st.sets(st.integers(1, 12)))
def test_the_rows_that_are_left_are_byte_for_byte_what_they_were(numbers: set[int]) -> None:
    for data in (as_json(SITE), compress(as_json(SITE))):
        left = without_rows(data, numbers)
        assert _rows(left) == [row for n, row in enumerate(_rows(data), 1) if n not in numbers]
        assert left[:1] == data[:1], "packed as it was"
        assert decode_snapshot(left, "it").taken_at == SITE["takenAt"]


@pytest.mark.parametrize(
    ("who", "rows", "ids"),
    [
        ("ACME\\user1", [1, 8], ["l1", "u1"]),
        ("acme\\USER2", [2, 6, 9], ["l2", "p2", "u2"]),
        ("ACME\\gone", [12], ["l9"]),
        ("OTHER\\user1", [], []),
        ("ACME\\user", [], []),
    ],
)
def test_whose_rows(who: str, rows: list[int], ids: list[str]) -> None:
    assert rows_of(as_json(SITE), who) == (rows, frozenset(ids))


def test_a_license_may_name_its_user_by_id_alone() -> None:
    assert rows_of(as_json(SITE), "ACME\\user5", {"u5"}) == ([5, 7], frozenset(("u5", "p5")))


def test_everybody_by_a_part_of_the_name() -> None:
    found = {(directory, user_id) for directory, user_id, _, _ in people_in_rows(as_json(SITE), "ödman")}
    assert found == {("ACME", f"user{n}") for n in range(1, 6)}
    assert {ids for *_, ids in people_in_rows(as_json(SITE), "gone")} == {("l9",)}
    assert list(people_in_rows(compress(as_json(SITE)), "nobody")) == []


@pytest.mark.parametrize("spaces", ["", " "])
def test_who_changed_a_row_last_is_gone_from_all(spaces: str) -> None:
    site: dict[str, Any] = msgspec.json.decode(as_json(SITE))
    site["users"][0]["modifiedByUserName"] = 'ACME\\us"er2'
    site["users"][1]["name"] = 'says "modifiedByUserName":"ACME\\user2"'
    data = as_json(site).replace(b'"modifiedByUserName":', b'"modifiedByUserName":' + spaces.encode())
    left = msgspec.json.decode(without_rows(data, []))
    assert left["users"][0]["modifiedByUserName"] == ""
    assert left["users"][1]["name"] == msgspec.json.decode(data)["users"][1]["name"]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ('((user.name like "*"))', True),
        ('((user.userId="USER3"))', False),
        ('((user.id="U3"))', False),
        ('((user.userId="user4"))', True),
    ],
)
def test_license_rules_that_name_the_person_go_with_the_rows(condition: str, left: bool) -> None:
    rules = [{"name": "All", "rule": ""}, {"name": "One", "rule": condition, "modifiedByUserName": "ACME\\user3"}]
    for data in (as_json({**SITE, "licenseRules": rules}), compress(as_json({**SITE, "licenseRules": rules}))):
        text = decompressed(without_rows(data, {3, 10}), "it")
        assert (b"licenseRules" in text) is left
        assert b"ACME\\\\user3" not in text
