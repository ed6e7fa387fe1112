"""Two policies compared: on a snapshot, and on all facts there can be, against the reference evaluator."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.analysis.diff import changed, example_of_difference, other_differences, reasons
from seatwarden.engine.decide.decide import conclude, decide_all
from seatwarden.engine.decide.reference import evaluate_rule
from seatwarden.grammar.ast import Policy
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.search import Undecided
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user
from tests.profiles import examples
from tests.strategies import conditions, keep_rules, taking_rules
from tests.world_strategies import KnownFacts, known_facts

_policies = st.builds(
    lambda keeps, releases: Policy((*keeps, *releases)),
    st.lists(keep_rules(conditions()), max_size=2),
    st.lists(taking_rules(conditions()), min_size=1, max_size=2),
)


def _verdict(policy: CheckedPolicy, facts: KnownFacts) -> str:
    (license_type,) = facts.values["license.type"]  # type: ignore[misc]
    (today,) = facts.values["today"]  # type: ignore[misc]
    assert isinstance(today, date)
    rules = [rule for rule in policy.rules if rule.applies_to(license_type)]  # type: ignore[arg-type]
    outcomes = tuple(evaluate_rule(rule, facts, policy.names, today) for rule in rules)
    return conclude(license_type, outcomes, None)[0].verdict  # type: ignore[arg-type]


@examples(33)
@given(_policies, _policies, st.lists(known_facts(), min_size=3, max_size=6))
def test_policies_that_mean_the_same_agree_on_all_facts(one: Policy, other: Policy, several: list[KnownFacts]) -> None:
    old, new = checked(one), checked(other)
    try:
        example = example_of_difference(old, new, None)
    except Undecided:
        return
    if example is None:
        assert all(_verdict(old, facts) == _verdict(new, facts) for facts in several)
    else:
        assert example.old.verdict != example.new.verdict


@given(_policies)
def test_a_policy_means_the_same_as_itself(tree: Policy) -> None:
    assert example_of_difference(checked(tree), checked(tree), None) is None


def test_the_same_in_other_words() -> None:
    old = checked('keep when user = ["A\\x", "A\\y"]\nrelease when unused for 2 weeks and not user.inactive')
    new = checked(
        'keep when user.userDirectory = "a" and (user.userId = "X" or user.userId = "Y")\n'
        "release professional when license.unusedDays > 13 and user.inactive = false\n"
        "release analyzer when not (user.inactive or license.unusedDays < 14)"
    )
    assert example_of_difference(old, new, None) is None


def test_the_example_is_small_and_says_what_each_policy_says() -> None:
    release = "\nrelease analyzer when unused for 30 days"
    old = checked('keep "vips" when user.tags = ["vip", "board"] or user.roles = "r"' + release)
    new = checked('keep "vips" when user.tags = "vip" or user.roles = "r"' + release)
    example = example_of_difference(old, new, None)
    assert example is not None
    facts = dict(example.facts)
    assert facts["user.tags"] == ("board",)
    assert facts["license.unusedDays"] == (30,)
    assert "user.roles" not in facts
    assert (example.old.verdict, example.new.verdict) == ("keep", "release")
    assert example.old.rule is not None
    assert example.old.rule.name == "vips"


def test_a_difference_on_some_days_only() -> None:
    release = "\nrelease analyzer when unused for 30 days"
    old, new = checked("keep when month = [11, 12]" + release), checked("keep when month = 11" + release)
    assert example_of_difference(old, new, date(2026, 11, 21)) is None
    example = example_of_difference(old, new, None)
    assert example is not None
    assert dict(example.facts)["month"] == (12,)


def test_an_ended_rule_differs_before_its_end_only() -> None:
    release = "\nrelease analyzer when unused for 30 days"
    old, new = checked("keep until 2026-11-20 when user.inactive" + release), checked(release)
    assert example_of_difference(old, new, date(2026, 11, 21)) is None
    assert example_of_difference(old, new, date(2026, 11, 20)) is not None


def test_a_deciding_fact_that_is_nought_or_false_is_shown() -> None:
    example = example_of_difference(
        checked("release when unused for 0 days"), checked("release when unused for 1 day"), None
    )
    assert example is not None
    assert dict(example.facts)["license.unusedDays"] == (0,)
    release = "release when unused for 30 days"
    example = example_of_difference(checked(f"{release} and not user.inactive"), checked("keep when true"), None)
    assert example is not None
    assert dict(example.facts)["user.inactive"] == (False,)
    example = example_of_difference(
        checked(f"{release} and user.tags is empty"), checked(f"keep when user.blocked = false\n{release}"), None
    )
    assert example is not None
    assert dict(example.facts).items() >= {"user.tags": (), "user.blocked": (False,)}.items()


def test_no_example_has_a_license_used_after_its_user() -> None:
    old = checked("release when license.lastUsed > 2026-01-01 and user.lastUsed < 2026-01-01")
    assert example_of_difference(old, checked("keep when true"), None) is None
    old = checked("release when not never used and user.lastUsed is empty")
    assert example_of_difference(old, checked("keep when true"), None) is None


def test_other_differences() -> None:
    one = checked('timezone "UTC"\nrelease when user.inactive\nlimit release to 5 per run')
    other = checked('timezone "Europe/Stockholm"\nrelease when user.inactive')
    assert len(other_differences(one, other, same_zone=False)) == 2
    assert other_differences(one, other, same_zone=True) == ["they limit releases differently"]
    assert other_differences(one, one, same_zone=False) == []


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (" after notice of 14 days", "", True),
        (" after notice of 14 days", " after notice of 2 weeks", False),
        (" after notice of 14 days, reminder 3 days before", " after notice of 14 days", True),
        (
            " after notice of 14 days\nrelease when user.blocked",
            "\nrelease when user.blocked after notice of 14 days",
            True,
        ),
    ],
)
def test_rules_that_differ_only_in_their_notice(one: str, other: str, differ: bool) -> None:
    old, new = (checked(f"release when user.inactive{notice}") for notice in (one, other))
    assert other_differences(old, new, same_zone=True) == ["they give notice differently"] * differ
    assert other_differences(new, old, same_zone=True) == ["they give notice differently"] * differ


def test_changes_on_a_snapshot() -> None:
    users = [user(1, tags=[{"name": "vip"}]), user(2), user(3)]
    ago = {n: (date(2026, 11, 21) - timedelta(days=n)).isoformat() + "T12:00:00.000Z" for n in (20, 40)}
    rows = [license_row(1, ago[40]), license_row(2, ago[20]), license_row(3, ago[40])]
    site = snapshot_of(site_of(users, rows))
    old = checked('keep "vips" when user.tags = "vip"\nrelease analyzer "idle" when unused for 14 days')
    new = checked('release analyzer "idle" when unused for 30 days')
    found = changed(decide_all(old, site, day_of(old)), decide_all(new, site, day_of(new)))
    assert [(c.new.license_id, c.old.verdict, c.new.verdict) for c in found] == [
        ("l1", "keep", "release"),
        ("l2", "release", "keep"),
    ]
    assert reasons(found) == [
        ("keep", 'release "idle"', "no release rule matched", 1),
        ("release", 'keep "vips"', 'release "idle"', 1),
    ]
