"""The guarantees of a plan's policy and what became of each: in its header, in its summary, and where it is refused."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.common.text import printable
from seatwarden.grammar.ast import Guarantee
from seatwarden.grammar.printer import print_promise, quote
from seatwarden.policy.guarantees.outcomes import EXTRA, Z3, ProofOutcome, by, is_installed
from seatwarden.policy.loading import CheckedPolicy


class GuaranteeJudged(Struct, frozen=True):
    """A guarantee as the record has it: its text, what became of it, and an example where it is refuted.

    The example is made up: no fact in it is anybody's. `judge` says whose word it is, where it is not our own.
    """

    text: str
    outcome: ProofOutcome
    example: str
    judge: str | UnsetType = UNSET

    @property
    def said(self) -> str:
        """What became of it, and by whom, where it is not our own word: `proved (by Z3)`."""
        return f"{self.outcome}{by(self.judge or None)}"

    @property
    def words(self) -> str:
        """Why a plan with it is refused, as a sentence without its end."""
        said = "does not hold" if self.outcome == "refuted" else "is not proved"
        example = f", for example {self.example}" if self.example else ""
        return printable(f"`{self.text}` {said}{by(self.judge or None)}{example}")


def judged(policy: CheckedPolicy) -> tuple[GuaranteeJudged, ...]:
    """The guarantees of a policy, each proved anew or refuted."""
    return _judged(policy, policy.guarantees)


def judged_for(site: CheckedPolicy, policy: CheckedPolicy) -> tuple[GuaranteeJudged, ...]:
    """The guarantees of a site's policy, asked of another policy, by which a plan of that site was made."""
    if not site.guarantees or site.digest == policy.digest:
        return ()
    from seatwarden.policy.guarantees.carried_over import carried_over

    return _judged(carried_over(site, policy), site.guarantees)


def _judged(policy: CheckedPolicy, said: Sequence[Guarantee]) -> tuple[GuaranteeJudged, ...]:
    """The guarantees of a policy, in the words of another where they come from there."""
    if not said:
        return ()  # most policies have none, and do not wait for what proves them
    from seatwarden.policy.guarantees.judges import judge
    from seatwarden.policy.guarantees.words import example_words

    return tuple(
        GuaranteeJudged(_on_one_line(words), one.outcome, example_words(policy, one), one.judge or UNSET)
        for words, one in zip(said, judge(policy), strict=True)
    )


def broken_words(guarantees: Iterable[GuaranteeJudged]) -> list[str]:
    """The guarantees that are not proved, in sentences: because of them nothing is released."""
    return [one.words for one in guarantees if one.outcome != "proved"]


def proved_elsewhere(recorded: Iterable[GuaranteeJudged], anew: Iterable[GuaranteeJudged]) -> list[str]:
    """The guarantees that a plan says Z3 proved and that are not decided here: on another machine, or by another Z3."""
    by_z3 = {one.text for one in recorded if one.outcome == "proved" and one.judge == Z3}
    here = "is another version here" if is_installed() else f"is not installed here; {EXTRA}"
    undecided = (one for one in anew if one.outcome == "not decided" and one.text in by_z3)
    return [printable(f"`{one.text}` was proved by {Z3}, which {here}") for one in undecided]


def guarantee_lines(guarantees: Iterable[GuaranteeJudged]) -> Iterator[str]:
    """The guarantees for people, what became of each in front."""
    outcomes = [
        (one, one.said if one.outcome == "proved" else one.said.replace(one.outcome, one.outcome.upper()))
        for one in guarantees
    ]
    width = max((len("not decided"), *(len(said) for _, said in outcomes)))
    for one, said in outcomes:
        yield printable(f"  {said:<{width}}  {one.text}")
        if one.example:
            yield printable(f"  {'':<{width}}  for example: {one.example}")


def _on_one_line(guarantee: Guarantee) -> str:
    name = f" {quote(guarantee.name)}" if guarantee.name is not None else ""
    return f"guarantee{name} {print_promise(guarantee)}"
