"""The root of all errors, and the syntax errors of the first floor.

The whole tree is drawn in `engine.errors`.
"""

from msgspec import Struct

from seatwarden.grammar.spans import Span


class SyntaxProblem(Struct, frozen=True):
    """One syntax error: a code of the SW0xx family, what is wrong, where, and what to do."""

    code: str
    message: str
    label: str
    help: str | None
    span: Span


class SeatwardenError(Exception):
    """The root of all errors that users are told: `message` says what and why, `help` (if any) what to do."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Defect(SeatwardenError):
    """Seatwarden's own output fails its proof: none of it is used, and the fault is ours, to be reported."""


class PolicySyntaxError(SeatwardenError):
    """The text is not a policy. `problems` holds every syntax error found, in file order."""

    def __init__(self, problems: tuple[SyntaxProblem, ...]) -> None:
        super().__init__("; ".join(f"{p.span.place}: {p.message}" for p in problems))
        self.problems = problems


def shown(text: str) -> str:
    """A text of the user's as messages quote it: at most 40 characters."""
    return text if len(text) <= 40 else text[:39] + "…"
