"""Changes that explanations speak of, made to a site in JSON form and to a policy: without the engine's own ways."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from seatwarden.engine.explain.changes import (
    Change,
    Empty,
    Filled,
    Flagged,
    Holding,
    InDirectory,
    OnList,
    UsedToday,
    WithoutValues,
    WithValue,
)
from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    Let,
    ListOf,
    Name,
    Not,
    Operand,
    Or,
    Policy,
    Rule,
    Text,
)
from seatwarden.policy.names import NamedValue
from tests.engine.support import license_row
from tests.strategies import NOW, holder_of

_FLAGS = {
    "user.inactive": "inactive",
    "user.blocked": "blacklisted",
    "user.removedExternally": "removedExternally",
    "user.deleteProhibited": "deleteProhibited",
}
_LISTS = {
    "user.tags": "tags",
    "user.roles": "roles",
    "user.@": "customProperties",
    "user.attributes": "attributes",
}


def changed_site(change: Change, site: Mapping[str, Any], license_type: str, license_id: str) -> dict[str, Any]:
    """The site after the change, for the license of that type and id and for its user."""
    changed = deepcopy(dict(site))
    row = next(r for r in changed["licenses"][license_type] if r["id"] == license_id)
    user = next(u for u in changed["users"] if u["id"] == row["user"]["id"])
    match change:
        case UsedToday():
            row["lastUsed"] = NOW.isoformat().replace("+00:00", "Z")
        case WithValue(field, value):
            user[_LISTS[field.name]] = [*(user[_LISTS[field.name]] or []), _entry(field, value)]
        case WithoutValues(field, values):
            gone = [_entry(field, value) for value in values]
            user[_LISTS[field.name]] = [e for e in user[_LISTS[field.name]] if not any(_same(e, g) for g in gone)]
        case Filled(field):
            user[_LISTS[field.name]] = [*(user[_LISTS[field.name]] or []), _entry(field, "any value")]
        case Empty(name):
            user[_LISTS[name]] = []
        case Flagged(Field("license.excess"), truth):
            row["excess"] = truth
        case Flagged(field, truth):
            user[_FLAGS[field.name]] = truth
        case InDirectory(directory):
            user["userDirectory"] = directory
        case Holding(other, held=True):
            changed["licenses"][other].append(license_row(1, id="another", user=row["user"]))
        case Holding(other):
            mine = [r for r in changed["licenses"][other] if holder_of(r) == user["id"]]
            changed["licenses"][other] = [r for r in changed["licenses"][other] if r not in mine or r["quarantined"]]
    return changed


def changed_policy(change: Change, policy: Policy) -> Policy:
    """The policy after the change."""
    if not isinstance(change, OnList):
        return policy
    named = next((s.name for s in (change.comparison.left, change.comparison.right) if isinstance(s, Name)), None)
    if named is not None:
        return Policy(
            tuple(
                s.but(value=_longer(s.value, change.own))
                if isinstance(s, Let) and isinstance(s.value, NamedValue) and s.name == named
                else s
                for s in policy.statements
            )
        )
    return Policy(
        tuple(
            s.but(condition=_listed(s.condition, change)) if isinstance(s, Rule) and s == change.rule else s
            for s in policy.statements
        )
    )


def _listed(condition: Condition, change: OnList) -> Condition:
    match condition:
        case And(operands) | Or(operands):
            return condition.but(operands=tuple(_listed(o, change) for o in operands))
        case Not(operand):
            return condition.but(operand=_listed(operand, change))
        case Comparison(_, Field(), right) if condition == change.comparison:
            return condition.but(right=_longer(right, change.own))
        case Comparison(_, left, _) if condition == change.comparison:
            return condition.but(left=_longer(left, change.own))
        case _:
            return condition


def _longer(listed: Operand, value: str) -> Any:
    items = listed.items if isinstance(listed, ListOf) else (listed,)
    return ListOf((*items, Text(value)))


def _entry(field: Field, value: str) -> Any:
    match field.name:
        case "user.roles":
            return value
        case "user.tags":
            return {"name": value}
        case "user.@":
            return {"value": value, "definition": {"name": field.key}}
        case _:
            return {"attributeType": field.key, "attributeValue": value}


def _same(entry: Any, other: Any) -> bool:
    """Whether QRS's entry says what the other does; it has ids and more besides."""
    if isinstance(entry, dict) and isinstance(other, dict):
        return all(_same(entry.get(key), value) for key, value in other.items())
    return bool(entry == other)
