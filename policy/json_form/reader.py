"""Reading the JSON form of a policy: from nodes with places to the tree."""

from typing import Any, cast

from seatwarden.grammar.ast import (
    LICENSE_TYPES,
    And,
    Boolean,
    Comparison,
    Condition,
    Date,
    Field,
    Let,
    LicenseType,
    Limit,
    ListOf,
    Literal_,
    Name,
    Not,
    Number,
    Operand,
    Operator,
    Or,
    Rule,
    SetFrom,
    Statement,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.bounds import MAX_DEPTH
from seatwarden.grammar.builder import date_from, is_field, is_name
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.yaml.nodes import Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe

FORMAT = 1
"""Version of the JSON form; another one is refused."""
MARK = "seatwarden"

OPERATORS: tuple[Operator, ...] = ("=", "!=", "==", "!==", "like", "<", "<=", ">", ">=")
_DATE_HELP = 'dates are written year-month-day with two digits each: "2027-02-28"'


def read_statements(root: Node) -> tuple[list[Statement], list[Diagnostic]]:
    """The statements of a policy in JSON form, as far as they could be read, and what is wrong in it."""
    reader = _Reader()
    return reader.statements(root), reader.findings


class _Reader(YamlReader):
    def statements(self, root: Node) -> list[Statement]:
        known = ("$schema", MARK, "statements")
        whole = self.mapping(root, "the policy", known=known, required=known[1:])
        if whole is None or not self._format_is_known(whole):
            return []
        entry = whole.get("statements")
        found = [self._statement(item) for item in (self.items(entry.value, "statements") if entry else ())]
        return [statement for statement in found if statement is not None]

    def _format_is_known(self, whole: YamlMap) -> bool:
        entry = whole.get(MARK)
        if entry is None or (isinstance(entry.value, YamlScalar) and entry.value.value == FORMAT):
            return entry is not None
        message = f"this is not format {FORMAT} of the JSON form"
        self.error(
            "SW205", message, entry.value.span, f"this is {describe(entry.value)}", f"this version reads {FORMAT}"
        )
        return False

    # statements

    def _statement(self, node: Node) -> Statement | None:
        if not isinstance(node, YamlMap):
            self.error("SW204", "a statement must be an object", node.span, f"this is {describe(node)}")
            return None
        kinds = {
            "keep": self._rule,
            "release": self._rule,
            "let": self._let,
            "set": self._set,
            "limit": self._limit,
            "timezone": self._timezone,
        }
        entry = node.get("kind")
        if entry is None:
            self.error("SW206", "a statement lacks the key `kind`", node.span, f"one of {', '.join(kinds)}")
            return None
        kind = self._word(entry.value, "kind", tuple(kinds))
        return kinds[kind](node) if kind is not None else None

    def _rule(self, node: YamlMap) -> Rule | None:
        kind = cast(Any, node.get("kind")).value.value
        known = ("kind", "licenseTypes", "name", *(("until",) if kind == "keep" else ()), "when")
        self.mapping(node, kind, known=known, required=("when",))
        types = self.at(node, "licenseTypes", lambda e: self._license_types(e.value)) or ()
        name = self.at(node, "name", lambda e: self.text(e.value, "name"))
        until = self.at(node, "until", lambda e: self._date(e.value, "until")) if kind == "keep" else None
        condition = self._condition_at(node, "when", 1)
        return Rule(kind, types, name, until, condition, node.span, _name_span(node)) if condition is not None else None

    def _let(self, node: YamlMap) -> Let | None:
        keys = ("kind", "name", "value")
        self.mapping(node, "let", known=keys, required=keys)
        name = self.at(node, "name", lambda e: self._name(e.value))
        entry = node.get("value")
        value = self._value(entry.value) if entry is not None else None
        return Let(name, value, node.span, _name_span(node)) if name is not None and value is not None else None

    def _set(self, node: YamlMap) -> SetFrom | None:
        keys = ("kind", "name", "from")
        self.mapping(node, "set", known=keys, required=keys)
        name = self.at(node, "name", lambda e: self._name(e.value))
        path = self.at(node, "from", lambda e: self._text(e.value, "from"))
        return SetFrom(name, path, node.span, _name_span(node)) if name is not None and path is not None else None

    def _limit(self, node: YamlMap) -> Limit | None:
        self.mapping(node, "limit", known=("kind", "count", "percent", "licenseType", "longestUnusedFirst"))
        if (node.get("count") is None) is (node.get("percent") is None):
            self.error("SW206", "a limit has either a `count` or a `percent`", node.span, "one of them")
        count = self.at(node, "count", lambda e: self.whole(e.value, "count", "licenses"))
        percent = self.at(node, "percent", lambda e: self._percent(e.value))
        license_type = self.at(node, "licenseType", lambda e: self._word(e.value, "licenseType", LICENSE_TYPES))
        longest = self.at(node, "longestUnusedFirst", lambda e: self.boolean(e.value, "longestUnusedFirst"))
        return Limit(count, percent, cast(LicenseType | None, license_type), longest is True, node.span)

    def _percent(self, node: Node) -> int | None:
        percent = self.whole(node, "percent", "percent")
        if percent is not None and percent > 100:
            self.error("SW205", "more than 100 %", node.span, "not a share of the licenses")
            return None
        return percent

    def _timezone(self, node: YamlMap) -> Timezone | None:
        self.mapping(node, "timezone", known=("kind", "name"), required=("name",))
        name = self.at(node, "name", lambda e: self.text(e.value, "name"))
        return Timezone(name, node.span, _name_span(node)) if name is not None else None

    # conditions

    def _condition_at(self, node: YamlMap, key: str, depth: int) -> Condition | None:
        entry = node.get(key)
        return self._condition(entry.value, depth) if entry is not None else None

    def _condition(self, node: Node, depth: int) -> Condition | None:
        if self._too_deep(node, depth):
            return None
        if not isinstance(node, YamlMap):
            return self._value(node)
        for key, read in (("and", self._and), ("or", self._or), ("not", self._not), ("unusedFor", self._unused)):
            if node.get(key) is not None:
                return read(node, depth)
        return self._comparison(node, depth) if node.get("operator") is not None else self._operand(node)

    def _and(self, node: YamlMap, depth: int) -> Condition | None:
        parts = self._parts(node, "and", depth)
        return And(parts, node.span) if parts is not None else None

    def _or(self, node: YamlMap, depth: int) -> Condition | None:
        parts = self._parts(node, "or", depth)
        return Or(parts, node.span) if parts is not None else None

    def _parts(self, node: YamlMap, key: str, depth: int) -> tuple[Condition, ...] | None:
        self.mapping(node, key, known=(key,))
        entry = node.get(key)
        items = self.items(entry.value, key) if entry is not None else ()
        if len(items) < 2:
            self.error("SW205", f"`{key}` joins two conditions or more", node.span, f"it has {len(items)}")
            return None
        parts = [self._condition(item, depth + 1) for item in items]
        return tuple(cast(Condition, part) for part in parts) if None not in parts else None

    def _not(self, node: YamlMap, depth: int) -> Condition | None:
        self.mapping(node, "not", known=("not",))
        operand = self._condition_at(node, "not", depth + 1)
        return Not(operand, node.span) if operand is not None else None

    def _unused(self, node: YamlMap, depth: int) -> Condition | None:
        keys = ("unusedFor", "unit")
        self.mapping(node, "unusedFor", known=keys, required=keys)
        count = self.at(node, "unusedFor", lambda e: self.whole(e.value, "unusedFor", "days or weeks"))
        unit = self.at(node, "unit", lambda e: self._word(e.value, "unit", ("days", "weeks")))
        return UnusedFor(count, cast(Any, unit), node.span) if count is not None and unit is not None else None

    def _comparison(self, node: YamlMap, depth: int) -> Condition | None:
        keys = ("operator", "left", "right")
        self.mapping(node, "a comparison", known=keys, required=keys)
        operator = self.at(node, "operator", lambda e: self._word(e.value, "operator", OPERATORS))
        left, right = self._operand_at(node, "left", depth + 1), self._operand_at(node, "right", depth + 1)
        if operator is None or left is None or right is None:
            return None
        return Comparison(cast(Operator, operator), left, right, node.span)

    def _too_deep(self, node: Node, depth: int) -> bool:
        """Depth is counted as the parser of policy text counts it."""
        if depth > MAX_DEPTH:
            help_ = "split it into several rules; rules are joined by `or`"
            self.error("SW005", f"this condition is nested more than {MAX_DEPTH} deep", node.span, "too deep", help_)
        return depth > MAX_DEPTH

    # operands

    def _operand_at(self, node: YamlMap, key: str, depth: int) -> Operand | None:
        entry = node.get(key)
        return self._operand(entry.value) if entry is not None and not self._too_deep(entry.value, depth) else None

    def _operand(self, node: Node) -> Operand | None:
        if isinstance(node, YamlMap):
            for key, read in (("field", self._field), ("name", self._named)):
                if node.get(key) is not None:
                    return read(node)
        return self._value(node)

    def _field(self, node: YamlMap) -> Field | None:
        self.mapping(node, "field", known=("field", "key"))
        name = self.at(node, "field", lambda e: self.text(e.value, "field"))
        key = self.at(node, "key", lambda e: self.text(e.value, "key"))
        if name is None or (key is None and node.get("key") is not None):
            return None
        field = Field(name, key, node.span)
        if not is_field(field):
            help_ = (
                "like user.tags; the name of a custom property or attribute is the `key` of user.@ or user.attributes"
            )
            self.error("SW205", f"`{name}` cannot be a field", node.span, "not a field", help_)
            return None
        return field

    def _named(self, node: YamlMap) -> Name | None:
        self.mapping(node, "name", known=("name",))
        name = self.at(node, "name", lambda e: self._name(e.value))
        return Name(name, node.span) if name is not None else None

    def _value(self, node: Node) -> Literal_ | ListOf | None:
        if not isinstance(node, YamlList):
            return self._literal(node)
        items = [self._literal(item) for item in node.items]
        return ListOf(tuple(cast(Literal_, item) for item in items), node.span) if None not in items else None

    def _literal(self, node: Node) -> Literal_ | None:
        match node:
            case YamlMap() if node.get("date") is not None:
                self.mapping(node, "date", known=("date",))
                return self.at(node, "date", lambda e: self._date(e.value, "date"))
            case YamlScalar(value=bool(truth)):
                return Boolean(truth, node.span)
            case YamlScalar(value=int() | float()):
                number = self.whole(node, "a number", "something")
                return Number(number, node.span) if number is not None else None
            case YamlScalar(value=str()):
                return self._text(node, "a value")
            case _:
                help_ = (
                    "a condition has `and`, `or`, `not`, `operator` or `unusedFor`; a value `field`, `name` or `date`"
                )
                self.error("SW204", "this is no condition and no value", node.span, f"this is {describe(node)}", help_)
                return None

    # single values

    def _text(self, node: Node, what: str) -> Text | None:
        text = self.text(node, what)
        return Text(text, node.span) if text is not None else None

    def _date(self, node: Node, what: str) -> Date | None:
        day = date_from(node.value) if isinstance(node, YamlScalar) and isinstance(node.value, str) else None
        if day is None:
            self.error("SW205", f"`{what}` must be a date", node.span, f"this is {describe(node)}", _DATE_HELP)
            return None
        return Date(day, node.span)

    def _name(self, node: Node) -> str | None:
        name = self.text(node, "name")
        if name is None or is_name(name):
            return name
        help_ = "a name has letters, digits and _, starts with a letter, and is no word of the language"
        self.error("SW006", f"`{name}` cannot be a name", node.span, "not a name", help_)
        return None

    def _license_types(self, node: Node) -> tuple[LicenseType, ...]:
        words = [self._word(item, "licenseTypes", LICENSE_TYPES) for item in self.items(node, "licenseTypes")]
        return tuple(dict.fromkeys(cast(LicenseType, word) for word in words if word is not None))

    def _word(self, node: Node, what: str, words: tuple[str, ...]) -> str | None:
        """One of a few words, exactly: programs write this form."""
        text = self.text(node, what)
        if text is None or text in words:
            return text
        help_ = did_you_mean(text, words) or f"write one of {', '.join(words)}"
        self.error("SW205", f"`{what}` is one of {', '.join(words)}", node.span, f"this is `{text}`", help_)
        return None


def _name_span(node: YamlMap) -> Span:
    """Where the name stands; the whole statement for one without."""
    entry = node.get("name")
    return entry.value.span if entry is not None else node.span
