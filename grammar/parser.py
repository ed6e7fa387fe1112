"""Policy text to tree, by the LALR grammar in `policy.lark`."""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeAlias, TypeVar

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, VisitError

from grammar.ast import Condition, Limit, Policy, walk
from grammar.builder import Builder, BuildError
from grammar.errors import PolicySyntaxError, SyntaxProblem
from grammar.explain_syntax import problem_from
from grammar.spans import Span

MAX_CHARACTERS = 4_000_000
"""Largest policy text that is read; 2,000 users make about 60,000 characters."""
MAX_DEPTH = 64
"""Deepest nesting of `not`, `and`, `or` and parentheses in one condition."""
MAX_PROBLEMS = 20
"""How many syntax errors are looked for in one file before giving up."""

Locate: TypeAlias = Callable[[int, int, int, int], Span]
"""From line, column, end line and end column within the parsed text to a span in the user's file."""

_T = TypeVar("_T")

_STATEMENT_START = re.compile(r"^[ \t]*(?=(?:keep|release|let|set|limit|timezone)\b)", re.IGNORECASE | re.MULTILINE)


def parse_policy(text: str, file: str) -> Policy:
    """The policy that `text` says; `file` names it in spans.

    Raises PolicySyntaxError with all syntax errors: after one, reading goes on at the next statement.
    """
    problems: list[SyntaxProblem] = []
    locate = in_file(file)
    while True:
        try:
            policy: Policy = _parse("policy", text, locate)
        except _Failure as failure:
            problems.append(failure.problem)
            remaining = _without_statement_at(failure.offset, text)
            if remaining is None or len(problems) == MAX_PROBLEMS:
                break
            text = remaining
        else:
            if not problems:
                return policy
            break
    raise PolicySyntaxError(tuple(sorted(problems, key=lambda p: p.span)))


def parse_condition(text: str, locate: Locate) -> Condition:
    """The condition that `text` says (YAML `when:`). Raises PolicySyntaxError."""
    condition: Condition = _parse_one("condition", text, locate)
    return condition


def parse_limit(text: str, locate: Locate) -> Limit:
    """The limit that `text` says (YAML `limit:`), like `50 per run` or `10% of analyzer`. Raises PolicySyntaxError."""
    limit: Limit = _parse_one("bare_limit", text, locate)
    return limit


def in_file(file: str) -> Locate:
    """Locate for text that is the whole of `file`."""
    return lambda line, column, end_line, end_column: Span(file, line, column, end_line, end_column)


def terminal(name: str) -> str:
    """The regular expression of a terminal of the grammar, for what reads text without parsing it."""
    return str(_lark().get_terminal(name).pattern.to_regexp())


class _Failure(Exception):  # noqa: N818 - carries a problem up one level, never leaves this module
    def __init__(self, problem: SyntaxProblem, offset: int) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.offset = offset


@lru_cache(maxsize=1)
def _lark() -> Lark:
    return Lark(
        files("grammar").joinpath("policy.lark").read_text(encoding="utf-8"),
        parser="lalr",
        start=["policy", "condition", "bare_limit"],
        propagate_positions=True,
        maybe_placeholders=False,
    )


def _parse_one(start: str, text: str, locate: Locate) -> Any:
    try:
        return _parse(start, text, locate)
    except _Failure as failure:
        raise PolicySyntaxError((failure.problem,)) from None


def _parse(start: str, text: str, locate: Locate) -> Any:
    if len(text) > MAX_CHARACTERS:
        message = f"this policy is too long: {len(text)} characters, {MAX_CHARACTERS} are read"
        problem = SyntaxProblem(
            "SW005", message, "too long", "keep long lists in files: set … from", locate(1, 1, 1, 2)
        )
        raise _Failure(problem, len(text))
    try:
        tree: Tree[Token] = _lark().parse(text, start=start)
        built = Builder(locate).transform(tree)
    except UnexpectedInput as error:
        raise _Failure(problem_from(error, text, locate), _offset(error, text)) from None
    except VisitError as error:
        if not isinstance(error.orig_exc, BuildError):
            raise
        raise _Failure(error.orig_exc.problem, error.orig_exc.offset) from None
    _refuse_deep_nesting(built, len(text))
    return built


def _refuse_deep_nesting(built: Policy | Condition | Limit, offset: int) -> None:
    """Later steps walk conditions by recursion; a bound here keeps them all safe."""
    if isinstance(built, Limit):
        return
    # A YAML `when:` is joined to other conditions, and the whole must be readable as policy text.
    deepest = MAX_DEPTH if isinstance(built, Policy) else MAX_DEPTH - 1
    for condition in [rule.condition for rule in built.rules] if isinstance(built, Policy) else [built]:
        for node, depth in walk(condition):
            if depth > deepest:
                message = f"this condition is nested more than {deepest} deep"
                help_ = "split it into several rules; rules are joined by `or`"
                raise _Failure(SyntaxProblem("SW005", message, "too deep", help_, node.span), offset)


def _offset(error: UnexpectedInput, text: str) -> int:
    position = error.pos_in_stream
    return position if position is not None and 0 <= position < len(text) else len(text)


def _without_statement_at(offset: int, text: str) -> str | None:
    """The text with the statement around `offset` blanked out (line breaks stay), or None when nothing follows."""
    starts = [match.start() for match in _STATEMENT_START.finditer(text)]
    start = max((s for s in starts if s < offset), default=0)
    end = next((s for s in starts if s >= offset and s > start), None)
    if end is None:
        return None
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
