"""Reading the JSON form of a policy: from nodes with places to the tree, by the tables of its objects."""

from collections.abc import Iterable
from typing import Any, cast

from seatwarden.grammar.ast import (
    And,
    Boolean,
    Comparison,
    Condition,
    Date,
    Field,
    Guarantee,
    IsEmpty,
    Length,
    Let,
    Limit,
    ListOf,
    Literal_,
    Name,
    Named,
    Not,
    Notice,
    Number,
    Operand,
    Or,
    ReadAs,
    Reserve,
    Rule,
    Season,
    SetFrom,
    Shifted,
    Statement,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.bounds import MAX_DEPTH
from seatwarden.grammar.builder import is_field, season_problem
from seatwarden.grammar.spans import NOWHERE
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.json_form import tables
from seatwarden.policy.json_form.tables import FORMAT, MARK, STATEMENTS, read_word
from seatwarden.policy.yaml.nodes import Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.settings import Section, Values


def read_statements(root: Node) -> tuple[list[Statement], list[Diagnostic]]:
    """The statements of a policy in JSON form, as far as they could be read, and what is wrong in it."""
    reader = _Reader()
    return reader.statements(root), reader.findings


def _key_of(node: Node, keys: Iterable[str]) -> str | None:
    """The one of these keys that a map has."""
    return next((key for key in keys if isinstance(node, YamlMap) and node.get(key) is not None), None)


class _Reader(YamlReader):
    def statements(self, root: Node) -> list[Statement]:
        whole = tables.WHOLE.read(self, root, "the policy")
        if whole is None or not self._format_is_known(whole.map):
            return []
        entry = whole.map.get("statements")
        found = [self._statement(item) for item in (self.items(entry.value, "statements") if entry else ())]
        return [statement for statement in found if statement is not None]

    def _format_is_known(self, whole: YamlMap) -> bool:
        entry = whole.get(MARK)
        if entry is None:
            return False
        if isinstance(entry.value, YamlScalar) and entry.value.value == FORMAT and entry.value.value is not True:
            return True
        message, label = f"this is not format {FORMAT} of the JSON form", f"this is {describe(entry.value)}"
        self.error("SW205", message, entry.value.span, label, f"this version reads {FORMAT}")
        return False

    def _object(self, section: Section, node: YamlMap, what: str) -> Values:
        """The values of an object."""
        return section.values(self, section.open(self, node, what, section.required) or node, what)

    # statements

    def _statement(self, node: Node) -> Statement | None:
        if not isinstance(node, YamlMap):
            self.error("SW204", "a statement must be an object", node.span, f"this is {describe(node)}")
            return None
        kinds = {
            "let": self._let,
            "set": self._set,
            "limit": self._limit,
            "reserve": self._reserve,
            "timezone": self._timezone,
            "guarantee": self._guarantee,
        }
        entry = node.get("kind")
        if entry is None:
            self.error("SW206", "a statement lacks the key `kind`", node.span, f"one of {', '.join(STATEMENTS)}")
            return None
        kind = read_word(self, entry.value, "kind", tuple(STATEMENTS))
        if kind is None:
            return None
        said = self._object(STATEMENTS[kind], node, kind)
        return kinds[kind](said) if kind in kinds else self._rule(said, kind)

    def _rule(self, rule: Values, kind: str) -> Rule | None:
        condition = self._condition_at(rule, "when", 1)
        if condition is None:
            return None
        types, until = tuple(dict.fromkeys(rule["licenseTypes"])), rule.by_key.get("until")
        said = bool(rule.by_key.get("regardlessOfUse"))
        place = rule.span("regardlessOfUse") if said else NOWHERE
        notice = self._notice(node) if (node := rule.by_key.get("notice")) is not None else None
        span = rule.map.span
        return Rule(
            cast(Any, kind), types, rule["name"], until, condition, span, rule.span("name"), said, place, notice
        )

    def _notice(self, node: Node) -> Notice | None:
        if not isinstance(node, YamlMap):
            help_ = 'like {"of": {"days": 14}, "reminder": {"days": 3}}'
            self.error("SW204", "`notice` must be an object", node.span, f"this is {describe(node)}", help_)
            return None
        of, reminder = self._object(tables.NOTICE, node, "notice").take("of", "reminder")
        length = self._length_or_name(of) if of is not None else None
        back = self._length_or_name(reminder) if reminder is not None else None
        return Notice(length, back, node.span) if length is not None else None

    def _guarantee(self, said: Values) -> Guarantee | None:
        promise, types = said["promise"], tuple(dict.fromkeys(said["licenseTypes"]))
        node, about = said["before"], self._condition_at(said, "when", 1)
        before = self._length_or_name(node) if node is not None else None
        if promise is None or (node is not None and before is None) or (said["when"] is not None and about is None):
            return None
        if (promise == "never before") is not (before is not None):
            label = "`never before`, and only that, has the key `before`"
            self.error("SW206", "how long before is said of another guarantee", said.map.span, label)
        if promise == "never both types" and (types or about is not None):
            self.error(
                "SW205", "`never both types` is about everybody who holds both", said.map.span, "of some of them"
            )
        return Guarantee(promise, types, said["name"], before, about, said.map.span, said.span("name"))

    def _length_or_name(self, node: Node) -> Length | Name | None:
        return self._named(node) if isinstance(node, YamlMap) and node.get("name") else self._length(node)

    def _let(self, let: Values) -> Let | None:
        value = self._what_is_named(let["value"]) if let["value"] is not None else None
        if let["name"] is None or value is None:
            return None
        return Let(let["name"], value, let.map.span, let.span("name"))

    def _what_is_named(self, node: Node) -> Named | None:
        return self._length(node) if _key_of(node, tables.LENGTHS) else self._condition(node, 1)

    def _length(self, node: Node) -> Length | None:
        unit = _key_of(node, tables.LENGTHS)
        if unit is None or not isinstance(node, YamlMap):
            self.error("SW204", "a length of time belongs here", node.span, describe(node), 'like {"days": 30}')
            return None
        count = self._object(tables.LENGTHS[unit], node, "a length of time")[unit]
        return Length(count, unit, node.span) if count is not None else None  # type: ignore[arg-type]

    def _set(self, named: Values) -> SetFrom | None:
        if named["name"] is None or named["from"] is None:
            return None
        return SetFrom(named["name"], named["from"], named["as"] or "text", named.map.span, named.span("name"))

    def _reserve(self, reserve: Values) -> Reserve | None:
        free, license_type = reserve.take("free", "licenseType")
        return None if free is None or license_type is None else Reserve(free, license_type, reserve.map.span)

    def _limit(self, limit: Values) -> Limit | None:
        if (limit.map.get("count") is None) is (limit.map.get("percent") is None):
            self.error("SW206", "a limit has either a `count` or a `percent`", limit.map.span, "one of them")
        first = limit["longestUnusedFirst"]
        over = self._length(limit["per"]) if limit["per"] is not None else None
        if over is None and limit["per"] is not None:
            return None
        return Limit(limit["count"], limit["percent"], limit["licenseType"], first, over, limit.map.span)

    def _timezone(self, zone: Values) -> Timezone | None:
        return Timezone(zone["name"], zone.map.span, zone.span("name")) if zone["name"] is not None else None

    # conditions

    def _condition_at(self, values: Values, key: str, depth: int) -> Condition | None:
        return self._condition(values[key], depth) if values[key] is not None else None

    def _condition(self, node: Node, depth: int) -> Condition | None:
        if self._too_deep(node, depth):
            return None
        if not isinstance(node, YamlMap):
            return self._value(node)
        forms = (
            *(("and", self._and), ("or", self._or), ("not", self._not)),
            *(("isEmpty", self._is_empty), ("unusedFor", self._unused), ("from", self._season)),
        )
        for key, read in forms:
            if node.get(key) is not None:
                return read(node, depth)
        return self._comparison(node, depth) if node.get("operator") is not None else self._operand(node)

    def _and(self, node: YamlMap, depth: int) -> Condition | None:
        parts = self._parts(self._object(tables.AND, node, "and"), "and", depth)
        return And(parts, node.span) if parts is not None else None

    def _or(self, node: YamlMap, depth: int) -> Condition | None:
        parts = self._parts(self._object(tables.OR, node, "or"), "or", depth)
        return Or(parts, node.span) if parts is not None else None

    def _parts(self, joined: Values, key: str, depth: int) -> tuple[Condition, ...] | None:
        items = joined[key]
        if len(items) < 2:
            self.error("SW205", f"`{key}` joins two conditions or more", joined.map.span, f"it has {len(items)}")
            return None
        parts = [self._condition(item, depth + 1) for item in items]
        return tuple(cast(Condition, part) for part in parts) if None not in parts else None

    def _not(self, node: YamlMap, depth: int) -> Condition | None:
        operand = self._condition_at(self._object(tables.NOT, node, "not"), "not", depth + 1)
        return Not(operand, node.span) if operand is not None else None

    def _unused(self, node: YamlMap, depth: int) -> Condition | None:
        unused = self._object(tables.UNUSED, node, "unusedFor")
        told, unit = unused.take("unusedFor", "unit")
        if isinstance(told, YamlMap):
            name = self._named(told)
            return UnusedFor(name, unused["of"] == "user", node.span) if name is not None else None
        if unit is None and node.get("unit") is None:
            self.lacking(node, "unusedFor", "unit", 'write "unit": "days"')
        count = self.whole(told, "unusedFor", "days or weeks") if told is not None else None
        if count is None or unit is None:
            return None
        return UnusedFor(Length(count, unit, node.span), unused["of"] == "user", node.span)

    def _season(self, node: YamlMap, depth: int) -> Condition | None:
        first, last = self._object(tables.SEASON, node, "a season").take("from", "to")
        if first is None or last is None:
            return None
        season = Season(first, last, node.span)
        wrong = season_problem(season)
        if wrong is not None:
            self.error("SW205", wrong.message, node.span, wrong.label, wrong.help)
        return season if wrong is None else None

    def _is_empty(self, node: YamlMap, depth: int) -> Condition | None:
        asked = self._object(tables.IS_EMPTY, node, "isEmpty")["isEmpty"]
        if not isinstance(asked, YamlMap):
            if asked is not None:
                help_ = 'like {"isEmpty": {"field": "user.tags"}}'
                self.error("SW204", "`isEmpty` asks for a field", asked.span, f"this is {describe(asked)}", help_)
            return None
        field = self._field(asked) if not self._too_deep(asked, depth + 1) else None
        return IsEmpty(field, node.span) if field is not None else None

    def _read_as(self, node: YamlMap) -> ReadAs | None:
        kind, of = self._object(tables.READ_AS, node, "readAs").take("readAs", "of")
        if of is not None and not isinstance(of, YamlMap):
            help_ = 'like {"readAs": "date", "of": {"field": "user.@", "key": "ContractEnd"}}'
            self.error("SW204", "`of` names a field", of.span, f"this is {describe(of)}", help_)
            return None
        field = self._field(of) if of is not None else None
        return ReadAs(kind, field, node.span) if kind is not None and field is not None else None

    def _comparison(self, node: YamlMap, depth: int) -> Condition | None:
        comparison = self._object(tables.COMPARISON, node, "a comparison")
        left, right = (self._operand_at(comparison, key, depth + 1) for key in ("left", "right"))
        if comparison["operator"] is None or left is None or right is None:
            return None
        return Comparison(comparison["operator"], left, right, node.span)

    def _too_deep(self, node: Node, depth: int) -> bool:
        """Depth is counted as the parser of policy text counts it."""
        if depth > MAX_DEPTH:
            help_ = "split it into several rules; rules are joined by `or`"
            self.error("SW005", f"this condition is nested more than {MAX_DEPTH} deep", node.span, "too deep", help_)
        return depth > MAX_DEPTH

    # operands

    def _operand_at(self, values: Values, key: str, depth: int) -> Operand | None:
        node = values[key]
        return self._operand(node) if node is not None and not self._too_deep(node, depth) else None

    def _operand(self, node: Node) -> Operand | None:
        if isinstance(node, YamlMap):
            if (word := _key_of(node, tables.SHIFTED)) is not None:
                return self._shifted(node, word)
            for key, read in (("readAs", self._read_as), ("field", self._field), ("name", self._named)):
                if node.get(key) is not None:
                    return read(node)
        return self._value(node)

    def _shifted(self, node: YamlMap, word: str) -> Shifted | None:
        said = self._object(tables.SHIFTED[word], node, word)
        by, than = said.take(word, "than")
        base = self._operand(than) if than is not None and _key_of(than, tables.SHIFTED) is None else None
        if than is not None and base is None and _key_of(than, tables.SHIFTED) is not None:
            self.error("SW205", "a date is moved once", than.span, "moved already", "add the days up")
        length = self._length_or_name(by) if by is not None else None
        if base is None or length is None or isinstance(base, Shifted):
            return None
        return Shifted(base, "+" if word == "later" else "-", length, node.span)

    def _field(self, node: YamlMap) -> Field | None:
        said = self._object(tables.FIELD, node, "field")
        if said["field"] is None or (said["key"] is None and node.get("key") is not None):
            return None
        field = Field(said["field"], said["key"], node.span)
        if not is_field(field):
            help_ = (
                "like user.tags; the name of a custom property or attribute is the `key` of user.@ or user.attributes"
            )
            self.error("SW205", f"`{field.name}` cannot be a field", node.span, "not a field", help_)
            return None
        return field

    def _named(self, node: YamlMap) -> Name | None:
        name = self._object(tables.NAMED, node, "name")["name"]
        return Name(name, node.span) if name is not None else None

    def _value(self, node: Node) -> Literal_ | ListOf | None:
        if not isinstance(node, YamlList):
            return self._literal(node)
        items = [self._literal(item) for item in node.items]
        return ListOf(tuple(cast(Literal_, item) for item in items), node.span) if None not in items else None

    def _literal(self, node: Node) -> Literal_ | None:
        match node:
            case YamlMap() if node.get("date") is not None:
                return cast(Date | None, self._object(tables.DATE, node, "date")["date"])
            case YamlScalar(value=bool(truth)):
                return Boolean(truth, node.span)
            case YamlScalar(value=int() | float()):
                number = self.whole(node, "a number", "something")
                return Number(number, node.span) if number is not None else None
            case YamlScalar(value=str()):
                text = self.text(node, "a value")
                return Text(text, node.span) if text is not None else None
            case _:
                help_ = (
                    "a condition has `and`, `or`, `not`, `operator`, `isEmpty` or `unusedFor`; "
                    "a value `field`, `name` or `date`"
                )
                self.error("SW204", "this is no condition and no value", node.span, f"this is {describe(node)}", help_)
                return None
