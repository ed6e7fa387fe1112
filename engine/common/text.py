"""Text for people's eyes: numbers and lists in words, and what comes from outside made fit to be shown."""

import unicodedata

_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Cs")
"""Unicode's categories of control, direction and line characters, and of surrogates that stand alone."""


def printable(text: str) -> str:
    """A text from outside without control, direction and line characters; a stand-in shows where one was."""
    if text.isprintable():
        return text  # most are, and this is quick
    return "".join("\ufffd" if unicodedata.category(c) in _UNSEEN else c for c in text)


def in_days(days: int) -> str:
    """How far a day is: `in 2 days`, `today`, `81 days ago`."""
    if not days:
        return "today"
    return f"in {plural(days, 'day')}" if days > 0 else f"{plural(-days, 'day')} ago"


def escaped_json(typed: str) -> str:
    """JSON with control, direction and line characters written as escapes: the same JSON, which fools no terminal."""
    lines = typed.split("\n")  # those of its layout; within a text they are escaped already
    return typed if all(map(str.isprintable, lines)) else "\n".join(map(_escaped, lines))


def _escaped(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(_json_escape(c) if unicodedata.category(c) in _UNSEEN else c for c in line)


def _json_escape(character: str) -> str:
    """Its code in UTF-16, as JSON wants it: beyond the first plane these are two."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def one_line(text: str, longest: int) -> str:
    """The text on one line, printable, with single spaces, cut after `longest` characters."""
    head = text[: 4 * longest]  # hostile text may be very long
    line = printable(" ".join(head.split()))
    return line if len(line) <= longest and len(head) == len(text) else line[: longest - 1] + "…"


def for_header(text: str) -> str:
    """A printable line as the value of a mail's header: not read as an encoded word (RFC 2047).

    Python's `email` decodes what is assigned to a header, and writes a line feed that stands encoded in it as one:
    a name such as `=?utf-8?q?=0aBcc:_x?=` would be a header of its own.
    """
    return text.replace("=?", "= ?")


def plural(count: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def join_words(words: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def quoted(text: str) -> str:
    """A text as it stands in sentences."""
    return f'"{text}"'
