"""Two policies side by side: the verdicts that change on a snapshot, or an example of any difference."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import Decision, reason_label
from seatwarden.engine.decide.reference import evaluate_rule
from seatwarden.grammar.ast import Field, IsEmpty, LicenseType, Rule, Season, UnusedFor, walk
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Value
from seatwarden.policy.worlds.days import DayField
from seatwarden.policy.worlds.formula import TRUE, Formula, Within, all_of
from seatwarden.policy.worlds.policies import ReleasedBy, differences, told
from seatwarden.policy.worlds.search import Undecided
from seatwarden.policy.worlds.translate import LICENSE_TYPE, USER
from seatwarden.policy.worlds.world import World


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A license that the two policies do not agree on."""

    old: Decision
    new: Decision


@dataclass(frozen=True, slots=True)
class Opinion:
    """The verdict of one policy on a world, the rule that decided (None: none matched), and a sentence."""

    verdict: str
    rule: Rule | None
    reason: str


@dataclass(frozen=True, slots=True)
class Example:
    """A user on whom two policies differ: the facts they read, by field, and what each says."""

    facts: tuple[tuple[str, tuple[Value, ...]], ...]
    old: Opinion
    new: Opinion


LIMITED = "they limit releases differently"
"""What is said where the limits differ."""
Newly: TypeAlias = Literal["either", "released", "kept"]
"""Which changes of a verdict are asked for, by the new one."""
_RELEASED: Mapping[Newly, ReleasedBy] = {"either": "by either", "released": "by the other", "kept": "by the one"}
Fate: TypeAlias = Literal["keep", "notice", "downgrade", "release"]
"""What becomes of a license, from the least loss to the largest: `notice` is due, and taken when its user was told in
time."""

FATES: Mapping[Fate, str] = {
    "keep": "keep",
    "notice": "due after notice",
    "downgrade": "downgrade",
    "release": "release",
}
"""The words for it."""


def fate(decision: Decision) -> Fate:
    """What becomes of a license by a decision of one policy, on which no register was heard."""
    return "notice" if decision.because == "notice" else decision.verdict


def is_freer(change: VerdictChange) -> bool:
    """Whether a license is released by the new policy where the old one keeps it, or sooner: without a notice."""
    order = list(FATES)
    return order.index(fate(change.new)) > order.index(fate(change.old))


def changed(old: Iterable[Decision], new: Iterable[Decision]) -> list[VerdictChange]:
    """The licenses of which something else becomes, of decisions on the same licenses in the same order."""
    return [VerdictChange(one, other) for one, other in zip(old, new, strict=True) if fate(one) != fate(other)]


def changes_to(found: Iterable[VerdictChange]) -> dict[Fate, int]:
    """How many change to what."""
    counts = Counter(fate(change.new) for change in found)
    return {one: counts[one] for one in FATES}


def in_reading_order(found: Iterable[VerdictChange]) -> list[VerdictChange]:
    """Changes as people read them: first who would lose a license, then by user."""
    return sorted(found, key=lambda one: (-_ORDER.index(fate(one.new)), one.new.user, one.new.license_type))


_ORDER = tuple(FATES)


def reasons(found: list[VerdictChange]) -> list[tuple[Fate, str, str, int]]:
    """What becomes of them now, what decided before and now, and how many changes are like that; most first."""
    counted = Counter((fate(c.new), _label(c.old), _label(c.new)) for c in found)
    return [(*key, count) for key, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]


def _label(decision: Decision) -> str:
    """What decided; of what is due after notice the rule by which it is due."""
    return decision.rule.title if decision.because == "notice" and decision.rule else reason_label(decision)


def other_differences(old: CheckedPolicy, new: CheckedPolicy, *, same_zone: bool) -> list[str]:
    """The differences beside verdicts on given facts, in sentences: time zones, limits, notices."""
    found = []
    if old.timezone != new.timezone and not same_zone:
        found.append(f"days are counted in {old.timezone} by the old policy, in {new.timezone} by the new")
    if set(old.limits) != set(new.limits):
        found.append(LIMITED)
    if _notices(old, new) != _notices(new, old):
        found.append("they give notice differently")
    return found


