"""Names that a policy means to protect, and does not: nobody has them, and who has one much like them loses a license.

The claim is proved: the license is decided again as if the policy had written the name as it is on the site. Who has
it is looked for among the users of licenses to be released only; nothing is said where it changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TypeAlias, TypeVar

from msgspec import UnsetType

from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import is_personal
from seatwarden.engine.facts.day import Day
from seatwarden.engine.snapshot.model import License, Snapshot, User, UserReference
from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    LicenseType,
    ListOf,
    Name,
    Not,
    Operand,
    Or,
    Rule,
    Text,
)
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import nearest
from seatwarden.policy.lint.against_snapshot import MOST_FINDINGS, NOUNS
from seatwarden.policy.lint.lookalikes import looks
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import POSITIVE
from seatwarden.policy.vocabulary import entry_of

MOST_DECIDED = 1_000
"""Most licenses of one name that are decided again; more are counted by their first thousand."""
MOST_COMPARED = 300
"""Most values among which one that is spelled much like a name is looked for; only for the first names of a list."""
LIKENESS = 0.85
"""How much of two names must be the same for one to be the other, mistyped."""
_PEOPLE = ("user", "user.userId", "user.name")
"""Fields of which each user has a value of his own: one much like another is mostly somebody else."""


@dataclass(frozen=True, slots=True)
class Unprotected:
    """A name of the policy's that nobody has, and one `there` that is much like it.

    `licenses` are to be released, and would be kept if the policy said `there`. `nobody` says that nobody has it.
    """

    code: str
    rule: Rule
    field: Field
    written: str
    there: str
    span: Span
    licenses: int
    is_key: bool = False

    @property
    def is_user(self) -> bool:
        """Whether the name is that of one user."""
        return self.field.name in _PEOPLE and not self.is_key

    @property
    def is_personal(self) -> bool:
        """Whether the name tells who a person is."""
        return is_personal(print_field(self.field)) and not self.is_key

    @property
    def nobody(self) -> str:
        """The words for that nobody has it."""
        noun = NOUNS[self.field.name]
        if self.field.name == "user":
            return f"no user is `{self.written}`"
        whose = f"{noun} `{self.field.key}` set to" if self.field.key is not None and not self.is_key else noun
        return f"no user has the {whose} `{self.written}`"


def unprotected_names(
    policy: CheckedPolicy, snapshot: Snapshot, day: Day, released: Sequence[Decision]
) -> list[Unprotected]:
    """The names that fail to protect a license to be released, each once, in the policy's order."""
    wanted = [one for rule in policy.rules for one in _protecting(rule, policy, day)]
    if not wanted or not released:
        return []
    site = _Site(policy, snapshot, day, released)
    found = [one for node in wanted for one in site.failing(node)]
    return list({(one.span, one.written, one.field): one for one in found}.values())


@dataclass(frozen=True, slots=True)
class _Protecting:
    """A comparison that protects where it is true; `literals` are its texts."""

    rule: Rule
    node: Comparison
    field: Field
    literals: tuple[Text, ...]

    @property
    def exact(self) -> bool:
        """Whether the comparison tells capitals apart."""
        return self.node.operator in ("==", "!==")


def _protecting(rule: Rule, policy: CheckedPolicy, day: Day) -> Iterator[_Protecting]:
    if rule.until is not None and rule.until.value < day.today:
        return
    for node, positive in _comparisons(rule.condition, True):
        # In a keep rule what makes the condition true protects, in a release rule what makes it false.
        if positive is not (rule.kind == "keep"):
            continue
        for field, value in ((node.left, node.right), (node.right, node.left)):
            entry = entry_of(field) if isinstance(field, Field) else None
            if isinstance(field, Field) and entry is not None and entry.name in NOUNS:
                yield _Protecting(rule, node, field, _texts(value, policy))


def _comparisons(condition: Condition, positive: bool) -> Iterator[tuple[Comparison, bool]]:
    """Every comparison, and whether it makes the condition true where its positive form holds."""
    match condition:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _comparisons(operand, positive)
        case Not(operand):
            yield from _comparisons(operand, not positive)
        case Comparison():
            yield condition, positive is (condition.operator not in POSITIVE)


def _texts(value: Operand, policy: CheckedPolicy) -> tuple[Text, ...]:
    resolved = policy.names[value.name] if isinstance(value, Name) else value
    items = resolved.items if isinstance(resolved, ListOf) else (resolved,)
    return tuple(item for item in items if isinstance(item, Text))


_Values: TypeAlias = Callable[[User], Iterable[str]]
_Row = TypeVar("_Row")


