"""Lint as a whole: all findings on one policy, in order, with those that comments allow set apart."""

from collections.abc import Iterator, Set
from datetime import date

from msgspec import Struct

from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.lint.against_snapshot import find_unknown_names
from seatwarden.policy.lint.allow import Allowed, apply_allows, read_allows
from seatwarden.policy.lint.disuse import find_said_in_vain, find_short, find_without_disuse
from seatwarden.policy.lint.findings import head, is_yaml, warning
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.lint.meaning import find_meaningless
from seatwarden.policy.lint.notices import find_notices
from seatwarden.policy.lint.overlap import find_overlaps
from seatwarden.policy.lint.protections import find_protections
from seatwarden.policy.lint.readings import find_any_of_several, find_unreadable
from seatwarden.policy.lint.rule_space import RuleSpace
from seatwarden.policy.lint.settings import find_settings
from seatwarden.policy.lint.values import find_values
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.search import STEPS


class Lint(Struct, frozen=True):
    """The findings on one policy by place, and those that its comments allow."""

    findings: tuple[Diagnostic, ...]
    allowed: tuple[Allowed, ...]


def lint(policy: CheckedPolicy, today: date, known: KnownNames | None = None, steps: int = STEPS) -> Lint:
    """Everything lint finds in a checked policy.

    `today` is the day in the policy's time zone, `known` what a snapshot knows (None: SW4xx is not looked for). What
    takes more than so many steps of search is not decided, which SW399 says, and SW335 of guarantees. All
    findings but those on guarantees are warnings.
    """
    found = in_order(list(_findings(policy, today, known, steps)))
    allows, problems = read_allows(policy.source, policy.file, yaml=is_yaml(policy))
    kept, allowed = apply_allows(found, allows, policy, with_snapshot=known is not None)
    return Lint(in_order([*kept, *problems]), tuple(allowed))


def _findings(policy: CheckedPolicy, today: date, known: KnownNames | None, steps: int) -> Iterator[Diagnostic]:
    space = RuleSpace(policy, today, steps)
    yield from find_meaningless(policy, space)
    yield from find_overlaps(policy, space)
    yield from find_protections(policy, space, today)
    yield from find_without_disuse(policy, today, space)
    yield from find_said_in_vain(policy, today, space)
    yield from find_short(policy, today, space)
    yield from find_notices(policy, today, space)
    if policy.guarantees:
        # Most policies have none, and proofs are much code.
        from seatwarden.policy.lint.guarantees import find_guarantees

        yield from find_guarantees(policy, steps)
    yield from find_values(policy)
    yield from find_settings(policy)
    yield from find_any_of_several(policy)
    if known is not None:
        yield from find_unknown_names(policy, known, space)
        yield from find_unreadable(policy, known)
    yield from _undecided(space)


MOST_NAMED = 5
"""Most rules of which it is said at their places that lint did not come to an end with them."""


_LONGER = "search longer, like --time 60, or make two rules of one; the policy means what it says all the same"
_TEXTS = "read a property as text, as a date or as a number, and not as two of them; the policy means what it says"


def _undecided(space: RuleSpace) -> Iterator[Diagnostic]:
    """SW399: the rules on which a question was given up."""
    yield from _given_up(space, space.undecided, "took too long", _LONGER)
    yield from _given_up(space, space.unproved - space.undecided, "what a text says decides", _TEXTS)


def _given_up(space: RuleSpace, numbers: Set[int], label: str, help_: str) -> Iterator[Diagnostic]:
    rules = [space.rules[number] for number in sorted(numbers)]
    if rules:
        first, *others = rules
        more = f" and {len(others)} more rule{'s' * (len(others) > 1)}" if others else ""
        message = f"not decided: what lint looks for in `{first.title}`{more}"
        related = tuple((head(rule), "nor this") for rule in others[: MOST_NAMED - 1])
        yield warning("SW399", message, head(first), label, help_, related)
