"""A policy's rules, ready for exact questions: which can match, and what they imply."""

from collections.abc import Iterable, Sequence
from datetime import date

from seatwarden.grammar.ast import Condition, Rule
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.days import DayField
from seatwarden.policy.worlds.examples import Examples
from seatwarden.policy.worlds.formula import Formula, Within, negate
from seatwarden.policy.worlds.policies import of_types, rule_formula
from seatwarden.policy.worlds.search import STEPS, Space, Undecided
from seatwarden.policy.worlds.translate import translate
from seatwarden.policy.worlds.world import World


class RuleSpace:
    """The rules as formulas in one space.

    `never` and `always` are the rules (by number) that match no license, and every license of their types;
    `expired` those whose last day is over. A question that takes more than is left of `steps` is not decided, and the
    rule that it is about is kept in `undecided`; in `unproved` where more search would not help.
    """

    def __init__(self, policy: CheckedPolicy, today: date, steps: int = STEPS) -> None:
        self.rules = policy.rules
        self.undecided: set[int] = set()
        self.unproved: set[int] = set()
        self._names = policy.names
        self._translated: dict[int, Formula] = {}  # by identity: the policy's own nodes, which stay
        self.formulas = [rule_formula(rule, policy.names) for rule in self.rules]
        self.opposites = [negate(formula) for formula in self.formulas]
        # Advice is followed where a text cannot be read, too.
        self.space = Space(self.formulas, steps, readable=False)
        examples = [self._example(number) for number in range(len(self.rules))]
        self._without_example = {number for number, example in enumerate(examples) if example is None}
        self._matching = self._rules_by_example(examples)
        self.never = self._without_example - self.undecided
        self.always = {n for n, rule in enumerate(self.rules) if self._is_always(n, rule)} - self.never
        self.expired = {n for n, rule in enumerate(self.rules) if rule.until and rule.until.value < today}

    def formula(self, condition: Condition) -> Formula:
        """The formula of a rule's condition, or of a part of it."""
        if id(condition) not in self._translated:
            self._translated[id(condition)] = translate(condition, self._names)
        return self._translated[id(condition)]

    def impossible(self, number: int, formulas: Iterable[Formula]) -> bool:
        """Whether it is certain that these cannot hold together; `number` is the rule that this is asked about."""
        possible = self.space.possible(*formulas)
        if possible is None:
            self.undecided.add(number)
        return possible is False

    def implies(self, one: int, other: int) -> bool:
        """Whether it is certain that the rule `other` matches wherever the rule `one` does (both by number)."""
        return self.impossible(one, [self.formulas[one], self.opposites[other]])

    def near(self, number: int, others: Iterable[int]) -> list[int]:
        """Those of the rules `others` that match an example of this one: only they can match wherever it does.

        Most rules have nothing to do with each other, and one example shows it without a search.
        """
        if number in self._without_example:
            return list(others)
        matching = self._matching[number]
        return [other for other in others if other in matching]

    def cause(self, number: int, formulas: Sequence[Formula], given: Iterable[Formula] = ()) -> list[int] | None:
        """The numbers of formulas that are enough for a contradiction with `given`, none of them needless; None where
        all of them can hold together, or that is not decided."""
        # Nearly all formulas have nothing to do with it. So those are added, one by one, that the world at hand breaks.
        given, kept = list(given), list[int]()
        while True:
            try:
                world = self.space.world(*given, *(formulas[n] for n in kept))
            except Undecided:
                self.undecided.add(number)
                return None
            if world is None:
                break
            broken = next((n for n, formula in enumerate(formulas) if not world.satisfies(formula)), None)
            if broken is None:
                return None
            kept.append(broken)
        for n in sorted(kept, reverse=True):  # of several sets an early one
            without = [other for other in kept if other != n]
            if self.impossible(number, [*given, *(formulas[other] for other in without)]):
                kept = without
        return sorted(kept)

    def _is_always(self, number: int, rule: Rule) -> bool:
        return self.impossible(number, [of_types(rule.types), negate(self.formula(rule.condition))])

    def _rules_by_example(self, examples: Sequence[World | None]) -> list[set[int]]:
        """For the example of each rule the rules that match it."""
        found: list[set[int]] = [set() for _ in examples]
        several = Examples(examples)
        for rule, formula in enumerate(self.formulas):
            matched = several.satisfying(formula)
            while matched:
                number = matched.bit_length() - 1
                found[number].add(rule)
                matched ^= 1 << number
        return found

    def _example(self, number: int) -> World | None:
        try:
            return self.space.world(self.formulas[number])
        except Undecided:
            self.undecided.add(number)
            return None


def bounds(rule: Rule) -> list[Formula]:
    """The formulas of a rule beside its condition: its license types, its last day."""
    last = [Within(DayField.TODAY, DayField.ORIGIN, rule.until.value.toordinal())] if rule.until else []
    return [of_types(rule.types), *last]
