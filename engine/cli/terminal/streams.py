"""Standard output and error, made ready for any text, and whether little is to be said."""

import codecs
import io
import os
import sys
from typing import TextIO

_PLAIN = {"✓": "+", "✗": "-", "→": ">", "·": "-", "─": "-", "—": "-", "…": "."}
"""Stand-ins for signs that a console lacks. A `?` would say in an explanation that a truth is not known."""

_quiet = False
_letters_lost = False


def prepare_streams() -> None:
    """Makes both streams take any text: a console that lacks a character shows a stand-in and ends no program."""
    global _letters_lost
    _letters_lost = False
    be_quiet(False)
    codecs.register_error("stand-in", _stand_in)
    # A process of Windows without a console (pythonw, some services) has no streams at all.
    sys.stdout = sys.stdout or nowhere()
    sys.stderr = sys.stderr or nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="stand-in")


def nowhere() -> TextIO:
    """A stream that takes everything and keeps nothing."""
    return open(os.devnull, "w", encoding="utf-8")


def _stand_in(error: UnicodeError) -> tuple[str | bytes, int]:
    global _letters_lost
    if not isinstance(error, UnicodeEncodeError):
        return codecs.replace_errors(error)
    missing = error.object[error.start : error.end]
    # A mark may well be missing where another says the same, a letter of a name may not.
    _letters_lost = _letters_lost or any(c.isalnum() for c in missing)
    return "".join(_PLAIN.get(c, "?") for c in missing), error.end


def were_letters_lost() -> bool:
    """Whether a file or pipe on standard output has stand-ins for letters. On a terminal everybody sees them."""
    return _letters_lost and not sys.stdout.isatty()


def is_utf8() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def be_quiet(asked: bool) -> None:
    """Sets whether only warnings and errors are said from here on, beside CSV or JSON that was asked for."""
    global _quiet
    _quiet = asked


def is_quiet() -> bool:
    """Whether only warnings and errors are to be said."""
    return _quiet
