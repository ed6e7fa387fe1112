"""The JSON form of a policy: its tree, for programs that read or write policies. docs/ast-json.md describes it.

It is versioned by its first key, `"seatwarden": 1`, which also tells it from Butler settings written as JSON. JSON
is read as the YAML it nearly is, so that every finding has its place in the file.
"""

import json
import re
from typing import Any

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
    Name,
    Named,
    Not,
    Notice,
    Number,
    Operand,
    Or,
    Policy,
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
from seatwarden.grammar.printer import print_day
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.json_form.reader import read_statements
from seatwarden.policy.json_form.tables import FORMAT, MARK
from seatwarden.policy.yaml.masks import is_site, masked
from seatwarden.policy.yaml.nodes import Node, YamlMap, read_yaml

_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON texts may have as they are, and YAML reads differently or not at all."""


def print_json_form(policy: Policy) -> str:
    """The policy in JSON form, indented, ending in a newline."""
    text = json.dumps(policy_to_json(policy), indent=2, ensure_ascii=False)
    return _escaped(text) + "\n"


def policy_to_json(policy: Policy) -> dict[str, Any]:
    """The policy in JSON form, as values that `json` can write. Places are left out."""
    return {MARK: FORMAT, "statements": [_statement(statement) for statement in policy.statements]}


def json_policy(root: Node, text: str, file: str) -> Policy:
    """The policy of a file in JSON form; `text` is shown beside problems. Raises PolicyError with all of them."""
    _refuse_what_only_yaml_has(text, file)
    statements, findings = read_statements(root)
    if findings:
        raise PolicyError(in_order(findings), {file: text})
    return Policy(tuple(statements))


def read_json(text: str, file: str) -> Node:
    """A JSON text as nodes with places. Raises PolicyError when it is neither JSON nor YAML."""
    try:
        # Within texts JSON has no raw tabs, so all of them are white space; YAML takes spaces only.
        return read_yaml(_escaped(text).replace("\t", " "), file)
    except PolicyError as error:
        if error.diagnostics[0].code == "SW201":
            _refuse_what_only_yaml_has(text, file)  # says it in JSON's words
        raise


def is_json_form(root: Node) -> bool:
    """Whether a file says that it is a policy in JSON form."""
    return isinstance(root, YamlMap) and root.get(MARK) is not None


def _refuse_what_only_yaml_has(text: str, file: str) -> None:
    """An alias within itself could make a small file a huge policy; JSON has none."""
    try:
        # Numbers stay text: Python raises a plain ValueError for an integer of more than 4,300 digits.
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        message = f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        span = Span(file, error.lineno, error.colno, error.lineno, error.colno + 1)
        shown = masked(text) if is_site(text) else text
        raise PolicyError((Diagnostic("SW201", "error", message, span, "here"),), {file: shown}) from None


def _escaped(text: str) -> str:
    return _NOT_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _statement(statement: Statement) -> dict[str, Any]:
    match statement:
        case Rule(kind, license_types, name, until, condition, regardless_of_use=regardless, notice=notice):
            return {
                "kind": kind,
                **({"licenseTypes": list(license_types)} if license_types else {}),
                **({"name": name} if name is not None else {}),
                **({"until": until.value.isoformat()} if until else {}),
                "when": _condition(condition),
                **({"regardlessOfUse": True} if regardless else {}),
                **({"notice": _notice(notice)} if notice is not None else {}),
            }
        case Let(name, value):
            return {"kind": "let", "name": name, "value": _named(value)}
        case SetFrom(name, path, kind):
            return {"kind": "set", "name": name, "from": path.value, **({"as": kind} if kind != "text" else {})}
        case Reserve(free, license_type):
            return {"kind": "reserve", "free": free, "licenseType": license_type}
        case Limit(count, percent, license_type, longest_unused_first, over):
            return {
                "kind": "limit",
                **({"percent": percent} if percent is not None else {"count": count}),
                **({"licenseType": license_type} if license_type else {}),
                **({"longestUnusedFirst": True} if longest_unused_first else {}),
                **({"per": {over.unit: over.count}} if over else {}),
            }
        case Timezone(name):
            return {"kind": "timezone", "name": name}
        case Guarantee(promise, license_types, name, before, about):
            return {
                "kind": "guarantee",
                "promise": promise,
                **({"licenseTypes": list(license_types)} if license_types else {}),
                **({"name": name} if name is not None else {}),
                **({"before": _length(before)} if before is not None else {}),
                **({"when": _condition(about)} if about is not None else {}),
            }


def _notice(notice: Notice) -> dict[str, Any]:
    reminder = {"reminder": _length(notice.reminder)} if notice.reminder is not None else {}
    return {"of": _length(notice.length), **reminder}


def _length(length: Length | Name) -> dict[str, Any]:
    return {"name": length.name} if isinstance(length, Name) else {length.unit: length.count}


def _named(value: Named) -> Any:
    return _length(value) if isinstance(value, Length) else _condition(value)


def _condition(condition: Condition) -> Any:
    match condition:
        case And(operands):
            return {"and": [_condition(operand) for operand in operands]}
        case Or(operands):
            return {"or": [_condition(operand) for operand in operands]}
        case Not(operand):
            return {"not": _condition(operand)}
        case Comparison(operator, left, right):
            return {"operator": operator, "left": _operand(left), "right": _operand(right)}
        case Season(first, last):
            return {"from": print_day(first), "to": print_day(last)}
        case IsEmpty(field):
            return {"isEmpty": _operand(field)}
        case UnusedFor(length, of_user):
            of = {"of": "user"} if of_user else {}
            if isinstance(length, Name):
                return {"unusedFor": _operand(length), **of}
            return {"unusedFor": length.count, "unit": length.unit, **of}
        case _:
            return _operand(condition)


def _operand(operand: Operand) -> Any:
    match operand:
        case Text(value) | Number(value) | Boolean(value):
            return value
        case Date(day):
            return {"date": day.isoformat()}
        case ListOf(items):
            return [_operand(item) for item in items]
        case Name(name):
            return {"name": name}
        case Shifted(base, sign, length):
            return {"later" if sign == "+" else "earlier": _length(length), "than": _operand(base)}
        case ReadAs(kind, field):
            return {"readAs": kind, "of": _operand(field)}
        case Field(name, None):
            return {"field": name}
        case Field(name, key):
            return {"field": name, "key": key}
