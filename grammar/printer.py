"""Tree to text: the one canonical form of a policy.

`parse(print(tree)) == tree` for every tree, and printing canonical text again changes nothing.
"""

import re

from grammar.ast import (
    And,
    Boolean,
    Comparison,
    Condition,
    Date,
    Field,
    Let,
    Limit,
    ListOf,
    Name,
    Not,
    Number,
    Operand,
    Or,
    Policy,
    Rule,
    SetFrom,
    Statement,
    Text,
    Timezone,
    UnusedFor,
)

LINE_WIDTH = 100
_BARE_KEY = re.compile(r"[^\W\d]\w*")


def print_policy(policy: Policy) -> str:
    """The policy as canonical text, one statement after the other, ending in a newline (or empty)."""
    return "".join(print_statement(statement) + "\n" for statement in policy.statements)


def print_statement(statement: Statement) -> str:
    """One statement as canonical text, without a final newline."""
    match statement:
        case Rule():
            return _rule(statement)
        case Let(name, value):
            return _fit(f"let {name} = ", value)
        case SetFrom(name, path):
            return f"set {name} from {quote(path.value)}"
        case Timezone(name):
            return f"timezone {quote(name)}"
        case Limit():
            return f"limit release to {print_limit(statement)}"


def print_limit(limit: Limit) -> str:
    """What stands behind `limit release to`."""
    amount = f"{limit.percent}%" if limit.percent is not None else str(limit.count)
    of_type = f" of {limit.license_type}" if limit.license_type else ""
    order = ", longest unused first" if limit.longest_unused_first else ""
    return f"{amount}{of_type} per run{order}"


def print_condition(condition: Condition) -> str:
    """A condition on one line."""
    return _condition(condition, None)


def print_operand(operand: Operand) -> str:
    """A value, list, name or field on one line."""
    return _operand(operand, None)


def print_field(field: Field) -> str:
    """A field as it is written in a rule, its key quoted where it has to be."""
    if field.key is None:
        return field.name
    join = "" if field.name.endswith("@") else "."
    return field.name + join + (field.key if _BARE_KEY.fullmatch(field.key) else quote(field.key))


def quote(value: str) -> str:
    """A string literal; the quote mark that needs no doubling is preferred."""
    mark = "'" if '"' in value and "'" not in value else '"'
    return mark + value.replace(mark, mark * 2) + mark


def _rule(rule: Rule) -> str:
    head: str = rule.kind
    if rule.license_types:
        head += " " + ", ".join(rule.license_types)
    if rule.name is not None:
        head += " " + quote(rule.name)
    if rule.until is not None:
        head += f" until {rule.until.value.isoformat()}"
    one_line = f"{head} when {print_condition(rule.condition)}"
    if len(one_line) <= LINE_WIDTH:
        return one_line
    return f"{head}\n  when {_condition(rule.condition, '  ')}"


def _fit(head: str, value: Operand) -> str:
    one_line = head + print_operand(value)
    return one_line if len(one_line) <= LINE_WIDTH else head + _operand(value, "")


def _condition(condition: Condition, indent: str | None) -> str:
    """A condition; with an indent (not None), lists too long for a line take a line for each value."""
    match condition:
        case Comparison(operator, left, right):
            return f"{_operand(left, indent)} {operator} {_operand(right, indent)}"
        case UnusedFor(count, unit):
            return f"unused for {count} {unit if count != 1 else unit[:-1]}"
        case Field("license.neverUsed", None):
            return "never used"
        case Not(operand):
            return f"not {_grouped(operand, (And, Or), indent)}"
        case And(operands):
            return " and ".join(_grouped(part, (And, Or), indent) for part in operands)
        case Or(operands):
            return " or ".join(_grouped(part, (Or,), indent) for part in operands)
        case _:
            return _operand(condition, indent)


def _grouped(condition: Condition, weaker: tuple[type, ...], indent: str | None) -> str:
    text = _condition(condition, indent)
    return f"({text})" if isinstance(condition, weaker) else text


def _operand(operand: Operand, indent: str | None) -> str:
    match operand:
        case Text(value):
            return quote(value)
        case Number(number):
            return str(number)
        case Date(day):
            return day.isoformat()
        case Boolean(truth):
            return "true" if truth else "false"
        case Name(name):
            return name
        case Field():
            return print_field(operand)
        case ListOf(items):
            values = [_operand(item, None) for item in items]
            line = f"[{', '.join(values)}]"
            if indent is None or len(line) <= LINE_WIDTH:
                return line
            return "[\n" + "".join(f"{indent}  {value},\n" for value in values) + f"{indent}]"
