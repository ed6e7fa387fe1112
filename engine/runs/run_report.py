"""The report on a run: how it ended, and what became of licenses and people."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from seatwarden.engine.common.seals import Seals
from seatwarden.engine.errors import RemoteError, UntrustedRecord
from seatwarden.engine.log.lines import Key
from seatwarden.engine.monitor.capacity import FreeLicenses
from seatwarden.engine.notice.assess import NoticeEnd
from seatwarden.engine.notice.messages_due import DueMessage
from seatwarden.engine.notice.sending import Sent
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.recovery import Applied
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError

RunOutcome: TypeAlias = Literal[
    "dry-run", "done", "planned", "waiting", "over-limit", "stopped", "refused", "failed", "incomplete", "interrupted"
]
"""The ways in which a run ends. `stopped`: by a finding in its plan; `waiting`: its plan waits for approvals;
`planned`: its releases are left to a second step; `incomplete`: some releases failed, or their outcome is not known."""


@dataclass(frozen=True, slots=True)
class Told:
    """What people were told in a run: the notices that have `ended`, and the messages that were `sent`, with what
    became of each. `due` are those that a dry run would have sent."""

    ended: tuple[NoticeEnd, ...] = ()
    sent: tuple[Sent, ...] = ()
    due: tuple[DueMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftRelease:
    """A license that a site may release: its type and id, its days without use, and the day announced for it.

    `unused_days` is 0 where the plan does not say them, `announced` empty where nobody was told before.
    """

    license_type: LicenseType
    license_id: str
    unused_days: int
    announced: str

    @property
    def key(self) -> Key:
        """The license among those of its site."""
        return self.license_type, self.license_id


@dataclass(frozen=True, slots=True)
class LeftPlan:
    """A sealed plan whose releases are left to a second step: its folder and root, and what the site's limits chose.

    `allocated` counts the licenses of the site by type; `last_run` is the number of the site's newest run then.
    """

    folder: Path
    root: str
    allocated: Mapping[LicenseType, int]
    chosen: tuple[LeftRelease, ...]
    last_run: int = 0


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
    left: LeftPlan | None = None
    """What is left to a second step; None where nothing is."""

    @property
    def bad_input(self) -> bool:
        """Whether it failed by something that it was given, not by something far away."""
        return isinstance(self.error, InputError)

    @property
    def counts(self) -> dict[str, int]:
        """Licenses by result, of this run's own plan and of what earlier ones had left."""
        return dict(Counter(outcome.result for applied in self.applied for outcome in applied.outcomes))

    @property
    def over(self) -> list[str]:
        """The limits that the plan is over."""
        return list(self.plan.summary()["overLimit"]) if self.plan else []
