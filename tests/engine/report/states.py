"""A page of each state that a run can be in, and of backtests: what is looked at, by checkers and by eyes."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import structs

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.standing import due_reason, due_ruling, is_due, ruled
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.notice import NoticeStanding
from seatwarden.engine.facts.standing import Standing
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.circumstances import Origin
from seatwarden.engine.plan.findings import mass_change_finding
from seatwarden.engine.plan.plan import make_plan, with_origin
from seatwarden.engine.report.backtest.page import write_backtest
from seatwarden.engine.report.write import write_report
from seatwarden.policy.loading import CheckedPolicy
from tests.engine.report.backtest.backtests import BACKTESTS
from tests.engine.report.runs import SITE_URL, write_journal
from tests.engine.support import LIVE_ORIGIN, RECORDING, checked, day_of, license_row, site_of, snapshot_of, user
from tests.strategies import NOW

POLICY = """\
# Who closes the books logs in once a year.
keep "administrators" when user.roles = "RootAdmin"
keep "marked in the QMC" when user.tags = ["License do not release", "some other tag"]
keep "year-end close" until 2027-02-28
  when user.@Department = "Finance" and (month = [11, 12, 1] or weekday = "friday")

release analyzer when unused for 30 days
release professional "long away" when unused for 60 days and not user.roles = "ContentAdmin"
"""
CHOOSING = f"{POLICY}limit release to 12 per run, longest unused first\n"
HELD = f"{POLICY}limit release to 10% of analyzer per run\nlimit release to 5 of professional per run\n"
TOLD = POLICY.replace("30 days\n", "30 days\n  after notice of 14 days\n").replace(
    '"ContentAdmin"\n', '"ContentAdmin"\n  after notice of 14 days, reminder 3 days before\n'
)
NEVER = POLICY.replace("30 days", "3000 days").replace("60 days", "3000 days")
_NAMES = (
    "Petr Novák",
    "Ayşe Çelik",
    "Åsa Svensson",
    "Łukasz Wójcik",
    "Jürgen Groß",
    "Seán O’Brien",
    "陳大文",
    "Jane Doe",
)
_LONG = "Maximiliana-Konstantina von und zu Hohenwaldeck-Schwarzenstein-Oberlingen"


def site(licenses: int = 240) -> dict[str, Any]:
    """A site like one that was never cleaned up, the same each time."""
    drawn = random.Random(7)  # noqa: S311 - an example, no secret
    numbers = range(1, licenses + 1)
    users = [_user(n, drawn) for n in numbers]
    rows = [_row(n, users[n - 1], drawn) for n in numbers]
    professional, analyzer = rows[::4], [row for n, row in enumerate(rows) if n % 4]
    return {
        **site_of(users, analyzer, professional),
        "source": SITE_URL,
        "accessTypeOverview": {
            "professionalAccess": _access(professional, licenses // 4 + 5),
            "analyzerAccess": _access(analyzer, licenses * 3 // 4 + 11),
        },
    }


def _user(number: int, drawn: random.Random) -> dict[str, Any]:
    name = _LONG if number == 9 else f"{_NAMES[number % len(_NAMES)]} {number // len(_NAMES) or ''}".strip()
    roles = ["RootAdmin"] if number % 60 == 1 else ["ContentAdmin"] if number % 45 == 1 else []
    tags = [{"name": "License do not release"}] if drawn.random() < 0.04 else []
    department = drawn.choice(("Finance", "Sales", "Logistics", "Sales", "IT"))
    properties = [{"value": department, "definition": {"name": "Department"}}]
    facts = {"userDirectory": drawn.choice(("CORP", "PARTNER", "CORP")), "customProperties": properties}
    return user(number, name=name, userId=f"u{number:04}.{name.split()[0].lower()}", roles=roles, tags=tags, **facts)


def _row(number: int, person: Mapping[str, Any], drawn: random.Random) -> dict[str, Any]:
    ago = min(int(drawn.expovariate(1 / 28)), 500) if drawn.random() < 0.85 else drawn.randrange(200, 700)
    used = (NOW - timedelta(days=ago)).strftime("%Y-%m-%dT08:15:00.000Z")
    if number % 37 == 0:
        used = "1753-01-01T00:00:00.000Z"
    holder = {key: person[key] for key in ("id", "userId", "userDirectory", "name")}
    return license_row(number, "?" if number % 71 == 0 else used, user=holder, quarantined=number % 53 == 0)


def _access(rows: list[dict[str, Any]], bought: int) -> dict[str, Any]:
    quarantined = sum(row["quarantined"] for row in rows)
    return {
        "enabled": True, "total": bought, "allocated": len(rows) - quarantined, "quarantined": quarantined,
        "available": bought - len(rows), "excess": 0,
    }  # fmt: skip


def _run(
    folder: Path, policy: str, licenses: int, origin: Origin = LIVE_ORIGIN, *, stopped: bool = False, days_ago: int = 0
) -> Path:
    loaded = checked(policy)
    loaded = replace(loaded, source=policy)
    now = NOW - timedelta(days=days_ago)
    plan = make_plan(loaded, snapshot_of(site(licenses)), day_of(loaded, now), SITE_URL, None)
    if stopped:
        found = "user.@Department: 231 of 240 users have another value than in the run before"
        plan = plan.with_findings(mass_change_finding(found, "if it is meant, accept it with --accept-mass-change"))
    write_plan(with_origin(plan, origin), folder, "", RECORDING)
    return folder


def _applied(folder: Path, licenses: int, *, in_part: bool) -> Path:
    from seatwarden.engine.log.reader import read_plan
    from seatwarden.engine.plan.limits import choose

    _run(folder, CHOOSING, licenses)
    plan = read_plan(folder)
    ids = [d.license_id for d in choose(plan.decisions, plan.limits) if d.license_type == "analyzer"]
    ends: list[OutcomeKind] = ["skipped", "failed", "unknown", "gone"] if in_part else ["skipped", "gone"]
    results: dict[str, OutcomeKind] = dict.fromkeys(ids, "released")
    results |= dict(zip(ids, ends, strict=False))
    write_journal(folder, results, sealed=not in_part)
    return folder


def _damaged(folder: Path, licenses: int) -> Path:
    path = _run(folder, CHOOSING, licenses) / "plan.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"release"', b'"keep"', 2))
    return folder


def _told(folder: Path, licenses: int) -> Path:
    """A plan under a rule that gives notice: some were told, some cannot be, some are to be told."""
    loaded = checked(TOLD)
    loaded = replace(loaded, source=TOLD)
    plan = make_plan(
        loaded, snapshot_of(site(licenses)), day_of(loaded), SITE_URL, stand=lambda all_: _heard(all_, loaded)
    )
    write_plan(with_origin(plan, LIVE_ORIGIN), folder, "", RECORDING)
    return folder


def _heard(decisions: Sequence[Decision], policy: CheckedPolicy) -> tuple[Decision, ...]:
    day, told = day_of(policy), NoticeStanding("told", "2026-11-11", "2026-11-25", alive=10)
    standings = (
        told,
        NoticeStanding("untold", announced="2026-12-05"),
        NoticeStanding("told", "2026-11-08", "2026-11-22", alive=13, reminded="2026-11-19", to="manager"),
        NoticeStanding("no-address", why="`user.attributes.email` has no value"),
        NoticeStanding("refused", told="2026-11-18", why="550 no such user"),
        NoticeStanding("told", "2026-11-13", "2026-11-27", alive=8, times=3),
    )
    heard = []
    for n, decision in enumerate(decisions):
        if not is_due(decision):
            heard.append(decision)
            continue
        standing = Standing(notice=standings[n % len(standings)])
        ruling, reason = ruled(due_ruling(decision.ruling), due_reason(decision), standing, day)
        heard.append(structs.replace(decision, ruling=ruling, reason=reason, standing=standing))
    return tuple(heard)


STATES: Mapping[str, Callable[[Path, int], Path]] = {
    "to be approved": lambda folder, size: _run(folder, CHOOSING, size),
    "over the limit": lambda folder, size: _run(folder, HELD, size),
    "stopped": lambda folder, size: _run(folder, CHOOSING, size, stopped=True),
    "what-if": lambda folder, size: _run(folder, CHOOSING, size, Origin()),
    "nothing is due": lambda folder, size: _run(folder, NEVER, size),
    "applied": lambda folder, size: _applied(folder, size, in_part=False),
    "applied in part": lambda folder, size: _applied(folder, size, in_part=True),
    "waiting for notice": _told,
    "damaged": _damaged,
}
"""How a run folder of each state is made."""


def pages(folder: Path, licenses: int = 240) -> dict[str, Path]:
    """The pages by their names: of all states of a run, on a site of so many licenses, each with a run before it; and
    of backtests."""
    found = {}
    for name, make in STATES.items():
        _run(folder / name / "before", CHOOSING, licenses, days_ago=14)
        run = make(folder / name / "run", licenses)
        found[name] = run / "report.html"
        try:
            write_report(run, found[name])
        except DamagedLog:
            continue
    for name, backtested in BACKTESTS.items():
        found[name] = folder / f"{name}.html"
        write_backtest(backtested(), found[name], "2026-11-21 12:00Z", "user.@Department")
    return found
