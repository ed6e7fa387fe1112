"""The places of rules as a plan's log has them: `FILE:LINE:COLUMN`."""

import re

from msgspec.structs import replace

from seatwarden.engine.log.lines import PlanLog
from seatwarden.grammar.spans import NOWHERE, Span

_PLACE = re.compile(r"(.*):(\d{1,9}):(\d{1,9})", re.ASCII | re.DOTALL)


def span_at(log: PlanLog, place: str) -> Span:
    """The span of a place in the policy's source. Raises DamagedLog where it is not written as one."""
    found = _PLACE.fullmatch(place)
    if found is None:
        log.refuse(2, "a place of a rule is not written as FILE:LINE:COLUMN")
    file, line, column = found[1], int(found[2]), int(found[3])
    return replace(NOWHERE, file=file, line=line, column=column, end_line=line, end_column=column)
