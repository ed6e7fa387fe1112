"""A run in numbers."""

from datetime import UTC, datetime

from seatwarden.engine.metrics.point import line
from seatwarden.engine.metrics.runs import RunCounts, run_points
from tests.engine.support import license_row, plan_of, site_of, user

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
POLICY = """\
keep "it's ours" when user.userId = "user1"
release analyzer when unused for 30 days
release professional "long gone" when unused for 60 days
"""


def test_lines_of_a_run() -> None:
    rows = [license_row(n, "2026-01-01T00:00:00Z") for n in (1, 2, 3)] + [license_row(4, "2026-11-20T00:00:00Z")]
    site = site_of([user(n) for n in range(1, 6)], rows, [license_row(5, "2026-01-01T00:00:00Z")])
    summary = plan_of(POLICY, site).summary()
    counts = RunCounts(
        site="https://q:4242",
        dry_run=False,
        outcome="done",
        verdicts={"keep": summary["keep"], "release": summary["release"]},
        by_rule=summary["byReason"],
        results={"released": 1, "unknown": 1, "gone": 1},
        seconds=2.5,
        failures=1,
        released_by_rule={'release "long gone"': 1},
    )
    lines = [line(point, with_time=False) for point in run_points(counts, (("foo", "bar"), ("site", "static")), NOW)]
    tags = "seatwarden_run,dry_run=false,foo=bar,outcome=done"
    at = "site=https://q:4242"
    totals = "failed=0,failures=1,gone=1,keep=2,release=3,released=1,seconds=2.5,skipped=0,unknown=1"
    assert sorted(lines) == sorted(
        [
            f"{tags},{at} {totals}",
            f'{tags},rule=keep\\ "it\'s\\ ours",{at},verdict=keep licenses=1,licenses_released=0',
            f"{tags},rule=no\\ release\\ rule\\ matched,{at},verdict=keep licenses=1,licenses_released=0",
            f"{tags},rule=release\\ analyzer,{at},verdict=release licenses=2,licenses_released=0",
            f'{tags},rule=release\\ "long\\ gone",{at},verdict=release licenses=1,licenses_released=1',
        ]
    )


def test_a_run_that_failed_before_it_had_a_plan() -> None:
    counts = RunCounts("https://q:4242", dry_run=True, outcome="failed", failures=1, seconds=10)
    tags = "seatwarden_run,dry_run=true,outcome=failed,site=https://q:4242"
    fields = "failed=0,failures=1,gone=0,keep=0,release=0,released=0,seconds=10,skipped=0,unknown=0"
    assert [line(point) for point in run_points(counts, (), NOW)] == [f"{tags} {fields} 1795226400000"]
