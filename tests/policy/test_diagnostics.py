"""What people are told, word for word: the fixtures hold a source and all that is said of it."""

from pathlib import Path

import pytest

from seatwarden.grammar.spans import NOWHERE, Span
from seatwarden.policy.diagnostics import Diagnostic, in_order, render
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text
from tests.cases import read_cases

FIXTURES = Path(__file__).parent.parent / "grammar" / "fixtures" / "errors"


@pytest.mark.parametrize(("source", "said"), read_cases(FIXTURES, "*.txt"))
def test_word_for_word(source: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_text(source, "p")
    error = caught.value
    assert "\n\n".join(render(diagnostic, error.sources) for diagnostic in error.diagnostics) == said
    assert len(str(error).split("; ")) >= len(error.diagnostics)


@pytest.mark.parametrize("code", [f"SW10{n}" for n in range(1, 9)])
def test_every_code_has_a_case(code: str) -> None:
    assert f"error[{code}]" in (FIXTURES / "types.txt").read_text(encoding="utf-8")


SPAN = Span("p", 2, 3, 2, 5)


def test_without_the_source() -> None:
    diagnostic = Diagnostic("SW999", "warning", "something", SPAN, "here", "do this")
    assert render(diagnostic, {}) == "warning[SW999]: something\n --> p:2:3\n  = help: do this"


def test_without_a_place() -> None:
    assert render(Diagnostic("SW999", "error", "something", NOWHERE), {"": "x"}) == "error[SW999]: something"


def test_marks_over_several_lines_end_with_the_first() -> None:
    diagnostic = Diagnostic(
        "SW999", "error", "m", Span("p", 9, 3, 10, 2), "here", None, ((Span("p", 10, 1, 10, 2), "and"),)
    )
    sources = {"p": "\n" * 8 + "abcdef\r\ng"}
    assert render(diagnostic, sources).split("\n") == [
        "error[SW999]: m",
        "  --> p:9:3",
        "   |",
        " 9 | abcdef",
        "   |   ^^^^ here",
        "  ::: p:10:1",
        "   |",
        "10 | g",
        "   | - and",
    ]


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_place_behind_the_end_of_the_source_is_only_named(line: int) -> None:
    text = render(Diagnostic("SW999", "error", "m", Span("p", line, 40, line, 41), "here"), {"p": "a\n"})
    assert f"p:{line}:40" in text


def test_in_order_and_once() -> None:
    late = Diagnostic("SW101", "error", "b", Span("p", 9, 1, 9, 2))
    early = Diagnostic("SW102", "error", "a", SPAN)
    assert in_order([late, early, late]) == (early, late)


def test_a_long_quote_is_shown_by_its_start_and_its_end() -> None:
    path = "/".join(["folder"] * 20) + "/vips.txt"
    said = render(Diagnostic("SW207", "error", f"list file `{path}` does not exist", NOWHERE), {})
    assert said == f"error[SW207]: list file `{path[:40]}…{path[-40:]}` does not exist"
    assert said.endswith("vips.txt` does not exist")
