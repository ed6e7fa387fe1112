"""The guarantees of a plan's policy and what became of each: in its header, in its summary, and where it is refused."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from seatwarden.engine.common.text import printable
from seatwarden.grammar.ast import Guarantee
from seatwarden.grammar.printer import print_promise, quote
from seatwarden.policy.guarantees.carried_over import carried_over
from seatwarden.policy.guarantees.proof import ProofOutcome, prove
from seatwarden.policy.guarantees.words import example_words
from seatwarden.policy.loading import CheckedPolicy


class GuaranteeJudged(Struct, frozen=True):
    """A guarantee as the record has it: its text, what became of it, and an example where it is refuted.

    The example is made up: no fact in it is anybody's.
    """

    text: str
    outcome: ProofOutcome
    example: str

    @property
    def words(self) -> str:
        """Why a plan with it is refused, as a sentence without its end."""
        said = "does not hold" if self.outcome == "refuted" else "is not proved"
        example = f", for example {self.example}" if self.example else ""
        return printable(f"`{self.text}` {said}{example}")


def judged(policy: CheckedPolicy) -> tuple[GuaranteeJudged, ...]:
    """The guarantees of a policy, each proved anew or refuted."""
    proofs = prove(policy)
    return tuple(
        GuaranteeJudged(_on_one_line(one.guarantee), one.outcome, example_words(policy, one)) for one in proofs
    )


def judged_for(site: CheckedPolicy, policy: CheckedPolicy) -> tuple[GuaranteeJudged, ...]:
    """The guarantees of a site's policy, asked of another policy, by which a plan of that site was made."""
    if not site.guarantees or site.digest == policy.digest:
        return ()
    asked = carried_over(site, policy)
    return tuple(
        GuaranteeJudged(_on_one_line(said), one.outcome, example_words(asked, one))
        for said, one in zip(site.guarantees, prove(asked), strict=True)
    )


def broken_words(guarantees: Iterable[GuaranteeJudged]) -> list[str]:
    """The guarantees that are not proved, in sentences: because of them nothing is released."""
    return [one.words for one in guarantees if one.outcome != "proved"]


def guarantee_lines(guarantees: Iterable[GuaranteeJudged]) -> Iterator[str]:
    """The guarantees for people, what became of each in front."""
    for one in guarantees:
        outcome = one.outcome if one.outcome == "proved" else one.outcome.upper()
        yield printable(f"  {outcome:<11}  {one.text}")
        if one.example:
            yield printable(f"               for example: {one.example}")


def _on_one_line(guarantee: Guarantee) -> str:
    name = f" {quote(guarantee.name)}" if guarantee.name is not None else ""
    return f"guarantee{name} {print_promise(guarantee)}"
