"""The verdicts on licenses without their words: for who decides the same licenses day after day."""

from collections.abc import Sequence
from datetime import date

from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import rule_on
from seatwarden.engine.facts.facts import Subject
from seatwarden.engine.facts.guards import Guard, guard_for, row_state_of
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Truth


class Verdicts:
    """The verdicts of a policy on licenses of one type; what was worked out of the policy is kept for later days."""

    def __init__(self, policy: CheckedPolicy, license_type: LicenseType) -> None:
        self._policy = policy
        self._type = license_type
        self._ends = [rule.until.value for rule in policy.rules if rule.until is not None]
        self._rules: dict[tuple[date, ...], CompiledRules] = {}
        self._known: dict[tuple[Guard | None, tuple[Truth, ...], int], bool] = {}

    def released(self, subjects: Sequence[Subject]) -> list[bool]:
        """For each subject whether its license would be released; they may be of several days."""
        by_rules: dict[tuple[date, ...], list[int]] = {}
        for place, subject in enumerate(subjects):
            # The rules of two days differ only by those that have ended.
            ended = tuple([end for end in self._ends if end < subject.day.today]) if self._ends else ()
            by_rules.setdefault(ended, []).append(place)
        found = [False] * len(subjects)
        for ended, places in by_rules.items():
            alike = [subjects[place] for place in places]
            rules = self._rules.get(ended)
            if rules is None:
                rules = self._rules[ended] = CompiledRules(self._policy, self._type, alike[0].day)
            for place, subject, truths in zip(places, alike, rules.truths(rules.read_as_asked(alike)), strict=True):
                found[place] = self._verdict(rules, guard_for(row_state_of(subject)), truths)
        return found

    def _verdict(self, rules: CompiledRules, guard: tuple[Guard, str] | None, truths: tuple[Truth, ...]) -> bool:
        key = (guard[0] if guard else None, truths, id(rules))
        found = self._known.get(key)
        if found is None:
            ruling, _ = rule_on(rules.rules, truths, key[0])
            found = self._known[key] = ruling.takes
        return found
