"""What is proved holds on all facts that are drawn, and what refutes it is seen so by the reference evaluator."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import And, Condition, Guarantee, Not, Policy, ReadAs
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.guarantees.proof import Proof, prove
from seatwarden.policy.guarantees.words import example_facts, example_words
from seatwarden.policy.loading import CheckedPolicy, check_text
from tests.policy.guarantees.judging import AsFacts, SomeFacts, is_broken, missing
from tests.profiles import examples
from tests.strategies import conditions, guarantees, keep_rules, taking_rules
from tests.world_strategies import KnownFacts, known_facts


def proofs(text: str) -> tuple[Proof, ...]:
    return prove(check_text(text, "p"))


def outcome(text: str) -> str:
    (proof,) = proofs(text)
    return proof.outcome


# On random policies --------------------------------------------------------------------------------------


@st.composite
def guaranteed(draw: st.DrawFn) -> CheckedPolicy:
    """A policy of a few rules with guarantees near to what they say, so that many hold and many do not."""
    keeps = draw(st.lists(keep_rules(conditions()), max_size=2))
    releases = draw(st.lists(taking_rules(conditions()), min_size=1, max_size=2))
    said: list[st.SearchStrategy[Condition]] = [conditions()]
    said += [st.just(rule.condition) for rule in keeps]
    said += [st.just(Not(rule.condition)) for rule in releases] + [st.just(rule.condition) for rule in releases]
    about = st.one_of(said)
    both = st.builds(lambda one, other: And((one, other)), about, about)
    promised = draw(st.lists(guarantees(about | both), min_size=1, max_size=3))
    return check_text(print_policy(Policy((*promised, *keeps, *releases))), "p")


@given(guaranteed(), st.lists(st.tuples(known_facts(), missing), min_size=1, max_size=4))
def test_what_is_proved_holds_on_all_facts(
    policy: CheckedPolicy, several: list[tuple[KnownFacts, frozenset[str]]]
) -> None:
    for proof in prove(policy):
        for known, gone in several if proof.outcome == "proved" else ():
            # What is always released is so where all that the rules read is known.
            facts = SomeFacts(known, frozenset() if proof.guarantee.promise == "always" else gone)
            if not _has_unreadable(policy, facts) or proof.guarantee.promise != "always":
                assert not is_broken(policy, proof.guarantee, facts)


@given(guaranteed())
def test_what_refutes_is_seen_so_by_the_reference(policy: CheckedPolicy) -> None:
    for proof in prove(policy):
        assert (proof.example is not None) is (proof.outcome == "refuted")
        if proof.example is not None:
            other = AsFacts(proof.example.other) if proof.example.other else None
            assert is_broken(policy, proof.guarantee, AsFacts(proof.example.case), other)
            assert example_facts(policy, proof)
            assert example_words(policy, proof)


@examples(2)
@given(guaranteed(), known_facts("professional"), st.data())
def test_nobody_loses_both_where_that_is_proved(policy: CheckedPolicy, facts: KnownFacts, data: st.DataObject) -> None:
    policy = replace(policy, tree=Policy((Guarantee("never both types"), *policy.rules)))
    (proof,) = prove(policy)
    if proof.outcome == "proved":
        for _ in range(5):
            assert not is_broken(policy, proof.guarantee, *_both(facts, data.draw(st.integers(0, 99)), data))


def _both(facts: KnownFacts, age: int, data: st.DataObject) -> tuple[KnownFacts, KnownFacts]:
    """Two licenses of one user."""
    known: Any = facts.values
    today: date = known["today"][0]
    allocated = today - timedelta(days=age)
    used = data.draw(st.none() | st.integers(0, 99).map(lambda days: today - timedelta(days=days)))
    uses = [day for day in (*known["license.lastUsed"], used) if day is not None]
    latest: date = max(uses or [allocated, *known["license.createdDate"]])
    shared: dict[str, Fact] = {
        "user.licenses": ("analyzer", "professional"),
        "user.lastUsed": (max(uses),) if uses else (),
        "user.unusedDays": ((today - latest).days,),
    }
    own: dict[str, Fact] = {
        "license.type": ("analyzer",),
        "license.lastUsed": (used,) if used else (),
        "license.neverUsed": (used is None,),
        "license.createdDate": (allocated,),
        "license.unusedDays": ((today - (used or allocated)).days,),
        "license.excess": (data.draw(st.booleans()),),
    }
    return KnownFacts({**facts.values, **shared}), KnownFacts({**facts.values, **shared, **own})


def _has_unreadable(policy: CheckedPolicy, facts: SomeFacts) -> bool:
    from seatwarden.engine.facts.facts import as_read
    from seatwarden.grammar.ast import walk

    nodes = (node for condition in policy.tree.conditions for node, _ in walk(condition))
    return any(isinstance(n, ReadAs) and isinstance(as_read(n, facts.read(n.field)), Unknown) for n in nodes)


# Said one by one -----------------------------------------------------------------------------------------

_RELEASE = "release analyzer when unused for 30 days\n"


@pytest.mark.parametrize(
    ("guarantee", "rules", "expected"),
    [
        ('never release when user.roles = "a"', 'keep when user.roles = "a" ' + _RELEASE, "proved"),
        ('never release when user.roles = "a"', _RELEASE, "refuted"),
        ('never release professional when user.roles = "a"', _RELEASE, "proved"),
        ('never release when user.roles = "a"', 'keep until 2030-01-01 when user.roles = "a" ' + _RELEASE, "refuted"),
        ("never release before 30 days", _RELEASE, "proved"),
        ("never release before 31 days", _RELEASE, "refuted"),
        ("never release before 30 days when user.inactive", _RELEASE + "release when user.blocked", "refuted"),
        ("never release before 30 days when not user.blocked", _RELEASE + "release when user.blocked", "proved"),
        ("never release before 4 weeks", "release when license.lastUsed < today - 28 days", "proved"),
        ("never release", "keep when user.blocked " + _RELEASE, "refuted"),
        ("never release", "keep when user.blocked or not user.blocked " + _RELEASE, "proved"),
        ("never release without notice", "release when unused for 9 days after notice of 3 days", "proved"),
        ("never release without notice", _RELEASE, "refuted"),
        ("never release without notice", "keep when unused for 1 day " + _RELEASE, "proved"),
        ("never release without notice when user.blocked", "keep when user.blocked " + _RELEASE, "proved"),
        ("always release analyzer when unused for 30 days", _RELEASE, "proved"),
        ("always release when unused for 30 days", _RELEASE, "refuted"),
        ("always release analyzer when unused for 29 days", _RELEASE, "refuted"),
        ("always release analyzer when unused for 30 days", "keep when user.blocked " + _RELEASE, "refuted"),
        ("never release both types", _RELEASE, "proved"),
        ("never release both types", "release when unused for 30 days", "refuted"),
        ("never release both types", 'release analyzer when user.licenses = "professional"', "proved"),
        ("never release both types", "release when never used keep when user.lastUsed is empty", "proved"),
    ],
)
def test_guarantees(guarantee: str, rules: str, expected: str) -> None:
    assert outcome(f"guarantee {guarantee}\n{rules}") == expected


def test_unknown_counts_as_protected() -> None:
    """No fact contradicts itself; of who is blocked or not nothing may be known, and such a one is released."""
    (proof,) = proofs("guarantee never release when user.blocked and not user.blocked\n" + _RELEASE)
    assert proof.outcome == "refuted"
    assert ("user.blocked", "unknown") in example_facts(check_text(_RELEASE, "p"), proof)


def test_a_text_that_is_no_date_counts_as_protected() -> None:
    text = "guarantee never release when date(user.@End) < 2020-01-01 and date(user.@End) >= 2020-01-01\n"
    policy = check_text(text.replace("@End", "attributes.end") + _RELEASE, "p")
    (proof,) = prove(policy)
    assert proof.outcome == "refuted"  # there may be two texts, or one that says nothing
    policy = check_text("guarantee never release when date(user.@End) < today keep when date(user.@End) < today\n", "p")
    assert [one.outcome for one in prove(policy)] == ["proved"]


def test_read_in_two_ways_is_never_taken_for_proved() -> None:
    """Who has the text `soon` has no date, and is released: no world has such a text."""
    text = 'guarantee never release when date(user.@End) > today and user.@End = "soon" release when user.@End = "soon"'
    assert outcome(text) == "not decided"


def test_what_takes_too_long_is_not_decided() -> None:
    parts = " and ".join(f'(user.tags = "a{n}" or user.roles = "b{n}")' for n in range(4))
    policy = check_text(f"guarantee never release when {parts}\nkeep when {parts}\n{_RELEASE}", "p")
    assert [proof.outcome for proof in prove(policy, steps=10)] == ["not decided"]
    assert [proof.outcome for proof in prove(policy)] == ["proved"]


def test_the_example_names_who_decides() -> None:
    policy = check_text("guarantee never release both types\nrelease when unused for 30 days", "p")
    (proof,) = prove(policy)
    assert example_words(policy, proof) == (
        'license.type = "professional", license.unusedDays = 30, the other\'s type = "analyzer", the other\'s '
        "unusedDays = 400: released by `release`, and the other by `release`"
    )
