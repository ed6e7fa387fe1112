"""Schedule text to tree, by the LALR grammar in `schedule.lark`."""

from functools import lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, VisitError

from seatwarden.grammar.errors import PolicySyntaxError, SyntaxProblem
from seatwarden.grammar.schedule.ast import ScheduleTree
from seatwarden.grammar.schedule.builder import BuildError, ScheduleBuilder
from seatwarden.grammar.schedule.explain_syntax import problem_from, trailing_space
from seatwarden.grammar.spans import Locate
from seatwarden.grammar.tables import load_parser

MAX_CHARACTERS = 1_000
"""Longest schedule text that is read."""


def parse_schedule(text: str, locate: Locate) -> ScheduleTree:
    """The schedule that `text` says; `locate` turns places in the text into spans.

    The empty text is a schedule that never fires. Raises PolicySyntaxError (SW501, SW502, SW503), with one problem.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"this schedule is too long: {len(text)} characters, {MAX_CHARACTERS} are read"
        raise PolicySyntaxError((SyntaxProblem("SW502", message, "too long", None, locate(1, 1, 1, 2)),))
    try:
        tree: Tree[Token] = _lark().parse(_lower(text))
        built: ScheduleTree = ScheduleBuilder(locate).transform(tree)
    except UnexpectedInput as error:
        raise PolicySyntaxError((problem_from(error, text, locate),)) from None
    except VisitError as error:
        if not isinstance(error.orig_exc, BuildError):
            raise
        raise PolicySyntaxError((error.orig_exc.problem,)) from None
    problem = trailing_space(text, locate)
    if problem is not None:
        raise PolicySyntaxError((problem,))
    return built


@lru_cache(maxsize=1)
def _lark() -> Lark:
    return load_parser("schedule")


def _lower(text: str) -> str:
    """Lower case, each character in its place: a letter whose small form is longer stays."""
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)
