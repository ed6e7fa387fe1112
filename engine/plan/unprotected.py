"""Names that a policy means to protect, and does not: nobody has them, and who has one much like them loses a license.

The claim is proved: the license is decided again as if the policy had written the name as it is on the site. Who has
it is looked for among the users of licenses to be released only; nothing is said where it changes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeAlias

from msgspec import Struct

from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.pseudonyms import is_personal
from seatwarden.engine.facts.day import Day
from seatwarden.engine.snapshot.model import License, Snapshot, User
from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    LicenseType,
    Not,
    Operand,
    Or,
    Rule,
    Text,
)
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import nearest
from seatwarden.policy.lint.against_snapshot import MOST_FINDINGS
from seatwarden.policy.lint.lookalikes import find_alike
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import POSITIVE
from seatwarden.policy.vocabulary import NOUNS, entry_of

MOST_DECIDED = 1_000
"""Most licenses of one name that are decided again; more are counted by their first thousand."""
MOST_COMPARED = 300
"""Most values among which one that is spelled much like a name is looked for; only for the first names of a list."""
LIKENESS = 0.85
"""How much of two names must be the same for one to be the other, mistyped."""
_PEOPLE = ("user", "user.userId", "user.name")
"""Fields of which each user has a value of his own: one much like another is mostly somebody else."""


class Unprotected(Struct, frozen=True):
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


Released: TypeAlias = Sequence[tuple[LicenseType, License, User]]
"""The licenses to be released, with their users."""


def unprotected_names(policy: CheckedPolicy, snapshot: Snapshot, day: Day, released: Released) -> list[Unprotected]:
    """The names that fail to protect a license to be released, each once, in the policy's order."""
    wanted = [one for rule in policy.rules for one in _protecting(rule, policy, day)]
    if not wanted or not released:
        return []
    site = _Site(policy, snapshot, day, released)
    found = [one for node in wanted for one in site.failing(node)]
    return list({(one.span, one.written, one.field): one for one in found}.values())


class _Protecting(Struct, frozen=True):
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
    return tuple(text for text in policy.values_of(value) if isinstance(text, Text))


_Column: TypeAlias = Callable[[Iterable[User]], Iterable[str]]
"""The texts of one field that some users have."""


class _Site:
    """The users of a site, and among them those whose licenses are to be released."""

    def __init__(self, policy: CheckedPolicy, snapshot: Snapshot, day: Day, released: Released) -> None:
        self._policy, self._snapshot, self._day, self._released = policy, snapshot, day, released
        self._users = [user for _, _, user in released]
        self._sets: dict[str, frozenset[str]] = {}

    def failing(self, one: _Protecting) -> Iterator[Unprotected]:
        """The names in a comparison that fail to protect."""
        keys = _KEYS.get(one.field.name)
        if one.field.key is not None and keys is not None:
            yield from self._failing_key(one, one.field.key, keys)
        if one.node.operator == "like" or not one.literals:
            return
        column = _column(one.field)
        found = 0
        sought, near = [literal.value for literal in one.literals], one.field.name not in _PEOPLE
        values = self._values(print_field(one.field), column)
        for number, code, there in _much_like(sought, values, exact=one.exact, near=near):
            literal = one.literals[number]
            if found >= MOST_FINDINGS or self._somebody_has(literal.value, one.exact, column):
                continue
            count = self._would_be_kept(one, one.node.but(left=one.field, right=Text(there)), column, there)
            if count:
                found += 1
                yield Unprotected(code, one.rule, one.field, literal.value, there, literal.span, count)

    def _failing_key(self, one: _Protecting, key: str, keys: _Column) -> Iterator[Unprotected]:
        """The name of a property that is written otherwise on the site."""
        values = self._values(f"keys of {one.field.name}", keys)
        match = next(_much_like([key], values, exact=True, near=True), None)
        if match is None or self._somebody_has(key, True, keys):
            return
        _, code, there = match
        field = one.field.but(key=there)
        changed = one.node.but(
            left=field if one.node.left is one.field else one.node.left,
            right=field if one.node.right is one.field else one.node.right,
        )
        count = self._would_be_kept(one, changed, keys, there)
        if count:
            yield Unprotected(code, one.rule, one.field, key, there, one.field.span, count, is_key=True)

    def _values(self, name: str, column: _Column) -> frozenset[str]:
        if name not in self._sets:
            self._sets[name] = frozenset(column(self._users))
        return self._sets[name]

    def _somebody_has(self, text: str, exact: bool, column: _Column) -> bool:
        if exact:
            return text in set(column(self._snapshot.users))
        folded = text.casefold()
        return any(value.casefold() == folded for value in column(self._snapshot.users))

    def _would_be_kept(self, one: _Protecting, changed: Comparison, column: _Column, there: str) -> int:
        """The number of licenses of users who have that name that are kept with the changed comparison."""
        policy = _with(self._policy, one.rule, one.node, changed)
        rows = (
            (license_type, row)
            for license_type, row, user in self._released
            if one.rule.applies_to(license_type) and there in column((user,))
        )
        return sum(
            decide(policy, self._snapshot, license_type, row, self._day).verdict == "keep"
            for license_type, row in islice(rows, MOST_DECIDED)
        )


