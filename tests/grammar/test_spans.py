"""Every node knows where it was written."""

from hypothesis import given

from seatwarden.grammar.ast import (
    AnyLimit,
    Condition,
    Date,
    Field,
    Guarantee,
    IsEmpty,
    Let,
    Limit,
    Name,
    Not,
    Notice,
    Number,
    Policy,
    Reserve,
    Rule,
    SetFrom,
    Text,
    UnusedFor,
    walk,
)
from seatwarden.grammar.builder import parse_field, unquote
from seatwarden.grammar.parser import in_file, parse_condition, parse_policy
from seatwarden.grammar.printer import print_condition, print_length, print_policy
from seatwarden.grammar.spans import NOWHERE, Span
from tests.strategies import any_conditions, any_policies


def cut(text: str, span: Span) -> str:
    """The text that a span marks."""
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@given(any_conditions())
def test_what_a_span_marks_reads_as_its_node(condition: Condition) -> None:
    """With lines before, and the file's name in it."""
    text = "\n \n  " + print_condition(condition)
    for node, _ in walk(parse_condition(text, in_file("dir/p"))):
        marked = cut(text, node.span)
        assert node.span.file == "dir/p"
        read = parse_condition(marked, in_file("q"))
        # `is not empty` is the opposite of `is empty`, and stands in the same place.
        assert read == node or (isinstance(node, IsEmpty) and read == Not(node))
        match node:
            case Text(value):
                assert marked[0] == marked[-1]
                assert marked[0] in "\"'"
                assert marked[1:-1].replace(marked[0] * 2, marked[0]) == value
            case Number(number):
                assert int(marked) == number
            case Date(day):
                assert marked == day.isoformat()
            case Name(name):
                assert marked == name
            case UnusedFor():
                assert marked.startswith(("unused for ", "user unused for "))
            case Field() if marked != "never used":
                assert parse_field(marked, NOWHERE) == node
            case _:
                pass


@given(any_policies())
def test_statements_and_their_parts(policy: Policy) -> None:
    text = print_policy(policy)
    for statement in parse_policy(text, "p").statements:
        marked = cut(text, statement.span)
        assert parse_policy(marked, "q").statements == (statement,)
        if not isinstance(statement, AnyLimit):
            named = cut(text, statement.name_span)
            match statement:
                case Let(name) | SetFrom(name):
                    assert named == name
                case Rule(name=None) | Guarantee(name=None):
                    assert named == marked
                case _:
                    assert unquote(named) == statement.name
        match statement:
            case Rule(until=Date() as until):
                assert cut(text, until.span) == until.value.isoformat()
            case Rule(notice=Notice() as notice):
                assert marked.endswith(cut(text, notice.span))
                for length in (notice.length, notice.reminder):
                    assert length is None or cut(text, length.span) == print_length(length)
            case SetFrom(path=path, kind=kind):
                assert marked.removesuffix(f" as {kind}").endswith(cut(text, path.span))
            case Let(value=value):
                assert marked.endswith(cut(text, value.span))
            case Limit() | Reserve():
                assert marked.startswith("limit release to ")
            case _:
                pass


def test_columns_count_characters() -> None:
    (rule,) = parse_policy('keep "😀é" when user.tags = "x"', "p").rules
    assert [node.span.column for node, _ in walk(rule.condition)] == [16, 16, 28]
    assert rule.span.place == "p:1:1"


def test_equality_ignores_spans() -> None:
    one, other = parse_policy("keep when user.inactive", "a"), parse_policy("\n\n  keep when user.inactive", "b")
    assert one == other
    assert one.rules[0].span != other.rules[0].span


def test_from_one_span_to_another() -> None:
    assert Span("p", 1, 5, 1, 9).to(Span("p", 3, 1, 3, 4)) == Span("p", 1, 5, 3, 4)
