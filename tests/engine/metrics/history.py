"""Some weeks of the demo site's life as points: a plan every night, its releases, and monitoring every six hours."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import reason_label
from seatwarden.engine.demo.people import demo_site
from seatwarden.engine.history.forecast import Forecast
from seatwarden.engine.history.running_out import RunningOut
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.metrics.point import Point
from seatwarden.engine.metrics.releases import release_points
from seatwarden.engine.metrics.runs import RunCounts, run_points
from seatwarden.engine.monitor.capacity import FreeLicenses, points_of_free
from seatwarden.engine.monitor.license_use import license_use
from seatwarden.engine.monitor.server_license import read_server_license, server_license_points
from seatwarden.engine.plan.plan import make_plan
from seatwarden.engine.site.capacity import WarnBelow
from seatwarden.grammar.ast import LICENSE_TYPES
from seatwarden.policy.butler.jobs import Tags
from tests.engine.support import checked, day_of, snapshot_of

POLICY = """\
keep "marked in the QMC" when user.tags = "License do not release"
keep "directories" when user.userDirectory = "INTERNAL"
release analyzer when unused for 30 days
release professional "idle professionals" when unused for 45 days
limit release to 10 per run, longest unused first
"""
TAGS: Tags = (("butler_instance", "demo"),)
USERS = 160


def history(start: datetime, days: int) -> Iterator[Point]:
    """The points of so many days. On the fourth night the site cannot be reached, on the fifth a DELETE fails."""
    site = demo_site(seed=2026, now=start, users=USERS)
    for day in range(days):
        night = start + timedelta(days=day)
        for hour in (0, 6, 12, 18):
            yield from monitoring(site, night + timedelta(hours=hour))
        if day == 3:
            failed = RunCounts(site["source"], dry_run=False, outcome="failed", seconds=30, failures=1)
            yield from run_points(failed, TAGS, night)
        else:
            yield from nightly_run(site, night, fails_once=day == 4)


def nightly_run(site: dict[str, Any], now: datetime, *, fails_once: bool) -> Iterator[Point]:
    """A plan for the site as it is and its releases, which leave the site."""
    policy = checked(POLICY)
    plan = make_plan(policy, snapshot_of({**site, "takenAt": format_instant(now)}), day_of(policy, now), site["source"])
    outcomes = []
    for number, decision in enumerate(plan.chosen):
        result: OutcomeKind = "failed" if fails_once and number == 0 else "released"
        outcomes.append(Outcome(decision.key, decision.user, result, ""))
    gone = {outcome.key[1] for outcome in outcomes if outcome.result == "released"}
    for rows in site["licenses"].values():
        rows[:] = [row for row in rows if row["id"] not in gone]
    labels = {decision.key: reason_label(decision) for decision in plan.decisions}
    counts = RunCounts(
        site=plan.source,
        dry_run=False,
        outcome="incomplete" if fails_once else "done",
        verdicts=Counter[str](decision.verdict for decision in plan.decisions),
        by_rule=plan.summary()["byReason"],
        results=Counter[str](outcome.result for outcome in outcomes) | {"downgraded": 1, "left": int(fails_once)},
        seconds=1.5 + len(outcomes) / 10,
        failures=int(fails_once),
        notices={"notices_told": 3, "notices_reminded": 2, "notices_refused": 0, "notices_ended": 1}
        | {"notices_waiting": 5, "released_after_notice": 2},
        released_by_rule=Counter(labels[outcome.key] for outcome in outcomes if outcome.result == "released"),
    )
    yield from points_of_free(_free(now), TAGS, plan.source, now)
    yield from release_points(plan.decisions, outcomes, TAGS, now)
    yield from run_points(counts, TAGS, now)


def _free(now: datetime) -> Iterator[FreeLicenses]:
    """Free licenses of both types; those of one run out, unless the policy goes on."""
    for kind, days in zip(
        LICENSE_TYPES, (RunningOut(40, 75, None, 365, 90), RunningOut(9, 20, 33, 365, 90)), strict=True
    ):
        going_on = RunningOut(None, None, None, 365, 60)
        yield FreeLicenses(kind, 20, 100, 25, WarnBelow(25), Forecast(20, now.date(), days, going_on))


def monitoring(site: dict[str, Any], now: datetime) -> Iterator[Point]:
    """What QRS would answer of the site, as points."""
    overview: dict[str, Any] = {"tokensEnabled": True, "totalTokens": 100, "availableTokens": 40 + now.day}
    minutes = 60 * now.day
    overview["analyzerTimeAccess"] = {"enabled": True, "allocatedMinutes": 6_000, "usedMinutes": minutes}
    overview["analyzerTimeAccess"]["unavailableMinutes"] = minutes // 10
    tokens = {"enabled": True, "allocatedTokens": 30, "usedTokens": 10 + now.day % 7, "tokenCost": 1}
    overview["userAccess"] = {**tokens, "quarantinedTokens": 2}
    overview["loginAccess"] = {**tokens, "unavailableTokens": 3}
    for name, rows in site["licenses"].items():
        allocated = sum(not row["quarantined"] for row in rows)
        numbers = {"total": USERS, "allocated": allocated, "quarantined": len(rows) - allocated, "excess": 0}
        numbers |= {"used": allocated * 4 // 5, "available": USERS - len(rows)}
        overview[f"{name}Access"] = {"enabled": True, **numbers}
    yield from license_use(json.dumps(overview).encode(), TAGS, now)
    details = json.dumps({"keyDetails": "Product: Qlik Sense\nValid To: 2027-12-31\n"}).encode()
    license_ = read_server_license(details, now, ZoneInfo("UTC"))
    yield from server_license_points(license_, TAGS, now)
