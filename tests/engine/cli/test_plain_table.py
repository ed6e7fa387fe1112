"""The plain table looks as Rich's does."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich import box
from rich.console import Console
from rich.table import Table

from engine.cli import plain_table as module
from engine.cli.output import printable
from engine.cli.plain_table import plain_table

CELLS = st.text(st.sampled_from('aB ,"é渡ß\u0301İ…'), max_size=12) | st.text(max_size=6)

DAYS = st.integers(0, 9_999).map("{:,}".format) | st.just("?")


@pytest.fixture(autouse=True)
def utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_utf8", lambda: True)


def _by_rich(heads: list[str], rows: list[tuple[str, ...]]) -> str:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="right" if head == "Days" else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    out = io.StringIO()
    Console(file=out, width=10_000, markup=False, highlight=False, emoji=False, color_system=None).print(table)
    return out.getvalue()


@given(st.lists(st.tuples(CELLS, DAYS, CELLS).map(lambda row: tuple(map(printable, row))), max_size=5))
def test_the_same_lines(rows: list[tuple[str, ...]]) -> None:
    heads = ["User", "Days", "Why"]
    assert plain_table(heads, rows, "Days") == _by_rich(heads, rows)


def test_a_console_that_lacks_the_rule_gets_dashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_utf8", lambda: False)
    assert plain_table(["A"], [("b",)]).splitlines()[2] == " - "
