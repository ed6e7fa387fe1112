"""Policy text to tree, by the LALR grammar in `policy.lark`."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from seatwarden.grammar.ast import AnyLimit, Condition, Guarantee, Length, Let, Policy, walk
from seatwarden.grammar.bounds import MAX_DEPTH, NESTED_HELP, nested_message, too_much
from seatwarden.grammar.builder import Builder
from seatwarden.grammar.errors import PolicySyntaxError, SyntaxProblem
from seatwarden.grammar.keywords import STATEMENTS
from seatwarden.grammar.spans import Locate, Span
from seatwarden.grammar.tables import load_parser

MAX_PROBLEMS = 20
"""Most syntax errors that are looked for in one file."""

_T = TypeVar("_T")

_STATEMENT_START = re.compile(rf"^[ \t]*(?=(?:{'|'.join(STATEMENTS)})\b)", re.IGNORECASE | re.MULTILINE)


def parse_policy(text: str, file: str) -> Policy:
    """The policy that `text` says; `file` names it in spans.

    Raises PolicySyntaxError with all syntax errors (the first of very many): after one, reading goes on at the next
    statement.
    """
    locate = in_file(file)
    _refuse_too_much(text, MAX_DEPTH, locate)
    problems: list[SyntaxProblem] = []
    rest, line = text, 0
    while len(problems) < MAX_PROBLEMS:
        try:
            policy: Policy = _build("policy", rest, _below(line, locate), problems)
        except _Failure as failure:
            problems.append(failure.problem)
            failed_at = failure.offset
        else:
            if not problems:
                return policy
            break
        start, end = _statement_at(failed_at, rest)
        # What stands before is read once more, alone: its values have not been looked at yet.
        with suppress(_Failure):
            _build("policy", rest[:start], _below(line, locate), problems)
        line += rest.count("\n", 0, end)
        rest = rest[end:]
    raise PolicySyntaxError(tuple(sorted(problems, key=lambda p: p.span)[:MAX_PROBLEMS]))


def parse_condition(text: str, locate: Locate) -> Condition:
    """The condition that `text` says (YAML `when:`). Raises PolicySyntaxError."""
    condition: Condition = _parse_one("condition", text, locate)
    return condition


def parse_limit(text: str, locate: Locate) -> AnyLimit:
    """The limit that `text` says (YAML `limit:`), like `50 per run` or `10% of analyzer`. Raises PolicySyntaxError."""
    limit: AnyLimit = _parse_one("bare_limit", text, locate)
    return limit


def parse_days(text: str, locate: Locate) -> Length:
    """The length of time that `text` says (YAML `days:`), like `30 days`. Raises PolicySyntaxError."""
    days: Length = _parse_one("bare_days", text, locate)
    return days


def parse_promise(text: str, locate: Locate) -> Guarantee:
    """The guarantee that `text` says (YAML `guarantees:`), like `never release when …`. Raises PolicySyntaxError."""
    promise: Guarantee = _parse_one("bare_promise", text, locate)
    return promise


def in_file(file: str) -> Locate:
    """The Locate for text that is the whole of `file`."""
    return lambda line, column, end_line, end_column: Span(file, line, column, end_line, end_column)


def terminal(name: str) -> str:
    """The regular expression of a terminal of the grammar, for what reads text without parsing it."""
    return str(_lark().get_terminal(name).pattern.to_regexp())


def acceptable(text: str, start: str) -> frozenset[str]:
    """The terminals that can stand behind a text, which is the beginning of a `policy`, `condition` or `bare_limit`;
    none where it is the beginning of nothing."""
    parser = _lark().parse_interactive(text, start=start)
    try:
        parser.exhaust_lexer()
    except UnexpectedInput:
        return frozenset()
    return frozenset(parser.accepts())  # type: ignore[no-untyped-call]


class _Failure(Exception):
    def __init__(self, problem: SyntaxProblem, offset: int) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.offset = offset


@lru_cache(maxsize=1)
def _lark() -> Lark:
    return load_parser("policy")


def _parse_one(start: str, text: str, locate: Locate) -> Any:
    # A YAML `when:` is joined to other conditions, and the whole must be readable as policy text.
    _refuse_too_much(text, MAX_DEPTH - 1, locate)
    problems: list[SyntaxProblem] = []
    try:
        built = _build(start, text, locate, problems)
    except _Failure as failure:
        raise PolicySyntaxError((failure.problem,)) from None
    if problems:
        raise PolicySyntaxError(tuple(problems))
    return built


def _build(start: str, text: str, locate: Locate, problems: list[SyntaxProblem]) -> Any:
    """The tree that `text` says. Wrong values in it are added to `problems`; a syntax error raises _Failure."""
    try:
        tree: Tree[Token] = _lark().parse(text, start=start)
    except UnexpectedInput as error:
        from seatwarden.grammar.explain_syntax import problem_from  # knows all slips; most policies have none

        raise _Failure(problem_from(error, text, locate), _offset(error, text)) from None
    builder = Builder(locate)
    built = builder.transform(tree)
    problems += builder.problems
    problems += _too_deep(built)
    return built


def _refuse_too_much(text: str, max_depth: int, locate: Locate) -> None:
    found = too_much(text, max_depth)
    if found is not None:
        line, column = text.count("\n", 0, found.start) + 1, found.start - text.rfind("\n", 0, found.start)
        span = locate(line, column, line, column + found.end - found.start)
        raise PolicySyntaxError((SyntaxProblem("SW005", found.message, found.label, found.help, span),))


def _too_deep(built: Policy | Condition | AnyLimit | Length | Guarantee) -> Iterator[SyntaxProblem]:
    """Conditions that `and` and `or` nest too deep, though their parentheses do not."""
    if isinstance(built, AnyLimit | Length):
        return
    if isinstance(built, Guarantee):
        yield from _too_deep(built.condition) if built.condition is not None else ()
        return
    deepest = MAX_DEPTH if isinstance(built, Policy) else MAX_DEPTH - 1
    named = [s.value for s in built.statements if isinstance(s, Let)] if isinstance(built, Policy) else []
    conditions = list(built.conditions) if isinstance(built, Policy) else [built]
    for condition in [*conditions, *(value for value in named if not isinstance(value, Length))]:
        node = next((node for node, depth in walk(condition) if depth > deepest), None)
        if node is not None:
            yield SyntaxProblem("SW005", nested_message(deepest), "too deep", NESTED_HELP, node.span)


def _offset(error: UnexpectedInput, text: str) -> int:
    position = error.pos_in_stream
    return position if position is not None and 0 <= position < len(text) else len(text)


def _statement_at(offset: int, text: str) -> tuple[int, int]:
    """Start and end of the statement around `offset`; an unexpected first word of a statement ends the one before."""
    starts = [match.start() for match in _STATEMENT_START.finditer(text)]
    start = max((s for s in starts if s < offset), default=0)
    return start, next((s for s in starts if s >= offset and s > start), len(text))


def _below(lines: int, locate: Locate) -> Locate:
    """Locate for the rest of a text, behind that many lines."""
    return lambda line, column, end_line, end_column: locate(line + lines, column, end_line + lines, end_column)
