"""Proving guarantees: whether what is promised holds for all facts there can be, and an example where it does not.

Guarantees speak of the rules, before notice, holds and limits, which only keep; guards keep, too. `never release when
C` counts C unknown as C. `always release when C` says *due*: C is certainly true, no guard holds, and all that the
rules read is known.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct

from seatwarden.grammar.ast import (
    Comparison,
    Condition,
    Field,
    Guarantee,
    Length,
    Not,
    ReadAs,
    Rule,
    UnusedFor,
    read_in,
    unmoved,
    walk,
)
from seatwarden.policy.guarantees.outcomes import ProofOutcome
from seatwarden.policy.guarantees.truth import Situation
from seatwarden.policy.guarantees.two_licenses import OtherLicense, both_held, of_other
from seatwarden.policy.guarantees.unknowns import Doubts, no_text
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.formula import Flag, Formula, all_of, any_of, negate
from seatwarden.policy.worlds.policies import of_types
from seatwarden.policy.worlds.search import STEPS, Space, Undecided
from seatwarden.policy.worlds.world import World

_TRIES = 50
"""Most worlds that are looked at for an example that can be confirmed."""
_COMPARED = 2
"""Most examples of which the smaller is shown: the search begins with small ones."""


class Counterexample(Struct, frozen=True):
    """A license of which the rules do not say what was promised; `rule` is the one that decides (None: no rule does).

    Its facts are those of `case`, some of which may be unknown. With `other` the person has another license, and
    `other_rule` decides on it.
    """

    case: Situation
    rule: Rule | None
    other: Situation | None = None
    other_rule: Rule | None = None


class Proof(Struct, frozen=True):
    """What became of a guarantee. What is not decided is never taken for proved."""

    guarantee: Guarantee
    outcome: ProofOutcome
    example: Counterexample | None = None
    judge: str | None = None
    """Whose word it is, where it is not that of our own search."""


def prove(policy: CheckedPolicy, steps: int = STEPS) -> tuple[Proof, ...]:
    """What becomes of each guarantee of a policy, in file order.

    All searches together may take so many steps; what takes more is not decided.
    """
    return _Prover(policy).proofs(steps) if policy.guarantees else ()


def broken(proofs: Iterable[Proof]) -> list[Proof]:
    """Those that are not proved."""
    return [proof for proof in proofs if proof.outcome != "proved"]


class _Question(Struct, frozen=True):
    """A guarantee, the conditions of what it speaks of, and the formula of what is against it.

    `readable`: whether people whose texts do not say what they are read as may be left out.
    """

    guarantee: Guarantee
    about: list[Condition]
    against: Formula
    readable: bool


class _Prover:
    """The questions of all guarantees of a policy, over one set of rules."""

    def __init__(self, policy: CheckedPolicy) -> None:
        self._policy = policy
        self._keeps = [rule for rule in policy.rules if rule.kind == "keep"]
        self._downgrades = [rule for rule in policy.rules if rule.kind == "downgrade"]
        self._texts = set(_compared_as_text(rule.condition for rule in policy.rules))
        self._readings = set(_readings(rule.condition for rule in policy.rules))
        self._doubtful = {id(rule): Doubts.of([rule.condition]).flags for rule in policy.rules}
        self._formulas: dict[tuple[int, frozenset[Flag], bool], Formula] = {}

    def proofs(self, steps: int) -> tuple[Proof, ...]:
        """What becomes of each guarantee."""
        questions = list(map(self._question, self._policy.guarantees))
        # A long list of users takes as long to be read for one question as for all of them.
        spaces = {
            readable: Space((one.against for one in questions if one.readable is readable), steps, readable=readable)
            for readable in {one.readable for one in questions}
        }
        return tuple(self._proof(one, spaces[one.readable]) for one in questions)

    def _question(self, guarantee: Guarantee) -> _Question:
        about = about_of(guarantee)
        # What is always released is certainly so, and then all that is read is known.
        doubts = Doubts.of(()) if guarantee.promise == "always" else Doubts.of(about)
        against = self._against(guarantee, about, doubts)
        return _Question(guarantee, about, against, not self._is_read_in_two_ways(about))

    def _proof(self, asked: _Question, space: Space) -> Proof:
        guarantee = asked.guarantee
        examples: list[Counterexample] = []
        outcome: ProofOutcome = "proved"
        try:
            for world in islice(space.worlds(asked.against), _TRIES):
                outcome = "not decided"  # that no example is confirmed proves nothing where there are candidates
                example = self._confirmed(guarantee, asked.about, world)
                examples += [example] if example is not None else []
                if len(examples) == _COMPARED:
                    break
        except Undecided:
            outcome = "not decided"
        if examples:
            return Proof(guarantee, "refuted", min(examples, key=_size))
        return Proof(guarantee, outcome)

    def _against(self, guarantee: Guarantee, about: Iterable[Condition], doubts: Doubts) -> Formula:
        """The formula of a license that is against the guarantee."""
        if guarantee.promise == "never both types":
            released = self._released(guarantee, doubts)
            return all_of([both_held(), released, of_other(released)])
        names, types = self._policy.names, of_types(guarantee.license_types)
        released = self._released(guarantee, doubts)
        if guarantee.promise == "always":
            return all_of([types, *(doubts.true(one, names) for one in about), negate(released)])
        possible = (negate(doubts.false(one, names)) for one in about)
        return all_of([types, doubts.couplings, *possible, released])

    def _released(self, guarantee: Guarantee, doubts: Doubts) -> Formula:
        """The formula that the rules certainly take a license: a downgrade takes the professional one, too."""
        counting = taking_of(self._policy, guarantee)
        downgraded = (self._certain(rule, doubts) for rule in counting if rule.kind == "downgrade")
        released = any_of(self._certain(rule, doubts) for rule in counting if rule.kind == "release")
        instead = (self._passed_by(rule, doubts) for rule in self._downgrades)
        return all_of(
            [
                any_of([*downgraded, all_of([released, *instead])]),
                *(self._passed_by(rule, doubts) for rule in self._keeps),
            ]
        )

    def _certain(self, rule: Rule, doubts: Doubts) -> Formula:
        """The formula that a rule certainly matches."""
        return self._said(rule, doubts, matches=True)

    def _passed_by(self, rule: Rule, doubts: Doubts) -> Formula:
        """The formula that a rule certainly does not match."""
        return self._said(rule, doubts, matches=False)

    def _said(self, rule: Rule, doubts: Doubts, *, matches: bool) -> Formula:
        # Nearly all rules read nothing that a guarantee has doubts about, and say the same to each.
        key = (id(rule), doubts.flags & self._doubtful[id(rule)], matches)
        if key not in self._formulas:
            said = doubts.matches if matches else doubts.passes_by
            self._formulas[key] = said(rule, self._policy.names)
        return self._formulas[key]

    def _confirmed(self, guarantee: Guarantee, about: list[Condition], world: World) -> Counterexample | None:
        """The example that a world is, where it is one: formulas leave open what evaluation settles."""
        if world.is_wild or not self._may_be_unreadable(world, about):
            return None
        of_both = guarantee.promise == "never both types"
        other = Situation(OtherLicense(world), self._policy.names) if of_both else None
        return counterexample(self._policy, guarantee, Situation(world, self._policy.names), other)

    def _is_read_in_two_ways(self, about: Iterable[Condition]) -> bool:
        """Whether a field is read as a date or a number, and compared as text or read as the other, too."""
        readings = self._readings | set(_readings(about))
        fields = [read.field for read in readings]
        return len(set(fields)) < len(fields) or not set(fields).isdisjoint(self._texts | set(_compared_as_text(about)))

    def _may_be_unreadable(self, world: World, about: Iterable[Condition]) -> bool:
        """Whether a text that is assumed to be no date can be one, whatever else is asked of it."""
        assumed = any(world.satisfies(no_text(read)) for read in _readings(about))
        return not (assumed and self._is_read_in_two_ways(about))


def counterexample(
    policy: CheckedPolicy, guarantee: Guarantee, case: Situation, other: Situation | None = None
) -> Counterexample | None:
    """The example against a guarantee that facts are, where they are one; `other` is the person's other license."""
    truths = [case.truth(one) for one in about_of(guarantee)]
    if guarantee.promise == "always":
        keep = next((rule for rule in policy.rules if rule.kind == "keep" and case.matches(rule)), None)
        is_due = keep is None and any(case.matches(rule) for rule in taking_of(policy, guarantee))
        return Counterexample(case, keep) if all(truths) and not is_due else None
    release = _release_of(policy, guarantee, case)
    if release is None or False in truths:
        return None
    if other is None:
        return Counterexample(case, release)
    also = _release_of(policy, guarantee, other)
    return Counterexample(case, release, other, also) if also is not None else None


