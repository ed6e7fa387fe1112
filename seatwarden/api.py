"""The public functions: policies and snapshots as values, decided, explained, planned, written and verified.

The moment to decide as of (`now`, an aware datetime) and the time zone in which days are counted (`zone`, an IANA name;
a policy's own is `policy.timezone`) are always arguments: the same arguments give the same decisions. Every error is a
`SeatwardenError`, with what is wrong in `message` and what to do in `help`.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from seatwarden.engine.analysis.known_names import known_names
from seatwarden.engine.decide.decide import decide_all as _decide_all
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.explain.explanation import Explanation
from seatwarden.engine.explain.explanation import explain as _explain
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.log import reader, writer
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.replay import replay as _replay
from seatwarden.engine.plan.circumstances import SEED_BYTES
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.plan.plan import make_plan as _make_plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.snapshot.reader import load_snapshot as _load_snapshot
from seatwarden.grammar.formatter import format_policy as _format_policy
from seatwarden.policy import loading
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.errors import InputError
from seatwarden.policy.lint.linter import lint as _lint
from seatwarden.policy.loading import CheckedPolicy

AnyPath: TypeAlias = str | PathLike[str]


def load_policy(path: AnyPath) -> CheckedPolicy:
    """The policy in a file: policy text, Butler's YAML, or the JSON form.

    Raises InputError when the file cannot be read, PolicyError with every problem in it.
    """
    return loading.load_policy(Path(path))


def parse_policy(text: str, file: str = "policy.policy") -> CheckedPolicy:
    """The policy that a text says; `file` names it in messages, and its ending says which surface it is.

    A text alone has no folder, so `set … from "file"` cannot be read. Raises PolicyError.
    """
    return loading.check_text(text, file)


def format_policy(text: str, file: str = "policy.policy") -> str:
    """Policy text in its one layout, comments kept. Raises PolicySyntaxError."""
    return _format_policy(text, file)


def lint(policy: CheckedPolicy, *, now: datetime, zone: str, snapshot: Snapshot | None = None) -> list[Diagnostic]:
    """All warnings about a policy that its comments do not allow; with a snapshot also names that nobody there has."""
    day = _day(now, zone)
    known = known_names(policy, snapshot, day) if snapshot is not None else None
    return list(_lint(policy, day.today, known).findings)


def load_snapshot(path: AnyPath) -> Snapshot:
    """The users and licenses in a snapshot file, as `seatwarden snapshot` writes it. Raises InputError."""
    return _load_snapshot(Path(path))


def decide_all(policy: CheckedPolicy, snapshot: Snapshot, *, now: datetime, zone: str) -> Iterator[Decision]:
    """A decision for every license: professional, then analyzer, in the snapshot's order."""
    return _decide_all(policy, snapshot, _day(now, zone))


def explain(decision: Decision, policy: CheckedPolicy, *, now: datetime, zone: str) -> Explanation:
    """Why that was decided, and what would turn it; policy, moment and zone are those it was decided with."""
    return _explain(decision, policy, _day(now, zone))


def make_plan(policy: CheckedPolicy, snapshot: Snapshot, *, now: datetime, zone: str, source: str = "") -> Plan:
    """All decisions, counted, with the limits held against them. Nothing is written or released.

    `source` names the site or file of the snapshot; without it, what the snapshot says of itself.
    """
    return _make_plan(policy, snapshot, _day(now, zone), source or snapshot.source or "snapshot")


def write_plan(plan: Plan, folder: AnyPath, *, seed: bytes | None = None) -> Path:
    """Writes a plan as its sealed log into a run folder, whole or not at all, and returns the log's path.

    `seed` are the 32 random bytes that salts are drawn from; without them the system's are taken. The plan is a
    what-if: `apply` does not take it. The same plan again changes nothing. Raises InputError when the folder holds
    another plan or cannot be written.
    """
    recording = writer.Recording(secrets.token_bytes(SEED_BYTES) if seed is None else seed)
    return writer.write_plan(plan, Path(folder), plan_text(plan), recording)


def read_plan(folder: AnyPath) -> RecordedPlan:
    """The plan in a run folder, verified. Raises InputError when it cannot be read, DamagedLog."""
    return reader.read_plan(Path(folder))


def verify_log(folder: AnyPath) -> str:
    """The seal of the log in a run folder that is as it was written. Raises DamagedLog with every bad line, InputError.

    A seal that was kept elsewhere and is the same proves that nobody has written the log anew.
    """
    return reader.read_log(Path(folder)).root


def replay(folder: AnyPath) -> list[str]:
    """Decides every license of a plan again, from its recorded facts and policy alone: what does not agree, in words.

    An empty list when every decision stands. Raises InputError, DamagedLog.
    """
    return _replay(Path(folder)).differences


def _day(now: datetime, zone: str) -> Day:
    if now.tzinfo is None:
        raise InputError(f"`now` has no time zone: {now.isoformat()}", "pass an aware datetime, like datetime.now(UTC)")
    return make_day(now, zone)
