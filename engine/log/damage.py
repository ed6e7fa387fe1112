"""Damage found in a hash-chained log. It stands apart from `chain.py`, which takes a while to import."""

from pathlib import Path
from typing import NamedTuple


class Damage(NamedTuple):
    """What is wrong with a chain, and in which line (from 1)."""

    line: int
    problem: str


class DamagedLog(Exception):
    """The log does not verify. `damage` names each bad line."""

    def __init__(self, path: Path, damage: list[Damage]) -> None:
        super().__init__(f"{path}: line {damage[0].line} {damage[0].problem}")
        self.path = path
        self.damage = damage
