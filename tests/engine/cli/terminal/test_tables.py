"""The plain table looks as Rich's does."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich import box
from rich.console import Console
from rich.table import Table

from seatwarden.engine.common.tables import Column, plain_text
from seatwarden.engine.common.text import printable

CELLS = st.text(st.sampled_from('aB ,"é渡ß\u0301İ…'), max_size=12) | st.text(max_size=6)
DAYS = st.integers(0, 9_999).map("{:,}".format) | st.just("?")
COLUMNS = (Column("User"), Column("Days", right=True), Column("Why"))


def _by_rich(rows: list[tuple[str, ...]]) -> str:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column.head, justify="right" if column.right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    out = io.StringIO()
    Console(file=out, width=10_000, markup=False, highlight=False, emoji=False, color_system=None).print(table)
    return "\n".join(map(str.rstrip, out.getvalue().split("\n")))


@given(st.lists(st.tuples(CELLS, DAYS, CELLS).map(lambda row: tuple(map(printable, row))), max_size=5))
def test_the_same_lines(rows: list[tuple[str, ...]]) -> None:
    assert plain_text(COLUMNS, rows) == _by_rich(rows)


def test_a_console_that_lacks_the_rule_gets_dashes() -> None:
    assert plain_text((Column("A"),), [("b",)], "-").splitlines()[2] == " -"
