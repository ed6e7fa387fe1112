"""The free licenses of a site on a terminal, and when none is left."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seatwarden.engine.cli.terminal.output import say
from seatwarden.engine.cli.terminal.prose import broken, room
from seatwarden.engine.common.text import printable

if TYPE_CHECKING:
    from seatwarden.engine.monitor.capacity import FreeLicenses


def say_free(found: Sequence["FreeLicenses"]) -> None:
    """The types of which there is something to say; why there is nothing of the others is said once."""
    lines = []
    for one in (one for one in found if one.says_more):
        lines += [one.sentence, *(f"  {line}" for line in one.forecast_lines)]
    lines += dict.fromkeys(line for one in found if not one.says_more for line in one.forecast_lines)
    for line in broken(map(printable, lines), room()):
        say(line)
