"""The search: a world in which formulas hold, or the proof that there is none.

Formulas are taken apart: literals go into a state, and the smallest world of that state is looked at. Of the choices
it does not satisfy, the one with the fewest alternatives left is tried, one alternative after the other; when none is
missed, the search is over. It is exact, and bounded: past the bound it says so.
"""

from collections.abc import Iterable, Iterator

from seatwarden.grammar.ast import Comparison, Field
from seatwarden.policy.worlds.formula import AllOf, AnyOf, Atom, Flag, Formula, Has, TextTest, literals, negate
from seatwarden.policy.worlds.readings import impossible
from seatwarden.policy.worlds.state import Pools, State
from seatwarden.policy.worlds.texts import text_values
from seatwarden.policy.worlds.translate import LICENSE_TYPE, LICENSES
from seatwarden.policy.worlds.world import World, world_of

STEPS_A_SECOND = 50_000
"""Literals that are tried in a second, on a usual machine. Work is counted in these and not in time, so that the same
question has the same answer everywhere."""
STEPS = 5 * STEPS_A_SECOND
"""Most literals that all questions to one space may try, if nothing else is asked for; a policy of 50 rules needs some
hundred for each."""
_SHARE = 10
"""One question may try this part of them: it leaves something to the others."""


class Undecided(Exception):
    """The search is past its bound: nothing is known."""


class Unproved(Undecided):
    """All worlds that were found leave open what a text says: to search longer would not help."""


class Space:
    """All worlds, as far as some formulas can tell them apart.

    Questions may be asked about these formulas, and about anything made of their literals. Together they may try
    `steps` literals. `readable`: whether what is asked leaves out people whose texts do not say what they are read
    as; a contradiction between two readings is none for them, since nothing is known of them.
    """

    def __init__(self, formulas: Iterable[Formula], steps: int = STEPS, *, readable: bool = True) -> None:
        tests: dict[Field, list[TextTest]] = {LICENSE_TYPE: [], LICENSES: []}
        for formula in formulas:
            for literal in literals(formula):
                if isinstance(literal, Has):
                    tests.setdefault(literal.test.field, []).append(literal.test)
        self._pools: Pools = {field: text_values(field, found) for field, found in tests.items()}
        self._most = max(1, steps // _SHARE)
        self._steps = steps
        self._readable = readable

    def world(self, *formulas: Formula) -> World | None:
        """A world in which all formulas hold, or None when there is none. Raises Undecided."""
        return next(self.worlds(*formulas), None)

    def possible(self, *formulas: Formula) -> bool | None:
        """Whether all formulas can hold together; None when that was not found out."""
        try:
            return self.world(*formulas) is not None
        except Undecided:
            return None

    def implies(self, one: Formula, other: Formula) -> bool | None:
        """Whether `other` holds wherever `one` does; None when that was not found out."""
        possible = self.possible(one, negate(other))
        return None if possible is None else not possible

    def worlds(self, *formulas: Formula) -> Iterator[World]:
        """Worlds in which all formulas hold, one for each way the search found; at least one if there is any.

        Raises Undecided.
        """
        search = _Search(min(self._most, self._steps), self._readable)
        try:
            yield from search.worlds(State(self._pools, {}, {}), formulas)
        finally:
            self._steps = max(0, self._steps - search.tried)


class _Search:
    def __init__(self, allowed: int, readable: bool) -> None:
        self._allowed = allowed
        self._readable = readable
        self.tried = 0

    def worlds(self, start: State, goals: Iterable[Formula]) -> Iterator[World]:
        stack: list[tuple[State, list[Formula], list[AnyOf]]] = [(start, list(goals), [])]
        while stack:
            settled = self._settle(*stack.pop())
            if settled is None:
                continue
            state, world, choices, missed = settled
            if not missed:
                yield world
                continue
            # Fewest first: there a wrong turn is noticed soonest. The alternatives need not exclude each other: a world
            # that comes twice does no harm.
            number, parts = min(missed.items(), key=lambda choice: len(choice[1]))
            rest = choices[:number] + choices[number + 1 :]
            stack.extend((state, [part], rest) for part in reversed(parts))

    def _settle(
        self, state: State, goals: list[Formula], before: list[AnyOf]
    ) -> tuple[State, World, list[AnyOf], dict[int, tuple[Formula, ...]]] | None:
        """The state with all that must hold, its smallest world, the choices, and what is open of those it misses.

        A choice that the smallest world satisfies needs no decision, and is not looked into. None when something
        cannot hold.
        """
        choices = list(before)
        while True:
            while goals:
                goal = goals.pop()
                if isinstance(goal, AllOf):
                    goals.extend(goal.parts)
                elif isinstance(goal, AnyOf):
                    choices.append(goal)
                else:
                    assumed = self._assume(state, goal)
                    if assumed is None:
                        return None
                    state = assumed
            # Most choices come from rules that have nothing to do with the question, and the smallest world happens to
            # satisfy them: to look at it first takes 65 steps instead of 6,700 for two policies of 50 rules. Where a
            # later assumption undoes that, the choice is missed then.
            world = world_of(state)
            if world is None:
                return None
            missed: dict[int, tuple[Formula, ...]] = {}
            left: list[AnyOf] = []
            # To check choices against the world tries no literal, but takes time too: uncounted, the bound on steps
            # would not bound the time. One is cheaper than a literal, hence the quarter.
            self._spend(len(choices) // 4)
            for choice in choices:
                parts = () if world.satisfies(choice) else self._open_parts(state, choice)
                if parts is None:
                    return None
                if len(parts) == 1:
                    # No choice is left: its only part must hold. That may settle others, hence the outer loop.
                    goals.append(parts[0])
                    continue
                if parts:
                    missed[len(left)] = parts
                left.append(choice)
            choices = left
            if not goals:
                return state, world, choices, missed

    def _open_parts(self, state: State, choice: AnyOf) -> tuple[Formula, ...] | None:
        """The parts of a choice that can still hold, none of them when one does already; None when no part can."""
        parts = []
        for part in choice.parts:
            truth = self._truth(state, part)
            if truth is True:
                return ()
            if truth is None:
                parts.append(part)
        return tuple(parts) or None

    def _truth(self, state: State, formula: Formula) -> bool | None:
        """Whether a formula certainly holds in a state, or certainly does not, as far as is seen at a glance."""
        match formula:
            case AnyOf(parts):
                truths = {self._truth(state, part) for part in parts}
                return True if True in truths else None if None in truths else False
            case AllOf(parts):
                certain, after = True, state
                for part in parts:
                    if isinstance(part, AnyOf):
                        # Literals are assumed one after the other, so that two which exclude each other are noticed.
                        # To assume an `or` would be a search of its own.
                        truth = self._truth(after, part)
                        if truth is False:
                            return False
                        certain = certain and truth is True
                        continue
                    assumed = self._assume(after, part)
                    if assumed is None:
                        return False
                    certain = certain and assumed is after
                    after = assumed
                return True if certain else None
            case literal:
                assumed = self._assume(state, literal)
                return False if assumed is None else True if assumed is state else None

    def _assume(self, state: State, literal: Atom | AllOf) -> State | None:
        assert not isinstance(literal, AllOf)  # noqa: S101 - for the type checker: `all_of` leaves no All in an All
        self._spend(1)
        assumed = state.assume(literal)
        if assumed is None or assumed is state:
            return assumed
        compared = isinstance(literal, Flag) and isinstance(literal.subject, Comparison)
        return None if compared and impossible(assumed, self._readable) else assumed

    def _spend(self, steps: int) -> None:
        self.tried += steps
        if self.tried > self._allowed:
            raise Undecided
