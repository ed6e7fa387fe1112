"""What earlier runs of a site have released within some days, by its register: what limits over time ask."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.register import REGISTER_FILE, ClosedRun, PlannedRestore, RegisterState, read_register
from seatwarden.engine.plan.limits import days_asked
from seatwarden.engine.plan.plan import Plan
from seatwarden.grammar.ast import LicenseType


def with_lately(plan: Plan, folder: Path) -> Plan:
    """The plan with what the runs of its site have released before, where one of its limits asks; `folder` is the
    state folder of the site."""
    lately = released_lately(folder, days_asked(plan.limits), plan.day.now)
    return replace(plan, lately=lately) if lately else plan


def released_lately(
    folder: Path, days: Collection[int], now: datetime, but: str | None = None
) -> dict[int, Mapping[LicenseType, int] | None]:
    """The licenses released by type within so many days before `now`, by days; `but` is the root of a plan whose own
    releases do not count. None where the register cannot be read, or a run has begun and not ended since. Where no days
    are asked for it is not read."""
    if not days:
        return {}
    try:
        state = read_register(folder / REGISTER_FILE)
    except (DamagedLog, OSError):
        return dict.fromkeys(days)
    if state is None:
        return {within: {} for within in days}
    own = state.number_of(but) if but is not None else None
    restores = {line.run for line in state.of_kind(PlannedRestore)}  # an open one releases nothing
    if state.open_runs().keys() - {own} - restores:
        return dict.fromkeys(days)
    return {within: _released(state, now - timedelta(days=within), own) for within in days}


def _released(state: RegisterState, since: datetime, but: int | None) -> Counter[LicenseType]:
    """An apply that was gone on with says each time what it has released so far: its last line counts, as a whole."""
    last: dict[int, ClosedRun] = {line.run: line for line in state.of_kind(ClosedRun) if line.run != but}
    found: Counter[LicenseType] = Counter()
    for line in last.values():
        at = parse_timestamp(line.at)
        if at is None or at > since:
            found.update(line.released)
    return found
