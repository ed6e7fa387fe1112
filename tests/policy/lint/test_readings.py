"""Texts that are read as dates or numbers: one of several, and those that cannot be read."""

import pytest
from msgspec.structs import replace

from tests.policy.lint.support import codes, findings
from tests.policy.lint.test_against_snapshot import KNOWN

WITH_DATES = replace(
    KNOWN,
    texts={**KNOWN.texts, "user.@End": frozenset({"2027-01-31", "31.12.2026", "soon", " 2026-12-01 "})},
    keys={**KNOWN.keys, "user.@": frozenset({"End"})},
)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("release when date(user.@End) < today and unused for 7 days", ["SW327"]),
        ("release when today > date(user.@End) + 2 weeks and unused for 7 days", ["SW327"]),
        ("release when number(user.@End) <= 3 and unused for 7 days", ["SW327"]),
        ("release when user.@End is not empty and not date(user.@End) >= today and unused for 7 days", []),
        ("release when date(user.@End) > today and unused for 7 days", []),
        ("release when date(user.name) < today and unused for 7 days", []),
        ("release when not (not date(user.@End) < today) and unused for 7 days", ["SW327"]),
        ("keep when date(user.@End) < today", []),
    ],
)
def test_one_of_several_is_enough(rule: str, found: list[str]) -> None:
    assert codes(rule) == found


def test_what_is_meant_can_be_written() -> None:
    (found,) = findings("release when today > date(user.@End) + 2 weeks and unused for 7 days")
    meant = "user.@End is not empty and not date(user.@End) + 2 weeks >= today"
    assert found.help == f"where all are meant: `{meant}`"
    assert codes(f"release when {meant} and unused for 7 days") == []


def test_texts_that_cannot_be_read_are_counted() -> None:
    (found,) = findings("keep when date(user.@End) >= today", WITH_DATES)
    assert (found.code, found.message, found.label) == (
        "SW409",
        "of the 4 texts that `user.@End` has in this snapshot 2 are no date",
        '"31.12.2026", "soon"',
    )


def test_a_use_of_today_is_seen_through_a_number() -> None:
    of_ones_own = "release when user.@Keep is not empty and not number(user.@Keep) {} license.unusedDays"
    assert codes(of_ones_own.format(">=")) == ["SW313"], "no text says less than 0: one day at least"
    assert codes(of_ones_own.format(">")) == ["SW322"]
    assert codes("release when date(user.@End) >= today") == ["SW322"]
