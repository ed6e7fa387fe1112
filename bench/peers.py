"""Other policy engines on the same licenses: each decides by Butler's sample policy, and must give our verdicts.

Measured is what a careful script around such an engine does: decode the snapshot with typed structs, as ours is, make
of each license the facts that the engine takes, decide. None of the peers counts days, so all of them are given the
number; what our guards do (a quarantined license, or one without a user, is kept) a script does before it asks. Ours
gives a reason and all facts with each verdict, theirs say yes or no.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from bench.floor import File, decode
from bench.measure import table, timed
from bench.policies import BUTLER
from bench.sites import NOW, Site
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.policy.loading import load_policy

USERS = ("INTERNAL\\sa_repository", "INTERNAL\\sa_api", "USERDIR\\qs_admin_account")
TAGS = ("License do not release", "some other tag")
DIRECTORIES = ("INTERNAL", "ADMIN")
DAYS = 30

Facts: TypeAlias = dict[str, Any]
Decide: TypeAlias = Callable[[Facts], bool]
"""Whether a license with these facts is released."""


def _if_chain() -> Decide:
    """As Butler does it: list after list, entry by entry."""

    def decide(facts: Facts) -> bool:
        if facts["unusedDays"] < DAYS:
            return False
        for user in USERS:
            if facts["user"] == user:
                return False
        for tag in TAGS:
            if tag in facts["tags"]:
                return False
        for value in facts["licenseManage"]:
            if value == "do-not-release":
                return False
        for directory in DIRECTORIES:  # noqa: SIM110 - one list like the others
            if facts["userDirectory"] == directory:
                return False
        return True

    return decide


def _cedar() -> Decide:
    from cedarpy import Decision, Entities, PolicySet, is_authorized

    policies = PolicySet.from_str(
        f"permit(principal, action, resource) when {{ context.unusedDays >= {DAYS} }};"
        "forbid(principal, action, resource) when {"
        f"{json.dumps(USERS)}.contains(context.user) || context.tags.containsAny({json.dumps(TAGS)})"
        '|| context.licenseManage.contains("do-not-release")'
        f"|| {json.dumps(DIRECTORIES)}.contains(context.userDirectory) }};"
    )
    nobody = Entities.from_json_str("[]")
    asked = {"principal": 'User::"x"', "action": 'Action::"release"', "resource": 'License::"x"'}

    def decide(facts: Facts) -> bool:
        return bool(is_authorized({**asked, "context": facts}, policies, nobody).decision is Decision.Allow)

    return decide


def _zen() -> Decide:
    import zen

    expression = zen.compile_expression(
        f"unusedDays >= {DAYS} and not (user in {json.dumps(USERS)} or some(tags, # in {json.dumps(TAGS)})"
        f' or "do-not-release" in licenseManage or userDirectory in {json.dumps(DIRECTORIES)})'
    )
    return lambda facts: bool(expression.evaluate(facts))


_CEL = (
    f"unusedDays >= {DAYS} && !(user in {json.dumps(USERS)} || tags.exists(t, t in {json.dumps(TAGS)})"
    f' || "do-not-release" in licenseManage || userDirectory in {json.dumps(DIRECTORIES)})'
)


def _common_expression_language() -> Decide:
    import cel

    program = cel.compile(_CEL)
    return lambda facts: bool(program.execute(facts))


def _cel_python() -> Decide:
    import celpy
    from celpy.adapter import json_to_cel

    environment = celpy.Environment()
    program = environment.program(environment.compile(_CEL))
    return lambda facts: bool(program.evaluate({name: json_to_cel(value) for name, value in facts.items()}))


def _rule_engine() -> Decide:
    import rule_engine

    rule = rule_engine.Rule(
        f"unusedDays >= {DAYS} and not (user in {json.dumps(USERS)}"
        f" or [t for t in tags if t in {json.dumps(TAGS)}].length > 0"
        f' or "do-not-release" in licenseManage or userDirectory in {json.dumps(DIRECTORIES)})'
    )
    return lambda facts: bool(rule.matches(facts))


@dataclass(frozen=True, slots=True)
class Peer:
    """Another engine; `most` is how many licenses it is asked about, where all of them would take minutes."""

    name: str
    what: str
    make: Callable[[], Decide]
    package: str | None = None
    most: int | None = None


PEERS = (
    Peer("Python if-chain", "as Butler does it", _if_chain),
    Peer("zen-engine", "GoRules, Rust", _zen, "zen-engine"),
    Peer("common-expression-language", "CEL, Rust", _common_expression_language, "common-expression-language"),
    Peer("rule-engine", "Python", _rule_engine, "rule-engine", 10_000),
    Peer("cedarpy", "Cedar, Rust", _cedar, "cedarpy", 10_000),
    Peer("cel-python", "CEL, Python", _cel_python, "cel-python", 1_000),
)


def measure(folder: Path, users: int, runs: int) -> str:
    """The section of the report. Raises RuntimeError when a peer's verdicts are not ours."""
    path = Site(users).in_file(folder)
    expected = _ours(path)
    with collector_off():  # until all is freed again, as in `plan`
        ours = median(timed(lambda: _ours(path)) for _ in range(runs)) / users
    conversion = median(timed(lambda: _convert(path)) for _ in range(runs)) / users
    rows = [
        ("seatwarden", "", "typed structs, columns, sets", *_times(ours), "", _micro(_ours_alone(path, runs) / users))
    ]
    facts = _convert(path)
    for peer in PEERS:
        try:
            decide = peer.make()
        except ImportError:
            rows.append((peer.name, "not installed", peer.what, "", "", "", ""))
            continue
        asked = facts[: peer.most]
        if [one is not None and decide(one) for one in asked] != expected[: peer.most]:
            raise RuntimeError(f"{peer.name} does not give the same verdicts")
        alone = median(timed(partial(_ask, decide, asked)) for _ in range(runs)) / len(asked)
        theirs = conversion + alone
        number = version(peer.package) if peer.package else ""
        rows.append((peer.name, number, peer.what, *_times(theirs), f"{theirs / ours:.1f}×", _micro(alone)))
    head = (
        "engine",
        "version",
        "",
        "a license, from JSON to verdict",
        "licenses a second",
        "ours is ahead",
        "engine alone",
    )
    slow = ", ".join(f"{peer.name} is asked about the first {peer.most:,} only" for peer in PEERS if peer.most)
    return (
        "## Peers\n\n"
        f"Butler's sample policy on {users:,} licenses, from the bytes of the snapshot to a verdict. All verdicts are "
        f"the same ({slow}). Peers get typed structs too, and one dictionary of facts a license, together "
        f"{conversion * 1e6:.1f} µs. The last column is the engine without any conversion; ours reads "
        "facts and writes reasons in that time, theirs say yes or no.\n\n" + table(head, rows)
    )


