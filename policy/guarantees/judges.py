"""The judges of guarantees: our own search, and Z3 where that does not decide and the extra `z3` is installed."""

from msgspec.structs import replace

from seatwarden.policy.guarantees.outcomes import Z3, is_installed
from seatwarden.policy.guarantees.proof import Proof, counterexample, prove
from seatwarden.policy.guarantees.truth import Situation
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.search import STEPS


def judge(policy: CheckedPolicy, steps: int = STEPS) -> tuple[Proof, ...]:
    """What becomes of each guarantee of a policy, in file order. The second judge works as long as the first may."""
    proofs = prove(policy, steps)
    undecided = sum(proof.outcome == "not decided" for proof in proofs)
    if not undecided or not is_installed():
        return proofs
    each = steps // undecided
    return tuple(_asked_again(policy, proof, each) if proof.outcome == "not decided" else proof for proof in proofs)


def _asked_again(policy: CheckedPolicy, proof: Proof, steps: int) -> Proof:
    from seatwarden.policy.guarantees.second_judge import facts_against

    found = facts_against(policy, proof.guarantee, steps)
    if found is None:
        return proof
    if not found:
        return replace(proof, outcome="proved", judge=Z3)
    # What it has found is shown only where evaluation says the same.
    case, *others = (Situation(one, policy.names) for one in found)
    example = counterexample(policy, proof.guarantee, case, next(iter(others), None))
    return replace(proof, outcome="refuted", example=example, judge=Z3) if example is not None else proof
