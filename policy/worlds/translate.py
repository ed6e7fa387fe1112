"""From conditions to formulas: what a condition says about the facts, field by field.

`user` is split into user directory and user id, `unused for` and `license.unusedDays` become differences of days,
fields with few values are written out. What is left, a comparison of two open texts such as
`user.name = user.userId`, becomes a flag of its own: it may be true or false in any world.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import TypeAlias

from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Date,
    Field,
    IsEmpty,
    ListOf,
    Name,
    Not,
    Number,
    Operand,
    Operator,
    Or,
    ReadAs,
    Season,
    Shifted,
    Text,
    UnusedFor,
    days_moved,
    field_of,
    read_in,
)
from seatwarden.grammar.ast import Literal_ as AstLiteral
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.policy.operators import FLIPPED, HOLDS, POSITIVE, Value, in_season, moved
from seatwarden.policy.vocabulary import OF_POOL, VOCABULARY, Type
from seatwarden.policy.worlds.days import DayField, dates_where
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
"""As a flag: whether the user has used any license."""
LAST_RELEASED = Field("user.lastReleased")
"""As a flag: whether a license of the user was ever released."""
LICENSE_TYPE = Field("license.type")
LICENSES = Field("user.licenses")
USER = Field("user")
DIRECTORY = Field("user.userDirectory")
USER_ID = Field("user.userId")

_NOUGHT: Term = (DayField.ORIGIN, DayField.ORIGIN, 0)
_TERMS: Mapping[str, Term] = {
    "today": (DayField.TODAY, DayField.ORIGIN, 0),
    "license.lastUsed": (DayField.LAST_USED, DayField.ORIGIN, 0),
    "license.createdDate": (DayField.ALLOCATED, DayField.ORIGIN, 0),
    "user.createdDate": (DayField.USER_CREATED, DayField.ORIGIN, 0),
    "user.lastUsed": (DayField.USER_LAST_USED, DayField.ORIGIN, 0),
    "license.unusedDays": (DayField.TODAY, DayField.REFERENCE, 0),
    "user.lastReleased": (DayField.USER_LAST_RELEASED, DayField.ORIGIN, 0),
    "user.unusedDays": (DayField.TODAY, DayField.USER_REFERENCE, 0),
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
            start = DayField.USER_REFERENCE if condition.of_user else DayField.REFERENCE
            return Within(start, DayField.TODAY, -condition.days)
        case Season(Date(first), Date(last)):
            on_or_after = Within(DayField.ORIGIN, DayField.TODAY, -first.toordinal())
            return all_of([on_or_after, Within(DayField.TODAY, DayField.ORIGIN, last.toordinal())])
        case Season():
            return OnDays(dates=dates_where(lambda month, day: in_season(condition, date(2000, month, day))))
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
    if read := [asked for side in (left, right) if (asked := read_in(side)) is not None]:
        # What a text says as a date has no class of its own: a world looks for texts that do when it is shown.
        compared = Flag(Comparison(operator, _unnamed(left, names), _unnamed(right, names)))
        there = [field for side in (left, right) if (field := field_of(side)) is not None and read_in(side) is None]
        filled = [Has(TextTest(asked.field, filled=True, read_as=asked.kind)) for asked in read]
        needed, enough = _not_negative(operator, left, right)
        holds = all_of([*filled, needed, any_of([compared, enough])])
        return reduce(lambda formula, field: _there(field, formula), there, holds)
    if any(isinstance(side, Field) and side.name in OF_POOL for side in (left, right)):
        # Nor have numbers of licenses: a world looks for them, too. One that is compared with itself is any number.
        one, other = _unnamed(left, names), _unnamed(right, names)
        return constant(HOLDS[operator](0, 0)) if one == other else Flag(Comparison(operator, one, other))
    if isinstance(left, Shifted) or isinstance(right, Shifted):
        ones, others = _moments(left, names), _moments(right, names)
        pairs_ = ((one, other) for one in ones for other in others)
        return any_of(_there_if(f, _there_if(g, _days(operator, one, other))) for (f, one), (g, other) in pairs_)
    match left, right:
        case Field(), Field():
            return _two_fields(operator, left, right)
        case Field(), _:
            return _field_and_values(operator, left, _values(right, names))
        case _, Field() if operator in FLIPPED:
            return _field_and_values(FLIPPED[operator], right, _values(left, names))
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
    if field in (USER_LAST_USED, LAST_RELEASED):
        return Flag(field, wanted=False)
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
    (one, minus_one, more), (other, minus_other, also) = left, right
    if left == right:
        return constant(operator in ("=", "==", "<=", ">="))
    # one - minus_one + more  <=  other - minus_other + also; of the moments one difference remains
    days = also - more
    if one is other:
        later, earlier = minus_other, minus_one
    else:
        later, earlier = one, other if minus_one is minus_other else minus_one
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


def _moments(operand: Operand, names: Names) -> list[tuple[Field | None, Term]]:
    """The days of an operand, each as a moment with the field that has it, if any does."""
    field = field_of(operand)
    if field is not None:
        later, earlier, more = _TERMS[field.name]
        return [(field, (later, earlier, more + days_moved(operand)))]
    days = (value for value in _values(operand, names) if isinstance(value, date))
    return [(None, (DayField.ORIGIN, DayField.ORIGIN, day.toordinal())) for day in days]


def _not_negative(operator: Operator, left: Operand, right: Operand) -> tuple[Formula, Formula]:
    """What must hold for a number that is read to compare so with a number of days, and what is enough for it.

    No number in a text is negative.
    """
    if isinstance(right, ReadAs) and operator in FLIPPED:
        operator, left, right = FLIPPED[operator], right, left
    if isinstance(left, ReadAs) and left.kind == "number" and isinstance(right, Field) and right.name in _TERMS:
        term = _TERMS[right.name]
        match operator:
            case "<":
                return _days(">", term, _NOUGHT), FALSE
            case "<=" | "=" | "==":
                return _days(">=", term, _NOUGHT), FALSE
            case ">":
                return TRUE, _days("<", term, _NOUGHT)
            case ">=":
                return TRUE, _days("<=", term, _NOUGHT)
    return TRUE, FALSE


def _unnamed(operand: Operand, names: Names) -> Operand:
    """The operand without names: two policies may give one name two values."""
    if field_of(operand) is not None:
        return operand
    values = _values(operand, names)
    return ListOf(tuple(Date(value) if isinstance(value, date) else Number(int(value)) for value in values))


def _there_if(field: Field | None, formula: Formula) -> Formula:
    return formula if field is None else _there(field, formula)


def _there(field: Field, formula: Formula) -> Formula:
    """The formula, where the field has a day: what was never used has none, and nothing compares with it."""
    if field.name == "license.lastUsed":
        return all_of([Flag(NEVER_USED, wanted=False), formula])
    if field in (USER_LAST_USED, LAST_RELEASED):
        return all_of([Flag(field), formula])
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
            return OnDays(dates=dates_where(lambda month, _: month in values))
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
        case Shifted(base):
            return tuple(moved(value, operand.days) for value in _values(base, names))
        case Field() | ReadAs():
            raise AssertionError("a field has no values of its own")
        case _:
            return (operand.value,)
