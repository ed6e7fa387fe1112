"""All errors, in one tree. `engine.cli.exits` says with which code a command ends that meets one.

SeatwardenError              message and help                                       grammar.errors
├── PolicySyntaxError        the text is not a policy                               grammar.errors
├── LicenseRuleError         a license rule of Qlik's cannot be read                grammar.license_rule
├── Defect                   what we wrote does not pass its own proof              grammar.errors
├── PolicyError              a policy or site file cannot be used, place by place   policy.errors
├── InputError               a file, an option or a name cannot be used             policy.errors
│   ├── AmbiguousUser        several users fit                                      engine.explain.people
│   └── WrongPassphrase      a signing key is not opened by it                      engine.common.signing_key
├── RemoteError              QRS cannot be reached, or does not answer as it should
│   ├── NotAuthorized        QRS does not accept us
│   └── NoAnswer             the connection failed before an answer came
├── DamagedLog               a plan or a journal is not as it was written
├── UntrustedRecord          a register or a clock that cannot be relied on
├── PlanRefused              the answer is no: the plan is not applied
│   └── NotApproved          it waits for approvals
├── OverTheLimit             the plan releases more than a limit allows
├── ServedAlready            another service is at work with this folder
├── NotDelivered             a destination did not take a notification              engine.notify.errors
├── Unavailable, Rejected    InfluxDB does not take points now, or never will       engine.metrics.writer
└── NotInYaml                Butler's YAML cannot say this                          policy.butler.shapes
"""

from pathlib import Path
from typing import NamedTuple

from seatwarden.grammar.errors import SeatwardenError


class RemoteError(SeatwardenError):
    """QRS could not be reached, did not accept us, or did not answer as it should.

    Neither message nor help ever holds a key, a token or a header's value.
    """


class NotAuthorized(RemoteError):
    """QRS does not accept us (401, 403, a login page): nothing that follows can succeed either."""


class NoAnswer(RemoteError):
    """The connection failed before an answer came: whether QRS acted is not known."""


class Damage(NamedTuple):
    """One fault of a log: its line (from 1), and what is wrong there."""

    line: int
    problem: str


class DamagedLog(SeatwardenError):
    """A plan or a journal is not as it was written. `damage` names each bad line, `first` the first in words."""

    def __init__(self, path: Path, damage: list[Damage]) -> None:
        self.first = f"line {damage[0].line} {damage[0].problem}"
        super().__init__(f"{path}: {self.first}")
        self.path = path
        self.damage = damage


class UntrustedRecord(SeatwardenError):
    """A register is not as it was written, or clocks say what cannot be: nothing is released."""


class PlanRefused(SeatwardenError):
    """The plan is not applied, for a reason that is no failure."""


class NotApproved(PlanRefused):
    """The plan waits for approvals that it needs."""


class OverTheLimit(SeatwardenError):
    """The plan releases more than a limit allows: nothing at all is released."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


class ServedAlready(SeatwardenError):
    """Another service is at work with this folder."""
