"""Runs on a site whose plans must be signed and approved, and people who answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatwarden.engine.apply.approving import AnswerGiven, answer, approvable
from seatwarden.engine.common.signing_key import SigningKey
from seatwarden.engine.log.verify import VerifiedRecord, verify_record
from seatwarden.engine.site.settings import Settings, load_settings
from tests.engine.runs.running import Running
from tests.engine.service.sites import write_site
from tests.engine.signers import WORDS

APPROVED = AnswerGiven("approve")


@dataclass
class Approving(Running):
    """Runs under `signing` and `approvals`; `answer` is what somebody says of a plan."""

    keys: Path = Path()
    signers: Mapping[str, SigningKey] = field(default_factory=dict)
    required: int = 2
    approvers: tuple[str, ...] = ("anna", "bert")
    signing: str | None = "service"
    valid_for: int = 24

    @property
    def settings(self) -> Settings:
        ours = self.ours
        if self.signing:
            ours += f"\nsigning: {{key: '{self.keys / self.signing}.key', passphrase: '${{PASS}}'}}"
        if self.required:
            keys = ", ".join(f"'{self.keys / name}.pub'" for name in self.approvers)
            ours += f"\napprovals: {{required: {self.required}, keys: [{keys}], validFor: {self.valid_for}}}"
        more: dict[str, Any] = {"policy": self.policy, "ours": ours, "release": self.release}
        path = write_site(self.folder, self.port, influx=self.influx, **more)
        return load_settings(path, {"PASS": WORDS}, default_folder=path.parent / "default")

    def answer(self, folder: Path, name: str, given: AnswerGiven = APPROVED) -> Path:
        """Somebody's answer about the plan in a folder; the file of it."""
        return answer(approvable(folder, self.now), given, self.signers[name], self.now, lambda size: bytes(size))

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def verified(self) -> VerifiedRecord:
        return verify_record(self.state, lambda folder: ())
