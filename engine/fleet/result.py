"""How one site of a fleet ended: what every table, page and JSON says of it."""

from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.runs.run_report import LeftPlan, RunOutcome
from seatwarden.grammar.ast import LicenseType


class SiteWarning(Struct, frozen=True):
    """What is not well at a site, and the place in a file that it is about, if it is about one."""

    text: str
    at: str | None = None


class SiteResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a site ended. Counts are None where it came to no plan.

    `site` is its name in the fleet, `url` None where its site file cannot be used; then `bad_input` is true, and
    `problems` are the findings as text, `errors` the same as JSON. `due` is what the policy says to release,
    `this_run` what the site's own limits let through, `allowed` what those of the fleet did. `results` counts licenses
    by what became of them, `free` those that were free by type when it was planned `at` that moment (UTC), as far as
    QRS says. `state` are words for people on a run of before, where the outcome is that of looking at it, and `well`
    whether that left nothing to see to.
    """

    site: str
    site_file: str
    url: str | None = None
    outcome: RunOutcome = "failed"
    bad_input: bool = False
    dry_run: bool = True
    licenses: int | None = None
    due: int | None = None
    this_run: int | None = None
    undetermined: int | None = None
    allowed: int | None = None
    results: dict[str, int] = {}
    free: dict[LicenseType, int] = {}
    at: str | None = None
    state: str = ""
    well: bool = True
    run_id: str | None = None
    folder: str | None = None
    seal: str | None = None
    seconds: float = 0.0
    why: list[str] = []
    help: str | None = None
    problems: list[str] = []
    errors: list[dict[str, Any]] = []
    warnings: list[SiteWarning] = []

    @property
    def is_planned(self) -> bool:
        """Whether it came to a plan."""
        return self.due is not None

    @property
    def in_this_run(self) -> int | None:
        """The licenses that this run releases, or would: what the limits of the site and of the fleet let through."""
        return self.allowed if self.allowed is not None else self.this_run

    @property
    def words(self) -> str:
        """How it ended, for people."""
        return self.state or self.outcome.replace("-", " ")

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to see to."""
        ended = self.outcome in ("done", "planned", "dry-run", "waiting")
        return ended and self.well and not self.failures

    @property
    def released(self) -> int:
        """The licenses that were released."""
        return sum(self.results.get(one, 0) for one in TAKEN)

    @property
    def failures(self) -> int:
        """The licenses whose release failed, is not known, or was left half done."""
        return sum(self.results.get(one, 0) for one in ("failed", "unknown", "left"))


@dataclass(frozen=True, slots=True)
class SiteAnswer:
    """What the work on a site comes to: how it ended, and what is left of its plan; `allocated` counts its licenses by
    type. `past` is what was asked of its history."""

    result: SiteResult
    left: LeftPlan | None = None
    allocated: dict[LicenseType, int] = field(default_factory=dict)
    past: object = None
