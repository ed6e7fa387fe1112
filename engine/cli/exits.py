"""Exit codes: what a script can tell from the outside."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Every code the command ends with."""

    DONE = 0
    NO = 1  # the answer is no: a log does not verify, a plan is over the limit
    BAD_INPUT = 2  # bad usage, or input that cannot be read
    REMOTE_FAILED = 3
    SOME_FAILED = 4
    SOMETHING_TO_RELEASE = 5  # only with plan --detailed-exitcode
