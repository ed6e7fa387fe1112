"""The plan: every decision of one run, counted, and sealed on disk before anything is released."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.chain import chain_lines
from engine.days import Day, format_instant, make_day
from engine.decide import Decision, decide_all
from engine.facts import fact_to_json
from engine.files import make_private_folder, write_atomically
from engine.limits import Excess, describe_excess, describe_limits, excesses, limits_in_force, longest_unused_first
from engine.pseudonyms import Pseudonyms
from engine.snapshot import Snapshot
from engine.version import VERSION
from grammar.ast import LICENSE_TYPES, LicenseType, Limit, Rule
from grammar.printer import print_statement
from policy.errors import InputError
from policy.loading import CheckedPolicy

FORMAT = 1
"""Version of the log's format; readers refuse a higher one."""

PLAN_FILE = "plan.jsonl"


@dataclass(frozen=True)
class Plan:
    """All decisions for a snapshot under a policy, at one moment."""

    policy: CheckedPolicy
    snapshot: Snapshot
    day: Day
    source: str
    decisions: tuple[Decision, ...]
    pseudonyms: Pseudonyms | None = None

    @cached_property
    def run_id(self) -> str:
        """The moment and a digest of all inputs: same inputs, same id."""
        inputs = (
            VERSION,
            self.policy.digest,
            self.snapshot.digest,
            format_instant(self.day.now),
            self.day.zone.key,
            self.source,
        )
        digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()
        return f"{self.day.now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest[:12]}"

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """The limits in force."""
        return limits_in_force(self.policy.limits)

    @cached_property
    def over(self) -> list[Excess]:
        """The limits that the plan is over."""
        return excesses(self.limits, self.allocated, Counter(d.license_type for d in self.chosen))

    @cached_property
    def chosen(self) -> list[Decision]:
        """The releases of this run: all, or the longest unused where a limit says so."""
        return longest_unused_first(self.limits, self.allocated, (d for d in self.decisions if d.verdict == "release"))

    @cached_property
    def allocated(self) -> Counter[LicenseType]:
        """How many licenses of each type are allocated, quarantined ones included."""
        return Counter(decision.license_type for decision in self.decisions)

    @cached_property
    def released(self) -> Counter[LicenseType]:
        """How many licenses of each type the plan releases."""
        return Counter(d.license_type for d in self.decisions if d.verdict == "release")

    def _types_by_user(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """The license types of each user, and those that the plan releases; quarantined ones not counted."""
        held: dict[str, set[str]] = {}
        released: dict[str, set[str]] = {}
        for decision in self.decisions:
            if decision.user_id is not None and decision.guard != "quarantined":
                held.setdefault(decision.user, set()).add(decision.license_type)
                if decision.verdict == "release":
                    released.setdefault(decision.user, set()).add(decision.license_type)
        return held, released

    def run(self) -> dict[str, Any]:
        """What the run is: the first line of the log, without the policy itself."""
        return {
            "runId": self.run_id,
            "tool": f"seatwarden {VERSION}",
            "format": FORMAT,
            "now": format_instant(self.day.now),
            "timezone": self.day.zone.key,
            "policy": {"file": Path(self.policy.file).name, "sha256": self.policy.digest},
            "snapshot": {"takenAt": self.snapshot.taken_at, "sha256": self.snapshot.digest},
            "site": self.source,
            "limits": describe_limits(self.limits),
            **({"pseudonyms": self.pseudonyms.key_id} if self.pseudonyms else {}),
        }

    def summary(self) -> dict[str, Any]:
        """Counts: by type, by the rule or guard that decided, and the limits the plan is over."""
        types = {}
        for license_type in LICENSE_TYPES:
            decisions = [d for d in self.decisions if d.license_type == license_type]
            released = self.released[license_type]
            types[license_type] = {
                "allocated": len(decisions),
                "release": released,
                "keep": len(decisions) - released,
                "quarantined": sum(d.guard == "quarantined" for d in decisions),
                "undetermined": sum(d.guard == "undetermined" for d in decisions),
            }
        types_of, released_of = self._types_by_user()
        return {
            "licenses": len(self.decisions),
            "release": sum(self.released.values()),
            "thisRun": 0 if self.over else len(self.chosen),
            "keep": len(self.decisions) - sum(self.released.values()),
            "undetermined": sum(d.guard == "undetermined" for d in self.decisions),
            "byType": types,
            "byReason": dict(Counter(reason_label(d) for d in self.decisions).most_common()),
            "holdBothTypes": sum(len(types) > 1 for types in types_of.values()),
            "loseEveryLicense": sum(types == types_of[user] for user, types in released_of.items()),
            "signedKey": self.snapshot.signed_key,
            "overLimit": [describe_excess(excess) for excess in self.over],
        }


def make_plan(
    policy: CheckedPolicy, snapshot: Snapshot, day: Day, source: str, pseudonyms: Pseudonyms | None = None
) -> Plan:
    """Decides every license of the snapshot; `source` names the site or the file the snapshot came from.

    With `pseudonyms` people are decided on as ever, but their names are replaced in all that the plan says.
    """
    decisions = decide_all(policy, snapshot, day)
    if pseudonyms is not None:
        decisions = map(pseudonyms.of_decision, decisions)
    return Plan(policy, snapshot, day, source, tuple(decisions), pseudonyms)


def day_for(policy: CheckedPolicy, now: Any, timezone: str | None) -> Day:
    """The Day of `now`, in the zone that is asked for or else the policy's. Raises InputError."""
    return make_day(now, timezone or policy.timezone)


def reason_label(decision: Decision) -> str:
    """The guard or rule that decided, as the summary counts it: `keep "tag"`, `release analyzer`, `quarantined`."""
    if decision.guard:
        return decision.guard
    return decision.rule.title if decision.rule else "no release rule matched"


def listing_order(decision: Decision) -> tuple[Any, ...]:
    """Sorts decisions for readers: releases, longest unused first; then what the guards kept, then the rest."""
    rank = {"release": 0, "guard": 1, "default": 2, "keep": 3}[decision.because]
    return rank, -(decision.unused_days or 0), decision.user, decision.license_type


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """A decision as `plan --format json` prints it."""
    return {
        "licenseId": decision.license_id,
        "licenseType": decision.license_type,
        "userDirectory": decision.user_directory,
        "userId": decision.user_id,
        "userName": decision.user_name,
        "verdict": decision.verdict,
        "because": decision.because,
        "rule": decision.rule_name,
        "rules": [rule.label for rule in decision.matched],
        "reason": decision.reason,
        "unusedDays": decision.unused_days,
        "lastUsed": decision.last_used,
        "at": place_of(decision.rule) if decision.rule else None,
    }


def place_of(rule: Rule) -> str:
    """Where a rule is written, `file:line:column`, without folders: a plan reads the same wherever it was made."""
    span = rule.span
    return f"{Path(span.file).name}:{span.line}:{span.column}"


def plan_lines(plan: Plan) -> Iterator[bytes]:
    """The sealed decision log, line by line."""
    return chain_lines(_records(plan), {"kind": "seal", "summary": plan.summary()})


def _records(plan: Plan) -> Iterator[dict[str, Any]]:
    rules = [{"label": rule.label, "text": print_statement(rule), "at": place_of(rule)} for rule in plan.policy.rules]
    yield {"kind": "plan", **plan.run(), "policyText": plan.policy.text, "rules": rules}
    for decision in plan.decisions:
        facts = {name: fact_to_json(fact) for name, fact in decision.facts.items()}
        row = decision.standing
        # Without the names a rule on names cannot be evaluated again: what became of it is recorded instead.
        truths = {"truths": [outcome.truth for outcome in decision.outcomes]} if plan.pseudonyms else {}
        yield {"kind": "decision", **decision_to_json(decision), "row": row, "facts": facts, **truths}


def write_plan(plan: Plan, folder: Path, summary: str) -> Path:
    """Writes the run folder: the policy's canonical text, the summary, and last the sealed log, whole or not at all.

    Writing the same plan again changes nothing. Raises InputError when the folder holds another plan.
    """
    path = folder / PLAN_FILE
    data = b"".join(plan_lines(plan))
    try:
        if path.exists():
            if path.read_bytes() == data:
                return path
            raise InputError(
                f"`{folder}` holds another plan already", "choose another folder; plans are never overwritten"
            )
        make_private_folder(folder)
        write_atomically(folder / "policy.policy", plan.policy.text.encode())
        write_atomically(folder / "summary.txt", summary.encode())
        write_atomically(path, data)
    except OSError as error:
        raise InputError(f"the plan cannot be written to `{folder}`: {error.strerror}") from None
    return path
