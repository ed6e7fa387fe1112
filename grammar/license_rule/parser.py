"""The condition of a license rule to its tree, by the LALR grammar in `license_rule.lark`.

A part in parentheses that cannot be read is one part that is not understood; the rest of the rule is read. Where that
is all of it, or no parentheses tell where it ends, the rule cannot be read, and the error says what stops it.
"""

import re
from functools import lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from seatwarden.grammar.errors import SeatwardenError, shown
from seatwarden.grammar.license_rule.ast import NotUnderstood, RulePart, RuleTruth, leaves
from seatwarden.grammar.license_rule.builder import LicenseRuleBuilder
from seatwarden.grammar.tables import load_parser

MAX_RULE = 20_000
"""Longest condition that is read, in characters."""
MAX_NESTING = 100
"""Most parentheses within each other, and most `!`, that are read."""

_UNCLEAR = "\x00"
_OUTSIDE = re.compile(r'"[^"]*"|[()!]')
"""A text, or what nests outside of texts."""
_ESCAPED_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*(\\")')
_OTHER_TEXT = re.compile(r'"[^"]*"|([\'`‘’‚“”„«»/#])')
"""A text, or what may begin a text or a comment of another kind: then parentheses tell nothing."""
_WORD = re.compile(r"[\w.@-]+")


class LicenseRuleError(SeatwardenError):
    """The condition of a license rule cannot be read; `line` and `column` (from 1) say where that ends."""

    def __init__(self, problem: str, text: str, offset: int) -> None:
        before = text[:offset]
        self.line, self.column = before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
        super().__init__(f"{self.line}:{self.column}: {problem}")


def parse_license_rule(text: str) -> RulePart:
    """The tree of a condition; an empty one holds for everybody. Raises LicenseRuleError."""
    if not text.strip():
        return RuleTruth(True)
    groups = _groups(text)
    whole, reasons, first = text, dict[int, str](), None
    while True:
        try:
            tree: Tree[Token] = _lark().parse(whole)
            break
        except UnexpectedInput as error:
            problem = _problem(error, text, whole)
            first = first or problem
            if any(found[1] for found in _OTHER_TEXT.finditer(text)):
                raise first from None
            start, end = _around(groups, whole, _offset(error, text), first)
            reasons[start] = problem.message
            whole = f"{whole[:start]}{_UNCLEAR * (end - start)}{whole[end:]}"
    built: RulePart = LicenseRuleBuilder(reasons).transform(tree)
    if first and all(isinstance(leaf, NotUnderstood) for leaf in leaves(built)):
        raise first
    return built


@lru_cache(maxsize=1)
def _lark() -> Lark:
    return load_parser("license_rule")


def _groups(text: str) -> list[tuple[int, int]]:
    """The insides of all parentheses, the innermost first. Raises LicenseRuleError for what no grammar can mend."""
    if len(text) > MAX_RULE:
        raise LicenseRuleError(f"the rule is too long: {MAX_RULE:,} characters are read", text, MAX_RULE)
    if _UNCLEAR in text:
        raise LicenseRuleError("a control character", text, text.index(_UNCLEAR))
    if (escaped := _ESCAPED_QUOTE.search(text)) is not None:
        problem = "whether a text ends at a quote behind a backslash is not documented"
        raise LicenseRuleError(problem, text, escaped.start(1))
    if text.count('"') % 2:
        raise LicenseRuleError("a text begins here and does not end", text, text.rindex('"'))
    opened: list[int] = []
    groups, negations = list[tuple[int, int]](), 0
    for found in _OUTSIDE.finditer(text):
        negations += found[0] == "!"
        if found[0] == "(":
            opened.append(found.end())
        elif found[0] == ")":
            if not opened:
                raise LicenseRuleError("this `)` closes nothing", text, found.start())
            groups.append((opened.pop(), found.start()))
        if len(opened) > MAX_NESTING or negations > MAX_NESTING:
            raise LicenseRuleError(f"the rule is nested more than {MAX_NESTING} levels deep", text, found.start())
    if opened:
        raise LicenseRuleError("this `(` is not closed", text, opened[-1] - 1)
    return groups


def _around(groups: list[tuple[int, int]], whole: str, offset: int, problem: LicenseRuleError) -> tuple[int, int]:
    """The innermost parentheses around an offset that have something left to overwrite. Raises the problem if none."""
    for start, end in groups:
        if start <= offset <= end and whole[start:end].strip(_UNCLEAR):
            return start, end
    raise problem


def _offset(error: UnexpectedInput, text: str) -> int:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(text)
    return error.pos_in_stream or 0


def _problem(error: UnexpectedInput, text: str, whole: str) -> LicenseRuleError:
    offset = _offset(error, text)
    if offset >= len(text):
        return LicenseRuleError("the rule is unfinished", text, offset)
    assert isinstance(error, UnexpectedCharacters | UnexpectedToken)  # noqa: S101 -- Lark raises no other here
    word = _WORD.match(text, offset)
    found = word[0] if word else text[offset]
    if whole[offset] == _UNCLEAR:
        return LicenseRuleError("what stands in parentheses is not understood", text, offset)
    return LicenseRuleError(f"unexpected `{shown(found)}`", text, offset)
