"""The listing of a plan: groups, one line a license at any width, and a reason that says nothing twice."""

import re
from typing import Any

import pytest
from rich.cells import cell_len

from seatwarden.engine.plan.listing import SHOWN, Show, brief, sections
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.plan.summary_text import plan_text
from tests.engine.support import license_row, plan_of, site_of, user

POLICY = 'keep "vips" when user.tags = "vip"\nrelease analyzer when unused for 30 days\nlimit release to 9 per run\n'
LONG = "Ärzte und Ärztinnen der Abteilung für innere Medizin"


def _plan(count: int = 4) -> Plan:
    """Every fourth user is due, has a tag, lacks it on record, or is at work; names and ids are long."""
    rows: list[dict[str, Any]] = []
    users = []
    for n in range(1, count + 1):
        person = user(n, name=f"{LONG} {n}", userId=f"a.very.long.user.identity.{n}@example.com")
        if n % 4 == 1:
            person["tags"] = [{"id": "t", "name": "vip"}]
        if n % 4 == 2:
            del person["tags"]
        users.append(person)
        rows.append(license_row(n, "2026-11-20T00:00:00Z" if n % 4 == 3 else "2026-01-01T00:00:00Z"))
    return plan_of(POLICY, site_of(users, rows))


@pytest.mark.parametrize("width", [80, 100, 120, 200, None])
@pytest.mark.parametrize("show", SHOWN)
def test_one_line_a_license(width: int | None, show: Show) -> None:
    lines = plan_text(_plan(40), show, "─", width).splitlines()
    rows = [line for line in lines if re.match(r" ACME\\", line)]
    assert len(rows) == {"brief": 20, "all": 40, "kept": 20, "release": 10, "undetermined": 10}.get(show, 0)
    if width is not None:
        table = [line for line in lines if line.startswith(" ") and not line.startswith("  ")]
        assert max(map(cell_len, table), default=0) <= width
    assert not any(line != line.rstrip() for line in lines), "nothing is padded"


def test_groups_in_their_order_and_what_is_left_out() -> None:
    plan = _plan(40)
    found = [(s.group, s.count, len(s.licenses)) for s in sections(plan.decisions, "all", 25)]
    assert found == [("release", 10, 10), ("undetermined", 10, 10), ("kept", 20, 5)]
    assert "Kept: 20 licenses, the first 5: --format csv and json list all" in [
        section.title for section in sections(plan.decisions, "all", 25)
    ]
    assert "20 other licenses are not listed: --show all lists every one" in plan_text(plan, "brief")
    assert "not listed" not in plan_text(plan, "all")


def test_the_totals_stand_first_and_last() -> None:
    lines = plan_text(_plan(8)).splitlines()
    totals = [
        "        2  due                     2 analyzer",
        "        4  kept                    4 analyzer",
        "        2  undetermined, so kept   2 analyzer",
    ]
    assert lines[:3] == lines[-4:-1] == totals


def test_the_longest_unused_stand_first() -> None:
    users = [user(n) for n in range(1, 6)]
    rows = [license_row(n, f"2026-0{n}-01T00:00:00Z") for n in (3, 1, 5, 2, 4)]
    (section,) = sections(plan_of("release analyzer when unused for 1 day", site_of(users, rows)).decisions, "brief", 3)
    assert [decision.user_id for decision in section.licenses] == ["user1", "user2", "user3"]


@pytest.mark.parametrize(
    ("reason", "title", "name", "said"),
    [
        ("release analyzer: last used 2026-06-05, 176 days ago; 30 needed", "release analyzer", None,
         "last used 2026-06-05"),
        ("release analyzer: last used 2026-06-05, 1,176 days ago; 30 needed and user.tags is empty",
         "release analyzer",
         None, "last used 2026-06-05 and user.tags is empty"),
        ('release "gone": user.inactive is true', 'release "gone"', "gone", "gone: user.inactive is true"),
        ('keep "vips": user.tags = "vip"', 'keep "vips"', "vips", 'vips: user.tags = "vip"'),
        ("no release rule matches: last used 2026-11-20, 1 day ago; 30 needed", None, None, "not due: 30 days needed"),
        ("no release rule matches: never used, allocated 2026-11-20, 1 day ago; 30 needed", None, None,
         "not due: never used, 30 days needed"),
        ("no release rule matches: user.inactive is false", None, None, "not due: user.inactive is false"),
        ("no release rule speaks of analyzer licenses", None, None, "no release rule speaks of analyzer licenses"),
        ("undetermined: `user.tags` is missing", None, None, "`user.tags` is missing"),
    ],
)  # fmt: skip
def test_brief_reasons(reason: str, title: str | None, name: str | None, said: str) -> None:
    assert brief(reason, title, name) == said
