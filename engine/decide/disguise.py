"""A plan's decisions as a log with pseudonyms may say them: ids keyed, facts coarse, and nothing that only few share.

Licenses that say the same are a class. A class of fewer than k would lead to a person whom somebody knows a little of;
its lines say type and verdict only. Each of them has a mark, by which whoever has the key can see whether the facts
behind it are still the same.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import structs, to_builtins

from seatwarden.engine.decide.class_counts import ClassCounts
from seatwarden.engine.decide.coarse import Coarsening
from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import STANDING, Decision, Evaluated, Ruling, facts_of
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.decide.standing import ruled
from seatwarden.engine.decide.withheld import facts_withheld, is_withheld
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import OF_SITE, Fact, fact_to_json
from seatwarden.engine.facts.guards import RowState, guard_for
from seatwarden.engine.facts.standing import NO_STANDING, Standing, bare
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.loading import CheckedPolicy

_SOMEBODY = "(behind a pseudonym)"
_FREE = RowState(False, None, "known", None, True)
_QUARANTINED = RowState(True, None, "known", None, True)

_Said: TypeAlias = tuple[object, ...]


class Disguise:
    """Says the decisions of a policy on one day under the pseudonyms of one period."""

    def __init__(self, pseudonyms: Pseudonyms, policy: CheckedPolicy, day: Day) -> None:
        self._pseudonyms = pseudonyms
        self._coarsenings: Mapping[LicenseType, Coarsening] = {t: Coarsening(policy, t, day) for t in LICENSE_TYPES}
        self._withheld: dict[tuple[object, ...], Ruling] = {}
        self._reasons: dict[tuple[object, ...], str] = {}
        self._day = day

    def of_all(self, decisions: Iterable[Decision]) -> tuple[tuple[Decision, ...], ClassCounts]:
        """The decisions of a plan, those of classes below k withheld, by type and in an order that tells nothing."""
        exact = list(decisions)
        coarse = [self._said(decision, facts) for decision, facts in zip(exact, facts_of(exact), strict=True)]
        few = _few(coarse, self._pseudonyms.k)
        said = [self.withheld(one) if n in few else one for n, one in enumerate(coarse)]
        said.sort(key=lambda decision: (LICENSE_TYPES.index(decision.license_type), decision.license_id))
        return tuple(said), _count(said, self._pseudonyms.k)

    def of_decision(self, decision: Decision) -> Decision:
        """A decision with keyed ids and coarse facts, whatever the size of its class.

        Withheld where the policy compares texts in a way for which no facts that name nobody are found.
        """
        return self._said(decision, decision.facts)

    def _said(self, decision: Decision, exact: Mapping[str, Fact]) -> Decision:
        coarsening = self._coarsenings[decision.license_type]
        row_state = _coarse_row(decision.row_state)
        facts = coarsening.facts(exact)
        user = self._pseudonyms.of_user(decision.user) if decision.user_id is not None else None
        # Who is held or told is few: it is said only where the verdict hangs on it.
        taken, standing = decision.takes, NO_STANDING
        if taken or decision.because in STANDING:
            kept = not taken and decision.because == "downgrade"
            standing = bare(decision.standing, self._day.today.isoformat(), taken=taken, downgrade=kept)
        hidden = structs.replace(
            decision,
            license_id=self._pseudonyms.of_license(*decision.key),
            user_directory=None,
            user_id=user,
            user_name=None,
            row_state=row_state,
            take_back=None,
            unused_days=None,
            last_used=None,
            standing=standing,
        )
        outcomes = coarsening.outcomes(facts) if facts is not None else ()
        truths = tuple(outcome.rule for outcome in outcomes if outcome.truth is True)
        if facts is None or truths != decision.matched:
            return self.withheld(structs.replace(hidden, evaluation=Evaluated(exact, ())))
        return structs.replace(
            hidden,
            user_directory=coarsening.directory(facts),
            reason=self._reason(decision.license_type, row_state, facts, outcomes, standing),
            unused_days=coarsening.unused_days(facts),
            evaluation=Evaluated(facts, outcomes),
        )

    def withheld(self, hidden: Decision) -> Decision:
        """A decision of `of_decision` that says its type and verdict only, and has a mark of the rest."""
        if is_withheld(hidden):
            return hidden
        key = (hidden.license_type, hidden.license_id)
        what = {name: fact_to_json(fact) for name, fact in hidden.facts.items() if name not in OF_SITE}
        behind = json.dumps([*key, hidden.user_id, to_builtins(hidden.row_state), what], sort_keys=True)
        why = f"fewer than {self._pseudonyms.k} licenses say the same"
        ruling = hidden.ruling
        short = (ruling.verdict, ruling.because, ruling.guard)
        return structs.replace(
            hidden,
            user_directory=None,
            user_id=None if hidden.user_id is None else self._pseudonyms.of_holder(hidden.license_id),
            ruling=self._withheld.setdefault(short, Ruling(*short, None, ())),
            reason=f"withheld: {why}",
            row_state=_QUARANTINED if ruling.guard == "quarantined" else _FREE,
            unused_days=None,
            evaluation=Evaluated(facts_withheld(why, self._pseudonyms.digest(behind)), ()),
            standing=NO_STANDING,
        )

    def _reason(
        self,
        license_type: LicenseType,
        row: RowState,
        facts: Mapping[str, Fact],
        outcomes: tuple[RuleOutcome, ...],
        standing: Standing,
    ) -> str:
        # Facts that are equal are one object, as long as there is a coarsening.
        key = (license_type, row, id(facts), standing)
        if key not in self._reasons:
            concluded = conclude(license_type, outcomes, guard_for(row))
            _, self._reasons[key] = ruled(*concluded, standing, self._day)
        return self._reasons[key]


def _coarse_row(row: RowState) -> RowState:
    """The state of a row without a day or a name."""
    deleted = _SOMEBODY if row.deleted_user else None
    return structs.replace(row, quarantine_end=None, deleted_user=deleted)


def _said(decision: Decision) -> _Said:
    """All that a line says but its ids."""
    return (*_bare(decision), id(decision.ruling.rule), decision.row_state, decision.user_directory, _facts(decision))


def _facts(decision: Decision) -> int | None:
    """The facts that a line says: those that are equal are one object. The mark of what is withheld says nothing."""
    return None if is_withheld(decision) else id(decision.facts)


def _bare(decision: Decision) -> _Said:
    """What a line says though its facts are withheld."""
    ruling = decision.ruling
    return decision.license_type, ruling.verdict, ruling.because, ruling.guard, decision.user_id is None


def _few(decisions: Sequence[Decision], k: int) -> set[int]:
    """The numbers of the decisions to withhold: so that of what is said, and of what is withheld, k are alike.

    What a line says includes what the other licenses of its user say: their pseudonym is the same.
    """
    numbers = _numbers(decisions)
    classes: dict[tuple[int, ...], list[list[int]]] = defaultdict(list)
    for members in _by_user(decisions):
        classes[tuple(sorted(numbers[n] for n in members))].append(members)
    few = [n for alike in classes.values() if len(alike) < k for members in alike for n in members]
    alone = Counter(_bare(decisions[n]) for n in few)
    left = [alike for alike in classes.values() if len(alike) >= k]
    # Those that are withheld must be many, too: some of the largest class that would say as little join them.
    while found := next(((bare, _most(bare, left, decisions)) for bare, count in alone.items() if count < k), None):
        bare, alike = found
        if not alike:
            del alone[bare]  # all that say as little are withheld already
            continue
        alike.sort(key=lambda members: decisions[members[0]].license_id)
        needed = k - alone[bare]
        joining = alike[:needed] if len(alike) - needed >= k else alike[:]
        del alike[: len(joining)]
        more = [n for members in joining for n in members]
        few += more
        alone.update(_bare(decisions[n]) for n in more)
    return set(few)


def _most(bare: _Said, classes: list[list[list[int]]], decisions: Sequence[Decision]) -> list[list[int]]:
    """The largest class that has a line which would say as little when its facts are withheld; empty without any."""
    fitting = [alike for alike in classes if alike and any(_bare(decisions[n]) == bare for n in alike[0])]
    return max(fitting, key=len, default=[])


def _numbers(decisions: Sequence[Decision]) -> list[int]:
    """What each decision says, as a number: the same where they say the same."""
    said: dict[_Said, int] = {}
    return [said.setdefault(_said(decision), len(said)) for decision in decisions]


def _by_user(decisions: Sequence[Decision]) -> list[list[int]]:
    """The numbers of the decisions that have one pseudonym of a user; who has none, or is withheld, stands alone."""
    found: dict[object, list[int]] = defaultdict(list)
    for n, decision in enumerate(decisions):
        found[n if decision.user_id is None or is_withheld(decision) else decision.user_id].append(n)
    return list(found.values())


def _count(said: Sequence[Decision], k: int) -> ClassCounts:
    numbers = _numbers(said)
    classes: Counter[tuple[int, ...]] = Counter()
    for members in _by_user(said):
        together = tuple(sorted(numbers[n] for n in members))
        classes.update((numbers[n], *together) for n in members)
    verdicts: dict[_Said, set[str]] = defaultdict(set)
    for decision in said:
        verdicts[decision.license_type, _facts(decision)].add(decision.verdict)
    withheld = Counter(_bare(decision) for decision in said if is_withheld(decision))
    return ClassCounts(
        k,
        classes=len(classes),
        smallest=min(classes.values(), default=0),
        one_verdict=sum(len(found) == 1 for found in verdicts.values()),
        withheld=sum(withheld.values()),
        alone=sum(count for count in withheld.values() if count < k),
        snapshot_per_mille=round(1000 * len(classes) / len(said)) if said else 0,
    )
