"""A second judge of guarantees: Z3, asked in a finite encoding that is built straight from the policy's tree.

It shares with `policy.worlds` the meaning of operators on two values, and how a text can be spelled, and no formula. It
needs the extra `z3`, and loading that takes longer than most proofs: whoever imports this has a question for it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import z3

from seatwarden.grammar.ast import LICENSE_TYPES, RULE_KINDS, Field, Guarantee, Rule, walk
from seatwarden.policy.guarantees.candidates import Candidates
from seatwarden.policy.guarantees.finite_facts import AnyLicense, AnyPerson, Logic, Z3Truth
from seatwarden.policy.guarantees.finite_truth import Truths
from seatwarden.policy.guarantees.found_facts import ORDINARY_DAY, FoundFacts, text_that_says
from seatwarden.policy.guarantees.proof import about_of
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE, VOCABULARY

WORK_A_STEP = 40
"""Z3's unit of work for each step of our own search: about the same time. It is no clock, so that the same question has
the same answer everywhere."""
_WISHES = 60
"""Most wishes about an example: an ordinary day, no roles, nothing missing."""
_LONG_AGO = 400


def facts_against(policy: CheckedPolicy, guarantee: Guarantee, steps: int) -> tuple[FoundFacts, ...] | None:
    """Facts of a license against a guarantee, and of the person's other license where it is about both.

    None of them where there are none, and None when that was not found out.
    """
    candidates = Candidates.of(policy)
    return _Question(policy, guarantee, candidates).answer(steps * WORK_A_STEP) if candidates is not None else None


class _Question:
    """Whether there are facts against a guarantee."""

    def __init__(self, policy: CheckedPolicy, guarantee: Guarantee, candidates: Candidates) -> None:
        self._policy = policy
        self._person = AnyPerson(Logic(z3.Context()), candidates)
        self._first = AnyLicense("", self._person)
        self._other = AnyLicense("other ", self._person) if guarantee.promise == "never both types" else None
        self._solver = z3.Solver(ctx=self._person.logic.context)
        self._solver.add(*self._against(guarantee))
        licenses = [one for one in (self._first, self._other) if one is not None]
        self._solver.add(*(law for one in licenses for law in one.laws()), *self._person.laws())

    def answer(self, work: int) -> tuple[FoundFacts, ...] | None:
        """The facts of each license that are against it."""
        self._solver.set("rlimit", min(max(work, 1), 2**32 - 1))
        found = self._solver.check()
        if found != z3.sat:
            return () if found == z3.unsat else None
        model = self._plainest()
        return tuple(self._facts(model, one) for one in (self._first, self._other) if one is not None)

    def _against(self, guarantee: Guarantee) -> Iterator[Z3Truth]:
        rules, first = self._policy.rules, Truths(self._first, self._policy.names)
        if self._other is not None:
            yield from self._first.laws_beside(self._other)
            other = Truths(self._other, self._policy.names)
            yield from (self._first.type == LICENSE_TYPES.index("professional"), _released(first, rules, rules))
            yield from (self._other.type == LICENSE_TYPES.index("analyzer"), _released(other, rules, rules))
            return
        yield first.is_of(guarantee.license_types)
        about = about_of(guarantee)
        if guarantee.promise == "always":
            yield from first.all_known(rule.condition for rule in rules)
            yield from map(first.true, about)
            yield self._person.logic.no(_released(first, rules, rules))
            return
        untold = guarantee.promise == "never without notice"
        yield from (self._person.logic.no(first.false(one)) for one in about)
        yield _released(first, rules, [rule for rule in rules if not (untold and rule.notice is not None)])

    def _plainest(self) -> Any:
        """A model of few facts: of each wish it is asked whether it can be had beside those before."""
        kept: list[Z3Truth] = []
        model = self._solver.model()
        for wish in list(self._wishes())[:_WISHES]:
            if z3.is_true(model.eval(wish, model_completion=True)):
                kept.append(wish)
            elif self._solver.check(*kept, wish) == z3.sat:
                model = self._solver.model()
                kept.append(wish)
        return model

    def _wishes(self) -> Iterator[Z3Truth]:
        person, no = self._person, self._person.logic.no
        yield from (no(gone) for gone in list(person.missing.values()))
        for of in list(person.fields):
            said = (one for kind in ("date", "number") for one, _ in person.said(of, kind))
            having = [*(one for one, _ in person.texts(of)), *said] if VOCABULARY[of.name].many else []
            yield from map(no, [*having, *([person.nobody(of)] if of.name in IN_USE else [])])
        yield person.today == ORDINARY_DAY.toordinal()
        yield from (day <= person.today for name, day in person.days.items() if name != "today")
        for one in (self._first, self._other):
            if one is not None:
                yield from (
                    no(one.never),
                    one.unused(of_user=False) <= _LONG_AGO,
                    one.unused(of_user=True) <= _LONG_AGO,
                )

    def _facts(self, model: Any, of: AnyLicense) -> FoundFacts:
        """The facts of a license that a model has."""
        person, conditions = self._person, self._policy.tree.conditions
        nodes = dict.fromkeys(node for said in conditions for node, _ in walk(said) if isinstance(node, Field))
        fields = [*map(Field, _ALWAYS_TOLD), *nodes]

        def holds(where: Z3Truth) -> bool:
            return bool(z3.is_true(model.eval(where, model_completion=True)))

        def value_of(value: Any) -> Any:
            return model.eval(value, model_completion=True).as_long() if isinstance(value, z3.ExprRef) else value

        values = {field: [value_of(value) for where, value in of.values(field) if holds(where)] for field in fields}
        texts = {field: found for field, found in values.items() if field in person.candidates.texts}
        for field, kind in person.candidates.read:
            said = [value_of(value) for where, value in person.said(field, kind) if holds(where)]
            texts[field] += [text_that_says(kind, value, person.candidates.texts[field]) for value in said]
        gone = [source for source, is_gone in person.missing.items() if holds(is_gone)]
        nobody = [field for field in nodes if field.name in IN_USE and holds(person.nobody(field))]
        return FoundFacts.of(values, gone, nobody, of.mark)


_ALWAYS_TOLD = (
    *("license.type", "license.lastUsed", "license.createdDate", "license.neverUsed", "license.unusedDays"),
    *("user.licenses", "user.lastUsed", "user.unusedDays", "user.userDirectory", "user.userId", "today"),
)


def _released(own: Truths, rules: Iterable[Rule], releases: Iterable[Rule]) -> Z3Truth:
    """Where the rules certainly take a license: by those rules of them that count."""
    logic = own.of.logic
    none = {kind: [logic.no(own.may_match(rule)) for rule in rules if rule.kind == kind] for kind in RULE_KINDS}
    some = {kind: logic.any(own.matches(rule) for rule in releases if rule.kind == kind) for kind in RULE_KINDS}
    taken = logic.any([some["downgrade"], logic.all([some["release"], *none["downgrade"]])])
    return logic.all([taken, *none["keep"]])
