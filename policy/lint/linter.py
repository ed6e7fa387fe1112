"""Lint as a whole: all findings on one policy, in order, with those that comments allow set apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.lint.against_snapshot import find_unknown_names
from seatwarden.policy.lint.allow import Allowed, apply_allows, read_allows
from seatwarden.policy.lint.disuse import find_without_disuse
from seatwarden.policy.lint.findings import is_yaml
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.lint.meaning import find_meaningless
from seatwarden.policy.lint.overlap import find_overlaps
from seatwarden.policy.lint.rule_space import RuleSpace
from seatwarden.policy.lint.settings import find_settings
from seatwarden.policy.lint.thresholds import find_thresholds
from seatwarden.policy.lint.values import find_values
from seatwarden.policy.loading import CheckedPolicy


@dataclass(frozen=True, slots=True)
class Lint:
    """The findings on one policy by place, and those that its comments allow."""

    findings: tuple[Diagnostic, ...]
    allowed: tuple[Allowed, ...]


def lint(policy: CheckedPolicy, today: date, known: KnownNames | None = None) -> Lint:
    """Everything lint finds in a checked policy.

    `today` is the day in the policy's time zone, `known` what a snapshot knows (None: SW4xx is not looked for). All
    findings are warnings.
    """
    found = in_order(list(_findings(policy, today, known)))
    allows, problems = read_allows(policy.source, policy.file, yaml=is_yaml(policy))
    kept, allowed = apply_allows(found, allows, policy, with_snapshot=known is not None)
    return Lint(in_order([*kept, *problems]), tuple(allowed))


def _findings(policy: CheckedPolicy, today: date, known: KnownNames | None) -> Iterator[Diagnostic]:
    space = RuleSpace(policy, today)
    yield from find_meaningless(policy, space)
    yield from find_overlaps(policy, space)
    yield from find_thresholds(policy, space, today)
    yield from find_without_disuse(policy, today, space.never)
    yield from find_values(policy)
    yield from find_settings(policy)
    if known is not None:
        yield from find_unknown_names(policy, known, space)
