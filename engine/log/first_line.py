"""The first line of a plan, read alone: by it runs are told apart before any is read as a whole."""

from pathlib import Path

import msgspec

from seatwarden.engine.log.run_folder import PLAN_FILE


class FoundCode(msgspec.Struct):
    """The code of a finding of the plan."""

    code: str = ""


class FirstLine(msgspec.Struct):
    """Of the first line what tells whether to compare with the plan: site, instant, what was found, and accepted."""

    site: str
    now: str
    findings: list[FoundCode] = []
    accepted: bool = False


def first_line(folder: Path) -> FirstLine | None:
    """The first line of the plan in a run folder; None where it cannot be read. Nothing of it is verified."""
    try:
        with (folder / PLAN_FILE).open("rb") as lines:
            return msgspec.json.decode(lines.readline(), type=FirstLine)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
