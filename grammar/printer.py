"""Tree to text: the one canonical form of a policy, and the one layout of a statement.

`parse(print(tree)) == tree` for every tree, and printing canonical text again changes nothing.

A statement stands on one line when it fits. Else the condition goes below its rule, each part of an `and` or `or`
takes a line, and a list that is too long takes a line for each value. Comments keep open what they stand in:
a list with a comment inside, an `and` or `or` with one between its parts, a rule with one above its `when`.
A notice has a line of its own, always: it is another thing than what is released, and people look for it.
Each line knows which stretch of the source it says, so that comments find back to it.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from msgspec import Struct

from seatwarden.grammar.ast import (
    And,
    AnyLimit,
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
    MonthDay,
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
from seatwarden.grammar.spans import Span

LINE_WIDTH = 100
REGARDLESS = "regardless of use"
"""What stands behind a release rule that is meant to take licenses in use."""
_BARE_KEY = re.compile(r"[^\W\d]\w*")

Position: TypeAlias = tuple[int, int]
"""Line and column in the source."""


class Line(Struct, frozen=True):
    """One line of a statement and the stretch of the source it says; comments above it have their own indent."""

    indent: int
    text: str
    start: Position
    end: Position
    comment_indent: int


def print_policy(policy: Policy) -> str:
    """The policy as canonical text, one statement after the other, ending in a newline (or empty)."""
    return "".join(print_statement(statement) + "\n" for statement in policy.statements)


def print_statement(statement: Statement) -> str:
    """One statement as canonical text, without a final newline."""
    return "\n".join(" " * line.indent + line.text for line in lay_out(statement))


def lay_out(statement: Statement, comments: Sequence[Position] = ()) -> list[Line]:
    """The lines of a statement in which comments stand at these places, in order."""
    layout = _Layout(comments)
    layout.statement(statement)
    return layout.lines


def print_limit(limit: AnyLimit) -> str:
    """A limit as canonical text, without the words `limit release to`."""
    if isinstance(limit, Reserve):
        return f"reach {limit.free} free {limit.license_type}, longest unused first"
    amount = f"{limit.percent}%" if limit.percent is not None else str(limit.count)
    of_type = f" of {limit.license_type}" if limit.license_type else ""
    order = ", longest unused first" if limit.longest_unused_first else ""
    period = "run" if limit.over is None else print_length(limit.over)
    return f"{amount}{of_type} per {period}{order}"


def print_promise(guarantee: Guarantee) -> str:
    """What a guarantee says on one line, without the word `guarantee` and its name."""
    about = f" when {print_condition(guarantee.condition)}" if guarantee.condition is not None else ""
    return guarantee.start + about


def print_notice(notice: Notice) -> str:
    """What stands behind a release rule that tells its users before."""
    reminder = f", reminder {print_length(notice.reminder)} before" if notice.reminder is not None else ""
    return f"after notice of {print_length(notice.length)}{reminder}"


def print_condition(condition: Condition) -> str:
    """A condition on one line."""
    match condition:
        case Comparison(operator, left, right):
            return f"{print_operand(left)} {operator} {print_operand(right)}"
        case UnusedFor(length, of_user):
            return f"{'user ' if of_user else ''}unused for {print_length(length)}"
        case Field("license.neverUsed", None):
            return "never used"
        case Season(first, last):
            return f"today from {print_day(first)} to {print_day(last)}"
        case IsEmpty(field):
            return f"{print_field(field)} is empty"
        case Not(IsEmpty(field)):
            return f"{print_field(field)} is not empty"
        case Not(operand):
            return f"not {_grouped(operand, condition)}"
        case And(operands) | Or(operands):
            word = " and " if isinstance(condition, And) else " or "
            return word.join(_grouped(part, condition) for part in operands)
        case _:
            return print_operand(condition)


def print_length(length: Length | Name) -> str:
    """A length of time, or the name of one."""
    return length.name if isinstance(length, Name) else length.text


def print_day(day: MonthDay | Date) -> str:
    """The first or the last day of a season."""
    return day.value.isoformat() if isinstance(day, Date) else f"{day.month:02}-{day.day:02}"


def print_operand(operand: Operand) -> str:
    """A value, list, name or field on one line."""
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
        case ReadAs(kind, field):
            return f"{kind}({print_field(field)})"
        case Shifted(base, sign, length):
            return f"{print_operand(base)} {sign} {print_length(length)}"
        case ListOf(items):
            return f"[{', '.join(print_operand(item) for item in items)}]"


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


def start_of(span: Span) -> Position:
    """The line and column at which a span starts."""
    return span.line, span.column


def end_of(span: Span) -> Position:
    """The line and column at which a span ends, exclusive."""
    return span.end_line, span.end_column


def _needs_parentheses(part: Condition, whole: And | Or | Not) -> bool:
    return isinstance(part, Or if isinstance(whole, Or) else And | Or)


def _grouped(part: Condition, whole: And | Or | Not) -> str:
    text = print_condition(part)
    return f"({text})" if _needs_parentheses(part, whole) else text


class _Layout:
    def __init__(self, comments: Sequence[Position]) -> None:
        self._comments = comments
        self.lines: list[Line] = []

    def statement(self, statement: Statement) -> None:
        start, end = start_of(statement.span), end_of(statement.span)
        match statement:
            case Rule(condition=condition, notice=None):
                self._rule(statement, _head(statement), condition, start, end)
            case Guarantee(condition=None):
                self._line(0, f"{_guaranteed(statement)} {statement.start}", start, end)
            case Guarantee(condition=condition) if condition is not None:
                self._rule(None, f"{_guaranteed(statement)} {statement.start}", condition, start, end)
            case Rule(condition=condition, notice=Notice() as notice):
                before = statement.regardless_span if statement.regardless_of_use else condition.span
                self._rule(statement, _head(statement), condition, start, end_of(before))
                self._line(2, print_notice(notice), start_of(notice.span), end)
            case Let(name, value):
                self._let(f"let {name} = ", value, start, end)
            case SetFrom(name, path, kind):
                said = "" if kind == "text" else f" as {kind}"
                self._line(0, f"set {name} from {quote(path.value)}{said}", start, end)
            case Timezone(name):
                self._line(0, f"timezone {quote(name)}", start, end)
            case Limit() | Reserve():
                self._line(0, f"limit release to {print_limit(statement)}", start, end)

    def _let(self, before: str, value: Named, start: Position, end: Position) -> None:
        if isinstance(value, Length):
            self._line(0, before + print_length(value), start, end)
        else:
            self._condition(value, 0, 2, before, "", start, end)

    def _rule(self, rule: Rule | None, head: str, condition: Condition, start: Position, end: Position) -> None:
        """A rule without its notice; or, without one, what a guarantee says of its condition."""
        said = f" {REGARDLESS}" if rule is not None and rule.regardless_of_use else ""
        one_line = f"{head} when {print_condition(condition)}{said}"
        below, behind = start_of(condition.span), end_of(condition.span)
        last = start_of(rule.regardless_span) if rule is not None and said else end
        commented = self._commented(start, below) or (said != "" and self._commented(behind, last))
        if len(one_line) <= LINE_WIDTH and not commented and not self._open(condition):
            self._line(0, one_line, start, end)
            return
        # The tree does not know where the head ends: a comment on its first line is its own, others are `when`'s.
        self._line(0, head, start, start)
        self._condition(condition, 2, 4, "when ", "", below, behind if said else end)
        if said:
            self._line(2, REGARDLESS, last, end)

    def _condition(
        self, condition: Condition, indent: int, below: int, before: str, after: str, start: Position, end: Position
    ) -> None:
        """A condition between `before` and `after`; its further lines are indented by `below`."""
        one_line = before + print_condition(condition) + after
        if indent + len(one_line) <= LINE_WIDTH and not self._open(condition):
            self._line(indent, one_line, start, end)
            return
        match condition:
            case And(operands) | Or(operands):
                word = "and " if isinstance(condition, And) else "or "
                for number, part in enumerate(operands):
                    opening, closing = ("(", ")") if _needs_parentheses(part, condition) else ("", "")
                    first, last = number == 0, number == len(operands) - 1
                    self._condition(
                        part,
                        indent if first else below,
                        below + 2,
                        (before if first else word) + opening,
                        closing + (after if last else ""),
                        start if first else start_of(part.span),
                        end if last else end_of(part.span),
                    )
            case Not(operand) if not isinstance(operand, IsEmpty):
                opening, closing = ("(", ")") if _needs_parentheses(operand, condition) else ("", "")
                self._condition(operand, indent, below, f"{before}not {opening}", closing + after, start, end)
            case Comparison(operator, left, right):
                self._with_lists(indent, [before, left, f" {operator} ", right], after, start, end)
            case _:
                parts: list[str | Operand] = [before]
                parts.append(condition if isinstance(condition, ListOf) else print_condition(condition))
                self._with_lists(indent, parts, after, start, end)

    def _with_lists(self, indent: int, parts: list[str | Operand], after: str, start: Position, end: Position) -> None:
        """Parts on one line, or with their lists opened: those with comments, else the last one when too long."""
        one_line = "".join(part if isinstance(part, str) else print_operand(part) for part in parts) + after
        lists = {number: part for number, part in enumerate(parts) if isinstance(part, ListOf)}
        opened = [number for number, part in lists.items() if self._open(part)]
        if not opened and indent + len(one_line) > LINE_WIDTH:
            opened = list(lists)[-1:]
        line = ""
        for number, part in enumerate(parts):
            if isinstance(part, str):
                line += part
            elif not isinstance(part, ListOf) or number not in opened:
                line += print_operand(part)
            else:
                first, last = start_of(part.span), end_of(part.span)
                self._line(indent, line + "[", start, (first[0], first[1] + 1))
                for item in part.items:
                    self._line(indent + 2, print_operand(item) + ",", start_of(item.span), end_of(item.span))
                line, start = "]", (last[0], last[1] - 1)
        self._line(indent, line + after, start, end, 2 if line.startswith("]") else 0)

    def _line(self, indent: int, text: str, start: Position, end: Position, comments_deeper: int = 0) -> None:
        self.lines.append(Line(indent, text, start, end, indent + comments_deeper))

    def _open(self, node: Condition) -> bool:
        """Whether a comment in there keeps it from standing on one line."""
        if not self._comments:
            return False
        match node:
            case And(operands) | Or(operands):
                between = any(
                    self._commented(end_of(one.span), start_of(next_.span)) for one, next_ in pairwise(operands)
                )
                return between or any(self._open(part) for part in operands)
            case Not(operand):
                return self._open(operand)
            case Comparison(_, left, right):
                return self._open(left) or self._open(right)
            case ListOf():
                return self._commented(start_of(node.span), end_of(node.span))
            case _:
                return False

    def _commented(self, start: Position, end: Position) -> bool:
        at = bisect_left(self._comments, start)
        return at < len(self._comments) and self._comments[at] < end


def _guaranteed(guarantee: Guarantee) -> str:
    return "guarantee" if guarantee.name is None else f"guarantee {quote(guarantee.name)}"


def _head(rule: Rule) -> str:
    head: str = rule.kind
    if rule.license_types:
        head += " " + ", ".join(rule.license_types)
    if rule.name is not None:
        head += " " + quote(rule.name)
    if rule.until is not None:
        head += f" until {rule.until.value.isoformat()}"
    return head
