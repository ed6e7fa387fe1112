"""The report on a run: how it ended, and what became of licenses and people."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from seatwarden.engine.common.seals import Seals
from seatwarden.engine.errors import RemoteError, UntrustedRecord
from seatwarden.engine.monitor.capacity import FreeLicenses
from seatwarden.engine.notice.assess import NoticeEnd
from seatwarden.engine.notice.messages_due import DueMessage
from seatwarden.engine.notice.sending import Sent
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.recovery import Applied
from seatwarden.policy.errors import InputError

RunOutcome: TypeAlias = Literal[
    "dry-run", "done", "waiting", "over-limit", "stopped", "refused", "failed", "incomplete", "interrupted"
]
"""The ways in which a run ends. `stopped`: by a finding in its plan; `waiting`: its plan waits for approvals;
`incomplete`: some releases failed, or their outcome is not known."""


@dataclass(frozen=True, slots=True)
class Told:
    """What people were told in a run: the notices that have `ended`, and the messages that were `sent`, with what
    became of each. `due` are those that a dry run would have sent."""

    ended: tuple[NoticeEnd, ...] = ()
    sent: tuple[Sent, ...] = ()
    due: tuple[DueMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """The report on a run. `plan` and `folder` are None when it failed before there was one, `why` are sentences.

    `applied` are the outcomes that are not published yet: of earlier plans first, of the run's own last.
    """

    outcome: RunOutcome
    dry_run: bool
    started: datetime
    ended: datetime
    plan: Plan | None = None
    folder: Path | None = None
    applied: tuple[Applied, ...] = ()
    why: tuple[str, ...] = ()
    error: InputError | RemoteError | UntrustedRecord | None = None
    ending: tuple[EndingCertificate, ...] = ()
    """The certificates on the way to the site that end soon."""
    stopped_by: tuple[Finding, ...] = ()
    """The findings in the plan that stop a run; of a dry run those that would."""
    seals: Seals | None = None
    """What is to leave the machine; None where the run is not in the register."""
    free: tuple[FreeLicenses, ...] = ()
    """The licenses that are free now, and when none is left; of a dry run those that were free before."""
    told: Told = Told()
    """What people were told."""

    @property
    def counts(self) -> dict[str, int]:
        """Licenses by result, of this run's own plan and of what earlier ones had left."""
        return dict(Counter(outcome.result for applied in self.applied for outcome in applied.outcomes))

    @property
    def over(self) -> list[str]:
        """The limits that the plan is over."""
        return list(self.plan.summary()["overLimit"]) if self.plan else []
