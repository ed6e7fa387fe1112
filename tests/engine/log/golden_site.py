"""A small site whose plan has every kind of fact, guard and reason; its logs are kept in `tests/data/log`."""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.journal_lines import ApplyHeader, Resume
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import parse_plan
from seatwarden.engine.log.writer import plan_lines, salted
from seatwarden.engine.plan.plan import Plan, make_plan, with_origin
from tests.engine.support import (
    LIVE_ORIGIN,
    MADE,
    RECORDING,
    SEED,
    checked,
    day_of,
    license_row,
    site_of,
    snapshot_of,
    user,
)
from tests.strategies import NOW

KEY = b"0123456789abcdef0123456789abcdef"
SITE_URL = "https://qlik.example.com:4242"
POLICY = """\
timezone "Europe/Stockholm"
keep "vip" when user.tags = "vip"
keep "finance in winter" until 2027-02-28
  when user.@Department = "Finance" and (month = [11, 12, 1] or weekday = "friday")
keep when user.name like "*nobody*" or license.excess or user.createdDate > 2026-11-01
release analyzer when unused for 30 days
release professional "long away" when unused for 60 days and not user.roles = "RootAdmin"
limit release to 3 per run, longest unused first
"""


def golden_plan(pseudonyms: Pseudonyms | None = None, now: datetime = NOW, url: str = SITE_URL) -> Plan:
    """The plan for the site as it is at that moment: three licenses are released."""
    policy = checked(POLICY)
    plan = make_plan(policy, snapshot_of(_site(now)), day_of(policy, now), url, pseudonyms)
    return with_origin(plan, LIVE_ORIGIN)


@cache
def golden_log() -> PlanLog:
    """The log of that plan."""
    return parse_plan(Path("plan.jsonl"), b"".join(plan_lines(golden_plan(), RECORDING)))


def write_golden_journal(path: Path, plan: Plan, log: PlanLog) -> None:
    """The journal of an apply that was resumed: one license released, one skipped."""
    moments = (f"2026-11-21T03:00:0{second}.000Z" for second in range(9))
    journal = Journal.create(path, SEED)
    journal.append(
        ApplyHeader(
            run_id=plan.run_id,
            tool="seatwarden 0.1.0",
            plan_root=log.root,
            site=plan.source,
            limits=["100 per run"],
            chosen=[log.line_of[decision.key] for decision in plan.chosen],
            at=next(moments),
            clocks=LIVE_ORIGIN.clocks,
            person=salted(MADE, journal.salt()),
        )
    )
    one, other = plan.chosen[:2]
    n, m = log.line_of[one.key], log.line_of[other.key]
    journal.intend(n, one.key, one.user, next(moments))
    journal.note(n, one.key, one.user, "failed", "QRS answered 400", next(moments), status=400, body="no")
    journal.append(Resume(at=next(moments), clocks=LIVE_ORIGIN.clocks, person=salted(MADE, journal.salt())))
    journal.note(n, one.key, one.user, "released", "", next(moments), status=204)
    journal.note(m, other.key, other.user, "skipped", 'user.tags was nothing, is "é"', next(moments))
    counts = {"released": 1, "gone": 0, "skipped": 1, "failed": 0, "unknown": 0}
    journal.seal(counts, log.header.files, next(moments))
    journal.close()


def _site(now: datetime) -> dict[str, Any]:
    long_ago = format_instant(now - timedelta(days=172, hours=18))
    lately, later = format_instant(now - timedelta(hours=18)), format_instant(now + timedelta(days=9, hours=22))
    return site_of(
        [
            user(1),
            user(2, tags=[{"name": "VIP"}]),
            user(3, name="Jörg \u202e"),
            user(4, roles=None),
            user(5, customProperties=[{"value": "Finance", "definition": {"name": "Department"}}]),
            user(6, createdDate="not a date"),
            user(7),
        ],
        [
            license_row(1, long_ago),
            license_row(2, long_ago),
            license_row(3, lately),
            license_row(5, long_ago),
            license_row(6, long_ago),
            license_row(7, quarantined=True, quarantineEnd=later),
            license_row(8, long_ago),
            license_row(9, long_ago, user=None, deletedUserId="gone", deletedUserDirectory="ACME"),
        ],
        [license_row(4, long_ago), license_row(1, long_ago, id="l10")],
    )
