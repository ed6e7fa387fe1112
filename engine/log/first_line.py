"""The first line of a plan, read alone: by it runs are told apart before any is read as a whole."""

from pathlib import Path

import msgspec

from seatwarden.engine.common.files import patiently
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.log.heads import NO_HEADS, Heads
from seatwarden.engine.log.run_folder import PLAN_FILE
from seatwarden.engine.plan.circumstances import Clocks
from seatwarden.engine.plan.modes import Mode
from seatwarden.engine.snapshot.model import Seats
from seatwarden.grammar.ast import LicenseType


class FoundCode(msgspec.Struct):
    """The code of a finding, as first lines of format 1 have it."""

    code: str = ""


class FirstLine(msgspec.Struct, rename="camel"):
    """Of the first line what tells whether to compare with the plan: site, instant, what was found, and accepted; and
    the site's licenses and the ends of the registers beside it as they were.

    `mode`: a what-if is compared with nothing but what-ifs.
    """

    site: str
    now: str
    run_id: str = ""
    mode: Mode = "live"
    found: list[str] = []
    findings: list[FoundCode] = []
    accepted: bool = False
    clocks: Clocks = Clocks("")
    overview: dict[LicenseType, Seats] = {}
    heads: Heads = NO_HEADS

    @property
    def codes(self) -> list[str]:
        """The codes of what was found."""
        return [*self.found, *(finding.code for finding in self.findings)]


def first_line(folder: Path) -> FirstLine | None:
    """The first line of the plan in a run folder; None where it cannot be read. Nothing of it is verified."""
    try:
        with patiently((folder / PLAN_FILE).open, "rb") as lines:
            return msgspec.json.decode(lines.readline(), type=FirstLine)
    except (OSError, *UNREADABLE):
        return None
