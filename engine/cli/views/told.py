"""What people were told in a run, as `run` shows it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seatwarden.engine.cli.terminal.output import say
from seatwarden.engine.common.text import plural, printable

if TYPE_CHECKING:
    from seatwarden.engine.runs.told import ToldRow

_STYLES = {
    **dict.fromkeys(("told", "reminded"), "bold green"),
    **dict.fromkeys(("to tell", "to remind", "ended"), ""),
    "redirected": "yellow",
    "refused": "bold red",
    "no answer": "bold yellow",
}


def say_told(rows: Sequence["ToldRow"]) -> None:
    """Prints each message and each notice that has ended on a line, and how many there are of each."""
    for row in rows:
        what = printable(f"{row.user}: {row.words}")
        say((f"  {row.state:<10}", _STYLES[row.state]), f" {row.license_type:<12}  {what}")
    if rows:
        states = list(dict.fromkeys(row.state for row in rows))
        counts = {state: sum(row.state == state for row in rows) for state in states}
        say(", ".join(_counted(state, count) for state, count in counts.items()))


def told_to_json(rows: Sequence["ToldRow"]) -> list[dict[str, Any]]:
    """The rows as `run --format json` prints them."""
    return [
        {
            "state": row.state,
            "step": row.step,
            "licenseType": row.license_type,
            "licenseId": row.license_id,
            "user": row.user,
            "announced": row.announced.isoformat() if row.announced else None,
            "cause": row.cause,
            "detail": row.detail,
        }
        for row in rows
    ]


def _counted(state: str, count: int) -> str:
    if state == "ended":
        return f"{plural(count, 'notice')} ended"
    return f"{count:,} {'without an answer' if state == 'no answer' else state}"
