"""Exit codes: what a script can tell from the outside."""

from collections.abc import Mapping
from enum import IntEnum

from seatwarden.engine.errors import DamagedLog, OverTheLimit, PlanRefused, RemoteError, ServedAlready, UntrustedRecord
from seatwarden.grammar.errors import PolicySyntaxError, SeatwardenError
from seatwarden.policy.errors import InputError, PolicyError


class ExitCode(IntEnum):
    """Every code the command ends with."""

    DONE = 0
    NO = 1  # the answer is no: a log does not verify, a plan is over the limit
    BAD_INPUT = 2  # bad usage, or input that cannot be read
    REMOTE_FAILED = 3  # a remote system failed, or a register or clock that cannot be trusted
    SOME_FAILED = 4
    SOMETHING_TO_RELEASE = 5  # only with plan --detailed-exitcode


EXIT_CODES: Mapping[type[SeatwardenError], ExitCode] = {
    PolicySyntaxError: ExitCode.BAD_INPUT,
    PolicyError: ExitCode.BAD_INPUT,
    InputError: ExitCode.BAD_INPUT,
    RemoteError: ExitCode.REMOTE_FAILED,
    UntrustedRecord: ExitCode.REMOTE_FAILED,
    DamagedLog: ExitCode.NO,
    PlanRefused: ExitCode.NO,
    OverTheLimit: ExitCode.NO,
    ServedAlready: ExitCode.NO,
}
"""The code for each kind of error and all below it; what a command never lets through is not in it."""


def exit_code(error: SeatwardenError) -> ExitCode:
    """The code with which a command ends that met this error."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), ExitCode.BAD_INPUT)
