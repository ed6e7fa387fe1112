"""From Lark's parse tree of a license rule's condition to its tree."""

from collections.abc import Mapping
from typing import Any, cast

from lark import Token
from lark.visitors import Transformer_NonRecursive

from seatwarden.grammar.errors import shown
from seatwarden.grammar.license_rule.ast import (
    Join,
    NotUnderstood,
    RuleCall,
    RuleChain,
    RuleNot,
    RuleOperator,
    RulePart,
    RuleProperty,
    RuleTest,
    RuleText,
    RuleTruth,
    Unquoted,
)

_JOINS: Mapping[str, Join] = {"and": "and", "&&": "and", "or": "or", "||": "or"}


class LicenseRuleBuilder(Transformer_NonRecursive[Token, Any]):
    """One method a grammar rule. `unclear` says, by its offset, why a part was overwritten."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__()
        self._reasons = reasons

    def chain(self, parts: list[Any]) -> RuleChain:
        return RuleChain(tuple(parts[::2]), tuple(_JOINS[join.lower()] for join in parts[1::2]))

    def negated(self, parts: list[Any]) -> RuleNot:
        return RuleNot(parts[1])

    def loosely_negated(self, parts: list[Any]) -> RulePart:
        if isinstance(parts[1], NotUnderstood):
            return parts[1]
        return NotUnderstood("`!` stands before a comparison without parentheses")

    def true(self, parts: list[Token]) -> RuleTruth:
        return RuleTruth(True)

    def false(self, parts: list[Token]) -> RuleTruth:
        return RuleTruth(False)

    def unclear(self, parts: list[Token]) -> NotUnderstood:
        return NotUnderstood(self._reasons[parts[0].start_pos or 0])

    def call(self, parts: list[Any]) -> RuleCall:
        owner, _, function = str(parts[0]).rpartition(".")
        return RuleCall(owner, function, len(parts) > 1)

    def test(self, parts: list[Any]) -> RuleTest:
        left, operator, right = parts
        return RuleTest(cast(RuleOperator, operator.lower()), left, right)

    def unknown_test(self, parts: list[Any]) -> NotUnderstood:
        return NotUnderstood(f"what `{parts[1]}` compares is not documented")

    def bare(self, parts: list[Token]) -> NotUnderstood:
        return NotUnderstood(f"`{shown(parts[0])}` is compared with nothing")

    def text(self, parts: list[Token]) -> RuleText:
        return RuleText(str(parts[0])[1:-1])

    def property(self, parts: list[Token]) -> RuleProperty:
        return RuleProperty(str(parts[0]))

    def unquoted(self, parts: list[Token]) -> Unquoted:
        return Unquoted(str(parts[0]))
