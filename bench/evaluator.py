"""The fast evaluator: what a decision costs, under a small and a large policy, and by the reference evaluator."""

from pathlib import Path
from statistics import median

from bench.measure import ratio, table, timed
from bench.policies import BUTLER, write_large_policy
from bench.sites import NOW, Site
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decide import decide, decide_all
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.policy.loading import CheckedPolicy, load_policy


def measure(folder: Path, users: int, runs: int) -> str:
    """The section of the report."""
    site = Site(users)
    snapshot = load_snapshot(site.in_file(folder))
    small, large = load_policy(BUTLER), load_policy(write_large_policy(folder, site))
    day = day_for(small, NOW, None)

    def fast(policy: CheckedPolicy) -> float:
        with collector_off():
            return timed(lambda: [None for _ in decide_all(policy, snapshot, day)]) / users * 1e6

    def slow(policy: CheckedPolicy) -> float:
        rows = [(t, row) for t, listed in snapshot.licenses.items() for row in listed[: max(1, users // 100)]]
        with collector_off():
            return timed(lambda: [decide(policy, snapshot, t, row, day) for t, row in rows]) / len(rows) * 1e6

    times: dict[str, list[float]] = {"small": [], "large": [], "small, reference": [], "large, reference": []}
    for _ in range(runs):
        times["small"].append(fast(small))
        times["large"].append(fast(large))
    for _ in range(max(1, runs // 2)):
        times["small, reference"].append(slow(small))
        times["large, reference"].append(slow(large))
    rows = [(name, f"{median(found):.1f} µs") for name, found in times.items()]
    found = ratio(times["large"], times["small"])
    return (
        "## The evaluator\n\n"
        f"A decision with its reason and facts, on {users:,} licenses. Small: Butler's sample policy. Large: 2,000 "
        "users, 50 tags, 100 custom properties, 50 user directories.\n\n"
        + table(("policy", "a decision"), rows)
        + f"\nThe large policy costs **{found:.2f}×** the small one (wanted: at most 1.3×).\n"
    )
