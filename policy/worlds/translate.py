"""From conditions to formulas: what a condition says about the facts, field by field.

`user` is split into user directory and user id, `unused for` and `license.unusedDays` become differences of days,
fields with few values are written out. What is left, a comparison of two open texts such as
`user.name = user.userId`, becomes a flag of its own: it may be true or false in any world.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeAlias

from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    IsEmpty,
    ListOf,
    Name,
    Not,
    Operand,
    Operator,
    Or,
    Text,
    UnusedFor,
)
from seatwarden.grammar.ast import Literal_ as AstLiteral
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.policy.operators import HOLDS, POSITIVE, Value
from seatwarden.policy.vocabulary import VOCABULARY, Type
from seatwarden.policy.worlds.days import DayField
from seatwarden.policy.worlds.formula import (
    FALSE,
    TRUE,
    Flag,
    Formula,
    Has,
    OnDays,
    TextTest,
    Within,
    all_of,
    any_of,
    constant,
    negate,
)

Names: TypeAlias = Mapping[str, AstLiteral | ListOf]
Term: TypeAlias = tuple[DayField, DayField, int]
"""A number of days: first moment minus second, plus so many."""

NEVER_USED = Field("license.neverUsed")
USER_LAST_USED = Field("user.lastUsed")
"""As a flag: whether the user has used any license. Not tied to the use of this one, so more seems possible than is."""
LICENSE_TYPE = Field("license.type")
LICENSES = Field("user.licenses")
USER = Field("user")
DIRECTORY = Field("user.userDirectory")
USER_ID = Field("user.userId")

_FLIPPED: Mapping[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "==": "=="}
_TERMS: Mapping[str, Term] = {
    "today": (DayField.TODAY, DayField.ORIGIN, 0),
    "license.lastUsed": (DayField.LAST_USED, DayField.ORIGIN, 0),
    "license.createdDate": (DayField.ALLOCATED, DayField.ORIGIN, 0),
    "user.createdDate": (DayField.USER_CREATED, DayField.ORIGIN, 0),
    "user.lastUsed": (DayField.USER_LAST_USED, DayField.ORIGIN, 0),
    "license.unusedDays": (DayField.TODAY, DayField.REFERENCE, 0),
}


def translate(condition: Condition, names: Names) -> Formula:
    """The formula of a checked condition; `names` are the values of `let` and `set`."""
    match condition:
        case And(operands):
            return all_of(translate(operand, names) for operand in operands)
        case Or(operands):
            return any_of(translate(operand, names) for operand in operands)
        case Not(operand):
            return negate(translate(operand, names))
        case UnusedFor():
            return Within(DayField.REFERENCE, DayField.TODAY, -condition.days)
        case IsEmpty(field):
            return _is_empty(field)
        case Comparison(operator, left, right) if operator in POSITIVE:
            return negate(_comparison(POSITIVE[operator], left, right, names))
        case Comparison(operator, left, right):
            return _comparison(operator, left, right, names)
        case Field():
            return Flag(condition)
        case _:
            return constant(True in _values(condition, names))


def _comparison(operator: Operator, left: Operand, right: Operand, names: Names) -> Formula:
    match left, right:
        case Field(), Field():
            return _two_fields(operator, left, right)
        case Field(), _:
            return _field_and_values(operator, left, _values(right, names))
        case _, Field() if operator in _FLIPPED:
            return _field_and_values(_FLIPPED[operator], right, _values(left, names))
        case _, Field():
            # The field's values are the patterns.
            texts = _values(left, names)
            if right.name in _FEW:
                return _among(right, [v for v in _possible(right) if any(HOLDS["like"](text, v) for text in texts)])
            listed = ListOf(tuple(Text(str(text)) for text in texts))
            return Flag(Comparison(operator, listed, right)) if texts else FALSE
        case _:
            pairs = ((one, other) for one in _values(left, names) for other in _values(right, names))
            return constant(any(HOLDS[operator](one, other) for one, other in pairs))


def _field_and_values(operator: Operator, field: Field, values: tuple[Value, ...]) -> Formula:
    if field.name in _FEW:
        return _among(field, [one for one in _possible(field) if any(HOLDS[operator](one, value) for value in values)])
    if field.name in _TERMS:
        number = (v.toordinal() if isinstance(v, date) else v for v in values if isinstance(v, date | int))
        constants = ((DayField.ORIGIN, DayField.ORIGIN, n) for n in number)
        return any_of(_there(field, _days(operator, _TERMS[field.name], constant_)) for constant_ in constants)
    texts = tuple(value for value in values if isinstance(value, str))
    return _texts(operator, field, texts)


def _two_fields(operator: Operator, left: Field, right: Field) -> Formula:
    if left.name in _FEW and right.name in _FEW:
        pairs = ((one, other) for one in _possible(left) for other in _possible(right))
        return any_of(
            all_of([_among(left, [one]), _among(right, [other])]) for one, other in pairs if HOLDS[operator](one, other)
        )
    if left.name in _TERMS and right.name in _TERMS:
        return _there(left, _there(right, _days(operator, _TERMS[left.name], _TERMS[right.name])))
    # A field of several values may have none, and then is not even equal to itself.
    if left == right and not VOCABULARY[left.name].many:
        return TRUE
    # Equality has no direction: both ways of writing it must be one flag, or they could differ.
    if operator in ("=", "==") and repr(left) > repr(right):
        left, right = right, left
    return Flag(Comparison(operator, left, right))


# Text ------------------------------------------------------------------------------------------------


def _texts(operator: Operator, field: Field, texts: tuple[str, ...]) -> Formula:
    if field == USER:
        return _user(operator, texts)
    if not texts:
        return FALSE
    match operator:
        case "==":
            return Has(TextTest(field, exact=frozenset(texts), written=texts))
        case "like":
            plain = tuple(text for text in texts if "*" not in text)
            patterns = frozenset(text.casefold() for text in texts if "*" in text)
            return Has(TextTest(field, frozenset(map(str.casefold, plain)), patterns=patterns, written=plain))
        case _:
            return Has(TextTest(field, frozenset(map(str.casefold, texts)), written=texts))


def _is_empty(field: Field) -> Formula:
    """The formula that says that a field has no value, or only blank ones."""
    if field.name == "license.lastUsed":
        return Flag(NEVER_USED)
    if field == USER_LAST_USED:
        return Flag(USER_LAST_USED, wanted=False)
    if field == USER:
        return FALSE  # the backslash between directory and id is there in any case
    return Has(TextTest(field, filled=True), wanted=False)


def _user(operator: Operator, texts: tuple[str, ...]) -> Formula:
    """A test of `user`, as tests of directory and id.

    A backslash in a text, or a `*` in a pattern, may be where the two meet; each such place is a possibility.
    """
    ids: dict[str, tuple[str, dict[str, None]]] = {}
    fold = str if operator == "==" else str.casefold
    for text in texts:
        for place, character in enumerate(text):
            if character == "\\":
                directory, user_id = text[:place], text[place + 1 :]
            elif character == "*" and operator == "like":
                directory, user_id = text[: place + 1], text[place:]
            else:
                continue
            ids.setdefault(fold(directory), (directory, {}))[1][user_id] = None
    return any_of(
        all_of([_texts(operator, DIRECTORY, (directory,)), _texts(operator, USER_ID, tuple(found))])
        for directory, found in ids.values()
    )


# Days ------------------------------------------------------------------------------------------------


def _days(operator: Operator, left: Term, right: Term) -> Formula:
    """The comparison of two numbers of days. `license.unusedDays` against a date does not pass the check."""
    (one, minus_one, more), (other, _, also) = left, right
    if left == right:
        return constant(operator in ("=", "==", "<=", ">="))
    # one - minus_one + more  <=  other - minus_other + also; at most one difference of two moments remains
    if other is DayField.ORIGIN:
        later, earlier, days = one, minus_one, also - more
    else:
        later, earlier, days = one, other, also - more
    at_most, at_least = Within(later, earlier, days), Within(earlier, later, -days)
    match operator:
        case "<=":
            return at_most
        case ">=":
            return at_least
        case "<":
            return negate(at_least)
        case ">":
            return negate(at_most)
        case _:
            return all_of([at_most, at_least])


def _there(field: Field, formula: Formula) -> Formula:
    """The formula, where the field has a day: what was never used has none, and nothing compares with it."""
    if field.name == "license.lastUsed":
        return all_of([Flag(NEVER_USED, wanted=False), formula])
    if field.name == "user.lastUsed":
        return all_of([Flag(USER_LAST_USED), formula])
    return formula


# Few values ------------------------------------------------------------------------------------------


def _possible(field: Field) -> Sequence[Value]:
    """All values a field with few of them can have."""
    if field.name == "month":
        return range(1, 13)
    entry = VOCABULARY[field.name]
    return (True, False) if entry.type is Type.BOOLEAN else entry.values


def _among(field: Field, values: Sequence[Value]) -> Formula:
    """The formula that says that a field with few possible values has one of these."""
    if not values:
        return FALSE
    match field.name:
        case "month":
            return OnDays(months=sum(1 << (int(value) - 1) for value in values if isinstance(value, int)))
        case "weekday":
            return OnDays(weekdays=sum(1 << WEEKDAYS.index(str(value)) for value in values))
        case _ if VOCABULARY[field.name].type is Type.BOOLEAN:
            return any_of(Flag(field, bool(value)) for value in values)
        case _:
            return Has(TextTest(field, exact=frozenset(map(str, values))))


_FEW = frozenset({"month", *(e.name for e in VOCABULARY.values() if e.values or e.type is Type.BOOLEAN)})


def _values(operand: Operand, names: Names) -> tuple[Value, ...]:
    match operand:
        case Name(name):
            return _values(names[name], names)
        case ListOf(items):
            return tuple(item.value for item in items)
        case Field():
            raise AssertionError("a field has no values of its own")
        case _:
            return (operand.value,)
