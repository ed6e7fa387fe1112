"""What the first floor reports when text is not in the language."""

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


class PolicySyntaxError(Exception):
    """The text is not a policy. `problems` holds every syntax error found, in file order."""

    def __init__(self, problems: tuple[SyntaxProblem, ...]) -> None:
        super().__init__("; ".join(f"{p.span.place}: {p.message}" for p in problems))
        self.problems = problems


def shown(text: str) -> str:
    """What the user wrote, for a message: the start of it when it is long."""
    return text if len(text) <= 40 else text[:39] + "…"
