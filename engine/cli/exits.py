"""Exit codes: what a script can tell from the outside."""

from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

import typer

from seatwarden.engine.errors import DamagedLog, OverTheLimit, PlanRefused, RemoteError, ServedAlready, UntrustedRecord
from seatwarden.grammar.errors import PolicySyntaxError, SeatwardenError
from seatwarden.policy.errors import InputError, PolicyError

if TYPE_CHECKING:
    from seatwarden.engine.runs.run_report import RunOutcome


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


def ended(code: ExitCode) -> typer.Exit:
    """What a command raises at its end that has made much: all of it stays with the exception until the process ends,
    and need not be taken apart (`seatwarden/__main__.py`)."""
    return typer.Exit(code)


def exit_code(error: SeatwardenError) -> ExitCode:
    """The code with which a command ends that met this error."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), ExitCode.BAD_INPUT)


def code_of_run(outcome: "RunOutcome", *, bad_input: bool) -> ExitCode:
    """The exit code for a run that has ended so, which scripts go by; `bad_input`: what it was given cannot be used."""
    match outcome:
        case "dry-run" | "done" | "planned" | "waiting":
            return ExitCode.DONE
        case "over-limit" | "stopped" | "refused":
            return ExitCode.NO
        case "incomplete" | "interrupted":
            return ExitCode.SOME_FAILED
        case "failed":
            return ExitCode.BAD_INPUT if bad_input else ExitCode.REMOTE_FAILED


def code_of_fleet(codes: Collection[int]) -> ExitCode:
    """The exit code for a fleet, by those of its sites: 3 where all have failed, 4 where some sites or releases have, 1
    where nothing failed and somebody said no."""
    failed = [code for code in codes if code in (ExitCode.BAD_INPUT, ExitCode.REMOTE_FAILED)]
    if failed and len(failed) == len(codes):
        return ExitCode.REMOTE_FAILED
    if failed or ExitCode.SOME_FAILED in codes:
        return ExitCode.SOME_FAILED
    return ExitCode.NO if ExitCode.NO in codes else ExitCode.DONE