class _Site:
    """The users of a site, and among them those whose licenses are to be released."""

    def __init__(self, policy: CheckedPolicy, snapshot: Snapshot, day: Day, released: Sequence[Decision]) -> None:
        self._policy, self._snapshot, self._day = policy, snapshot, day
        self._released = {decision.key for decision in released}
        names = {(decision.user_directory, decision.user_id) for decision in released}
        self._users = [user for user in snapshot.users if (user.user_directory, user.user_id) in names]
        self._indexes: dict[tuple[str, str | None], _Index] = {}

    def failing(self, one: _Protecting) -> Iterator[Unprotected]:
        """The names in a comparison that fail to protect."""
        keys = _keys(one.field)
        if one.field.key is not None and keys is not None:
            yield from self._failing_key(one, one.field.key, keys)
        if one.node.operator == "like" or not one.literals:
            return
        values = _values(one.field)
        index = self._index(print_field(one.field), values)
        found = 0
        for number, literal in enumerate(one.literals):
            near = one.field.name not in _PEOPLE and number < MOST_FINDINGS
            match = index.much_like(literal.value, one.exact, near)
            if match is None or found >= MOST_FINDINGS or self._somebody_has(literal.value, one.exact, values):
                continue
            code, there = match
            changed = replace(one.node, left=one.field, right=Text(there))
            count = self._would_be_kept(one, changed, [user for user in self._users if there in values(user)])
            if count:
                found += 1
                yield Unprotected(code, one.rule, one.field, literal.value, there, literal.span, count)

    def _failing_key(self, one: _Protecting, key: str, keys: _Values) -> Iterator[Unprotected]:
        """The name of a property that is written otherwise on the site."""
        match = self._index(f"keys of {one.field.name}", keys).much_like(key, True, True)
        if match is None or self._somebody_has(key, True, keys):
            return
        code, there = match
        field = replace(one.field, key=there)
        changed = replace(
            one.node,
            left=field if one.node.left is one.field else one.node.left,
            right=field if one.node.right is one.field else one.node.right,
        )
        count = self._would_be_kept(one, changed, [user for user in self._users if there in keys(user)])
        if count:
            yield Unprotected(code, one.rule, one.field, key, there, one.field.span, count, is_key=True)

    def _index(self, name: str, values: _Values) -> "_Index":
        if (name, None) not in self._indexes:
            self._indexes[name, None] = _Index({value for user in self._users for value in values(user)})
        return self._indexes[name, None]

    def _somebody_has(self, text: str, exact: bool, values: _Values) -> bool:
        if exact:
            return any(text in values(user) for user in self._snapshot.users)
        folded = text.casefold()
        return any(value.casefold() == folded for user in self._snapshot.users for value in values(user))

    def _would_be_kept(self, one: _Protecting, changed: Comparison, users: Sequence[User]) -> int:
        """The number of licenses of these users that are to be released, and are kept with the changed comparison."""
        policy = _with(self._policy, one.rule, one.node, changed)
        rows = (row for user in users for row in self._rows.get(user.id, ()))
        return sum(
            decide(policy, self._snapshot, license_type, row, self._day).verdict == "keep"
            for license_type, row in islice(rows, MOST_DECIDED)
            if one.rule.applies_to(license_type)
        )

    @cached_property
    def _rows(self) -> dict[str, list[tuple[LicenseType, License]]]:
        """The licenses to be released, by the QRS id of their users."""
        found: dict[str, list[tuple[LicenseType, License]]] = {}
        for license_type, rows in self._snapshot.licenses.items():
            for row in rows:
                if isinstance(row.user, UserReference) and (license_type, row.id) in self._released:
                    found.setdefault(row.user.id, []).append((license_type, row))
        return found


class _Index:
    """The values of users who lose a license, found by case and by looks."""

    def __init__(self, values: set[str]) -> None:
        self._values = values

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {value.casefold(): value for value in sorted(self._values, reverse=True)}

    @cached_property
    def _looks(self) -> dict[str, str]:
        return {look: value for value in sorted(self._values, reverse=True) for look in looks(value)}

    def much_like(self, text: str, exact: bool, near: bool) -> tuple[str, str] | None:
        """The code and the value of one that is much like a text, and that the comparison does not find."""
        cased = self._folded.get(text.casefold())
        if cased is not None:
            return ("SW402", cased) if exact and text not in self._values else None
        alike = next((self._looks[look] for look in looks(text) if look in self._looks), None)
        if alike is not None:
            return "SW403", alike
        if not near or len(self._values) > MOST_COMPARED:
            return None
        found = nearest(text, sorted(self._values), LIKENESS)
        return ("SW401", found) if found is not None and found != text else None


def _with(policy: CheckedPolicy, rule: Rule, node: Comparison, changed: Comparison) -> CheckedPolicy:
    """The policy with one comparison of one rule changed."""
    other = replace(rule, condition=_replaced(rule.condition, node, changed))
    statements = tuple(other if statement is rule else statement for statement in policy.tree.statements)
    return replace(policy, tree=replace(policy.tree, statements=statements))


def _replaced(condition: Condition, node: Comparison, changed: Comparison) -> Condition:
    match condition:
        case And() | Or():
            return replace(condition, operands=tuple(_replaced(part, node, changed) for part in condition.operands))
        case Not():
            return replace(condition, operand=_replaced(condition.operand, node, changed))
        case _:
            return changed if condition is node else condition


# Values --------------------------------------------------------------------------------------------------


def _values(field: Field) -> _Values:
    """The texts of a field that a user has; what is missing or unreadable adds none."""
    if field.key is None:
        return _TEXTS[field.name]
    key = field.key
    if field.name == "user.@":
        return lambda user: [row.value for row in _rows(user.custom_properties) if row.definition.name == key]
    return lambda user: [row.attribute_value for row in _rows(user.attributes) if row.attribute_type == key]


def _keys(field: Field) -> _Values | None:
    return {
        "user.@": lambda user: [row.definition.name for row in _rows(user.custom_properties)],
        "user.attributes": lambda user: [row.attribute_type for row in _rows(user.attributes)],
    }.get(field.name)


def _rows(rows: tuple[_Row, ...] | None | UnsetType) -> tuple[_Row, ...]:
    return rows if isinstance(rows, tuple) else ()


_TEXTS: dict[str, _Values] = {
    "user": lambda user: (f"{user.user_directory}\\{user.user_id}",),
    "user.userDirectory": lambda user: (user.user_directory,),
    "user.userId": lambda user: (user.user_id,),
    "user.name": lambda user: (user.name,) if isinstance(user.name, str) else (),
    "user.roles": lambda user: _rows(user.roles),
    "user.tags": lambda user: [tag.name for tag in _rows(user.tags)],
}