def _notices(policy: CheckedPolicy, beside: CheckedPolicy) -> set[object]:
    """The notices that a policy gives, and those of the rules that it has in common with another but for the notice."""
    releases, others = ([rule for rule in one.rules if rule.takes] for one in (policy, beside))
    common = {_taking(rule) for rule in others}
    given = {told(rule) for rule in releases}
    return given | {(said, told(rule)) for rule in releases if (said := _taking(rule)) in common}


def _taking(rule: Rule) -> object:
    return rule.kind, rule.types, rule.condition


def example_of_difference(
    old: CheckedPolicy, new: CheckedPolicy, today: date | None, newly: Newly = "either"
) -> Example | None:
    """A small example on which the policies differ, or None when they mean the same on all facts there can be.

    `newly` asks for what the new policy releases, or keeps, and the old one does not. With `today`, only that day is
    looked at. Facts that are missing or unreadable are left out, and so are guards.
    Every example is confirmed by the reference evaluator. Raises Undecided when none was found and none is
    ruled out either.
    """
    given: Formula = TRUE
    if today is not None:
        ordinal = today.toordinal()
        given = all_of(
            [Within(DayField.TODAY, DayField.ORIGIN, ordinal), Within(DayField.ORIGIN, DayField.TODAY, -ordinal)]
        )
    candidates = 0
    for world in differences(old.tree, new.tree, (old.names, new.names), given, _RELEASED[newly]):
        candidates += 1
        opinions = _opinion(old, world), _opinion(new, world)
        if opinions[0].verdict != opinions[1].verdict:
            deciding = [opinion.rule for opinion in opinions if opinion.rule is not None]
            return Example(tuple(_facts(old, new, world, deciding)), *opinions)
    # The formulas differ, but on no world that was looked at: they leave open what evaluation settles (a comparison of
    # two texts is a flag that may be either). Then the policies may mean the same, or not.
    if candidates:
        raise Undecided
    return None


def change_to_json(change: VerdictChange) -> dict[str, Any]:
    """A change as `diff --format json` prints it."""
    decision = change.new
    return {
        "licenseId": decision.license_id,
        "licenseType": decision.license_type,
        "userDirectory": decision.user_directory,
        "userId": decision.user_id,
        "userName": decision.user_name,
        "old": _side(change.old),
        "new": _side(change.new),
    }


def _side(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict,
        "because": decision.because,
        "rule": decision.rule_name,
        "reason": decision.reason,
        "at": decision.rule.place if decision.rule else None,
    }


def _opinion(policy: CheckedPolicy, world: World) -> Opinion:
    license_type: LicenseType = world.read(LICENSE_TYPE)[0]  # type: ignore[assignment]
    outcomes = tuple(
        evaluate_rule(rule, world, policy.names, world.today) for rule in policy.rules if rule.applies_to(license_type)
    )
    ruling, reason = conclude(license_type, outcomes, None)
    return Opinion(ruling.verdict, ruling.rule, reason)


def _facts(
    old: CheckedPolicy, new: CheckedPolicy, world: World, deciding: Iterable[Rule]
) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """The facts that the policies read; those that are false or have no value only where the verdict hangs on it."""
    fields = {LICENSE_TYPE: None, USER: None}
    for policy in (old, new):
        for rule in policy.rules:
            fields |= dict.fromkeys(_fields(rule))
    asked = {field for rule in deciding for field in _fields(rule)}
    to_be_empty = {node.field for rule in deciding for node, _ in walk(rule.condition) if isinstance(node, IsEmpty)}
    for field in fields:
        values = world.read(field)
        is_false = any(value is False for value in values)
        if (values and not is_false) or (is_false and field in asked) or field in to_be_empty:
            yield print_field(field), values


def _fields(rule: Rule) -> Iterator[Field]:
    if rule.until is not None:
        yield Field("today")
    for node, _ in walk(rule.condition):
        if isinstance(node, UnusedFor):
            yield node.field
        elif isinstance(node, Season):
            yield Field("today")
        elif isinstance(node, Field) and not node.name.startswith("user.user"):
            yield node
