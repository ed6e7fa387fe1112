"""Asking a person for a number before what cannot be undone: who types it has read what stands above."""

import sys

import typer

from seatwarden.engine.errors import PlanRefused
from seatwarden.policy.errors import InputError


def confirm_number(what: str, count: int, purpose: str, unchanged: str) -> None:
    """Asks for the number of `what`, to a `purpose`; `unchanged` says what has not been done without it.

    Raises PlanRefused for anything else, InputError where nobody can answer.
    """
    if not sys.stdin.isatty():
        raise InputError("nobody is here to confirm", "add --yes in a job")
    typed = typer.prompt(f"Type the number of {what} ({count}) to {purpose}", default="no", err=True)
    if typed != str(count):
        raise PlanRefused(f"not confirmed; {unchanged}")
