"""The root of all errors, and what the first floor reports when text is not in the language.

The whole tree is drawn in `engine.errors`.
"""

from dataclasses import dataclass

from seatwarden.grammar.spans import Span


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """One syntax error: a code of the SW0xx family, what is wrong, where, and what to do."""

    code: str
    message: str
    label: str
    help: str | None
    span: Span


class SeatwardenError(Exception):
    """Whatever seatwarden itself reports: `message` says what and why, `help` what to do, where there is something."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Defect(SeatwardenError):
    """What we wrote does not pass its own proof, so nothing of it may be used: a fault of ours, to be reported."""


class PolicySyntaxError(SeatwardenError):
    """The text is not a policy. `problems` holds every syntax error found, in file order."""

    def __init__(self, problems: tuple[SyntaxProblem, ...]) -> None:
        super().__init__("; ".join(f"{p.span.place}: {p.message}" for p in problems))
        self.problems = problems


def shown(text: str) -> str:
    """What the user wrote, for a message: the start of it when it is long."""
    return text if len(text) <= 40 else text[:39] + "…"
