"""Many worlds at once: which of them satisfy a formula, as the bits of one number.

A policy of 2,000 rules has four million pairs of rules; asked one world and one formula at a time, they take a minute.
"""

from collections.abc import Sequence

from seatwarden.grammar.ast import Field
from seatwarden.policy.worlds.formula import AllOf, AnyOf, Atom, Formula, Has
from seatwarden.policy.worlds.world import World


class Examples:
    """Worlds of one space; None stands for one that there is not, and satisfies nothing."""

    def __init__(self, worlds: Sequence[World | None]) -> None:
        self._worlds = {number: world for number, world in enumerate(worlds) if world is not None}
        self._all = sum(1 << number for number in self._worlds)
        self._by_texts: dict[Field, dict[int, int]] = {}
        self._known: dict[Atom, int] = {}

    def satisfying(self, formula: Formula) -> int:
        """The worlds in which the formula holds: the bit of each is set."""
        match formula:
            case AllOf(parts):
                found = self._all
                for part in parts:
                    found &= self.satisfying(part) if found else 0
                return found
            case AnyOf(parts):
                found = 0
                for part in parts:
                    found |= self.satisfying(part)
                return found
            case literal:
                if literal not in self._known:
                    self._known[literal] = self._of_literal(literal)
                return self._known[literal]

    def _of_literal(self, literal: Atom) -> int:
        if not isinstance(literal, Has):
            return sum(1 << number for number, world in self._worlds.items() if world.satisfies(literal))
        # Few worlds differ in one text, so one of each kind answers for all that have the same.
        alike = self._by_texts.get(literal.test.field)
        if alike is None:
            alike = self._by_texts[literal.test.field] = {}
            for number, world in self._worlds.items():
                held = world.bits(literal.test.field)
                alike[held] = alike.get(held, 0) | 1 << number
        example = next(iter(self._worlds.values()), None)
        pool = example.state.pools[literal.test.field] if example else None
        found = 0
        for held, numbers in alike.items():
            if pool and (held & pool.wild or bool(held & pool.masks[literal.test]) == literal.wanted):
                found |= numbers
        return found
