"""A release that asks for no disuse is proved by a world: the policy releases there what was used that day."""

from datetime import date, timedelta

import pytest
from hypothesis import given

from seatwarden.engine.decide.reference import evaluate_rule
from seatwarden.grammar.ast import LICENSE_TYPES, Comparison, Field, Policy, Rule
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.lint.disuse import find_without_disuse, world_of_use
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import CheckedPolicy, check_text
from seatwarden.policy.worlds.search import Undecided, Unproved, _Search
from seatwarden.policy.worlds.world import World
from tests.policy.lint.support import TODAY
from tests.profiles import examples
from tests.strategies import policies


@examples(100)
@given(policies())
def test_the_world_is_no_false_alarm(tree: Policy) -> None:
    policy = check_text(print_policy(tree), "test.policy")
    for rule in policy.rules:
        world = _world(rule, policy)
        if world is None or any(isinstance(flag, Comparison) for flag in world.state.flags):
            continue  # of two open texts a world only assumes what they are
        (own,) = world.read(Field("license.type"))
        assert own in LICENSE_TYPES
        assert world.today >= TODAY
        assert world.read(Field("license.unusedDays")) == (0,)
        assert world.read(Field("license.lastUsed")) == world.read(Field("user.lastUsed")) == (world.today,)
        truths = {
            (other.kind, evaluate_rule(other, world, policy.names, world.today).truth)
            for other in policy.rules
            if other.applies_to(own) and (other.kind == "keep" or other is rule)  # type: ignore[arg-type]
        }
        assert truths <= {("keep", False), ("release", True)}
        assert ("release", True) in truths


def _world(rule: Rule, policy: CheckedPolicy) -> World | None:
    """Where a text is both compared and read as something that it does not say, nothing is claimed."""
    try:
        return world_of_use(rule, policy, TODAY) if rule.kind == "release" else None
    except Unproved:
        return None


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("release when user.inactive and today >= 2027-01-01", True),
        ("release when user.inactive and today < 2026-11-22", True),
        ("release when user.inactive and today < 2026-11-21", False),
        ("release when license.createdDate < 2026-01-01", True),
        ('keep "k" until 2027-12-31 when user.inactive\nrelease when user.inactive', True),
        ("release when unused for 30 days and user.inactive", False),
        ("release when (unused for 30 days or never used) and user.inactive", False),
        ("release when (unused for 0 days or never used) and user.inactive", True),
        ("release when user.userId like license.type", True),
        ("release when license.available = license.available", True),
        ("release when license.available < license.available", False),
    ],
)
def test_from_today_on(text: str, later: bool) -> None:
    policy = check_text(text, "test.policy")
    world = world_of_use(policy.rules[-1], policy, TODAY)
    assert (world is not None) is later
    assert world is None or world.today - TODAY >= timedelta(0)


def test_the_day_after_the_end_of_a_protection() -> None:
    policy = check_text('keep "k" until 2027-12-31 when user.inactive\nrelease when user.inactive', "test.policy")
    world = world_of_use(policy.rules[1], policy, TODAY)
    assert world is not None
    assert world.today > date(2027, 12, 31)


def test_past_its_bound_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = check_text("release when user.inactive", "test.policy")
    assert world_of_use(policy.rules[0], policy, TODAY) is not None
    init = _Search.__init__
    monkeypatch.setattr(_Search, "__init__", lambda self, allowed, readable: init(self, 0, readable))
    with pytest.raises(Undecided):
        world_of_use(policy.rules[0], policy, TODAY)
    assert list(find_without_disuse(policy, TODAY)) == []


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("license.lastUsed < today", ["SW313"]),
        ("license.lastUsed + 3 days < today", ["SW313"]),
        ("user.unusedDays >= 3", ["SW313"]),
        ("not license.unusedDays < 3", ["SW313"]),
        ("license.lastUsed < today - 7 days", []),
        ("license.lastUsed < today and user.inactive and unused for 8 days", []),
        ("user.inactive", ["SW322"]),  # the day of use is said, and what follows from it is not
    ],
)
def test_what_a_rule_means_is_asked_and_not_how_it_is_written(condition: str, found: list[str]) -> None:
    assert [one.code for one in lint(check_text(f"release when {condition}", "p"), TODAY).findings] == found
