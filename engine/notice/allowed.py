"""What a template may hold: variables, `if`, a few filters, and other files within it. Nothing that repeats or calls.

So a template is done in a time that its own length bounds, makes no text much longer than itself, and reaches nothing
of this program: not because a sandbox stops it on its way, but because there is nothing in it to be stopped. It is
known before the first message, whatever users are called.
"""

import re
from collections.abc import Iterator

from jinja2 import nodes

from seatwarden.engine.notice.facts import VARIABLES
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError

FILTERS = ("upper", "lower", "trim", "default", "d", "escape", "e")
"""Not `safe`: it would let a user's name be HTML."""
TESTS = ("defined", "none", "eq", "equalto", "ne", "gt", "lt", "ge", "le", "in")
_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Concat,
    nodes.Filter,
    nodes.Test,
    nodes.Include,
)
_INCLUDED = re.compile(r"[A-Za-z0-9][\w.-]{0,60}\.(?:txt|html)", re.ASCII)
_HELP = "variables, `if` and `include` are all that a message needs; docs/notice.md lists them"


def check_nodes(tree: nodes.Template, where: str) -> list[str]:
    """The names of the files that a template includes. Raises InputError with the line of what it may not hold.

    `where` is the template's file.
    """
    included = []
    for node in _every(tree):
        place = f"template `{where}`, line {node.lineno}"
        if not isinstance(node, _NODES):
            raise InputError(f"{place}: `{_called(node)}` cannot stand in a message", _HELP)
        if isinstance(node, nodes.Name) and node.name not in VARIABLES:
            help_ = did_you_mean(node.name, VARIABLES) or f"there are {', '.join(VARIABLES)}"
            raise InputError(f"{place}: there is no variable `{node.name}`", help_)
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise InputError(f"{place}: there is no filter `{node.name}`", f"there are {', '.join(FILTERS)}")
        if isinstance(node, nodes.Test) and node.name not in TESTS:
            raise InputError(f"{place}: there is no test `{node.name}`", f"there are {', '.join(TESTS)}")
        if isinstance(node, nodes.Include):
            included.append(_included(node, place))
    return included


def _included(node: nodes.Include, place: str) -> str:
    name = node.template.value if isinstance(node.template, nodes.Const) else None
    if not isinstance(name, str) or not _INCLUDED.fullmatch(name):
        help_ = 'write its name alone, in quotes: {% include "footer.txt" %}'
        raise InputError(f"{place}: this is no file that can be included", help_)
    return name


def _every(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all below it. One without a line has that of the node above."""
    waiting = [node]
    while waiting:  # no recursion: text can be nested more deeply than Python's stack is
        one = waiting.pop()
        yield one
        below = list(one.iter_child_nodes())
        for child in below:
            child.lineno = child.lineno or one.lineno
        waiting += reversed(below)


def _called(node: nodes.Node) -> str:
    """What stands there, as it is written."""
    written = {
        nodes.For: "for",
        nodes.Assign: "set",
        nodes.AssignBlock: "set",
        nodes.Macro: "macro",
        nodes.Block: "block",
        nodes.Extends: "extends",
        nodes.FromImport: "import",
        nodes.Import: "import",
        nodes.Call: "(…)",
        nodes.Getattr: ".",
        nodes.Getitem: "[…]",
        nodes.With: "with",
        nodes.Mul: "*",
        nodes.Add: "+",
        nodes.Mod: "%",
        nodes.Pow: "**",
    }
    return written.get(type(node), type(node).__name__.lower())
