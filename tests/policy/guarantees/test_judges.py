"""What our own search leaves open, the second judge decides; its word is named, and its examples are confirmed."""

import subprocess
import sys

import pytest

from seatwarden.policy.guarantees import outcomes, second_judge
from seatwarden.policy.guarantees.candidates import MOST_TEXTS, Candidates
from seatwarden.policy.guarantees.judges import judge
from seatwarden.policy.guarantees.proof import Proof, prove
from seatwarden.policy.guarantees.words import example_words, proof_words
from seatwarden.policy.lint.guarantees import find_guarantees
from seatwarden.policy.loading import CheckedPolicy, check_text
from seatwarden.policy.worlds.search import STEPS
from tests.policy.guarantees.hard import EASIER_TO_BREAK, HARD, RELEASE
from tests.policy.guarantees.judging import AsFacts, is_broken

_OPEN = 'release analyzer when user.@End = "open" and unused for 30 days\n'


def _pigeons(pigeons: int, holes: int) -> str:
    """Released is only who has each pigeon in a hole of its own: hard where the last hole is needed."""
    some = " and ".join("(" + " or ".join(f'user.tags = "{p} {h}"' for h in range(holes)) + ")" for p in range(pigeons))
    ways = [(p, q, h) for h in range(holes) for p in range(pigeons) for q in range(p)]
    two = " or ".join(f'(user.tags = "{p} {h}" and user.tags = "{q} {h}")' for p, q, h in ways)
    return f"guarantee never release when {some}\nkeep when {two}\n{RELEASE}"


def _judged(text: str, steps: int = STEPS) -> tuple[CheckedPolicy, Proof]:
    policy = check_text(text, "p")
    (own,) = prove(policy, steps)
    assert own.outcome == "not decided"
    (proof,) = judge(policy, steps)
    return policy, proof


def test_what_takes_too_long_is_proved() -> None:
    _, proof = _judged(HARD)
    assert (proof.outcome, proof.judge, proof.example) == ("proved", "Z3", None)
    assert proof_words(proof) == 'guarantee "all" holds (by Z3)'


def test_what_takes_too_long_is_refuted() -> None:
    policy, proof = _judged(_pigeons(8, holes=8), steps=10_000)
    assert (proof.outcome, proof.judge) == ("refuted", "Z3")
    assert proof.example is not None
    assert is_broken(policy, proof.guarantee, AsFacts(proof.example.case))


@pytest.mark.parametrize(
    ("about", "rules", "expected"),
    [
        ('date(user.@End) > today and user.@End = "open"', _OPEN, "refuted"),
        ('date(user.@End) > today and user.@End = "open"', _OPEN.replace("release", "keep", 1) + RELEASE, "proved"),
        ('date(user.@End) > today and number(user.@End) > 3 and user.@End = "7"', RELEASE, "refuted"),
        ('user.@End is empty and user.@End = "open"', "release when date(user.@End) > today", "proved"),
        ('user.@End = "open"', 'release when date(user.@End) > today keep when user.@End = "OPEN"', "proved"),
    ],
)
def test_texts_that_are_read_in_two_ways(about: str, rules: str, expected: str) -> None:
    policy = check_text(f"guarantee never release when {about}\n{rules}", "p")
    (proof,) = judge(policy)
    assert proof.outcome == expected
    if proof.example is not None:
        assert is_broken(policy, proof.guarantee, AsFacts(proof.example.case))
        assert example_words(policy, proof)


@pytest.mark.parametrize(
    "condition",
    [
        'user.@End like "open*" and date(user.@End) > today',
        "license.available > 3",
        "user = user.@End",
        "user.@End = user.name and date(user.@End) > today",
        f"user.tags = {[str(number) for number in range(MOST_TEXTS)]}".replace("'", '"'),
    ],
)
def test_of_what_it_does_not_judge_nothing_is_said(condition: str) -> None:
    policy = check_text(f"guarantee never release when {condition}\n{RELEASE}", "p")
    assert Candidates.of(policy) is None
    assert judge(policy) == prove(policy)


def test_an_example_that_is_not_confirmed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    weaker = check_text(EASIER_TO_BREAK, "p")
    found = second_judge.facts_against(weaker, weaker.guarantees[0], STEPS)
    assert found
    monkeypatch.setattr(second_judge, "facts_against", lambda *_: found)
    (proof,) = judge(check_text(HARD, "p"))
    assert (proof.outcome, proof.judge) == ("not decided", None)


def test_with_too_little_work_it_does_not_know() -> None:
    policy = check_text(_pigeons(10, holes=9), "p")
    assert [one.outcome for one in judge(policy, steps=200)] == ["not decided"]


def test_without_the_extra_it_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "find_spec", lambda _: None)
    assert [(one.outcome, one.judge) for one in judge(check_text(HARD, "p"))] == [("not decided", None)]


def test_it_is_loaded_only_where_it_is_asked() -> None:
    """Loading it takes longer than most proofs."""
    program = (
        "import sys; from seatwarden.policy.guarantees.judges import judge\n"
        "from seatwarden.policy.loading import check_text\n"
        f"judge(check_text('guarantee never release before 9 days {RELEASE.strip()}', 'p'))\n"
        "assert 'z3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_the_extra_lint_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "find_spec", lambda _: None)
    (found,) = find_guarantees(check_text(HARD, "p"))
    assert found.code == "SW335"
    assert str(found.help).endswith("; the extra `z3` may decide it: pip install z3-solver")
