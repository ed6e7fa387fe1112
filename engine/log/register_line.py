"""What all lines of a register of runs have."""

from seatwarden.engine.log.chain import ChainLine
from seatwarden.engine.log.lines import SaltedCircumstances


class RegisterPart(SaltedCircumstances, frozen=True, kw_only=True, rename="camel"):
    """Who did it and how; `reason` why something was refused, which may name somebody."""

    reason: str | None = None


class RegisterLine(ChainLine, kw_only=True, rename="camel"):
    """A line of a register."""
