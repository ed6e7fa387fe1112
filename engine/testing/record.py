"""Recording a policy test: today's verdicts on a snapshot, as expectations for tomorrow's policy."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.day import Day
from seatwarden.policy.errors import InputError
from seatwarden.policy.yaml.text import yaml_quoted

MAX_LICENSES = 10_000
"""Most licenses that one test file records; reading a longer YAML file would take too long."""
HEADER = """\
# Recorded by `seatwarden test --record`: what the policy decides today, one line a license.
# Read it before you trust it; then any change of a verdict fails the test.
"""


def recorded_test(
    policy: Path, snapshot: Path, day: Day, timezone: str | None, decisions: Sequence[Decision], folder: Path
) -> str:
    """The text of a test file in `folder` that expects these decisions, one expectation for each license.

    `timezone` is written only when it is not the policy's own (None). Raises InputError when there are too many.
    """
    if len(decisions) > MAX_LICENSES:
        help_ = "record a snapshot of some of them: the users and licenses in it can be fewer"
        raise InputError(
            f"a test file holds up to {MAX_LICENSES:,} licenses, this snapshot has {len(decisions):,}", help_
        )
    lines = [
        HEADER,
        f"policy: {yaml_quoted(_from(folder, policy))}",
        f"snapshot: {yaml_quoted(_from(folder, snapshot))}",
    ]
    lines.append(f"now: {format_instant(day.now)}")
    if timezone is not None:
        lines.append(f"timezone: {yaml_quoted(timezone)}")
    lines += ["exhaustive: true", "expect:" if decisions else "expect: []"]
    held = Counter((d.user, d.license_type) for d in decisions)
    for decision in decisions:
        # A license that its user's name does not tell from others is named by its id.
        by_name = decision.user_id is not None and held[decision.user, decision.license_type] == 1
        who = f"user: {yaml_quoted(decision.user)}" if by_name else f"licenseId: {yaml_quoted(decision.license_id)}"
        label = decision.decided_by
        why = f"rule: {yaml_quoted(label)}" if label else f"because: {decision.because}"
        why += ", because: notice" if decision.because == "notice" else ""
        lines.append(f"  - {{{who}, license: {decision.license_type}, verdict: {decision.verdict}, {why}}}")
    return "\n".join(lines) + "\n"


def _from(folder: Path, path: Path) -> str:
    """The path as the test file names it: relative where that is possible (on Windows, on the same drive)."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()
