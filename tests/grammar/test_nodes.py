"""Nodes: two are the same that say the same, wherever they stand."""

from datetime import date

import pytest

from seatwarden.grammar.ast import And, Comparison, Date, Field, Not, Policy, Rule, Text
from seatwarden.grammar.nodes import TreeNode
from seatwarden.grammar.spans import Span

HERE, THERE = Span("a.policy", 1, 1, 1, 5), Span("b.policy", 7, 3, 8, 1)


def _rule(span: Span, until: date = date(2026, 12, 1)) -> Rule:
    condition = And(
        (Not(Field("user.inactive", None, span), span), Comparison("=", Field("user"), Text("x", span))), span
    )
    return Rule("keep", (), "name", Date(until, span), condition, span, span, regardless_span=span)


def test_places_make_no_difference() -> None:
    one, other = _rule(HERE), _rule(THERE)
    assert one == other
    assert not one != other  # noqa: SIM202 - it is `!=` that is tried
    assert hash(one) == hash(other)
    assert Policy((one,)) == Policy((other,))
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    "other",
    [
        _rule(HERE, date(2026, 12, 2)),
        _rule(HERE).but(name="other"),
        _rule(HERE).but(regardless_of_use=True),
        "keep",
        None,
    ],
)
def test_all_else_does(other: object) -> None:
    assert _rule(HERE) != other
    assert not _rule(HERE) == other  # noqa: SIM201 - it is `==` that is tried


def test_what_says_the_same_in_another_word_is_another() -> None:
    one: object = Text("a")
    assert one != Field("a")


def test_it_shows_what_it_says() -> None:
    assert repr(Not(Text("x", HERE), THERE)) == "Not(operand=Text(value='x'))"


def test_it_cannot_be_changed() -> None:
    node = Text("x", HERE)
    with pytest.raises(AttributeError):
        node.value = "y"  # type: ignore[misc]
    assert (node.but(value="y"), node.but(value="y").span) == (Text("y"), HERE)


def test_a_node_has_no_place_under_another_name() -> None:
    """What is a place is known by its name alone: no other field may end like that, nor a place be called otherwise."""
    for kind in TreeNode.__subclasses__():
        for name, annotation in kind.__annotations__.items():
            assert name.endswith("span") is (annotation in (Span, "Span")), (kind, name)
