"""Seals that leave the machine: a run's roots and the register's head, in words that can be found again anywhere.

Whoever can write the folders can write them anew as a whole. Only what stands in a mailbox, a database or another log
since then shows it.
"""

import re
from dataclasses import dataclass

_HEX = r"[0-9a-f]{64}"
_SEALS = re.compile(
    rf"seal of register ([0-9a-f]{{16}}) run (\d{{1,9}}):\s+plan ({_HEX}),?\s+(?:journal ({_HEX}),?\s+)?"
    rf"register line (\d{{1,9}})\s+({_HEX})"
)


@dataclass(frozen=True, slots=True)
class Seals:
    """The register's id, the run's number, the roots of plan and journal (None: not closed), the register's head."""

    register: str
    run: int
    plan: str
    journal: str | None
    lines: int
    head: str

    def __str__(self) -> str:
        """On one line, as it stands wherever it goes."""
        journal = f"journal {self.journal}, " if self.journal else ""
        return f"seal of register {self.register} run {self.run}: plan {self.plan}, {journal}{self._head}"

    @property
    def _head(self) -> str:
        return f"register line {self.lines} {self.head}"

    @property
    def paragraph(self) -> list[str]:
        """On several lines, of which none is long, for mails."""
        journal = [f"journal {self.journal},"] if self.journal else []
        first = f"seal of register {self.register} run {self.run}:"
        return [first, f"plan {self.plan},", *journal, f"register line {self.lines}", self.head]


def seals_in(text: str) -> list[Seals]:
    """All seals in a text, in its order: a log, a mailbox, a table that was copied out of a database."""
    # Mails break long lines: `=` and a line break in one encoding, `>` before lines that were answered.
    text = re.sub(r"=\r?\n|^[> ]+", "", text, flags=re.MULTILINE)
    return [
        Seals(register, int(run), plan, journal or None, int(lines), head)
        for register, run, plan, journal, lines, head in _SEALS.findall(text)
    ]
