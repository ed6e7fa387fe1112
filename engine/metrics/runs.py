"""A run in numbers: `seatwarden_run` points, one of totals and one for every rule or guard that decided.

The two kinds have different fields, so a query on `released` never meets the points of rules, and one on
`licenses` or `licenses_released` never the totals; both carry the same tags `site`, `outcome` and `dry_run`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seatwarden.engine.log.results import counted_results
from seatwarden.engine.metrics.point import FieldValue, Point, merge_tags
from seatwarden.grammar.ast import RULE_KINDS
from seatwarden.policy.butler.jobs import Tags

MEASUREMENT = "seatwarden_run"

VERDICTS = ("keep", "release")


@dataclass(frozen=True, slots=True)
class RunCounts:
    """The numbers of one run.

    `site` is its address and `outcome` a word: `done`, `over_limit`, `stopped`, `failed`, `refused`. `verdicts` counts
    decisions by verdict, `by_rule` by the rule or guard that decided (as `byReason` of a plan's summary), `results`
    licenses by their outcome, and `released_by_rule` those that were released. `failures` are releases that failed or
    are unknown, and 1 more for a run that failed itself; `seconds` is how long it took. `seals` is what of the record
    leaves the machine, a field and never a tag. `notices` counts what people were told, by field name; empty where no
    rule gives notice.
    """

    site: str
    dry_run: bool
    outcome: str
    verdicts: Mapping[str, int] = field(default_factory=dict)
    by_rule: Mapping[str, int] = field(default_factory=dict)
    results: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    failures: int = 0
    released_by_rule: Mapping[str, int] = field(default_factory=dict)
    seals: str | None = None
    notices: Mapping[str, int] = field(default_factory=dict)


def run_points(counts: RunCounts, tags: Tags, at: datetime) -> list[Point]:
    """The points of a run; `tags` are the static ones, `at` is the moment of the run."""
    ours = (("site", counts.site), ("outcome", counts.outcome), ("dry_run", "true" if counts.dry_run else "false"))
    of_run = merge_tags(tags, ours)
    totals: dict[str, FieldValue] = {name: float(counts.verdicts.get(name, 0)) for name in VERDICTS}
    totals |= {result: float(count) for result, count in counted_results(counts.results).items()}
    totals |= {"seconds": float(counts.seconds), "failures": float(counts.failures)}
    totals |= {name: float(count) for name, count in counts.notices.items()}
    totals |= {"seal": counts.seals} if counts.seals else {}
    points = [Point(MEASUREMENT, of_run, totals, at)]
    # A release that was planned in an earlier step, or by an earlier run, has no decision here.
    for rule in dict.fromkeys([*counts.by_rule, *counts.released_by_rule]):
        licenses = counts.by_rule.get(rule, 0)
        verdict = next((kind for kind in RULE_KINDS if rule.startswith(f"{kind} ")), "keep")
        released = float(counts.released_by_rule.get(rule, 0))
        fields: dict[str, FieldValue] = {"licenses": float(licenses), "licenses_released": released}
        points.append(Point(MEASUREMENT, merge_tags(of_run, [("rule", rule), ("verdict", verdict)]), fields, at))
    return points