def _much_like(
    sought: Sequence[str], values: Collection[str], *, exact: bool, near: bool
) -> Iterator[tuple[int, str, str]]:
    """Of the names sought those that some value is much like and no comparison finds: their number, code and value."""
    cased, alike = find_alike(values, sought)
    listed = sorted(values) if near and len(values) <= MOST_COMPARED else ()
    for number, text in enumerate(sought):
        if text in cased:
            if exact and text not in values:
                yield number, "SW402", cased[text]
        elif text in alike:
            yield number, "SW403", alike[text]
        elif number < MOST_FINDINGS and (found := nearest(text, listed, LIKENESS)):
            yield number, "SW401", found


def _with(policy: CheckedPolicy, rule: Rule, node: Comparison, changed: Comparison) -> CheckedPolicy:
    """The policy with one comparison of one rule changed."""
    other = rule.but(condition=_replaced(rule.condition, node, changed))
    statements = tuple(other if statement is rule else statement for statement in policy.tree.statements)
    return replace(policy, tree=policy.tree.but(statements=statements))


def _replaced(condition: Condition, node: Comparison, changed: Comparison) -> Condition:
    match condition:
        case And() | Or():
            return condition.but(operands=tuple(_replaced(part, node, changed) for part in condition.operands))
        case Not():
            return condition.but(operand=_replaced(condition.operand, node, changed))
        case _:
            return changed if condition is node else condition


# Columns -------------------------------------------------------------------------------------------------


def _column(field: Field) -> _Column:
    """The texts of a field that users have; what is missing or unreadable adds none."""
    if field.key is None:
        return _TEXTS[field.name]
    key = field.key
    if field.name == "user.@":
        return lambda users: [
            row.value for user in users for row in user.custom_properties or () if row.definition.name == key
        ]
    return lambda users: [
        row.attribute_value for user in users for row in user.attributes or () if row.attribute_type == key
    ]


# A list that is absent or null has no rows: both are false.
_KEYS: dict[str, _Column] = {
    "user.@": lambda users: [row.definition.name for user in users for row in user.custom_properties or ()],
    "user.attributes": lambda users: [row.attribute_type for user in users for row in user.attributes or ()],
}
_TEXTS: dict[str, _Column] = {
    "user": lambda users: [user.directory_and_id for user in users],
    "user.userDirectory": lambda users: [user.user_directory for user in users],
    "user.userId": lambda users: [user.user_id for user in users],
    "user.name": lambda users: [user.name for user in users if isinstance(user.name, str)],
    "user.roles": lambda users: [role for user in users for role in user.roles or ()],
    "user.tags": lambda users: [tag.name for user in users for tag in user.tags or ()],
}