def _ask(decide: Decide, asked: list[Facts | None]) -> None:
    for facts in asked:
        if facts is not None:
            decide(facts)


def _times(seconds: float) -> tuple[str, str]:
    return _micro(seconds), f"{1 / seconds:,.0f}"


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"


def _ours(path: Path) -> list[bool]:
    policy = load_policy(BUTLER)
    with collector_off():
        snapshot = load_snapshot(path, attributes=False)  # as `plan` reads it for this policy
        decisions = decide_all(policy, snapshot, day_for(policy, NOW, None))
        return [decision.verdict == "release" for decision in decisions]


def _ours_alone(path: Path, runs: int) -> float:
    policy, snapshot = load_policy(BUTLER), load_snapshot(path, attributes=False)
    with collector_off():
        day = day_for(policy, NOW, None)
        return median(timed(lambda: [None for _ in decide_all(policy, snapshot, day)]) for _ in range(runs))


def _convert(path: Path) -> list[Facts | None]:
    return _facts(decode(path))


def _facts(site: File) -> list[Facts | None]:
    """The facts of each license, in our order; None where our guards keep the license."""
    users = {user.id: user for user in site.users}
    today = NOW.date()
    found: list[Facts | None] = []
    for row in (*site.licenses["professional"], *site.licenses["analyzer"]):
        user = users.get(row.user.id) if row.user else None
        if user is None or row.quarantined:
            found.append(None)
            continue
        used = datetime.fromisoformat(row.last_used)
        if used.year < 1900:
            used = datetime.fromisoformat(row.created_date)
        found.append(
            {
                "user": f"{user.user_directory}\\{user.user_id}",
                "userDirectory": user.user_directory,
                "tags": [tag.name for tag in user.tags],
                "licenseManage": [
                    value.value for value in user.custom_properties if value.definition.name == "LicenseManage"
                ],
                "unusedDays": (today - used.astimezone(UTC).date()).days,
            }
        )
    return found
