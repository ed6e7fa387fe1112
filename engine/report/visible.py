"""Text from outside (names, tags, reasons) as the page shows it: nothing invisible, nothing that turns the line.

Escaping for HTML and JSON is done where they are written, in `engine.report.render`; this is about readers' eyes.
"""

import unicodedata

_HIDDEN = ("Cc", "Cf", "Zl", "Zp", "Cs")
"""Control, format (direction, zero width), line and paragraph separators, halves of characters."""

_JOINERS = "\u200c\u200d"
_LATIN_END = "\u02ff"


def shown(text: str) -> str:
    """The text with every invisible character spelled out, like `⟨U+202E⟩` for one that turns the reading direction.

    Joiners stay after characters of scripts that need them, and in emoji; after Latin letters they only deceive.
    """
    if text.isprintable():
        return text
    before = ("", *text)
    return "".join(
        f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _HIDDEN and not _joins(c, b) else c
        for b, c in zip(before, text, strict=False)
    )


def _joins(character: str, before: str) -> bool:
    return character in _JOINERS and before > _LATIN_END and unicodedata.category(before) not in _HIDDEN
