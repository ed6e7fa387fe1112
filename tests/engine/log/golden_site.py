"""A small site whose plan has every kind of fact, guard and reason; its logs are kept in `tests/data/log`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.lines import ApplyHeader, Intent, OutcomeLine, Resume
from seatwarden.engine.plan.plan import Plan, make_plan
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user
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
    return make_plan(policy, snapshot_of(_site(now)), day_of(policy, now), url, pseudonyms)


def write_golden_journal(path: Path, plan: Plan, seal: str) -> None:
    """The journal of an apply that was resumed: one license released, one skipped."""
    moments = (f"2026-11-21T03:00:0{second}.000Z" for second in range(9))
    header = ApplyHeader(
        run_id=plan.run_id,
        plan_seal=seal,
        site=plan.source,
        limits=["100 per run"],
        chosen=[decision.key for decision in plan.chosen],
        at=next(moments),
    )
    one, other = map(_names, plan.chosen[:2])
    journal = Journal.create(path, header)
    journal.append(Intent(**one, at=next(moments)))
    failed: dict[str, Any] = {"result": "failed", "detail": "QRS answered 400", "status": 400, "body": "no"}
    journal.append(OutcomeLine(**one, **failed, at=next(moments)))
    journal.append(Resume(at=next(moments)))
    journal.append(OutcomeLine(**one, result="released", detail="", status=204, at=next(moments)))
    journal.append(OutcomeLine(**other, result="skipped", detail='user.tags was nothing, is "é"', at=next(moments)))
    journal.seal({"released": 1, "gone": 0, "skipped": 1, "failed": 0, "unknown": 0})
    journal.close()


def _names(decision: Decision) -> Mapping[str, Any]:
    return {"license_type": decision.license_type, "license_id": decision.license_id, "user": decision.user}


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
