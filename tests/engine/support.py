"""Short ways from trees and JSON to decisions, for the engine's tests."""

import stat
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.log.writer import Recording
from seatwarden.engine.plan.circumstances import Circumstances, Clocks, Hand, Origin
from seatwarden.engine.plan.modes import LIVE
from seatwarden.engine.plan.plan import Plan, make_plan
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.grammar.ast import Let, Policy
from seatwarden.policy.loading import CheckedPolicy, check_text
from seatwarden.policy.names import PolicyNames, resolved
from tests.strategies import NEVER, NOW, as_json

SEED = bytes(range(32))
RECORDING = Recording(SEED)
MADE = Circumstances(account="admin (uid 1000)", host="qlik1", command="seatwarden test", interactive=False)
LIVE_ORIGIN = Origin(LIVE, MADE, Clocks("2026-11-21T02:00:00.000Z"))


def hand_at(clock: Callable[[], datetime]) -> Hand:
    """A hand at a clock of the test's; what it draws is never the same, and the same in every run of the test."""
    drawn = count()
    return Hand(MADE, clock, lambda size: next(drawn).to_bytes(size, "big"))


def checked(policy: Policy | str) -> CheckedPolicy:
    """The policy as it comes out of loading; a tree that is right is taken as it is, for speed."""
    if isinstance(policy, str):
        return check_text(policy, "test.policy")
    names = PolicyNames.of({s.name: s for s in policy.statements if isinstance(s, Let)})
    timezone = policy.timezone.name if policy.timezone else "UTC"
    return CheckedPolicy("test.policy", resolved(policy, names), names.values, timezone, written=policy)


def snapshot_of(site: Mapping[str, Any]) -> Snapshot:
    """The snapshot of a site in JSON form."""
    return decode_snapshot(as_json(site), "test")


def day_of(policy: CheckedPolicy, now: datetime = NOW) -> Day:
    """The moment in the policy's time zone."""
    return make_day(now, policy.timezone)


def decide(policy: Policy | str, site: Mapping[str, Any], now: datetime = NOW) -> list[Decision]:
    """The decisions for every license of a site."""
    loaded = checked(policy)
    return list(decide_all(loaded, snapshot_of(site), day_of(loaded, now)))


def plan_of(policy: Policy | str, site: Mapping[str, Any], now: datetime = NOW) -> Plan:
    """The plan for a site."""
    loaded = checked(policy)
    return make_plan(loaded, snapshot_of(site), day_of(loaded, now), "test")


def user(number: int = 1, **facts: Any) -> dict[str, Any]:
    """A user row with nothing special about it but `facts`."""
    row = {
        "id": f"u{number}",
        "userId": f"user{number}",
        "userDirectory": "ACME",
        "name": f"User {number}",
        "roles": [],
        "tags": [],
        "customProperties": [],
        "attributes": [],
        "inactive": False,
        "blacklisted": False,
        "removedExternally": False,
        "deleteProhibited": False,
        "createdDate": "2020-01-01T00:00:00.000Z",
    }
    return row | facts


def license_row(number: int = 1, last_used: Any = NEVER, **facts: Any) -> dict[str, Any]:
    """A license row of user `number`, allocated long ago."""
    row = {
        "id": f"l{number}",
        "user": {"id": f"u{number}", "userId": f"user{number}", "userDirectory": "ACME"},
        "lastUsed": last_used,
        "createdDate": "2020-01-01T00:00:00.000Z",
        "quarantined": False,
        "excess": False,
    }
    return row | facts


def site_of(
    users: list[dict[str, Any]],
    analyzer: list[dict[str, Any]] | None = None,
    professional: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A site of such rows."""
    return {
        "takenAt": "2026-11-21T02:00:00.000Z",
        "source": "test",
        "users": users,
        "licenses": {"professional": professional or [], "analyzer": analyzer or []},
    }


def let_others_in(folder: Path) -> None:
    """Let every user reach a folder of pytest's, which are made for its user alone."""
    for above in (folder, *folder.parents):
        if stat.S_IMODE(above.stat().st_mode) == 0o700:
            above.chmod(0o711)
