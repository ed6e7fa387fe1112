"""Text from outside (names, tags, messages) made fit for people's eyes: nothing that a reader could be fooled by."""

import unicodedata


def printable(text: str) -> str:
    """The text without control, direction and line characters; a stand-in shows where one was."""
    if text.isprintable():
        return text  # most are, and this is quick
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") else c for c in text)


def one_line(text: str, longest: int) -> str:
    """The text on one line, printable, with single spaces, cut after `longest` characters."""
    head = text[: 4 * longest]  # hostile text may be very long
    line = printable(" ".join(head.split()))
    return line if len(line) <= longest and len(head) == len(text) else line[: longest - 1] + "…"