def _release_of(policy: CheckedPolicy, guarantee: Guarantee, case: Situation) -> Rule | None:
    """The rule that takes a license, if one does that the guarantee speaks of."""
    counting = taking_of(policy, guarantee)
    if any(case.matches(rule) is not False for rule in policy.rules if rule.kind == "keep"):
        return None
    downgraded = next((rule for rule in counting if rule.kind == "downgrade" and case.matches(rule)), None)
    if downgraded is not None:
        return downgraded
    if any(case.matches(rule) is not False for rule in policy.rules if rule.kind == "downgrade"):
        return None
    return next((rule for rule in counting if rule.kind == "release" and case.matches(rule)), None)


def taking_of(policy: CheckedPolicy, guarantee: Guarantee) -> list[Rule]:
    """The rules that take licenses and that a guarantee speaks of."""
    untold = guarantee.promise == "never without notice"
    return [rule for rule in policy.rules if rule.takes and not (untold and rule.notice is not None)]


def _size(example: Counterexample) -> int:
    """The number of facts to tell."""
    world = example.case.world
    return world.size if isinstance(world, World) else 0


def about_of(guarantee: Guarantee) -> list[Condition]:
    """The conditions of the licenses that a guarantee speaks of."""
    found = [guarantee.condition] if guarantee.condition is not None else []
    if isinstance(guarantee.before, Length):
        found.append(Not(UnusedFor(guarantee.before)))
    return found


def _readings(conditions: Iterable[Condition]) -> Iterator[ReadAs]:
    return (node for condition in conditions for node, _ in walk(condition) if isinstance(node, ReadAs))


def _compared_as_text(conditions: Iterable[Condition]) -> Iterator[Field]:
    for condition in conditions:
        for node, _ in walk(condition):
            sides = (node.left, node.right) if isinstance(node, Comparison) else ()
            yield from (base for side in sides if read_in(side) is None and isinstance(base := unmoved(side), Field))
