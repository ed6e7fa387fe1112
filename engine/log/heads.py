"""The heads of the chains beside the register of runs: how far each had come when somebody last looked.

A chain with its own leaves shows an edit, and neither a line that is missing at its end nor a whole file that is gone.
That shows against its head, which stands in the register of runs and in the first line of each plan.
"""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.common.text import plural


class ChainHead(Struct, frozen=True):
    """Where a chain ended: how many lines it had, and the leaf of the last one.

    Of the register of notices it also keeps `longest`, the most days that ever lay between a message and the day that
    it announced: where the register is lost, nothing is released before so many days are over.
    """

    lines: int
    leaf: str
    longest: int | UnsetType = UNSET

    def fault(self, leaves: Sequence[str] | None) -> str | None:
        """What is wrong with a chain of such leaves (None: there is no file), which must have come as far; or None."""
        if leaves is None:
            return f"is missing, and had {plural(self.lines, 'line')}"
        if len(leaves) < self.lines:
            return f"has {plural(len(leaves), 'line')}, and had {self.lines:,} once: its end was cut off"
        if leaves[self.lines - 1] != self.leaf:
            return f"has another line {self.lines:,} than it had once: it was written anew"
        return None


class Heads(Struct, frozen=True):
    """The heads of the chains in a state folder; None for one that there was not."""

    holds: ChainHead | None = None
    notices: ChainHead | None = None


NO_HEADS = Heads()
