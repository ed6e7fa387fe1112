"""Tree to text: the one canonical form of a policy.

`parse(print(tree)) == tree` for every tree, and printing canonical text again changes nothing.
"""

from seatwarden.grammar.ast import Condition, Field, Limit, Operand, Policy, Statement
from seatwarden.grammar.layout import LINE_WIDTH, condition_text, field_text, lay_out, limit_text, operand_text, quote

__all__ = [
    "LINE_WIDTH",
    "print_condition",
    "print_field",
    "print_limit",
    "print_operand",
    "print_policy",
    "print_statement",
    "quote",
]


def print_policy(policy: Policy) -> str:
    """The policy as canonical text, one statement after the other, ending in a newline (or empty)."""
    return "".join(print_statement(statement) + "\n" for statement in policy.statements)


def print_statement(statement: Statement) -> str:
    """One statement as canonical text, without a final newline."""
    return "\n".join(" " * line.indent + line.text for line in lay_out(statement))


def print_limit(limit: Limit) -> str:
    """What stands behind `limit release to`."""
    return limit_text(limit)


def print_condition(condition: Condition) -> str:
    """A condition on one line."""
    return condition_text(condition)


def print_operand(operand: Operand) -> str:
    """A value, list, name or field on one line."""
    return operand_text(operand)


def print_field(field: Field) -> str:
    """A field as it is written in a rule, its key quoted where it has to be."""
    return field_text(field)
