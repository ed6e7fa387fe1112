"""Texts that look alike: what is left of a text when one only looks at it.

Unicode's own table of confusable characters says which letters look the same (the Cyrillic and the Latin a, 1 and l);
compatibility forms, invisible characters, repeated spaces and case are dropped before.
"""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=1)
def _prototypes() -> dict[str, str]:
    """For each confusable character the one that stands for all that look like it."""
    # A large table, read only when names are held against a snapshot.
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[str, list[dict[str, str]]] = confusables_data
    found = {}
    for character, others in table.items():
        if len(character) == 1 and len(others) == 1:
            other = others[0]["c"]
            # Of two that look only like each other neither is the usual one: both get the same, the lower one.
            mutual = len(table.get(other, ())) == 1
            found[character] = min(character, other) if mutual else other
    return found


_ASCII = str.maketrans({"|": "l", "1": "l", "I": "l", "0": "O", "m": "rn", "`": "'", '"': "''", "%": "\u00ba/\u2080"})
"""Unicode's table, as far as it speaks of ASCII: most names need no more, and the whole takes a tenth of a second."""


@lru_cache(maxsize=100_000)
def looks(text: str) -> tuple[str, str]:
    """The shapes of a text as it is, and in small letters. Texts that share one of the two look alike."""
    if text.isascii() and text.isprintable():
        visible = " ".join(text.split())
        return visible.translate(_ASCII).casefold(), visible.casefold().translate(_ASCII).casefold()
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Cc"))
    visible = " ".join(visible.split())
    return _shape(visible), _shape(visible.casefold())


def _shape(text: str) -> str:
    prototypes = _prototypes()
    return "".join(prototypes.get(c, c) for c in text).casefold()
