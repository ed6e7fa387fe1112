"""A policy with another threshold."""

import pytest

from seatwarden.engine.analysis.thresholds import STEPS, parse_thresholds, thresholds_of, variants_of, with_threshold
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import check_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("analyzer=30,60", ("analyzer", (30, 60))),
        (" Professional = 90 ", ("professional", (90,))),
        ("analyzer=14..180", ("analyzer", STEPS)),
        ("analyzer=20..50", ("analyzer", (20, 21, 30, 45, 50))),
    ],
)
def test_read(text: str, expected: tuple[str, tuple[int, ...]]) -> None:
    assert parse_thresholds(text) == expected


_NONE = ["analyzer", "analyzer=", "user=30", "analyzer=60..30", "analyzer=a", "analyzer=99999"]


@pytest.mark.parametrize("text", _NONE)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no type with days"):
        parse_thresholds(text)


def test_only_release_rules_of_the_type_are_asked_otherwise() -> None:
    policy = check_text(
        "keep when unused for 5 days\nrelease when unused for 30 days and not user.inactive\n"
        "release professional when unused for 2 weeks\nrelease analyzer when license.unusedDays > 20",
        "a.policy",
    )
    assert print_policy(with_threshold(policy, "analyzer", 60).tree).splitlines() == [
        "keep when unused for 5 days",
        "release analyzer when unused for 60 days and not user.inactive",
        "release professional when unused for 30 days and not user.inactive",
        "release professional when unused for 2 weeks",
        "release analyzer when license.unusedDays >= 60",
    ]


def test_a_policy_without_a_threshold_is_named() -> None:
    with pytest.raises(InputError, match=r"`a\.policy` has no threshold for analyzer"):
        with_threshold(check_text("release analyzer when user.inactive", "a.policy"), "analyzer", 30)


def test_a_variant_is_about_the_type_whose_threshold_it_has() -> None:
    policies = {"a": check_text("release when unused for 30 days", "a.policy")}
    found = variants_of(policies, {"analyzer": (30, 60), "professional": (90,)})
    assert list(found) == ["analyzer 30 days", "analyzer 60 days", "professional 90 days"]
    assert [(one.days, one.is_of("analyzer")) for one in found.values()] == [(30, True), (60, True), (90, False)]
    assert thresholds_of("analyzer", found["analyzer 60 days"].policy.rules) == (60,)
    two = variants_of({**policies, "b": policies["a"]}, {"analyzer": (30,)})
    assert list(two) == ["a, analyzer 30 days", "b, analyzer 30 days"]
    assert variants_of(policies, {})["a"].is_of("professional")


def test_thresholds_are_those_of_release_rules_for_the_type() -> None:
    rules = check_text(
        "keep when unused for 5 days\nrelease analyzer when unused for 6 weeks or license.unusedDays >= 10\n"
        "release when not (unused for 90 days)",
        "a.policy",
    ).rules
    assert thresholds_of("analyzer", rules) == (10, 42, 90)
    assert thresholds_of("professional", rules) == (90,)
