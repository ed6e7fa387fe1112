"""How long it takes to prove all guarantees of a large policy: 105 rules, and a list of 2,000 users.

It does not hang on how many licenses a site has: what is proved is proved for all facts there can be.
"""

from statistics import median

from bench.measure import seconds, table, timed
from seatwarden.policy.guarantees.judges import judge
from seatwarden.policy.loading import CheckedPolicy, check_text

GOAL = 0.25
"""Seconds for all guarantees together."""
_GUARANTEES = (
    'guarantee "administrators" never release when user.roles = "RootAdmin"',
    'guarantee "VIPs" never release when user = vips',
    'guarantee "a month" never release before 30 days',
    'guarantee "Department 7" never release before 67 days when user.@Department = "Department 7"',
    'guarantee "one stays" never release both types',
    'guarantee "leavers" always release analyzer when user.removedExternally and unused for 400 days and not protected',
)


def measure(users: int, runs: int) -> str:
    """The section of the report."""
    rows = []
    policy = check_text(large_policy(users), "large.policy")
    outcomes = {proof.outcome for proof in judge(policy)}
    for count in range(1, len(policy.guarantees) + 1):
        few = check_text(large_policy(users, _GUARANTEES[count - 1 : count]), "large.policy")
        rows.append((_GUARANTEES[count - 1].split('"')[1], seconds(_time(few, runs)), ""))
    together = _time(policy, runs)
    rows.append(("all of them", seconds(together), "reached" if together <= GOAL else "missed"))
    return (
        "## Guarantees\n\n"
        f"Of a policy of {len(policy.rules)} rules and a list of {users:,} users, each alone and all together; "
        f"{' and '.join(sorted(outcomes))}. Wanted: all of them within {GOAL * 1000:.0f} ms.\n\n"
        + table(("guarantee", "time", "goal"), rows)
    )


def _time(policy: CheckedPolicy, runs: int) -> float:
    return median(timed(lambda: judge(policy)) for _ in range(runs))


def large_policy(users: int, guarantees: tuple[str, ...] = _GUARANTEES) -> str:
    """A policy of a hundred departments, each with days of its own."""
    vips = ", ".join(f'"CORP\\\\vip{number}"' for number in range(users)).replace("\\\\", "\\")
    departments = (
        f'keep "department {n}" when user.@Department = "Department {n}" and not unused for {60 + n % 60} days'
        for n in range(100)
    )
    lines = (
        f"let vips = [{vips}]",
        'let protected = user = vips or user.roles = "RootAdmin" or user.tags = "License do not release"',
        *guarantees,
        'keep "administrators" when user.roles = "RootAdmin"',
        'keep "VIPs" when user = vips',
        'keep "marked" when user.tags = "License do not release"',
        *departments,
        'release analyzer "unused" when unused for 30 days',
        'release professional "unused, too" when unused for 60 days and user.licenses != "analyzer"',
        "",
    )
    return "\n".join(lines)
