"""The form of the page as it was sent: which licenses stay ticked, who is to be held, and the answer.

A line that is not sent is taken out of the approval: what is lost on the way is kept, never released.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from seatwarden.engine.log.approval import ApprovalAnswer

ANSWERS: Final[Mapping[str, ApprovalAnswer]] = {"approve": "approve", "reject": "reject"}
_MOST_FIELDS = 100_000
_MOST_DIGITS = 9


class BadForm(ValueError):
    """What was sent is no form of our page."""


@dataclass(frozen=True, slots=True)
class TypedHold:
    """A hold as it was typed beside a license."""

    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class TypedAnswer:
    """What was ticked and typed. `ticked` are the lines that are to be released (None: all, as the page begins),
    `holds` the lines beside which a hold is asked for."""

    ticked: frozenset[int] | None = None
    holds: Mapping[int, TypedHold] = field(default_factory=dict)
    comment: str = ""
    limits: str = ""


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form that was sent: the answer, what was typed, by which passphrase, about the plan of which root."""

    answer: ApprovalAnswer
    typed: TypedAnswer
    passphrase: str = field(repr=False)
    root: str
    proof: str = field(repr=False)


def read_form(body: bytes) -> SentForm:
    """The form in a body, `application/x-www-form-urlencoded`. Raises BadForm."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise BadForm("it cannot be read") from None
    single: dict[str, str] = {}
    lines: dict[str, set[int]] = {"release": set(), "hold": set()}
    for name, value in pairs:
        if name in lines:
            lines[name].add(_line(value))
        elif name in single:
            raise BadForm("a field stands there twice")
        else:
            single[name] = value
    holds = {n: TypedHold(single.get(f"reason-{n}", ""), single.get(f"until-{n}", "")) for n in sorted(lines["hold"])}
    answer = ANSWERS.get(single.get("answer", ""))
    if answer is None:
        raise BadForm("it has no answer")
    # A browser sends line breaks of a text as two characters.
    comment = " ".join(single.get("comment", "").split())
    typed = TypedAnswer(frozenset(lines["release"]), holds, comment, single.get("limits", "").strip())
    return SentForm(answer, typed, single.get("passphrase", ""), single.get("root", ""), single.get("proof", ""))


def _line(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS):
        raise BadForm("a line is no number")
    return int(value)
