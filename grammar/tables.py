"""Parsers ready-made: Lark's parse tables are stored beside each grammar, in `NAME.tables`.

Building a parser from its grammar takes about 60 ms at the start of nearly every command, loading it 5. The stored
tables carry a digest of the grammar and the version of Lark; where they do not fit, the parser is built as ever.
After a change of a grammar they are written anew by `python -m seatwarden.grammar.tables`; a test says when.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import lark
from lark import Lark

STARTS: dict[str, list[str]] = {
    "policy": ["policy", "condition", "bare_limit", "bare_days", "bare_promise"],
    "schedule": ["schedule"],
    "license_rule": ["start"],
}
"""The grammars, and what can be parsed by each."""
_FOLDER = Path(__file__).parent


def load_parser(name: str) -> Lark:
    """The parser of `NAME.lark`."""
    grammar = (_FOLDER / f"{name}.lark").read_text(encoding="utf-8")
    stored = _FOLDER / f"{name}.tables"
    if stored.is_file():
        made_of, _, tables = stored.read_bytes().partition(b"\n")
        if made_of.split() == [digest(name, grammar), lark.__version__.encode()]:
            # Lark unpickles this, which could run anything: it is only ever read from beside the code itself.
            return Lark.load(io.BytesIO(tables))
    return build_parser(name, grammar)


def build_parser(name: str, grammar: str) -> Lark:
    """The parser, built from the text of its grammar."""
    options: dict[str, Any] = {"parser": "lalr", "propagate_positions": True, "maybe_placeholders": False}
    return Lark(grammar, start=STARTS[name], **options)


def digest(name: str, grammar: str) -> bytes:
    """SHA-256, in hexadecimal, of a grammar and its starts: stored tables are held against it."""
    text = "\n".join((*STARTS[name], grammar))
    return hashlib.sha256(text.encode()).hexdigest().encode()


def write_tables(folder: Path) -> None:
    """Writes the tables of all grammars in a folder."""
    for name in STARTS:
        grammar = (folder / f"{name}.lark").read_text(encoding="utf-8")
        tables = io.BytesIO()
        build_parser(name, grammar).save(tables)
        made_of = b"%b %b\n" % (digest(name, grammar), lark.__version__.encode())
        (folder / f"{name}.tables").write_bytes(made_of + tables.getvalue())


if __name__ == "__main__":
    write_tables(_FOLDER)
