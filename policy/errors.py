"""Errors of the second floor: what the user gave cannot be used. The whole tree is drawn in `engine.errors`."""

from collections.abc import Mapping

from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.diagnostics import Diagnostic


class InputError(SeatwardenError):
    """Something without a place in a policy cannot be used: a file, an option, a name."""


class PolicyError(SeatwardenError):
    """A policy (or a site file) cannot be used.

    `diagnostics` holds every error found; `sources` the text of the files they point into, by name.
    """

    def __init__(self, diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{d.span.place}: {d.message}" for d in diagnostics))
        self.diagnostics = diagnostics
        self.sources = sources
