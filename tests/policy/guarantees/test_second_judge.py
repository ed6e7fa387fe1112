"""Two judges on the same questions: what one proves the other does not refute."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from seatwarden.grammar.ast import Guarantee
from seatwarden.policy.guarantees.candidates import Candidates
from seatwarden.policy.guarantees.proof import counterexample, prove
from seatwarden.policy.guarantees.second_judge import facts_against
from seatwarden.policy.guarantees.truth import Situation
from seatwarden.policy.loading import CheckedPolicy, check_text
from seatwarden.policy.worlds.search import STEPS
from tests.policy.guarantees.judging import AsFacts, is_broken
from tests.policy.guarantees.test_proof import guaranteed
from tests.profiles import examples


def is_judged(policy: CheckedPolicy) -> bool:
    return Candidates.of(policy) is not None


def is_refuted(policy: CheckedPolicy, guarantee: Guarantee) -> bool | None:
    """What Z3 says. Where it has facts against a guarantee, the reference evaluator says the same of them."""
    found = facts_against(policy, guarantee, 10 * STEPS)
    if found:
        cases = [Situation(one, policy.names) for one in found]
        assert is_broken(policy, guarantee, *map(AsFacts, cases)), policy.text
        assert counterexample(policy, guarantee, *cases) is not None, policy.text
    return None if found is None else bool(found)


def _agree(policy: CheckedPolicy, told: Counter[str]) -> None:
    for proof in prove(policy):
        refuted = is_refuted(policy, proof.guarantee)
        told[proof.outcome] += 1
        if proof.outcome != "not decided" and refuted is not None:
            assert refuted is (proof.outcome == "refuted"), policy.text


@examples(150)
@given(guaranteed())
def test_z3_says_the_same(policy: CheckedPolicy) -> None:
    if is_judged(policy):
        _agree(policy, Counter())


@pytest.mark.long
def test_z3_says_the_same_of_thousands() -> None:
    """Among them as many that are proved, or the question would be too easy."""
    told: Counter[str] = Counter()

    @settings(max_examples=3600, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(guaranteed())
    def ask(policy: CheckedPolicy) -> None:
        if is_judged(policy):
            _agree(policy, told)

    ask()
    assert sum(told.values()) >= 4000
    assert min(told["proved"], told["refuted"]) >= 800
    assert told["not decided"] <= 100  # texts that are compared with each other, mostly


@pytest.mark.parametrize(
    ("guarantee", "rules", "refuted"),
    [
        ('never release when user.roles = "a"', 'keep when user.roles = "A" release when unused for 9 days', False),
        ('never release when user.roles = "a"', "release when unused for 9 days", True),
        ("never release before 9 days", "release when unused for 9 days", False),
        ("never release both types", "release analyzer when unused for 9 days", False),
        ("never release both types", "release when unused for 9 days", True),
        ("always release when unused for 9 days", "release when unused for 8 days", False),
        ("never release when month = 2 and today from 03-01 to 12-31", "release when unused for 9 days", False),
        ("never release when today from 02-29 to 02-29 and weekday = 'monday'", "release when unused for 9 days", True),
    ],
)
def test_the_second_judge(guarantee: str, rules: str, refuted: bool) -> None:
    """It would say nothing if it could say only one thing."""
    policy = check_text(f"guarantee {guarantee}\n{rules}", "p")
    assert is_refuted(policy, policy.guarantees[0]) is refuted
