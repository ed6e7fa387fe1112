"""The type check: every name exists, every comparison compares what can be compared.

Runs before anything is evaluated, on the tree, whichever surface it came from. All findings are reported.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from seatwarden.grammar.ast import (
    And,
    Boolean,
    Comparison,
    Condition,
    Date,
    Field,
    IsEmpty,
    Length,
    Let,
    ListOf,
    Literal_,
    Name,
    Named,
    Not,
    Number,
    Operand,
    Or,
    Policy,
    ReadAs,
    Season,
    SetFrom,
    Shifted,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.calendar_names import month_number
from seatwarden.grammar.printer import print_field, print_operand, quote
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.check_helps import (
    MONTH,
    READ,
    TYPE_HELP,
    may_be_empty,
    meant_as_field,
    meant_as_text,
    meant_by_name,
    moved_text,
    nearest_value,
    not_text,
    of_the_user,
    one_more_value,
    read_instead,
    text_beside_day,
)
from seatwarden.policy.check_limits import check_limits
from seatwarden.policy.diagnostics import MAX_FINDINGS, Diagnostic
from seatwarden.policy.names import PolicyNames, is_condition, meant_by_text
from seatwarden.policy.operators import MAX_SHIFT
from seatwarden.policy.vocabulary import VOCABULARY, Type, entry_of, field_help
from seatwarden.policy.zones import is_timezone, timezone_help

MAX_COMPARED = 1_000
"""Most names among which the nearest to a mistyped one is looked for."""
_ORDERED = ("<", "<=", ">", ">=")
_LITERAL_TYPES: dict[type, Type] = {Text: Type.TEXT, Number: Type.NUMBER, Date: Type.DATE, Boolean: Type.BOOLEAN}
_SAMPLES = {Type.TEXT: '"…"', Type.NUMBER: "12", Type.DATE: "2026-07-01"}


def check(policy: Policy, names: PolicyNames) -> list[Diagnostic]:
    """The findings of the type check, not sorted; of very many the first.

    `names` are those of the policy, as far as what they stand for could be read.
    """
    return list(islice(_Checker(policy, names).findings(), MAX_FINDINGS))


class _Checker:
    def __init__(self, policy: Policy, names: PolicyNames) -> None:
        self._policy = policy
        self._names = names.values
        self._lengths = names.lengths
        self._different: dict[str, tuple[Literal_, ...]] = {}
        # A `set` whose file could not be read is reported where it is read, not again at each use.
        self._declared = {s.name for s in policy.statements if isinstance(s, Let | SetFrom)}
        self._conditions = {s.name for s in policy.statements if isinstance(s, Let) and is_condition(s.value)}
        self._dates = {s.name for s in policy.statements if isinstance(s, Let) and isinstance(s.value, Shifted)}
        # What such a name should stand for is reported at its `let`, and not again at each use.
        self._faulty: set[str] = set()
        for let in policy.statements:
            if isinstance(let, Let) and self._names_nothing(let, names):
                self._faulty.add(let.name)
        # Looking for the nearest of very many names, for each of many unknown ones, would take minutes.
        self._similar = self._declared if len(self._declared) <= MAX_COMPARED else frozenset()

    def findings(self) -> Iterator[Diagnostic]:
        yield from self._statements()
        for condition in self._policy.conditions:
            yield from self._condition(condition)
        for rule in self._policy.rules:
            for length in (rule.notice.length, rule.notice.reminder) if rule.notice is not None else ():
                if length is not None:
                    yield from [*self._length(length)] or self._too_long(length)
        for guarantee in self._policy.guarantees:
            if guarantee.before is not None:
                yield from self._length(guarantee.before)

    def _names_nothing(self, let: Let, names: PolicyNames) -> bool:
        """Whether a `let` has a value that cannot have a name, such as one before it, or stands for itself."""
        match let.value:
            case Field() | ReadAs():
                return self._type(let.value) is not Type.BOOLEAN
            case Name(name) if name not in self._conditions or name in self._faulty:
                return True
            case _:
                return not any(let.name in known for known in (names.values, names.lengths, names.conditions))

    # statements

    def _statements(self) -> Iterator[Diagnostic]:
        named: dict[str, Let | SetFrom] = {}
        zones: list[Timezone] = []
        for statement in self._policy.statements:
            match statement:
                case Let() | SetFrom():
                    if statement.name in named:
                        yield _twice(
                            f"`{statement.name}` is given a value twice",
                            statement.name_span,
                            named[statement.name].name_span,
                        )
                    named.setdefault(statement.name, statement)
                    if isinstance(statement, Let):
                        yield from self._let(statement.value)
                case Timezone():
                    if zones:
                        yield _twice("the time zone is set twice", statement.span, zones[0].span)
                    zones.append(statement)
                    if not is_timezone(statement.name):
                        message = f"there is no time zone `{statement.name}`"
                        yield _error(
                            "SW208", message, statement.name_span, "not in the IANA list", timezone_help(statement.name)
                        )
                case _:
                    pass

        yield from check_limits(self._policy.limits)

    def _let(self, value: Named) -> Iterator[Diagnostic]:
        """Findings of what a `let` names. A field that is no condition, and the name of a value, are no such thing."""
        if isinstance(value, Length):
            return
        if isinstance(value, Shifted):
            yield from self._names_in(value, None, meant_as_text)
        elif isinstance(value, ReadAs) or (isinstance(value, Field) and self._type(value) not in (None, Type.BOOLEAN)):
            label = "a name stands for a value, for days or for a condition"
            message = f"`{print_operand(value)}` alone cannot have a name"
            yield _error("SW104", message, value.span, label, "write the field in the rule")
        elif not is_condition(value):
            yield from self._value(value)  # type: ignore[arg-type]
        elif isinstance(value, Name) and value.name in self._declared - self._conditions:
            message = f"`{value.name}` is a name already"
            yield _error("SW104", message, value.span, "the name of a name", f"write `{value.name}` in the rule")
        else:
            yield from self._condition(value)

    def _value(self, value: Operand) -> Iterator[Diagnostic]:
        if isinstance(value, ListOf):
            first = value.items[0] if value.items else None
            for item in value.items[1:]:
                if type(item) is not type(first):
                    expected = _LITERAL_TYPES[type(first)].value
                    yield _error(
                        "SW103",
                        "the values of a list are of one type",
                        item.span,
                        f"not {expected} like the first",
                        None,
                    )

    # conditions

    def _condition(
        self, condition: Condition, before: Condition | None = None, *, both: bool = False
    ) -> Iterator[Diagnostic]:
        """Findings of a condition; `before` is the comparison that `or`, or with `both` `and`, joins it to."""
        match condition:
            case And(operands) | Or(operands):
                compared = None
                for operand in operands:
                    yield from self._condition(operand, compared, both=isinstance(condition, And))
                    compared = operand if isinstance(operand, Comparison) else compared
            case Not(operand):
                yield from self._condition(operand)
            case Season():
                pass
            case UnusedFor(length):
                yield from self._length(length)
            case Name(name) if name in self._conditions:
                pass
            case IsEmpty(field):
                yield from self._emptiness(field, condition.span)
            case Comparison():
                yield from self._comparison(condition)
            case _:
                yield from self._names_in(condition, None, lambda name, _: one_more_value(Text(name), before, both))
                kind = self._type(condition)
                if kind is not None and kind is not Type.BOOLEAN:
                    shown = print_operand(condition)
                    label = f"{kind.value}, not true or false"
                    help_ = (
                        f"compare it, like `{shown} = {_SAMPLES[kind]}`"
                        if isinstance(condition, Field)
                        else self._meant_by(condition) or one_more_value(condition, before, both)
                    )
                    yield _error("SW104", f"`{shown}` alone is not a condition", condition.span, label, help_)

    def _length(self, length: Length | Name) -> Iterator[Diagnostic]:
        if isinstance(length, Length) or length.name in self._lengths or length.name in self._faulty:
            return
        if length.name not in self._declared:
            help_ = did_you_mean(length.name, self._lengths) or f"give it one: let {length.name} = 30 days"
            yield _error("SW102", f"unknown name `{length.name}`", length.span, "no `let` gives it days", help_)
        else:
            value = self._names.get(length.name)
            counted = f"write `let {length.name} = {value.value} days`" if isinstance(value, Number) else None
            help_ = counted or self._meant_by(length) or "days are written `30 days`"
            yield _error("SW103", f"`{length.name}` is not a number of days", length.span, "days belong here", help_)

    def _shift(self, shifted: Shifted) -> Iterator[Diagnostic]:
        """Only a single date is moved, once, and not by centuries."""
        base, kind = shifted.base, self._type(shifted.base)
        named = self._names.get(base.name) if isinstance(base, Name) else None
        if isinstance(base, Name) and base.name in self._dates:
            message = f"`{base.name}` is moved already"
            yield _error("SW105", message, shifted.span, "a date is moved once", "add the days up in one place")
        elif isinstance(base, ListOf) or isinstance(named, ListOf):
            yield _error("SW105", "a list cannot be moved", base.span, "several values", "move the date beside it")
        elif kind is not None and kind is not Type.DATE:
            used = base == Field("license.unusedDays")
            help_ = "compare a number with a number alone" if used or kind is Type.NUMBER else moved_text(shifted)
            label = f"this is {kind.value}"
            yield _error("SW105", f"`{shifted.sign}` moves dates, not {kind.value}", base.span, label, help_)
        yield from self._too_long(shifted.length)

    def _too_long(self, said: Length | Name) -> Iterator[Diagnostic]:
        """A length of time that is added to a day ends on a day that calendars have."""
        length = self._lengths.get(said.name) if isinstance(said, Name) else said
        if length is not None and length.days > MAX_SHIFT:
            label = f"at most {MAX_SHIFT:,} days"
            yield _error("SW004", f"{length.days:,} days are too many", said.span, label, None)

    def _reading(self, read: ReadAs) -> Iterator[Diagnostic]:
        """Only text is read as something else."""
        if (wrong := not_text(read)) is not None:
            yield _error("SW105", f"`{read.kind}(…)` reads text", read.field.span, *wrong)

    def _meant_by(self, operand: Operand) -> str | None:
        """The help for a name of a text that looks like a length of time or a condition."""
        value = self._names.get(operand.name) if isinstance(operand, Name) else None
        return meant_by_text(operand.name, value.value) if isinstance(value, Text) else None  # type: ignore[union-attr]

    def _emptiness(self, field: Field, span: Span) -> Iterator[Diagnostic]:
        """`is empty` asks for what a user may have none of."""
        yield from self._names_in(field, None, meant_as_text)
        entry = entry_of(field)
        if entry is not None and not may_be_empty(field):
            shown = f"`{print_field(field)}`"
            help_ = f"{shown} is {entry.type.value}: compare it, or leave the question out"
            yield _error("SW105", f"{shown} always has a value", span, "never empty", help_)

    def _comparison(self, comparison: Comparison) -> Iterator[Diagnostic]:
        found = False
        one, other = comparison.left, comparison.right
        for operand, beside, else_ in ((one, other, meant_as_field), (other, one, meant_as_text)):
            for diagnostic in self._names_in(operand, beside, else_):
                found = True
                yield diagnostic
        left, right = self._type(comparison.left), self._type(comparison.right)
        if found or left is None or right is None:
            return
        operator = comparison.operator
        if left is not right:
            label = f"{right.value}, but {_describe(comparison.left)} is {left.value}"
            help_ = self._type_help(comparison, left)
            yield _error("SW103", f"{left.value} is compared with {right.value}", comparison.right.span, label, help_)
        elif operator == "like" and left is not Type.TEXT:
            yield _error("SW105", f"`like` compares text, not {left.value}", comparison.span, "not text", "use `=`")
        elif operator in _ORDERED and left not in (Type.NUMBER, Type.DATE):
            yield _error(
                "SW105", f"`{operator}` compares numbers and dates", comparison.span, f"this is {left.value}", "use `=`"
            )
        else:
            yield from self._possible_values(comparison)

    def _type_help(self, comparison: Comparison, wanted: Type) -> str | None:
        """A help line: how to write the right side in the type of the left; None where the right side is a field."""
        read = read_instead(comparison.left, comparison.right, self._type) or text_beside_day(comparison)
        if read is not None:
            return read
        if isinstance(comparison.right, Field | ReadAs | Shifted):
            return None
        if comparison.left == MONTH and (numbers := self._months(comparison.right)):
            return f"months are numbers: {numbers}"
        if isinstance(comparison.right, Name) and wanted in (Type.NUMBER, Type.DATE):
            given = f"`let {comparison.right.name} = [{_SAMPLES[wanted]}]`"
            kind = f"set {comparison.right.name} from … as {'dates' if wanted is Type.DATE else 'numbers'}"
            return f"give the values without quotes, as in {given}; in a file: {kind}"
        if wanted is not Type.TEXT:
            return TYPE_HELP[wanted]
        entry = entry_of(comparison.left) if isinstance(comparison.left, Field) else None
        if entry and entry.values:
            return f"it is one of {', '.join(quote(value) for value in entry.values)}"
        items = self._items(comparison.right)
        return f"write text in quotes: {quote(print_operand(items[0]))}"

    def _months(self, names: Operand) -> str:
        """The numbers of the months whose names are given; empty where one is none."""
        numbers = [month_number(text.value) for text in self._texts(names)]
        if None in numbers or not numbers:
            return ""
        listed = ", ".join(map(str, numbers))
        return f"[{listed}]" if len(numbers) > 1 else listed

    def _possible_values(self, comparison: Comparison) -> Iterator[Diagnostic]:
        """A field with few possible values is compared with one of them."""
        if comparison.operator == "like":
            return
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            entry = entry_of(one) if isinstance(one, Field) else None
            for text in self._texts(other) if entry and entry.values else ():
                if entry and text.value.casefold() not in entry.values:
                    help_ = nearest_value(text.value, entry) or f"it is one of {', '.join(entry.values)}"
                    yield _error("SW107", f"`{entry.name}` is never `{text.value}`", text.span, "no such value", help_)
                elif entry and comparison.operator in ("==", "!==") and text.value not in entry.values:
                    label = f"`{comparison.operator}` tells capitals apart"
                    yield _error(
                        "SW107",
                        f"`{entry.name}` is never `{text.value}`",
                        text.span,
                        label,
                        f"write {text.value.casefold()}",
                    )
            if isinstance(one, Field) and one.name == "month" and comparison.operator not in _ORDERED:
                for number in self._numbers(other):
                    if not 1 <= number.value <= 12:
                        yield _error(
                            "SW107", f"there is no month {number.value}", number.span, "months are 1 to 12", None
                        )

    def _texts(self, operand: Operand) -> Iterator[Text]:
        for item in self._items(operand):
            if isinstance(item, Text):
                yield item

    def _numbers(self, operand: Operand) -> Iterator[Number]:
        for item in self._items(operand):
            if isinstance(item, Number):
                yield item

    def _items(self, operand: Operand) -> tuple[Operand, ...]:
        """The values of an operand, each once; named ones at the place that uses the name."""
        if isinstance(operand, Name):
            return tuple(item.but(span=operand.span) for item in self._named(operand.name))
        return operand.items if isinstance(operand, ListOf) else (operand,)

    def _named(self, name: str) -> tuple[Literal_, ...]:
        """The different values of a name; many rules may use one long list."""
        if name not in self._different:
            value = self._names.get(name)
            items = value.items if isinstance(value, ListOf) else (value,) if value is not None else ()
            self._different[name] = tuple(dict.fromkeys(items))
        return self._different[name]

    def _names_in(
        self, operand: Operand, beside: Operand | None, else_: Callable[[str, Field | None], str]
    ) -> Iterator[Diagnostic]:
        match operand:
            case Field() if entry_of(operand) is None:
                yield _unknown_field(operand)
            case ReadAs(_, field):
                yield from list(self._names_in(field, None, meant_as_text)) or self._reading(operand)
            case Name(name) if name not in self._declared:
                help_ = meant_by_name(name, beside, self._similar, else_)
                yield _error(
                    "SW102", f"unknown name `{name}`", operand.span, "no `let` or `set` gives it a value", help_
                )
            case Name(name) if name in self._faulty:
                pass
            case Name(name) if name in self._conditions:
                help_ = f"it stands alone: `{name}`, or `not {name}`"
                yield _error("SW104", f"`{name}` is a condition, no value", operand.span, "compared here", help_)
            case Name(name) if name in self._lengths:
                help_ = f"write `unused for {name}`"
                yield _error("SW104", f"`{name}` is a length of time, no value", operand.span, "not a value", help_)
            case Shifted(base, _, length):
                found = [*self._names_in(base, beside, else_), *self._length(length)]
                yield from found or self._shift(operand)
            case ListOf():
                yield from self._value(operand)
            case _:
                pass

    def _type(self, operand: Operand) -> Type | None:
        """The type, or None when it is not known (an error reported elsewhere, or an empty list)."""
        match operand:
            case Field():
                entry = entry_of(operand)
                return entry.type if entry else None
            case ListOf(items):
                return self._type(items[0]) if items else None
            case Shifted():
                return Type.DATE
            case ReadAs(kind):
                return READ[kind]
            case Name(name) if name in self._dates:
                return Type.DATE
            case Name(name):
                value = self._names.get(name)
                return self._type(value) if value is not None else None
            case _:
                return _LITERAL_TYPES[type(operand)]


def _unknown_field(field: Field) -> Diagnostic:
    shown = print_field(field)
    entry = VOCABULARY.get(field.name)
    if entry is not None and entry.keyed:
        return _error("SW106", f"`{shown}` needs a name", field.span, "which one?", f"like `{entry.example}`")
    return _error(
        "SW101", f"unknown field `{shown}`", field.span, "not a field", of_the_user(field) or field_help(shown)
    )


def _describe(operand: Operand) -> str:
    return f"`{print_field(operand)}`" if isinstance(operand, Field) else "the other side"


def _twice(message: str, span: Span, first: Span) -> Diagnostic:
    return Diagnostic("SW108", "error", message, span, "here again", "remove one of them", ((first, "first here"),))


def _error(code: str, message: str, span: Span, label: str, help_: str | None) -> Diagnostic:
    return Diagnostic(code, "error", message, span, label, help_)
