"""What the page's script shows of each license, made from the data block as the script makes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ToldLicense:
    """A license as the page shows it. A tree is a list of `[truth, words, parts]`."""

    license_type: str
    license_id: str
    user: str
    name: str
    why: str
    reason: str
    headline: str
    advice: tuple[str, ...]
    tree: list[Any]


def told_licenses(table: dict[str, Any]) -> Iterator[ToldLicense]:
    """All licenses of the page, in its order."""
    columns, nodes = table["columns"], table["nodes"]

    def say(text: int, row: int) -> str:
        pieces = table["texts"][text]
        if isinstance(pieces, str):
            return pieces
        return "".join(slot(piece, row) if n % 2 else piece for n, piece in enumerate(pieces))

    def slot(column: str, row: int) -> str:
        if column == "state":
            return str(table["states"][columns["state"][row]]).upper()
        return say(columns["reason"][row], row) if column == "reason" else columns[column][row]

    def branch(node: int, row: int) -> list[Any]:
        truth, text, parts = nodes[node]
        return [truth, say(text, row), [branch(part, row) for part in parts]]

    for row, license_id in enumerate(columns["id"]):
        headline, advice = table["stories"][columns["story"][row]]
        yield ToldLicense(
            table["types"][columns["type"][row]],
            license_id,
            table["texts"][columns["directory"][row]] + columns["user"][row],
            columns["name"][row],
            say(columns["why"][row], row),
            say(columns["reason"][row], row),
            say(headline, row),
            tuple(say(text, row) for text in advice),
            [branch(node, row) for node in table["trees"][columns["tree"][row]]],
        )
