"""TextMate's way of colouring, as far as our grammar uses it: rules that match within one line."""

import json
import re
from typing import NamedTuple

from tests.paths import ROOT

GRAMMAR = ROOT / "editors" / "vscode" / "syntaxes" / "seatwarden.tmLanguage.json"


class Coloured(NamedTuple):
    """A stretch of one line with its scope; lines and columns count from 0."""

    line: int
    start: int
    end: int
    scope: str


def rules() -> list[tuple[str, re.Pattern[str]]]:
    """Scope and pattern of every rule, in the order in which they are tried."""
    grammar = json.loads(GRAMMAR.read_text(encoding="utf-8"))
    found = []
    for include in grammar["patterns"]:
        entry = grammar["repository"][include["include"].removeprefix("#")]
        for rule in entry.get("patterns", [entry]):
            assert set(rule) <= {"name", "match", "comment"}, "this reader knows rules of one line only"
            found.append((rule["name"], re.compile(rule["match"])))
    return found


def coloured(text: str) -> list[Coloured]:
    """Every coloured stretch: at each place the rule that matches first, of several the one that stands first."""
    found = []
    known = rules()
    for number, line in enumerate(text.split("\n")):
        place = 0
        while place < len(line):
            matches = [(scope, match) for scope, pattern in known if (match := pattern.search(line, place))]
            if not matches:
                break
            scope, match = min(matches, key=lambda one: one[1].start())
            found.append(Coloured(number, match.start(), match.end(), scope))
            place = match.end()
    return found
