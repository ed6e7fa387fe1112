"""Run folders for reports: plans that are written, journals as an apply would have left them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.standing import HoldInForce, Standing
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.journal_lines import ApplyHeader
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.log.writer import salted, write_plan
from seatwarden.engine.plan.plan import make_plan, with_origin
from seatwarden.engine.report.model import Page, report_of
from seatwarden.engine.report.sources import read_sources
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

SITE_URL = "https://qlik.example.com:4242"
POLICY = """\
keep "vip" when user.tags = "vip"
keep "finance in winter" until 2027-02-28
  when user.@Department = "Finance" and (month = [11, 12, 1] or weekday = "friday")
release analyzer when unused for 30 days
release professional "long away" when unused for 60 days and not user.roles = "RootAdmin"
limit release to 100 per run
"""
LONG_AGO, LATELY = "2026-06-01T08:00:00.000Z", "2026-11-20T08:00:00.000Z"

HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<!--<script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "Ali\u202egpj.exe",
    "line\u2028end\u2029\r\n\x00",
    "{{ report }} {% for %}",
    "\U0001f469\u200d\U0001f4bb \U0001f1f8\U0001f1ea \u05d0\u05d1\u05d2",
    "' onclick='alert(1)' \"quoted\" &amp; & \\u003c",
)
"""Names of users that try to be more than names."""


def some_site(last_used: Sequence[str] = (LONG_AGO, LATELY), **facts: Any) -> dict[str, Any]:
    """A site with an analyzer user for each last use; `facts` are those of every user."""
    users = [user(number, **facts) for number, _ in enumerate(last_used, 1)]
    return {**site_of(users, [license_row(n, used) for n, used in enumerate(last_used, 1)]), "source": SITE_URL}


def hostile_site() -> dict[str, Any]:
    """A site whose users are called `HOSTILE`, by id and by name, each long unused."""
    users = [user(n, name=name, userId=f"{name}{n}") for n, name in enumerate(HOSTILE, 1)]
    rows = [
        license_row(n, LONG_AGO, user={key: person[key] for key in ("id", "userId", "userDirectory", "name")})
        for n, person in enumerate(users, 1)
    ]
    return {**site_of(users, rows), "source": "https://</script>\u202e.example.com"}


def write_run(
    folder: Path,
    site: Mapping[str, Any],
    policy: str = POLICY,
    now: datetime = NOW,
    pseudonyms: Pseudonyms | None = None,
    held: Mapping[str, HoldInForce] | None = None,
) -> Path:
    """A run folder with the plan for a site; `held` are holds by the ids of licenses."""
    loaded = checked(policy)
    snapshot = snapshot_of(site)
    ids = [(t, row.id) for t, rows in snapshot.licenses.items() for row in rows]
    snapshot = snapshot.with_standings({key: Standing(held[key[1]]) for key in ids if held and key[1] in held})
    plan = make_plan(loaded, snapshot, day_of(loaded, now), snapshot.source or "test", pseudonyms)
    write_plan(with_origin(plan, LIVE_ORIGIN), folder, "", RECORDING)
    return folder


def write_journal(
    folder: Path,
    results: Mapping[str, OutcomeKind],
    *,
    chosen: Sequence[str] | None = None,
    intents: Sequence[str] = (),
    sealed: bool = True,
    plan_root: str | None = None,
) -> None:
    """The journal of an apply in a run folder: results by the id of an analyzer license, intents that stay open."""
    plan = read_plan(folder)
    keys: list[Key] = [("analyzer", id_) for id_ in (chosen if chosen is not None else [*results, *intents])]
    journal = Journal.create(folder / JOURNAL_FILE, SEED)
    journal.append(
        ApplyHeader(
            run_id=plan.header.run_id,
            tool="seatwarden",
            plan_root=plan_root or plan.log.root,
            site=plan.header.site,
            limits=["7 per run"],
            chosen=[plan.line_of[key] for key in keys],
            at="2026-11-21T03:00:00.000Z",
            clocks=LIVE_ORIGIN.clocks,
            person=salted(MADE, journal.salt()),
        )
    )
    at = "2026-11-21T03:00:01.000Z"
    for license_id in (*results, *intents):
        key: Key = ("analyzer", license_id)
        journal.intend(plan.line_of[key], key, "somebody", at)
        if license_id in results:
            journal.note(plan.line_of[key], key, "somebody", results[license_id], "", at)
    if sealed:
        journal.seal({}, plan.header.files, at)
    journal.close()


def report_for(folder: Path, previous: Path | None = None) -> Page:
    """The report of a run folder."""
    return report_of(read_sources(folder, previous))
