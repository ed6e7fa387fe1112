"""Guarantees that do not hold, or are not decided. They are errors: no plan of such a policy is applied."""

from collections.abc import Iterator

from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.guarantees.judges import judge
from seatwarden.policy.guarantees.outcomes import EXTRA, is_installed
from seatwarden.policy.guarantees.proof import Proof, broken
from seatwarden.policy.guarantees.words import example_words, proof_words
from seatwarden.policy.lint.findings import head
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.search import STEPS

_UNDECIDED = "it counts as one that does not hold: say less in it, read a property in one way only, or search longer"


def find_guarantees(policy: CheckedPolicy, steps: int = STEPS) -> Iterator[Diagnostic]:
    """SW334 a guarantee that does not hold, SW335 one that is not decided."""
    for proof in broken(judge(policy, steps)):
        yield _refuted(policy, proof) if proof.outcome == "refuted" else _undecided(proof)


def _refuted(policy: CheckedPolicy, proof: Proof) -> Diagnostic:
    always = proof.guarantee.promise == "always"
    label = "such a license is not due" if always else "such a license is released"
    example = proof.example
    rules = [rule for rule in (example.rule, example.other_rule) if rule is not None] if example is not None else []
    related = tuple((head(rule), "kept by this rule" if always else "released by this rule") for rule in rules)
    help_ = f"for example: {example_words(policy, proof)}"
    place = proof.guarantee.name_span
    return Diagnostic("SW334", "error", proof_words(proof), place, label, help_, tuple(dict.fromkeys(related)))


def _undecided(proof: Proof) -> Diagnostic:
    help_ = _UNDECIDED if is_installed() else f"{_UNDECIDED}; {EXTRA}"
    return Diagnostic("SW335", "error", proof_words(proof), proof.guarantee.name_span, "not proved", help_)
