"""The outcomes of licenses, as `apply` and `run` show them."""

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.cli.terminal.output import note, say
from seatwarden.engine.cli.terminal.streams import is_quiet
from seatwarden.engine.common.text import printable

_STYLES = {
    **dict.fromkeys(("released", "downgraded", "restored"), "bold green"),
    **dict.fromkeys(("gone", "held"), ""),
    "skipped": "yellow",
    "failed": "bold red",
    "unknown": "bold yellow",
    "left": "bold yellow",
}


def say_outcome(outcome: Outcome) -> None:
    """Prints the outcome of one license, on a line."""
    detail = f": {outcome.detail}" if outcome.detail else ""
    what = printable(f"{outcome.user}{detail}")
    if is_quiet() and outcome.result in ("failed", "unknown", "left"):
        note(f"{outcome.result}: {outcome.key[0]} license of {what}")
    say((f"  {outcome.result:<9}", _STYLES[outcome.result]), f" {outcome.key[0]:<12}  {what}")


def say_counts(counts: dict[str, int]) -> None:
    """Prints the number of licenses by result."""
    say(", ".join(f"{count:,} {result}" for result, count in counts.items()))
