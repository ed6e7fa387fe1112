"""A first test for a policy: a case for every rule whose condition names who it is about, and the days to the day.

As `seatwarden test --record` does for a snapshot, each case expects what the policy decides now: its author reads it.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TypeAlias

from seatwarden.engine.common.text import plural
from seatwarden.engine.decide.decide import decide
from seatwarden.engine.facts.day import Day
from seatwarden.engine.testing.case_snapshot import case_site
from seatwarden.grammar.ast import LICENSE_TYPES, And, Comparison, Condition, Field, Not, Or, Rule, Text
from seatwarden.grammar.ast import UnusedFor as Unused
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.testing.case import Given, LicenseFacts, Special
from seatwarden.policy.vocabulary import VOCABULARY, Type
from seatwarden.policy.yaml.text import yaml_quoted, yaml_text

CaseUser: TypeAlias = dict[str, Given]

_HEAD = """\
# What {policy} is meant to do. Read it, add cases of your own, and after each change: seatwarden test
# A case says what is special; all else is ordinary, and the license has been unused for long.
policy: {policy}
now: {today}

cases:
"""
_FAMILIES = {"user.@": "properties", "user.attributes": "attributes"}


def starter_test(policy: CheckedPolicy, policy_name: str, day: Day) -> str:
    """The text of a test file beside the policy, with what the policy decides on that day."""
    cases: dict[str, str] = {}
    for name, user, license_ in list(_cases(policy, day)) or _anybody():
        snapshot, row = case_site(user, license_, day, policy.asked_of_site)
        decision = decide(policy, snapshot, license_.type, row, day)
        label = decision.decided_by
        lines = [f"  - name: {yaml_text(name)}"]
        lines += [f"    user: {_map(user)}"] if user else []
        lines += [f"    license: {_license(license_)}", f"    verdict: {decision.verdict}"]
        lines += [f"    rule: {yaml_text(label)}" if label else f"    because: {decision.because}"]
        cases.setdefault(name, "\n".join(lines) + "\n")
    head = _HEAD.format(policy=yaml_text(policy_name), today=day.today.isoformat())
    return head + "\n".join(cases.values())


def _anybody() -> Iterator[tuple[str, CaseUser, LicenseFacts]]:
    for kind in LICENSE_TYPES:
        yield f"{kind} unused for long", {}, LicenseFacts(kind, {})


def _cases(policy: CheckedPolicy, day: Day) -> Iterator[tuple[str, CaseUser, LicenseFacts]]:
    # `inactive: No` and its like keep all who are not: whoever is to lose a license must be what they ask for.
    nots = [rule.condition.operand for rule in policy.rules if rule.kind == "keep" and isinstance(rule.condition, Not)]
    others: CaseUser = {_word(field): True for field in nots if isinstance(field, Field) and _is_flag(field)}
    released = [kind for kind in LICENSE_TYPES if any(r.takes and r.applies_to(kind) for r in policy.rules)]
    for rule in policy.rules:
        # Without the rule the license would go: only so does the case show that the rule protects.
        kinds = [kind for kind in released or LICENSE_TYPES if rule.applies_to(kind)]
        if rule.takes:
            yield from _release_cases(rule, others, day)
        elif kinds and (facts := _facts(rule.condition, policy)) is not None:
            yield rule.label, facts, LicenseFacts(kinds[0], {})


def _release_cases(rule: Rule, others: CaseUser, day: Day) -> Iterator[tuple[str, CaseUser, LicenseFacts]]:
    """The last day on which a license is kept, the first on which it is not, and a license that is new."""
    days = next(_thresholds(rule.condition), None)
    yesterday = day.today - timedelta(days=1)
    for kind in rule.types if days else ():
        for unused in (days - 1, days) if days else ():
            yield f"{kind} unused for {plural(unused, 'day')}", others, LicenseFacts(kind, {"unusedDays": unused})
        new: dict[str, Given] = {"lastUsed": Special.NEVER, "createdDate": yesterday}
        yield f"{kind} allocated yesterday and not used yet", others, LicenseFacts(kind, new)


def _thresholds(condition: Condition) -> Iterator[int]:
    match condition:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _thresholds(operand)
        case Unused():
            yield condition.days


def _facts(condition: Condition, policy: CheckedPolicy) -> CaseUser | None:
    """Facts of a user for whom a condition holds; None when that is not said by values of the user's own."""
    match condition:
        case Or(operands):
            return next((facts for part in operands if (facts := _facts(part, policy)) is not None), None)
        case And(operands):
            every = [_facts(part, policy) for part in operands]
            known = [facts for facts in every if facts is not None]
            return {key: value for facts in known for key, value in facts.items()} if len(known) == len(every) else None
        case Not(Field() as field) if _is_flag(field):
            return {}
        case Field() if _is_flag(condition):
            return {_word(condition): True}
        case Comparison("=" | "==", Field() as field, right):
            first = next(iter(policy.values_of(right)), None)
            return _fact(field, first.value) if isinstance(first, Text) else None
        case _:
            return None


def _fact(field: Field, text: str) -> CaseUser | None:
    entry = VOCABULARY[field.name]
    if field.name == "user":
        directory, _, user_id = text.partition("\\")
        return {"userDirectory": directory, "userId": user_id} if user_id else None
    if field.key is not None:
        return {_FAMILIES[field.name]: {field.key: (text,)}}
    if not field.name.startswith("user.") or field.name == "user.licenses":
        return None
    return {_word(field): (text,) if entry.many else text}


def _is_flag(field: Field) -> bool:
    return field.name.startswith("user.") and VOCABULARY[field.name].type is Type.BOOLEAN


def _word(field: Field) -> str:
    return field.name.removeprefix("user.")


def _license(license_: LicenseFacts) -> str:
    return _map({"type": license_.type, **license_.facts}) if license_.facts else license_.type


def _map(given: Given | Mapping[str, Given]) -> str:
    """A fact in YAML, on one line."""
    match given:
        case Mapping():
            return f"{{{', '.join(f'{yaml_text(key)}: {_map(value)}' for key, value in given.items())}}}"
        case tuple():
            return f"[{', '.join(_map(text) for text in given)}]"
        case bool():
            return str(given).lower()
        case Special():
            return given.value
        case str():
            # In quotes these two are ordinary text.
            return yaml_quoted(given) if given in (Special.UNKNOWN.value, Special.NEVER.value) else yaml_text(given)
        case _:
            return str(given)
