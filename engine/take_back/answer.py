"""The answer to whether Qlik gives a license back by itself, as plans record it."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.errors import shown

TakeBackAnswer: TypeAlias = Literal["given back", "not given back", "cannot say"]
ANSWERS: tuple[TakeBackAnswer, ...] = ("not given back", "given back", "cannot say")
"""The answers in the order in which they are counted."""


class TakeBack(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Whether a license that somebody loses is given back at log-in.

    `gives` are the types that `rules` give, or may give beside the one that was asked about: which wins is not
    documented. `instead` are rules that give a license of the other type though none gives this one. `reason` is why
    nobody can say.
    """

    answer: TakeBackAnswer
    rules: tuple[str, ...] = ()
    gives: tuple[LicenseType, ...] = ()
    instead: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_certain(self) -> bool:
        """Whether it is certain that this license is given back, and no other one in place of it."""
        return self.answer == "given back" and len(self.gives) == 1

    @property
    def brief(self) -> str:
        """The answer in few words: by which rules it is given back."""
        if self.answer == "given back":
            return ", ".join(self.rules)
        return "no rule" if self.answer == "not given back" else self.answer

    def describe(self) -> str:
        """The answer in words."""
        if self.answer == "cannot say":
            return f"cannot say whether it is given back: {self.reason}"
        if self.answer == "not given back":
            return f"not given back by a rule{_other(self.instead)}"
        types = " or ".join(self.gives)
        return f"given again if they log in: {types}, by {named_rules(self.rules)}"


def named_rules(rules: Sequence[str]) -> str:
    """License rules by name: ``rule `a` ``, ``rules `a`, `b` ``."""
    return f"{'rule' if len(rules) == 1 else 'rules'} {', '.join(f'`{shown(rule)}`' for rule in rules)}"


def _other(rules: Sequence[str]) -> str:
    return f"; a license of the other type is given if they log in, by {named_rules(rules)}" if rules else ""
