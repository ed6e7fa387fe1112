"""What rules and whole policies mean as formulas, and where two policies differ.

Guards are left out: they keep whatever the rules say, in every policy alike. So are unknown facts.
"""

from collections.abc import Iterable, Iterator

from grammar.ast import LICENSE_TYPES, LicenseType, Policy, Rule
from policy.worlds.days import Moment
from policy.worlds.formula import Formula, Has, TextTest, Within, all_of, any_of, negate
from policy.worlds.search import Space
from policy.worlds.translate import LICENSE_TYPE, Names, translate
from policy.worlds.world import World


def of_types(types: Iterable[LicenseType]) -> Formula:
    """The license is of one of these types; of any when none is named."""
    return Has(TextTest(LICENSE_TYPE, exact=frozenset(types) or frozenset(LICENSE_TYPES)))


def rule_formula(rule: Rule, names: Names) -> Formula:
    """Where a rule matches: its license types, its last day, its condition."""
    parts = [of_types(rule.license_types), translate(rule.condition, names)]
    if rule.until is not None:
        parts.insert(1, Within(Moment.TODAY, Moment.ORIGIN, rule.until.value.toordinal()))
    return all_of(parts)


def release_formula(policy: Policy, names: Names) -> Formula:
    """Where a policy releases: some release rule matches, and no keep rule does."""
    releases = [rule_formula(rule, names) for rule in policy.rules if rule.kind == "release"]
    keeps = [rule_formula(rule, names) for rule in policy.rules if rule.kind == "keep"]
    return all_of([any_of(releases), *(negate(keep) for keep in keeps)])


def differences(one: Formula, other: Formula, given: Formula) -> Iterator[World]:
    """Worlds in which exactly one of two formulas holds, of those in which `given` does; small ones first.

    None at all: they mean the same on all facts there can be. Raises UndecidedError.
    """
    space = Space([one, other, given])
    found: list[World] = []
    for holds, fails in ((one, other), (other, one)):
        found += [world for world, _ in zip(space.worlds(given, holds, negate(fails)), range(_TRIES), strict=False)]
    yield from sorted(found, key=lambda world: world.size)


_TRIES = 50
