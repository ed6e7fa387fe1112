"""A policy's rules, ready for exact questions: which can match, and what they imply."""

from collections.abc import Iterable, Sequence
from datetime import date

from seatwarden.grammar.ast import Condition, Rule
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.days import DayField
from seatwarden.policy.worlds.formula import Formula, Within, negate
from seatwarden.policy.worlds.policies import of_types, rule_formula
from seatwarden.policy.worlds.search import Space, Undecided
from seatwarden.policy.worlds.translate import translate
from seatwarden.policy.worlds.world import World

MOST_PAIRS = 150_000
"""Most pairs of rules that are compared, about a second of work; of pairs beyond it nothing is said."""


class RuleSpace:
    """The rules as formulas in one space.

    `never` and `always` are the rules (by number) that match no license, and every license of their types;
    `expired` those whose last day is over.
    """

    def __init__(self, policy: CheckedPolicy, today: date) -> None:
        self.rules = policy.rules
        self._names = policy.names
        self._translated: dict[int, Formula] = {}  # by identity: the policy's own nodes, which stay
        self.formulas = [rule_formula(rule, policy.names) for rule in self.rules]
        self.space = Space(self.formulas)
        self._pairs = 0
        self._examples = [self._example(formula) for formula in self.formulas]
        self.never = {n for n, formula in enumerate(self.formulas) if self.impossible([formula])}
        self.always = {n for n, rule in enumerate(self.rules) if self._is_always(rule)} - self.never
        self.expired = {n for n, rule in enumerate(self.rules) if rule.until and rule.until.value < today}

    def formula(self, condition: Condition) -> Formula:
        """The formula of a rule's condition, or of a part of it."""
        if id(condition) not in self._translated:
            self._translated[id(condition)] = translate(condition, self._names)
        return self._translated[id(condition)]

    def impossible(self, formulas: Iterable[Formula]) -> bool:
        """Whether it is certain that these cannot hold together."""
        return self.space.possible(*formulas) is False

    def implies(self, one: int, other: int) -> bool:
        """Whether it is certain that the rule `other` matches wherever the rule `one` does (both by number)."""
        self._pairs += 1
        if self._pairs > MOST_PAIRS:
            return False
        # Most rules have nothing to do with each other, and one example shows it without a search.
        example = self._examples[one]
        if example is not None and not example.satisfies(self.formulas[other]):
            return False
        return self.impossible([self.formulas[one], negate(self.formulas[other])])

    def cause(self, formulas: Sequence[Formula], given: Iterable[Formula] = ()) -> list[int]:
        """The numbers of formulas that are enough for a contradiction with `given`; of several sets an early one.

        All `formulas` together must be known to contradict it.
        """
        given, kept = list(given), list(range(len(formulas)))
        for number in reversed(range(len(formulas))):
            without = [n for n in kept if n != number]
            if self.impossible([*given, *(formulas[n] for n in without)]):
                kept = without
        return kept

    def _is_always(self, rule: Rule) -> bool:
        return self.impossible([of_types(rule.license_types), negate(self.formula(rule.condition))])

    def _example(self, formula: Formula) -> World | None:
        try:
            return self.space.world(formula)
        except Undecided:
            return None


def bounds(rule: Rule) -> list[Formula]:
    """The formulas of a rule beside its condition: its license types, its last day."""
    last = [Within(DayField.TODAY, DayField.ORIGIN, rule.until.value.toordinal())] if rule.until else []
    return [of_types(rule.license_types), *last]
